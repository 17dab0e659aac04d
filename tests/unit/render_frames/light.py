"""Pictures of light that a test makes up, without a scene."""

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.frames import develop, tone


def develop_light(
    light: NDArray[np.float32], grain: float = 0.0, gain: float = 1.0, seed: int = 3
) -> NDArray[np.uint8]:
    """An I420 picture of level-1 light: linear BT.709, (3, height / 2, width / 2), height a multiple of 32."""
    height, width = 2 * light.shape[1], 2 * light.shape[2]
    working = np.moveaxis(tone.to_working(np.moveaxis(light, 0, -1)), -1, 0)
    base = np.pad(working, ((0, 0), (1, 1), (8, 8)), mode="edge").astype(np.float32)
    out = np.zeros((height * 3 // 2, width), np.uint8)
    flat = out.reshape(-1)
    luma = flat[: width * height].view(np.uint16).reshape(height, width // 2)
    cb, cr = flat[width * height :].reshape(2, height // 2, width // 2)
    develop.develop(
        np.zeros((1, 8), np.float32),
        np.zeros(1, np.int32),
        np.zeros(height // 32 + 1, np.int32),
        np.ascontiguousarray(base),
        0,
        height // 32,
        False,
        gain,
        tone.yuv_matrix(),
        develop.make_noise(width, grain),
        seed,
        luma,
        cb,
        cr,
    )
    return out
