"""The last pass: bands of the picture from light to BT.709 limited-range 4:2:0 code values.

Light is never negative, ``frames.project`` sees to that: the curve takes its root as it is.
Rows are worked on as even and odd columns apart ("polyphase"): the tent filter from level 1 needs no gather, chroma
needs no stride, and the two bytes of luma are stored as one 16-bit word, so that every loop is plain SIMD. Nothing is
ever held as an RGB picture.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.frames.splat import splat_band
from ethereal_gui.render.frames.tone import CURVE_B, CURVE_D, CURVE_E
from ethereal_gui.render.scene.jit import kernel

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]

NOISE_SIZE = 1 << 15

_ZERO = np.float32(0.0)
_A = np.float32(0.75)
_B = np.float32(0.25)
_BLACK = np.float32(16.0)
_WHITE = np.float32(235.0)
_HALF = np.float32(0.5)
_LUMA = np.float32(16.5)
_CHROMA = np.float32(128.5)
_CHROMA_MAX = np.float32(240.0)
_QUARTER = np.float32(0.25)


def make_noise(columns: int, grain: float) -> Float32:
    """Dither in code values: triangular noise of one step plus Gaussian film grain of sigma ``grain``; seeded.

    Shape (NOISE_SIZE + columns,): a row of the picture begins anywhere in the first NOISE_SIZE values.
    """
    random = np.random.default_rng(20261124)
    size = NOISE_SIZE + columns
    noise = random.random(size) - random.random(size) + grain * random.standard_normal(size)
    return np.ascontiguousarray(noise, dtype=np.float32)


@kernel
def _blend(near: Float32, far: Float32, line: Float32) -> None:
    for i in range(line.shape[0]):
        line[i] = _A * near[i] + _B * far[i]


@kernel
def _curve_smooth(line: Float32, gain: float, even: Float32, odd: Float32) -> None:
    g = np.float32(gain)
    for i in range(even.shape[0]):
        m = _A * line[i + 1]
        x = g * (m + _B * line[i])
        s = math.sqrt(x)
        even[i] = (x + CURVE_B * s) / (x + CURVE_D * s + CURVE_E)
        x = g * (m + _B * line[i + 2])
        s = math.sqrt(x)
        odd[i] = (x + CURVE_B * s) / (x + CURVE_D * s + CURVE_E)


@kernel
def _curve_sharp(line: Float32, fine: Float32, gain: float, even: Float32, odd: Float32) -> None:
    g = np.float32(gain)
    for i in range(even.shape[0]):
        m = _A * line[i + 1]
        x = g * (m + _B * line[i] + fine[2 * i])
        s = math.sqrt(x)
        even[i] = (x + CURVE_B * s) / (x + CURVE_D * s + CURVE_E)
        x = g * (m + _B * line[i + 2] + fine[2 * i + 1])
        s = math.sqrt(x)
        odd[i] = (x + CURVE_B * s) / (x + CURVE_D * s + CURVE_E)


@kernel
def _luma(t: Float32, matrix: Float32, noise: Float32, out: UInt16) -> None:
    n = out.shape[0]
    r, g, b = matrix[0], matrix[1], matrix[2]
    for i in range(n):
        e = r * t[0, i] + g * t[1, i] + b * t[2, i] + noise[i] + _LUMA
        o = r * t[3, i] + g * t[4, i] + b * t[5, i] + noise[n + i] + _LUMA
        e = min(_WHITE, max(_BLACK, e))
        o = min(_WHITE, max(_BLACK, o))
        out[i] = np.uint16(np.int32(e) | (np.int32(o) << 8))


@kernel
def _chroma(t: Float32, matrix: Float32, noise: Float32, u: UInt8, v: UInt8) -> None:
    n = u.shape[0]
    ur, ug, ub = _QUARTER * matrix[3], _QUARTER * matrix[4], _QUARTER * matrix[5]
    vr, vg, vb = _QUARTER * matrix[6], _QUARTER * matrix[7], _QUARTER * matrix[8]
    for i in range(n):
        r = (t[0, i] + t[3, i]) + (t[6, i] + t[9, i])
        g = (t[1, i] + t[4, i]) + (t[7, i] + t[10, i])
        b = (t[2, i] + t[5, i]) + (t[8, i] + t[11, i])
        cb = ur * r + ug * g + ub * b + _HALF * noise[i] + _CHROMA
        cr = vr * r + vg * g + vb * b + _HALF * noise[n + i] + _CHROMA
        u[i] = np.uint8(np.int32(min(_CHROMA_MAX, max(_BLACK, cb))))
        v[i] = np.uint8(np.int32(min(_CHROMA_MAX, max(_BLACK, cr))))


@kernel
def _row_noise(seed: int, row: int) -> int:
    x = np.uint32(np.uint32(seed) * np.uint32(0x9E3779B1) + np.uint32(row) * np.uint32(0x85EBCA77))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return int(x >> np.uint32(17))


@kernel
def develop(
    sprites: Float32,
    lists: Int32,
    starts: Int32,
    base: Float32,
    band0: int,
    band1: int,
    wraps: bool,
    gain: float,
    matrix: Float32,
    noise: Float32,
    seed: int,
    luma: UInt16,
    cb: UInt8,
    cr: UInt8,
) -> None:
    """Draw level 0 of bands ``band0..band1`` (32 rows each), add level 1 (``base``), and write the code values.

    ``luma`` has shape (rows, columns / 2): two pixels per word, the left one in the low byte. ``cb`` and ``cr`` have
    shape (rows / 2, columns / 2).
    """
    half = luma.shape[1]
    rows = luma.shape[0]
    fine = np.empty((3, 32, 2 * half + 16), np.float32)
    line = np.empty(half + 2, np.float32)
    t = np.empty((12, half), np.float32)
    for band in range(band0, band1):
        y0 = band * 32
        y1 = min(rows, y0 + 32)
        start = y0 & 31  # 0, but not a literal, for which numba would compile the splats once more
        sharp = starts[band + 1] > starts[band]
        if sharp:
            splat_band(sprites, lists, starts[band], starts[band + 1], y0, y1, float(rows), fine, start)
            if wraps:
                for c in range(3):
                    for y in range(y1 - y0):
                        for i in range(8):
                            fine[c, y, 2 * half + i] += fine[c, y, i]
                            fine[c, y, 8 + i] += fine[c, y, 8 + 2 * half + i]
        for y in range(y0, y1):
            j = (y >> 1) + 1
            low = 6 * (y & 1)
            for c in range(3):
                near = base[c, j, 7 : half + 9]
                far = base[c, j - 1 if y & 1 == 0 else j + 1, 7 : half + 9]
                _blend(near, far, line)
                if sharp:
                    _curve_sharp(line, fine[c, y - y0, 8 : 8 + 2 * half], gain, t[low + c], t[low + 3 + c])
                else:
                    _curve_smooth(line, gain, t[low + c], t[low + 3 + c])
            _luma(t[low : low + 6], matrix, noise[_row_noise(seed, y) :], luma[y])
            if y & 1:
                _chroma(t, matrix, noise[_row_noise(seed + 1, y) :], cb[y >> 1], cr[y >> 1])
