"""The finished 4:2:0 picture as RGB, for the window and for thumbnails."""

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]


def yuv_to_rgb(picture: UInt8) -> UInt8:
    """I420 BT.709 limited range, uint8 (height * 3 / 2, width), as uint8 (height, width, 3)."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    flat = picture.reshape(-1)
    pixels = width * height
    luma = (flat[:pixels].reshape(height, width).astype(np.float32) - 16.0) * (255.0 / 219.0)
    planes = flat[pixels:].reshape(2, height // 2, width // 2).astype(np.float32)
    cb, cr = (_double(plane - 128.0) * np.float32(255.0 / 224.0) for plane in planes)
    rgb = np.stack((luma + 1.5748 * cr, luma - 0.1873 * cb - 0.4681 * cr, luma + 1.8556 * cb), axis=2)
    return np.asarray(np.clip(rgb + 0.5, 0, 255).astype(np.uint8))


def _double(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Twice the size by linear interpolation between centres."""
    for axis in (0, 1):
        plane = np.moveaxis(plane, axis, 0)
        before = np.concatenate((plane[:1], plane[:-1]))
        after = np.concatenate((plane[1:], plane[-1:]))
        out = np.empty((2 * len(plane), *plane.shape[1:]), np.float32)
        out[0::2] = 0.75 * plane + 0.25 * before
        out[1::2] = 0.75 * plane + 0.25 * after
        plane = np.moveaxis(out, 0, axis)
    return plane
