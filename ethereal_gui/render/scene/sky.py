"""The sky at infinity: a nebula, painted once into a small octahedral map, and stars.

The map turns with the sky; a frame reads it at one coarse level of the pyramid, which costs next to nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.base import SkyLook, Song
from ethereal_gui.render.scene.ground import ridge
from ethereal_gui.render.scene.jit import cos1, kernel, key, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import ramp_at
from ethereal_gui.render.scene.timeline import M_FLOW, M_GROUND, M_TREBLE

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MAP_SIZE = 160
FAR = 1000.0


@kernel
def _lattice(x: int, y: int, z: int, seed: int) -> float:
    return rnd(key(seed, x * 7919 + z, y), 3)


@kernel
def value_noise(x: float, y: float, z: float, seed: int) -> float:
    """Smooth noise in 0..1 with one feature per unit."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    ix, iy, iz = int(fx), int(fy), int(fz)
    u, v, w = x - fx, y - fy, z - fz
    u, v, w = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v), w * w * (3.0 - 2.0 * w)
    total = 0.0
    for c in range(8):
        a, b, d = c & 1, (c >> 1) & 1, c >> 2
        weight = (u if a else 1.0 - u) * (v if b else 1.0 - v) * (w if d else 1.0 - w)
        total += weight * _lattice(ix + a, iy + b, iz + d, seed)
    return total


@kernel
def cloud_noise(x: float, y: float, z: float, seed: int, octaves: int) -> float:
    """Fractal noise in about 0..1."""
    total, amplitude, norm = 0.0, 1.0, 0.0
    for octave in range(octaves):
        total += amplitude * value_noise(x, y, z, seed + octave)
        norm += amplitude
        amplitude *= 0.5
        x, y, z = 2.03 * x + 5.1, 2.03 * y + 1.7, 2.03 * z + 9.2
    return total / norm


@kernel
def _paint(out: Float32, colors: Float64, contrast: float, seed: int, row0: int, row1: int) -> None:
    size = out.shape[1] - 2
    for j in range(row0, row1):
        for i in range(size + 2):
            u, v = 2.0 * (i - 0.5) / size - 1.0, 2.0 * (j - 0.5) / size - 1.0
            # Border texels: over an edge of the octahedron's net lies the same edge, mirrored.
            if u < -1.0 or u > 1.0:
                u, v = math.copysign(2.0, u) - u, -v
            if v < -1.0 or v > 1.0:
                u, v = -u, math.copysign(2.0, v) - v
            x, z = u, v
            y = 1.0 - abs(u) - abs(v)
            if y < 0.0:
                x, z = math.copysign(1.0 - abs(v), u), math.copysign(1.0 - abs(u), v)
            length = math.sqrt(x * x + y * y + z * z)
            x, y, z = x / length, y / length, z / length
            wx = cloud_noise(1.6 * x + 3.0, 1.6 * y, 1.6 * z, seed + 20, 3) - 0.5
            wy = cloud_noise(1.6 * x, 1.6 * y + 7.0, 1.6 * z, seed + 30, 3) - 0.5
            n = cloud_noise(1.9 * x + 1.8 * wx, 1.9 * y + 1.8 * wy, 1.9 * z + 1.8 * wx, seed, 5)
            m = cloud_noise(1.3 * x + 1.2 * wy + 9.0, 1.3 * y - 1.2 * wx, 1.3 * z + wy, seed + 10, 4)
            lane = cloud_noise(3.1 * x + 2.0 * wy, 3.1 * y + 2.0 * wx, 3.1 * z, seed + 40, 4)
            a = smooth(0.5 - 0.28 * contrast - 0.1, 0.82, n)
            b = smooth(0.5 - 0.25 * contrast - 0.1, 0.80, m)
            dust = 1.0 - 0.75 * contrast * smooth(0.45, 0.72, lane)
            up = smooth(-0.6, 0.8, y)
            for c in range(3):
                even = colors[0, c] * up + colors[1, c] * (1.0 - up)
                out[c, j, i] = even + (colors[2, c] * a * a + colors[3, c] * b * b * (0.4 + n)) * dust


def paint_sky(look: SkyLook, to_working: Float64) -> Float32:
    """The nebula in the working space (``to_working``: 3 x 3): float32 (3, MAP_SIZE + 2, MAP_SIZE + 2)."""
    out = np.empty((3, MAP_SIZE + 2, MAP_SIZE + 2), np.float32)
    colors = np.stack([look.zenith, look.horizon, look.cloud_a, look.cloud_b]) @ to_working.T
    _paint(out, np.ascontiguousarray(colors), look.contrast, look.seed, 0, MAP_SIZE + 2)
    return out


def sky_turn(look: SkyLook, flow: float) -> Float64:
    """World-to-sky rotation at a flow time: slowly about a leaning axis; shape (3, 3)."""
    angle = 2.0 * math.pi * look.turns * flow
    axis = np.array([0.25, 0.9, 0.2])
    axis /= np.linalg.norm(axis)
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross)


@kernel
def add_sky(
    sky: Float32, view: Float64, turn: Float64, gain: float, level: int, plane: Float32, y0: int, y1: int
) -> None:
    """Add the nebula to rows ``y0..y1`` of a level's plane (``frames.pyramid``) for a view vector."""
    width = plane.shape[2] - 16
    size = sky.shape[1] - 2
    step = float(1 << level)
    sphere = view[0] == 1.0
    for row in range(y0, y1):
        py = (row + 0.5) * step
        for column in range(-1, width + 1):
            px = (column + 0.5) * step
            if sphere:
                theta = (px / view[1] - 0.5) * 2.0 * math.pi
                phi = (0.5 - py / view[2]) * math.pi
                cx, cy, cz = math.sin(theta) * math.cos(phi), math.sin(phi), -math.cos(theta) * math.cos(phi)
            else:
                cx, cy, cz = (px - 0.5 * view[1]) / view[3], (0.5 * view[2] - py) / view[3], -1.0
            wx = view[11] * cx + view[14] * cy + view[17] * cz
            wy = view[12] * cx + view[15] * cy + view[18] * cz
            wz = view[13] * cx + view[16] * cy + view[19] * cz
            x = turn[0, 0] * wx + turn[0, 1] * wy + turn[0, 2] * wz
            y = turn[1, 0] * wx + turn[1, 1] * wy + turn[1, 2] * wz
            z = turn[2, 0] * wx + turn[2, 1] * wy + turn[2, 2] * wz
            norm = 1.0 / (abs(x) + abs(y) + abs(z))
            u, v = x * norm, z * norm
            if y < 0.0:
                u, v = math.copysign(1.0 - abs(z * norm), x), math.copysign(1.0 - abs(x * norm), z)
            s, t = (0.5 * u + 0.5) * size + 0.5, (0.5 * v + 0.5) * size + 0.5
            i, j = min(size, max(0, int(s))), min(size, max(0, int(t)))
            f, g = s - i, t - j
            for c in range(3):
                top = sky[c, j, i] * (1.0 - f) + sky[c, j, i + 1] * f
                low = sky[c, j + 1, i] * (1.0 - f) + sky[c, j + 1, i + 1] * f
                plane[c, row + 1, column + 8] += np.float32(gain * (top * (1.0 - g) + low * g))


@kernel
def stars(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Stars on a turning sphere at infinity; treble makes them twinkle. Ramp 0 holds their colours."""
    now, ramps = song.now, song.ramps
    angle = 0.0016 * now[M_FLOW]
    ca, sa = cos1(angle), sin1(angle)
    for i in range(i0, i1):
        k = key(seed, i, 0)
        y = 2.0 * rnd(k, 0) - 1.0
        flat = math.sqrt(1.0 - y * y)
        turn = rnd(k, 1)
        x, z = flat * cos1(turn), flat * sin1(turn)
        # A leaning axis: turn about y, then lean.
        x, z = ca * x + sa * z, ca * z - sa * x
        x, y = 0.97 * x - 0.243 * y, 0.243 * x + 0.97 * y
        flat = math.sqrt(x * x + z * z)
        m = rnd(k, 2)
        magnitude = 0.03 + 0.10 * m**3 + 0.8 * m**40 + 2.0 * m**260
        rate = 0.15 + 0.5 * rnd(k, 3)
        twinkle = sin1(rate * now[M_FLOW] * 1.7 + rnd(k, 4))
        shine = magnitude * (1.0 + (0.25 + 0.9 * now[M_TREBLE]) * 0.6 * twinkle)
        out[i, 0], out[i, 1], out[i, 2] = FAR * x, FAR * y, FAR * z
        out[i, 3] = FAR * (0.0008 + 0.0008 * m**60)
        if now[M_GROUND] > 0.5 and y < 0.2 and y < flat * ridge(math.atan2(x, -z) / (2.0 * math.pi) + 0.5):
            shine = 0.0
        tint = rnd(k, 5)
        for c in range(3):
            out[i, 4 + c] = shine * ramp_at(ramps, 0, tint, c)
        out[i, 7] = 0.35 * m**30
