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
from ethereal_gui.render.scene.jit import cos1, kernel, key, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
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
# Ramps: 0 stars, 1 motes, 2 gas from the heart outwards, 3 veils, 4 cluster.


@kernel
def _carry(x: float, y: float, z: float, now: Float64) -> tuple[float, float, float]:
    """Where the drifts have carried a point of the even cloud (both in units of the nebula's extent)."""
    flow = 0.55 * now[M_FLOW] + 0.5 * now[M_FLOW_MID]
    strength = now[_FOLDS] * (0.42 + 0.06 * now[M_MID])
    dx, dy, dz = drift(0.9 * x + 2.0, 0.9 * y, 0.9 * z, flow)
    x, y, z = x + strength * dx, y + strength * 0.8 * dy, z + strength * dz
    dx, dy, dz = drift(1.9 * z, 1.9 * x + 4.0, 1.9 * y, 1.3 * flow)
    x, y, z = x + 0.45 * strength * dx, y + 0.40 * strength * dy, z + 0.45 * strength * dz
    dx, dy, dz = drift(4.1 * y, 4.1 * z, 4.1 * x + 7.0, 1.7 * flow)
    return x + 0.16 * strength * dx, y + 0.15 * strength * dy, z + 0.16 * strength * dz


@kernel
def _place(x: float, y: float, z: float, now: Float64) -> tuple[float, float, float]:
    """From the nebula's own coordinates to the world: slowly turning, leaning, filling the format."""
    turn = 0.006 * now[M_FLOW]
    c, s = cos1(turn), sin1(turn)
    x, z = c * x + s * z, c * z - s * x
    wide, tall = now[M_HALF_WIDTH], now[M_HALF_HEIGHT]
    size = now[_EXTENT] * (1.0 + 0.05 * now[M_BASS_SOFT] + 0.03 * sin1(0.05 * now[M_FLOW]))
    lean = 0.35 if wide >= tall else 1.15
    x, y = math.cos(lean) * x - math.sin(lean) * y, math.sin(lean) * x + math.cos(lean) * y
    reach = (0.55 + 0.45 * max(wide, tall)) * (1.0 + 0.9 * now[M_IMMERSIVE])
    return x * size * reach * 0.95, y * size * reach * 0.95, z * size * (0.9 + 1.6 * now[M_IMMERSIVE]) - DISTANCE - 0.15


@kernel
def _echo(song: Song, radius: float) -> float:
    """The bass as it was when light left the heart to be at ``radius`` now."""
    row = birth_row(song.inverse, song.now[M_FLOW] - 1.1 * radius, song.track.shape[0])
    return float(0.65 * song.track[row, 9] + 0.55 * song.track[row, 6])


@kernel
def _gas(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    for i in range(i0, i1):
        k = key(seed, i, 0)
        # A flattened cloud, denser towards its heart.
        r = 1.25 * rnd(k, 0) ** 0.62
        ny = 2.0 * rnd(k, 1) - 1.0
        flat = math.sqrt(1.0 - ny * ny)
        turn = rnd(k, 2)
        x, y, z = _carry(r * flat * cos1(turn), 0.55 * r * ny, r * flat * sin1(turn), now)
        radius = math.sqrt(x * x + y * y + z * z)
        texture = billow(2.3 * x, 2.3 * y + 3.0, 2.3 * z, 0.6 * now[M_FLOW])
        px, py, pz = _place(x, y, z, now)
        out[i, 0], out[i, 1], out[i, 2] = px, py, pz
        out[i, 3] = (0.035 + 0.085 * rnd(k, 3)) * (0.7 + 0.5 * radius) * (1.0 + 1.3 * now[M_IMMERSIVE])
        wave = _echo(song, radius) * now[_ECHO]
        shine = (0.28 + 0.45 * now[M_LEVEL] + 1.1 * wave / (0.5 + radius)) * now[_GAS]
        shine *= smooth(-0.75, 0.75, texture) / (0.45 + 0.9 * radius * radius)
        shine *= 1.0 + 1.6 * now[M_TREBLE] * smooth(0.45, 1.1, radius)
        shade = 0.62 * radius + 0.22 * texture + 0.12 * (now[M_MID] - 0.4) + 0.08
        for c in range(3):
            out[i, 4 + c] = (95.0 / len(out)) * shine * ramp_at(ramps, 2, shade, c)
        out[i, 7] = 0.0


@kernel
def _veils(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Lines of fine points through the cloud; the drifts fold them into filaments, mids make them shine."""
    now, ramps = song.now, song.ramps
    for i in range(i0, i1):
        line = i // _LINE
        # Lines come in ribbons of twelve that lie side by side and are folded together.
        ribbon = line // 12
        side = (line - 12 * ribbon) / 11.0 - 0.5
        k = key(seed, ribbon, 0)
        s = (i - line * _LINE + 0.5) / _LINE
        r = 0.22 + 0.85 * rnd(k, 0) + 0.16 * side
        turn = rnd(k, 1) + (0.20 + 0.16 * rnd(k, 2)) * (s - 0.5) + 0.012 * side
        y = 0.60 * (rnd(k, 3) - 0.5) * r + 0.12 * sin1(0.8 * s + rnd(k, 4)) + 0.10 * side * sin1(0.7 * s + rnd(k, 5))
        x, y, z = _carry(r * cos1(turn), y, r * sin1(turn), now)
        radius = math.sqrt(x * x + y * y + z * z)
        px, py, pz = _place(x, y, z, now)
        out[i, 0], out[i, 1], out[i, 2] = px, py, pz
        out[i, 3] = 0.0058 * (1.0 + 0.9 * now[M_IMMERSIVE])
        wave = _echo(song, radius) * now[_ECHO]
        ends = smooth(0.0, 0.3, s) * smooth(0.0, 0.3, 1.0 - s)
        shine = (
            ends
            * (
                0.18
                + 0.75 * now[M_MID] * rnd(k, 6)
                + 0.35 * now[M_LOW_MID]
                + 0.7 * wave
                + 0.9 * now[M_TREBLE] * rnd(k, 7)
            )
            * now[_GAS]
        )
        for c in range(3):
            out[i, 4 + c] = (900.0 / len(out)) * shine / (0.4 + radius) * ramp_at(ramps, 3, 0.15 + 0.7 * radius, c)
        out[i, 7] = 0.0


@kernel
def _cluster(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Young stars in the heart and through the gas; treble makes them sparkle, onsets light some of them up."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        spread = rnd(k, 0)
        r = 0.04 + 1.35 * spread * spread * spread + 0.16 * spread
        ny = 2.0 * rnd(k, 1) - 1.0
        flat = math.sqrt(1.0 - ny * ny)
        turn = rnd(k, 2)
        px, py, pz = _place(r * flat * cos1(turn), 0.8 * r * ny, r * flat * sin1(turn), now)
        m = rnd(k, 3)
        delay = 0.25 * rnd(k, 4)
        onset = song.track[birth_row(song.inverse, now[M_FLOW] - delay, rows), 5]
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
    pulse = 0.25 + 0.35 * now[M_LEVEL] + 0.55 * now[M_BASS_SOFT] + 0.65 * now[M_BEAT] + 0.2 * now[M_SWELL]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        u = (i + 0.5) / len(out)
        a = 0.02 * now[M_FLOW] + rnd(k, 0)
        px, py, pz = _place(0.10 * u * sin1(a), 0.06 * u * sin1(a + rnd(k, 1)), 0.10 * u * cos1(a), now)
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
