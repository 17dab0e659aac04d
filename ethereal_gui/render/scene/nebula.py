"""Nebula: a folded volume of gas round a young star cluster, deep among stars.

Gas is an even cloud of points carried along by two drifts that fold it into veils. Light from the heart runs outwards
through it: each puff shines with the bass of some time ago, the longer the farther out it lies.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ambient import AMBIENT_PARAMETERS, STARLIGHT, motes
from ethereal_gui.render.scene.base import Layer, SceneModel, SkyLook, Song
from ethereal_gui.render.scene.camera import DISTANCE, Layout
from ethereal_gui.render.scene.field import billow, drift
from ethereal_gui.render.scene.jit import cos1, inlined, kernel, key, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
    C_BASS_SOFT,
    C_BEAT,
    C_ONSET,
    M_BASS_SOFT,
    M_BEAT,
    M_FLOW,
    M_FLOW_MID,
    M_HALF_HEIGHT,
    M_HALF_WIDTH,
    M_IMMERSIVE,
    M_LEVEL,
    M_LOW_MID,
    M_MID,
    M_PARAMETERS,
    M_SWELL,
    M_TREBLE,
    birth_row,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PARAMETERS = (*AMBIENT_PARAMETERS, "extent", "folds", "gas", "echo", "cluster")
_EXTENT = M_PARAMETERS + 2
_FOLDS = M_PARAMETERS + 3
_GAS = M_PARAMETERS + 4
_ECHO = M_PARAMETERS + 5
_CLUSTER = M_PARAMETERS + 6

_LINE = 170
_BLOCK = 256
# Rows of the working memory of a block of gas, or of one line of the veils: float64 (_ROWS, particles). The functions
# that take it do mathematics alone, on its first n particles, so in SIMD; hashes and tables are left to other loops.
# X, Y, Z are in units of the nebula's extent, in the end a place in the world. PART is of a line's length.
_X, _Y, _Z, _RADIUS, _TURN, _PART, _WAVE, _SIGMA, _SHINE, _SHADE = range(10)
_ROWS = 10
# Ramps: 0 stars, 1 motes, 2 gas from the heart outwards, 3 veils, 4 cluster.


@kernel
def _view(now: Float64) -> tuple[float, float, float, float, float, float]:
    """What ``_place`` has to know: cosine and sine of turn and lean; metres to a unit across and in depth."""
    turn = 0.006 * now[M_FLOW]
    wide, tall = now[M_HALF_WIDTH], now[M_HALF_HEIGHT]
    size = now[_EXTENT] * (1.0 + 0.05 * now[M_BASS_SOFT] + 0.03 * sin1(0.05 * now[M_FLOW]))
    lean = 0.35 if wide >= tall else 1.15
    reach = (0.55 + 0.45 * max(wide, tall)) * (1.0 + 0.9 * now[M_IMMERSIVE])
    return (
        cos1(turn),
        sin1(turn),
        math.cos(lean),
        math.sin(lean),
        size * reach * 0.95,
        size * (0.9 + 1.6 * now[M_IMMERSIVE]),
    )


@inlined
def _place(
    x: float, y: float, z: float, view: tuple[float, float, float, float, float, float]
) -> tuple[float, float, float]:
    """From the nebula's own coordinates to the world: slowly turning, leaning, filling the format."""
    c, s, cos_lean, sin_lean, reach, depth = view
    x, z = c * x + s * z, c * z - s * x
    x, y = cos_lean * x - sin_lean * y, sin_lean * x + cos_lean * y
    return x * reach, y * reach, z * depth - DISTANCE - 0.15


@kernel
def _carry(work: Float64, n: int, now: Float64) -> None:
    """Where the drifts have carried points of the even cloud, and how far from the heart that is."""
    flow = 0.55 * now[M_FLOW] + 0.5 * now[M_FLOW_MID]
    strength = now[_FOLDS] * (0.42 + 0.06 * now[M_MID])
    for j in range(n):
        x, y, z = work[_X, j], work[_Y, j], work[_Z, j]
        dx, dy, dz = drift(0.9 * x + 2.0, 0.9 * y, 0.9 * z, flow)
        x, y, z = x + strength * dx, y + strength * 0.8 * dy, z + strength * dz
        dx, dy, dz = drift(1.9 * z, 1.9 * x + 4.0, 1.9 * y, 1.3 * flow)
        x, y, z = x + 0.45 * strength * dx, y + 0.40 * strength * dy, z + 0.45 * strength * dz
        dx, dy, dz = drift(4.1 * y, 4.1 * z, 4.1 * x + 7.0, 1.7 * flow)
        x, y, z = x + 0.16 * strength * dx, y + 0.15 * strength * dy, z + 0.16 * strength * dz
        work[_X, j], work[_Y, j], work[_Z, j] = x, y, z
        work[_RADIUS, j] = math.sqrt(x * x + y * y + z * z)


@kernel
def _listen(work: Float64, n: int, song: Song) -> None:
    """The bass as it was when light left the heart to be at each radius now; a table, so not in SIMD."""
    now, track = song.now, song.track
    for j in range(n):
        row = birth_row(song.inverse, now[M_FLOW] - 1.1 * work[_RADIUS, j], track.shape[0])
        work[_WAVE, j] = (0.65 * track[row, C_BASS_SOFT] + 0.55 * track[row, C_BEAT]) * now[_ECHO]


@kernel
def _scatter(work: Float64, n: int) -> None:
    """Points of the even cloud, which is flattened, from their radii, turns and heights on the unit sphere."""
    for j in range(n):
        r, ny, turn = work[_RADIUS, j], work[_Y, j], work[_TURN, j]
        flat = math.sqrt(1.0 - ny * ny)
        work[_X, j], work[_Y, j], work[_Z, j] = r * flat * cos1(turn), 0.55 * r * ny, r * flat * sin1(turn)


@kernel
def _glow(work: Float64, n: int, now: Float64) -> None:
    """Places and sizes of puffs of gas in the world, and what light they give."""
    view = _view(now)
    flow = 0.6 * now[M_FLOW]
    level, treble, mid = 0.28 + 0.45 * now[M_LEVEL], 1.6 * now[M_TREBLE], 0.12 * (now[M_MID] - 0.4) + 0.08
    gas, thick = now[_GAS], 1.0 + 1.3 * now[M_IMMERSIVE]
    for j in range(n):
        x, y, z, radius = work[_X, j], work[_Y, j], work[_Z, j], work[_RADIUS, j]
        texture = billow(2.3 * x, 2.3 * y + 3.0, 2.3 * z, flow)
        work[_X, j], work[_Y, j], work[_Z, j] = _place(x, y, z, view)
        work[_SIGMA, j] *= (0.7 + 0.5 * radius) * thick
        shine = (level + 1.1 * work[_WAVE, j] / (0.5 + radius)) * gas
        shine *= smooth(-0.75, 0.75, texture) / (0.45 + 0.9 * radius * radius)
        work[_SHINE, j] = shine * (1.0 + treble * smooth(0.45, 1.1, radius))
        work[_SHADE, j] = 0.62 * radius + 0.22 * texture + mid


@kernel
def _gas(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    work = np.empty((_ROWS, _BLOCK))
    for first in range(i0, i1, _BLOCK):
        n = min(_BLOCK, i1 - first)
        for j in range(n):
            k = key(seed, first + j, 0)
            # Denser towards the heart.
            work[_RADIUS, j] = 1.25 * rnd(k, 0) ** 0.62
            work[_Y, j], work[_TURN, j], work[_SIGMA, j] = 2.0 * rnd(k, 1) - 1.0, rnd(k, 2), 0.035 + 0.085 * rnd(k, 3)
        _scatter(work, n)
        _carry(work, n, now)
        _listen(work, n, song)
        _glow(work, n, now)
        for j in range(n):
            i = first + j
            out[i, 0], out[i, 1], out[i, 2], out[i, 3] = work[_X, j], work[_Y, j], work[_Z, j], work[_SIGMA, j]
            for c in range(3):
                out[i, 4 + c] = (95.0 / len(out)) * work[_SHINE, j] * ramp_at(ramps, 2, work[_SHADE, j], c)
            out[i, 7] = 0.0


@kernel
def _lay(work: Float64, n: int, k: int, side: float) -> None:
    """Points of the even cloud along a line that lies at ``side`` (-0.5..0.5) of the ribbon of key ``k``."""
    r = 0.22 + 0.85 * rnd(k, 0) + 0.16 * side
    turned, length = rnd(k, 1) + 0.012 * side, 0.20 + 0.16 * rnd(k, 2)
    height, wave, twist = 0.60 * (rnd(k, 3) - 0.5) * r, rnd(k, 4), rnd(k, 5)
    for j in range(n):
        s = work[_PART, j]
        turn = turned + length * (s - 0.5)
        work[_X, j], work[_Z, j] = r * cos1(turn), r * sin1(turn)
        work[_Y, j] = height + 0.12 * sin1(0.8 * s + wave) + 0.10 * side * sin1(0.7 * s + twist)


@kernel
def _light(work: Float64, n: int, k: int, now: Float64) -> None:
    """Places along a line of a ribbon of key ``k`` in the world, and how it shines there."""
    view = _view(now)
    gas = now[_GAS]
    lit = 0.18 + 0.75 * now[M_MID] * rnd(k, 6) + 0.35 * now[M_LOW_MID] + 0.9 * now[M_TREBLE] * rnd(k, 7)
    for j in range(n):
        s, radius = work[_PART, j], work[_RADIUS, j]
        work[_X, j], work[_Y, j], work[_Z, j] = _place(work[_X, j], work[_Y, j], work[_Z, j], view)
        ends = smooth(0.0, 0.3, s) * smooth(0.0, 0.3, 1.0 - s)
        work[_SHINE, j] = ends * (lit + 0.7 * work[_WAVE, j]) * gas / (0.4 + radius)


@kernel
def _veils(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Lines of fine points through the cloud; the drifts fold them into filaments, mids make them shine."""
    now, ramps = song.now, song.ramps
    work = np.empty((_ROWS, _LINE))
    for line in range(i0 // _LINE, (i1 - 1) // _LINE + 1):
        # Lines come in ribbons of twelve that lie side by side and are folded together.
        ribbon = line // 12
        k = key(seed, ribbon, 0)
        first = max(i0, line * _LINE)
        n = min(i1, (line + 1) * _LINE) - first
        for j in range(n):
            work[_PART, j] = (first + j - line * _LINE + 0.5) / _LINE
        _lay(work, n, k, (line - 12 * ribbon) / 11.0 - 0.5)
        _carry(work, n, now)
        _listen(work, n, song)
        _light(work, n, k, now)
        for j in range(n):
            i = first + j
            out[i, 0], out[i, 1], out[i, 2] = work[_X, j], work[_Y, j], work[_Z, j]
            out[i, 3] = 0.0058 * (1.0 + 0.9 * now[M_IMMERSIVE])
            shine, shade = (900.0 / len(out)) * work[_SHINE, j], 0.15 + 0.7 * work[_RADIUS, j]
            for c in range(3):
                out[i, 4 + c] = shine * ramp_at(ramps, 3, shade, c)
            out[i, 7] = 0.0


@kernel
def _cluster(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Young stars in the heart and through the gas; treble makes them sparkle, onsets light some of them up."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    view = _view(now)
    for i in range(i0, i1):
        k = key(seed, i, 0)
        spread = rnd(k, 0)
        r = 0.04 + 1.35 * spread * spread * spread + 0.16 * spread
        ny = 2.0 * rnd(k, 1) - 1.0
        flat = math.sqrt(1.0 - ny * ny)
        turn = rnd(k, 2)
        px, py, pz = _place(r * flat * cos1(turn), 0.8 * r * ny, r * flat * sin1(turn), view)
        m = rnd(k, 3)
        delay = 0.25 * rnd(k, 4)
        onset = song.track[birth_row(song.inverse, now[M_FLOW] - delay, rows), C_ONSET]
        twinkle = 0.75 + 0.25 * sin1((0.25 + 0.6 * rnd(k, 5)) * now[M_FLOW] + rnd(k, 6))
        lit = 0.30 + 0.30 * now[M_LEVEL] + 2.6 * now[M_TREBLE] * rnd(k, 7) + 3.0 * onset * smooth(0.80, 0.95, rnd(k, 8))
        out[i, 0], out[i, 1], out[i, 2] = px, py, pz
        out[i, 3] = 0.0016 + 0.0042 * m**12
        for c in range(3):
            out[i, 4 + c] = (0.35 + 3.2 * m**8) * lit * twinkle * now[_CLUSTER] * ramp_at(ramps, 4, rnd(k, 9), c)
        out[i, 7] = 0.25 + 0.75 * m**6


@kernel
def _heart(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    view = _view(now)
    pulse = 0.25 + 0.35 * now[M_LEVEL] + 0.55 * now[M_BASS_SOFT] + 0.65 * now[M_BEAT] + 0.2 * now[M_SWELL]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        u = (i + 0.5) / len(out)
        a = 0.02 * now[M_FLOW] + rnd(k, 0)
        px, py, pz = _place(0.10 * u * sin1(a), 0.06 * u * sin1(a + rnd(k, 1)), 0.10 * u * cos1(a), view)
        out[i, 0], out[i, 1], out[i, 2] = px, py, pz
        out[i, 3] = 0.035 + 0.42 * u * u
        for c in range(3):
            out[i, 4 + c] = (0.16 - 0.13 * u) * pulse * now[_CLUSTER] * ramp_at(ramps, 2, 0.05 + 0.45 * u, c)
        out[i, 7] = 0.0


def build(values: dict[str, float], layout: Layout, density: float) -> SceneModel:
    """The nebula for a template's values; ``density`` scales the number of particles."""
    paint = Paint(values)
    dust = paint.ramp((0.0, "ffe9d0", 1.0), (0.5, "ffc0d8", 0.8), (1.0, "a8c8ff", 0.8))
    gas = paint.ramp(
        (0.0, "fff0d8", 1.6),
        (0.14, "ffc890", 1.2),
        (0.30, "ff7a6c", 1.0),
        (0.48, "e0389c", 0.85),
        (0.66, "6a3ce8", 0.8),
        (0.84, "1f6ce8", 0.75),
        (1.0, "12b0c0", 0.6),
    )
    veil = paint.ramp(
        (0.0, "fff4e0", 1.2), (0.25, "ffb48c", 1.0), (0.5, "ff6cb0", 1.0), (0.75, "7a9cff", 1.0), (1.0, "5ae8f0", 0.9)
    )
    cluster = paint.ramp((0.0, "ffd8a8", 1.0), (0.35, "fff6ec", 1.0), (0.7, "d8e6ff", 1.0), (1.0, "9cc4ff", 1.0))
    sky = SkyLook(
        zenith=paint.light("06081c", 0.30),
        horizon=paint.light("0c0820", 0.35),
        cloud_a=paint.light("28348c", 0.26),
        cloud_b=paint.light("701c5c", 0.20),
        contrast=1.0,
        seed=61,
    )
    around = 2.0 if layout.immersive else 1.0
    layers = (
        Layer(stars, 6000 if layout.immersive else 16000, 41),
        Layer(_gas, round(9000 * density), 42),
        Layer(_heart, 14, 43),
        Layer(_veils, 12 * round(10 * density) * _LINE, 44),
        Layer(_cluster, round(1500 * density), 45),
        Layer(motes, round(220 * density * around), 46),
    )
    return SceneModel(
        layers=layers,
        sky=sky,
        parameters=tuple(values[name] for name in PARAMETERS),
        ramps=np.stack([STARLIGHT, dust, gas, veil, cluster]),
        sway=values["sway"],
        exposure=1.3 * values["exposure"],
        bloom=values["bloom"],
        speed=values["speed"],
    )
