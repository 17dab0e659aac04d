"""A caption laid over a finished picture, in code values, only where it stands.

Type wants to be as white as it was meant whatever the scene's exposure, so it is not light that goes through the tone
curve. The picture below has been dithered and stays so, and no rounding of the blend can show in it.
"""

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.jit import kernel

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

_ONE = np.float32(1.0)
_HALF = np.float32(0.5)


@kernel
def blend(plane: UInt8, top: int, left: int, cover: Float32, own: Float32, strength: float) -> None:
    """``plane = plane (1 - strength cover) + strength own`` over the box at ``top``, ``left``."""
    s = np.float32(strength)
    for y in range(cover.shape[0]):
        row = plane[top + y, left : left + cover.shape[1]]
        for x in range(row.shape[0]):
            row[x] = np.uint8(np.float32(row[x]) * (_ONE - s * cover[y, x]) + s * own[y, x] + _HALF)
