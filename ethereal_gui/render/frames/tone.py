"""From light to code values: the colour space that light is summed in, the tone curve, and BT.709.

Light is summed in a slightly desaturated ("inset") space, each channel takes the same curve, and the way back
("outset") is folded into the YUV matrix. Very bright blue or red thus runs to white instead of turning magenta or
yellow (the idea of AgX by T. Sobotka). All three steps but the curve are linear, so they cost nothing per pixel.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_INSET_CROSSTALK: Final = 0.055
_OUTSET_CROSSTALK: Final = 0.05

# y = (x + B s) / (x + D s + E) with s = sqrt(x): a toe, a straight part and a long shoulder in one division.
CURVE_B: Final = np.float32(0.055)
CURVE_D: Final = np.float32(0.30)
CURVE_E: Final = np.float32(0.24)
CURVE_GAIN: Final = np.float32(1.03)

_KR, _KG, _KB = 0.2126, 0.7152, 0.0722

Float32 = NDArray[np.float32]


def _crosstalk(amount: float) -> NDArray[np.float64]:
    return np.eye(3) * (1.0 - 3.0 * amount) + amount


INSET: Final = _crosstalk(_INSET_CROSSTALK)
OUTSET: Final = np.linalg.inv(_crosstalk(_OUTSET_CROSSTALK))


def to_working(rgb: NDArray[np.floating]) -> Float32:
    """Linear BT.709 light, shape (..., 3), in the space that light is summed in."""
    return np.ascontiguousarray(rgb @ INSET.T, dtype=np.float32)


def curve(light: NDArray[np.floating]) -> NDArray[np.float64]:
    """The tone curve in numpy, for tests and legends; any shape, 0..inf to 0..1."""
    x = np.maximum(np.asarray(light, dtype=np.float64), 0.0)
    s = np.sqrt(x)
    return np.minimum((x + CURVE_B * s) / (x + CURVE_D * s + CURVE_E) * CURVE_GAIN, 1.0)


def yuv_matrix() -> Float32:
    """Curve values to Y', Cb, Cr in code values without offsets (BT.709 limited range), shape (9,)."""
    to_yuv = np.array(
        [
            [_KR, _KG, _KB],
            [-_KR / (2 - 2 * _KB), -_KG / (2 - 2 * _KB), 0.5],
            [0.5, -_KG / (2 - 2 * _KR), -_KB / (2 - 2 * _KR)],
        ]
    )
    matrix = np.array([219.0, 224.0, 224.0])[:, None] * (to_yuv @ OUTSET) * float(CURVE_GAIN)
    return np.ascontiguousarray(matrix.reshape(-1), dtype=np.float32)
