"""Drawing sprites into bands of the pyramid's planes.

Each plane is cut in bands of 32 rows. A sprite is listed in every band that it touches, in its own order, so that each
texel is a sum in one fixed order, on however many threads the bands are drawn.

The kernel of a sprite is (1 - u^2)^3 on both axes, a Gaussian to the eye that ends smoothly at 3 sigma: with a square
in the cube's place large soft lights look like cushions. It fits 8 x 8 texels at every size and place, and is divided
by the sum of its samples, so that a light's energy doesn't depend on where between texels it stands. On a sphere away
from the equator it is a spherical cap instead.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.frames.simd import add8, bump8
from ethereal_gui.render.scene.jit import kernel

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_NINE = np.float32(9.0)  # variance of the kernel of reach 1 is 1 / 9
_TEN = np.float32(10.0)
_TWO_PI = np.float32(2.0 * math.pi)
_C2 = np.float32(1 / 2)
_C4 = np.float32(1 / 12)
_C6 = np.float32(1 / 30)
_C8 = np.float32(1 / 56)
_C10 = np.float32(1 / 90)


@kernel
def count_bands(meta: Int32, first_band: Int32, starts: Int32) -> int:
    """Where each band's list begins (``starts``, one longer than there are bands); returns the length of all lists."""
    starts[:] = 0
    for i in range(meta.shape[0]):
        level = meta[i, 0]
        if level >= 0:
            base = first_band[level]
            for band in range(base + (meta[i, 1] >> 5), base + ((meta[i, 2] - 1) >> 5) + 1):
                starts[band + 1] += 1
    for band in range(1, starts.shape[0]):
        starts[band] += starts[band - 1]
    return int(starts[starts.shape[0] - 1])


@kernel
def list_bands(meta: Int32, first_band: Int32, starts: Int32, fill: Int32, lists: Int32) -> None:
    """Write each band's sprites in their order to ``lists``."""
    for band in range(fill.shape[0]):
        fill[band] = starts[band]
    for i in range(meta.shape[0]):
        level = meta[i, 0]
        if level >= 0:
            base = first_band[level]
            for band in range(base + (meta[i, 1] >> 5), base + ((meta[i, 2] - 1) >> 5) + 1):
                lists[fill[band]] = i
                fill[band] += 1


@kernel
def _square(s: Float32, y0: int, y1: int, plane: Float32, row0: int, across: Float32, down: Float32) -> None:
    """An 8 x 8 sprite, clipped to rows ``y0..y1`` of the level; row ``y0`` is row ``row0`` of the plane.

    ``across`` and ``down`` are room for eight weights each.
    """
    x, y, sigma = s[0], s[1], s[2]
    reach2 = _NINE * sigma * sigma
    inv = _ONE / reach2
    ix = math.floor(x - _HALF) - 3
    iy = math.floor(y - _HALF) - 3
    stride = plane.shape[2]
    if ix < -8 or ix > stride - 16:
        return
    first = np.float32(iy) + _HALF - y
    sum_x = bump8(np.float32(ix) + _HALF - x, inv, across)
    sum_y = bump8(first, inv, down)
    norm = _TWO_PI * s[6] / (sum_x * sum_y)
    r, g, b = norm * s[3], norm * s[4], norm * s[5]
    reach = math.sqrt(reach2)
    k0 = max(math.floor(-reach - first) + 1, max(0, y0 - iy))
    k1 = min(math.ceil(reach - first), min(8, y1 - iy))
    layer = stride * plane.shape[1]
    place = (iy + k0 - y0 + row0) * stride + ix + 8
    for k in range(k0, k1):
        w = down[k]
        add8(plane, place, across, w * r)
        add8(plane, place + layer, across, w * g)
        add8(plane, place + 2 * layer, across, w * b)
        place += stride


@kernel
def _round(s: Float32, y0: int, y1: int, plane: Float32, row0: int) -> None:
    """A sprite of any size on a plane: the few that are too big for the coarsest level, or have to be exactly round."""
    width = plane.shape[2] - 16
    reach2 = _TEN * s[2] * s[2]
    reach = math.sqrt(reach2)
    total = _ZERO
    for row in range(math.floor(s[1] - reach), math.ceil(s[1] + reach)):
        dy = np.float32(row) + _HALF - s[1]
        for x in range(math.floor(s[0] - reach), math.ceil(s[0] + reach)):
            dx = np.float32(x) + _HALF - s[0]
            w = max(_ZERO, _ONE - (dx * dx + dy * dy) / reach2)
            total += w * w * w
    peak = _TWO_PI * s[6] / total
    for row in range(max(y0, math.floor(s[1] - reach)), min(y1, math.ceil(s[1] + reach))):
        dy = np.float32(row) + _HALF - s[1]
        for x in range(max(0, math.floor(s[0] - reach)), min(width, math.ceil(s[0] + reach))):
            dx = np.float32(x) + _HALF - s[0]
            w = max(_ZERO, _ONE - (dx * dx + dy * dy) / reach2)
            w = peak * w * w * w
            for c in range(3):
                plane[c, row - y0 + row0, x + 8] += w * s[3 + c]


@kernel
def _arc(
    red: Float32, green: Float32, blue: Float32, d: float, step: float, a: float, b: float, r: float, g: float, q: float
) -> None:
    """Add a cap's texels to a piece of a row; ``d`` is the first one's longitude from the cap's."""
    d0, s = np.float32(d), np.float32(step)
    fa, fb = np.float32(a), np.float32(b)
    fr, fg, fq = np.float32(r), np.float32(g), np.float32(q)
    for k in range(red.shape[0]):
        u = d0 + s * np.float32(k)
        u *= u
        # 1 - cos, by its series; good to 0.002 at a half turn.
        versine = u * _C2 * (_ONE - u * _C4 * (_ONE - u * _C6 * (_ONE - u * _C8 * (_ONE - u * _C10))))
        w = max(_ZERO, fa - fb * versine)
        w = w * w * w
        red[k] += w * fr
        green[k] += w * fg
        blue[k] += w * fq


@kernel
def _cap(s: Float32, y0: int, y1: int, height: float, plane: Float32, row0: int) -> None:
    """A spherical cap in an equirectangular level of ``height`` rows (may be fractional at coarse levels).

    The squared chord between the sprite and a texel of latitude p, longitude difference d is
    2 (1 - cos(p - p0)) + 2 cos p cos p0 (1 - cos d): right at the seam and over the poles.
    """
    width = plane.shape[2] - 16
    step = math.pi / height  # radians per row, and per column
    p0 = 0.5 * math.pi - s[1] * step
    reach2 = 10.0 * s[2] * s[2] * step * step
    peak = 8.0 * s[6] / (10.0 * s[2] * s[2])
    r, g, q = peak * s[3], peak * s[4], peak * s[5]
    cos_p0 = math.cos(p0)
    reach = 3.17 * s[2]
    for row in range(max(y0, math.floor(s[1] - reach)), min(y1, math.ceil(s[1] + reach))):
        p = 0.5 * math.pi - (row + 0.5) * step
        a = 2.0 * (1.0 - math.cos(p - p0))
        if a >= reach2:
            continue
        b = 2.0 * math.cos(p) * cos_p0
        half = 0.5 * (reach2 - a) / max(b, 1e-12)  # sin^2(d / 2) at the edge
        if half >= 1.0:
            first = math.floor(s[0]) - width // 2
            count = width
        else:
            across = 2.0 * math.asin(math.sqrt(half)) / step
            first = math.ceil(s[0] - across - 0.5)
            count = min(width, math.floor(s[0] + across - 0.5) - first + 1)
        if count <= 0:
            continue
        a, b = 1.0 - a / reach2, b / reach2
        y = row - y0 + row0
        start = first
        while start < first + count:
            # Up to the seam, then on from the other side.
            x = start % width
            n = min(first + count - start, width - x)
            d = (start + 0.5 - s[0]) * step
            _arc(
                plane[0, y, 8 + x : 8 + x + n],
                plane[1, y, 8 + x : 8 + x + n],
                plane[2, y, 8 + x : 8 + x + n],
                d,
                step,
                a,
                b,
                r,
                g,
                q,
            )
            start += n


@kernel
def splat_band(
    sprites: Float32, lists: Int32, a: int, b: int, y0: int, y1: int, height: float, plane: Float32, row0: int
) -> None:
    """Clear rows ``y0..y1`` of a level and draw the listed sprites ``a..b`` into them."""
    for c in range(3):
        plane[c, row0 : row0 + y1 - y0] = _ZERO
    across, down = np.empty(8, np.float32), np.empty(8, np.float32)
    for k in range(a, b):
        s = sprites[lists[k]]
        if s[7] == _ZERO:
            _square(s, y0, y1, plane, row0, across, down)
        elif s[7] >= _ONE:
            _cap(s, y0, y1, height, plane, row0)
        else:
            _round(s, y0, y1, plane, row0)


@kernel
def splat_level(
    sprites: Float32,
    lists: Int32,
    starts: Int32,
    first_band: int,
    band0: int,
    band1: int,
    height: float,
    rows: int,
    plane: Float32,
) -> None:
    """Draw bands ``band0..band1`` of one level (1 or coarser) into its plane."""
    for band in range(band0, band1):
        y0 = band * 32
        y1 = min(rows, y0 + 32)
        splat_band(
            sprites, lists, starts[first_band + band], starts[first_band + band + 1], y0, y1, height, plane, y0 + 1
        )
