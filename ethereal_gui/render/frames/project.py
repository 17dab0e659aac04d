"""From particles in space to sprites on the pyramid: the projections as a strategy that scenes don't know.

A particle is a float32 row: x, y, z in metres (x right, y up, -z ahead), sigma of its Gaussian in metres, peak radiance
r, g, b in the working space, and the part of its light that goes into a wide halo; a negative part asks for a sprite
that is exactly round, for large lights that stand alone: the usual product of two curves is a little square.
A sprite is a float32 row: x, y, sigma in texels of its level, its radiance r, g, b, its share of texels, and how many
times it is widened by the sphere (1 on a plane); plus an int32 row: level (-1: not drawn), first and last row + 1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

PERSPECTIVE = 0
SPHERE = 1

# Indices of the view vector, see camera.py.
V_MODE = 0
V_WIDTH = 1
V_HEIGHT = 2
V_FOCAL = 3
V_EYE = 4  # -1 left, 0 both, 1 right
V_LEVELS = 5
V_NEAR = 6
V_NEAR_FULL = 7
V_POSITION = 8  # 8..10
V_ROTATION = 11  # 11..19, row-major, world to camera
V_GROUND = 20  # 1: what is near goes to level 1 at least, where the ground hides and mirrors it
VIEW_SIZE = 21
FAR_AWAY = 100.0  # metres

HALF_IPD = 0.032
MIN_SIGMA = 0.6  # texels of level 0; smaller lights keep their energy, not their size
MAX_SIGMA = 1.333  # texels of a level, so that its reach is 4; above it the next coarser one
_TINY = 2.0e-5
_TWO_PI = 2.0 * math.pi


@kernel
def _put(
    sprites: Float32,
    meta: Int32,
    i: int,
    x: float,
    y: float,
    sigma: float,
    stretch: float,
    r: float,
    g: float,
    b: float,
    view: Float64,
    lowest: int,
    alone: bool,
) -> None:
    """Choose the finest level at which the sprite is at most ``MAX_SIGMA`` texels and write it there."""
    width, height = view[1], view[2]
    levels = int(view[5])
    level = lowest
    # What counts is the size that is drawn: filtering down to level 0 widens a sprite by a quarter of its texels.
    four = float(1 << (2 * lowest))
    limit = MAX_SIGMA * MAX_SIGMA * four + 0.25 * (four - 1.0)
    while sigma * sigma > limit and level < levels - 1:
        limit = 4.0 * limit + 0.75
        level += 1
    scale = 1.0 / (1 << level)
    s = sigma * scale
    s2 = s * s
    drawn = max(s2 - 0.25 * (1.0 - scale * scale), 0.25)
    if level == 0:
        drawn = max(drawn, MIN_SIGMA * MIN_SIGMA)
    sphere = view[0] == 1.0
    drawn_sigma = math.sqrt(drawn)
    reach = 3.17 * drawn_sigma
    xl, yl = x * scale, y * scale
    rows = math.ceil(height * scale)
    # Bigger ones there are only where there is no coarser level.
    big = drawn_sigma > MAX_SIGMA + 0.001 or (alone and level > 0)
    cap = sphere and (stretch > 1.01 or big)
    if cap or big:
        top, bottom = math.floor(yl - reach), math.ceil(yl + reach) + 1
    else:
        top = math.floor(yl - 0.5) - 3
        bottom = top + 8
    top, bottom = max(top, 0), min(bottom, rows)
    inside = top < bottom and (sphere or (xl > -reach and xl < width * scale + reach))
    if not inside:
        meta[i, 0] = -1
        return
    meta[i, 0] = level
    meta[i, 1] = top
    meta[i, 2] = bottom
    sprites[i, 0] = xl
    sprites[i, 1] = yl
    sprites[i, 2] = drawn_sigma
    sprites[i, 3] = r
    sprites[i, 4] = g
    sprites[i, 5] = b
    sprites[i, 6] = s2
    sprites[i, 7] = stretch if cap else (0.5 if big else 0.0)


@kernel
def project(
    particles: Float32,
    view: Float64,
    gain: float,
    halo_sigma: float,
    glare: float,
    glare_sigma: float,
    i0: int,
    i1: int,
    n: int,
    sprites: Float32,
    meta: Int32,
) -> None:
    """Project particles ``i0..i1`` to sprites of the same index, and their halos to sprites ``n`` further on.

    Perspective looks down -z. Equirectangular: longitude atan2(x, -z), latitude above it. Omnidirectional stereo
    (Google, "Rendering Omni-directional Stereo Content"): each eye sees the particle along the tangent to the circle
    of radius R that the eyes turn on, phi = theta +- asin(R / r), elevation = atan2(y, sqrt(r^2 - R^2)); R fades
    to 0 between 60 and 85 degrees of elevation, where the two eyes' pictures must meet.

    Sprites of level 0 never stand in a plane that the bloom could spread, so each of them that has no halo of its own
    gets one of ``glare`` of its energy and ``glare_sigma`` pixels in the halo's place.
    """
    width, height = view[1], view[2]
    for i in range(i0, i1):
        meta[i, 0] = -1
        meta[n + i, 0] = -1
        r, g, b = particles[i, 4] * gain, particles[i, 5] * gain, particles[i, 6] * gain
        light = r + g + b
        if light < _TINY:
            continue
        dx, dy, dz = particles[i, 0] - view[8], particles[i, 1] - view[9], particles[i, 2] - view[10]
        x = view[11] * dx + view[12] * dy + view[13] * dz
        y = view[14] * dx + view[15] * dy + view[16] * dz
        z = view[17] * dx + view[18] * dy + view[19] * dz
        sigma = particles[i, 3]
        stretch = 1.0
        if view[0] == 0.0:
            if -z <= view[6]:
                continue
            near = min(1.0, (-z - view[6]) / (view[7] - view[6]))
            f = view[3] / -z
            px, py, size = 0.5 * width + f * x, 0.5 * height - f * y, sigma * f
        else:
            flat2 = x * x + z * z
            distance = math.sqrt(flat2 + y * y)
            if distance <= view[6]:
                continue
            near = min(1.0, (distance - view[6]) / (view[7] - view[6]))
            theta = math.atan2(x, -z)
            flat = math.sqrt(flat2)
            elevation = math.atan2(y, flat)
            if view[4] != 0.0:
                up = min(1.0, max(0.0, (abs(elevation) - 1.0471976) / 0.4363323))
                radius = HALF_IPD * (1.0 - up * up * (3.0 - 2.0 * up))
                if flat > radius:
                    theta -= view[4] * math.asin(radius / flat)
                    elevation = math.atan2(y, math.sqrt(flat2 - radius * radius))
            px = (theta / _TWO_PI + 0.5) * width
            px -= math.floor(px / width) * width
            py = (0.5 - elevation / math.pi) * height
            size = sigma / distance * height / math.pi
            stretch = 1.0 / max(math.cos(elevation), 1e-6)
        near *= near
        lowest = 1 if view[20] > 0.5 and dx * dx + dy * dy + dz * dz < FAR_AWAY * FAR_AWAY else 0
        r, g, b = r * near, g * near, b * near
        halo, spread = abs(particles[i, 7]), halo_sigma
        _put(sprites, meta, i, px, py, size, stretch, r, g, b, view, lowest, particles[i, 7] < 0.0)
        if halo <= 0.0 and meta[i, 0] == 0:
            halo, spread = glare, glare_sigma
        if halo > 0.0:
            wide = math.sqrt(size * size + spread * spread)
            part = halo * size * size / (wide * wide)
            if light * near * part > _TINY:
                # Never alone; a plain False would have Numba compile it once more.
                alone = halo < 0.0
                _put(sprites, meta, n + i, px, py, wide, stretch, r * part, g * part, b * part, view, lowest, alone)
