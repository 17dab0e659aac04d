"""The accumulation pyramid: planes of linear light at 1/2, 1/4 ... of the picture, and how light moves between them.

A plane is float32 of shape (3, rows + 2, columns + 16): one row of border above and below, eight columns left and
right. Splats write into the side borders freely; afterwards they are folded back (a sphere) or dropped (a plane).
Level 0 is never held as a whole: bands of it live in the cache of the last pass.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.jit import kernel

PAD = 8
BAND = 32  # rows of a level that are splatted together
MAX_LEVELS = 9

_GLARE = 0.75
_F3 = np.float32(3.0)
_F8 = np.float32(0.125)
_A = np.float32(0.75)
_B = np.float32(0.25)

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Level:
    """Size of one level and where its bands stand in the list of all bands."""

    width: int
    height: int
    first_band: int

    @property
    def bands(self) -> int:
        return math.ceil(self.height / BAND)


def plan_levels(width: int, height: int, *, wraps: bool) -> tuple[Level, ...]:
    """Sizes of all levels of a picture, finest first.

    Halving ends where a plane gets too small for a splat, and on a sphere where columns would no longer pair up.
    """
    levels = [Level(width, height, 0)]
    while len(levels) < MAX_LEVELS:
        last = levels[-1]
        if min(last.width, last.height) < 16 or (wraps and (last.width % 4 or last.height % 2)):
            break
        levels.append(Level((last.width + 1) // 2, (last.height + 1) // 2, last.first_band + last.bands))
    return tuple(levels)


def upsample_variance(level: int) -> float:
    """By how much (in texels squared of ``level``) tent filtering down to level 0 widens a splat."""
    return 0.25 * (1.0 - 0.25**level)


def new_plane(level: Level) -> Float32:
    """A black plane for a level."""
    return np.zeros((3, level.height + 2, level.width + 2 * PAD), np.float32)


@kernel
def close_borders(plane: Float32, wraps: bool, fold: bool) -> None:
    """Fold what was splatted over the sides back (``fold``, spheres only), then fill the borders for filtering."""
    rows, width = plane.shape[1] - 2, plane.shape[2] - 16
    for c in range(3):
        for y in range(1, rows + 1):
            row = plane[c, y]
            if wraps:
                if fold:
                    for i in range(8):
                        row[width + i] += row[i]
                        row[8 + i] += row[8 + width + i]
                for i in range(8):
                    row[i] = row[width + i]
                    row[8 + width + i] = row[8 + i]
            else:
                for i in range(8):
                    row[i] = row[8]
                    row[8 + width + i] = row[7 + width]
        top, bottom = plane[c, 1], plane[c, rows]
        if wraps:
            half = width // 2
            for x in range(-1, width + 1):
                over = (x + half) % width + 8
                plane[c, 0, x + 8] = top[over]
                plane[c, rows + 1, x + 8] = bottom[over]
        else:
            for x in range(width + 16):
                plane[c, 0, x] = top[x]
                plane[c, rows + 1, x] = bottom[x]


@kernel
def spread(finer_sum: Float32, plane: Float32, plane_sum: Float32, own: float, part: float, y0: int, y1: int) -> None:
    """One step of the bloom, for rows ``y0..y1`` of a level.

    ``plane_sum`` becomes all light of this level and the finer ones, seen at this level's sharpness (``finer_sum``
    filtered down by 1 3 3 1 both ways, plus ``plane``); the plane becomes ``own`` times itself plus ``part`` of that.
    """
    width = plane.shape[2] - 16
    last = finer_sum.shape[1] - 1
    gain, share = np.float32(own), np.float32(part)
    line = np.empty(2 * width + 2, np.float32)
    for c in range(3):
        for y in range(y0, y1):
            a = finer_sum[c, 2 * y]
            b = finer_sum[c, 2 * y + 1]
            d = finer_sum[c, min(2 * y + 2, last)]
            e = finer_sum[c, min(2 * y + 3, last)]
            for i in range(2 * width + 2):
                line[i] = (a[i + 7] + e[i + 7] + _F3 * (b[i + 7] + d[i + 7])) * _F8
            light = plane[c, y + 1]
            total = plane_sum[c, y + 1]
            for i in range(width):
                down = (line[2 * i] + line[2 * i + 3] + _F3 * (line[2 * i + 1] + line[2 * i + 2])) * _F8
                s = light[i + 8] + down
                total[i + 8] = s
                light[i + 8] = gain * light[i + 8] + share * s


def bloom_weights(levels: int, pixels_per_metre: float, total: float) -> tuple[float, ...]:
    """Which part of all light is seen at the sharpness of each level, as glare; index 0 is level 0.

    A fixed glare on the retina: it begins at the same size in the world whatever the picture's resolution, falls off
    by ``_GLARE`` from octave to octave, and sums up to ``total``.
    """
    first = max(2, round(math.log2(pixels_per_metre / 135.0)))
    raw = [_GLARE ** (level - first) if first <= level < first + 6 else 0.0 for level in range(levels)]
    norm = sum(raw) or 1.0
    return tuple(total * weight / norm for weight in raw)


@kernel
def add_up(coarse: Float32, fine: Float32, y0: int, y1: int) -> None:
    """Add the coarse plane to rows ``y0..y1`` of the finer one through a tent filter."""
    width = fine.shape[2] - 16
    half = width // 2
    line = np.empty(half + 3, np.float32)
    for c in range(3):
        for y in range(y0, y1):
            j = (y >> 1) + 1
            near = coarse[c, j]
            far = coarse[c, j - 1 if y & 1 == 0 else j + 1]
            for i in range(half + 2):
                line[i] = _A * near[i + 7] + _B * far[i + 7]
            out = fine[c, y + 1]
            for i in range(half):
                m = _A * line[i + 1]
                out[2 * i + 8] += m + _B * line[i]
                out[2 * i + 9] += m + _B * line[i + 2]
            if width & 1:
                out[width + 7] += _A * (_A * near[half + 8] + _B * far[half + 8]) + _B * line[half]
