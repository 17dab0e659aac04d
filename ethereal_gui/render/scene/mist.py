"""Mist: a softly breathing orb of cloud, lit from one side and from within, over a bank of fog.

Loudness makes it breathe, bass swells it, mids raise billows on it, treble runs along fine threads and lights motes,
a beat is a glow in its heart.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ambient import AMBIENT_PARAMETERS, STARLIGHT, motes
from ethereal_gui.render.scene.base import Layer, SceneModel, SkyLook, Song
from ethereal_gui.render.scene.camera import DISTANCE, Layout
from ethereal_gui.render.scene.field import billow, drift
from ethereal_gui.render.scene.jit import cos1, kernel, key, rise_fall, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
    C_LEVEL,
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
    birth_row,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PARAMETERS = (*AMBIENT_PARAMETERS, "size", "billows", "threads", "heart", "fog")
_SIZE = M_PARAMETERS + 2
_BILLOWS = M_PARAMETERS + 3
_THREADS = M_PARAMETERS + 4
_HEART = M_PARAMETERS + 5
_FOG = M_PARAMETERS + 6

_THREAD_LINE = 300
# Ramps: 0 stars, 1 motes, 2 cloud (shadow to light), 3 threads, 4 fog, 5 heart.


@kernel
def _radius(now: Float64) -> float:
    """The orb's radius now, metres."""
    frame = min(now[M_HALF_WIDTH], now[M_HALF_HEIGHT]) * (0.86 if now[M_HALF_WIDTH] < now[M_HALF_HEIGHT] else 0.60)
    breath = 0.03 * sin1(0.085 * now[M_FLOW])
    return float(frame * now[_SIZE] * (0.84 + breath + 0.10 * now[M_LEVEL] + 0.17 * now[M_BASS_SOFT]))


@kernel
def _surface(nx: float, ny: float, nz: float, now: Float64) -> float:
    """Height of the billows in direction n, in parts of the radius."""
    strength = now[_BILLOWS] * (0.09 + 0.12 * now[M_MID] + 0.05 * now[M_LOW_MID])
    return float(strength * billow(1.15 * nx + 3.1, 1.15 * ny, 1.15 * nz, now[M_FLOW] + 1.2 * now[M_FLOW_MID]))


@kernel
def _fold(nx: float, ny: float, nz: float, now: Float64) -> tuple[float, float, float]:
    """Currents on the sphere: a direction carried along by two drifts. Where they fold, mist gathers into veils."""
    flow = now[M_FLOW] + 0.8 * now[M_FLOW_MID]
    strength = now[_BILLOWS] * (0.21 + 0.07 * now[M_MID])
    dx, dy, dz = drift(1.25 * nx, 1.25 * ny, 1.25 * nz, flow)
    nx, ny, nz = nx + strength * dx, ny + strength * dy, nz + strength * dz
    dx, dy, dz = drift(2.3 * nz + 5.0, 2.3 * nx, 2.3 * ny, 1.4 * flow)
    nx, ny, nz = nx + 0.42 * strength * dx, ny + 0.42 * strength * dy, nz + 0.42 * strength * dz
    norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-6)
    return nx * norm, ny * norm, nz * norm


@kernel
def _cloud(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    radius = _radius(now)
    centre = 0.06 * now[M_HALF_HEIGHT]
    # The light stands at the upper left, and walks.
    walk = 0.02 * now[M_FLOW]
    lx, ly, lz = -0.62 + 0.25 * sin1(walk), 0.66, 0.42 + 0.2 * cos1(walk)
    for i in range(i0, i1):
        k = key(seed, i, 0)
        life = 5.0 + 4.0 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, i, int(generation))
        birth = song.track[birth_row(song.inverse, now[M_FLOW] - age * life, rows)]
        ny = 2.0 * rnd(q, 0) - 1.0
        flat = math.sqrt(1.0 - ny * ny)
        turn = rnd(q, 1) + 0.020 * now[M_FLOW] * (0.6 + 0.8 * flat) + 0.03 * sin1(0.9 * ny + 0.04 * now[M_FLOW])
        nx, ny, nz = _fold(flat * cos1(turn), ny, flat * sin1(turn), now)
        bump = _surface(nx, ny, nz, now)
        fine = billow(3.2 * nx + 1.3 * bump, 3.6 * ny, 3.2 * nz - 1.3 * bump, 1.3 * now[M_FLOW] + now[M_FLOW_MID])
        deep = rnd(q, 2)
        shell = 1.0 - 0.55 * deep * deep * deep
        leave = smooth(0.62, 1.0, age)
        r = radius * (shell * (1.0 + bump + 0.07 * now[_BILLOWS] * fine) + 0.16 * leave * leave)
        wisp = 0.10 * radius * leave * leave
        out[i, 0] = nx * r + wisp * sin1(turn + 0.3)
        out[i, 1] = centre + ny * r + 0.5 * wisp
        out[i, 2] = nz * r - DISTANCE
        out[i, 3] = radius * (0.026 + 0.062 * rnd(q, 3)) * (1.0 + 0.9 * leave)
        rim = 1.0 - abs(nz)
        facing = smooth(-0.9, 1.1, nx * lx + ny * ly + nz * lz)
        dense = smooth(-0.45, 0.75, fine + 1.5 * bump) * (0.30 + 0.70 * smooth(-0.4, 0.4, nz))
        shine = (0.10 + 0.30 * facing + 1.0 * rim * rim) * (0.06 + dense)
        shine *= rise_fall(age, 0.25, 0.45) * (
            0.45 + 0.50 * now[M_LEVEL] + 0.35 * birth[C_LEVEL] + 0.3 * now[M_BASS_SOFT]
        )
        inside = now[_HEART] * (0.02 + 0.16 * now[M_BEAT]) * smooth(0.1, -0.7, fine) * (1.0 - rim)
        shade = 0.5 + 0.30 * nx + 0.34 * ny + 0.16 * fine
        for c in range(3):
            light = ramp_at(ramps, 2, shade, c) * shine + inside * ramp_at(ramps, 5, 0.5, c)
            out[i, 4 + c] = (300.0 / len(out)) * light
        out[i, 7] = 0.0


@kernel
def _threads(out: Float32, i0: int, i1: int, _seed: int, song: Song) -> None:
    """A cloth of fine threads round the orb, folded by the same currents; each thread shines with its own band."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    radius = _radius(now)
    centre = 0.06 * now[M_HALF_HEIGHT]
    lines = len(out) // _THREAD_LINE
    for i in range(i0, i1):
        line = i // _THREAD_LINE
        s = (i - line * _THREAD_LINE + 0.5) / _THREAD_LINE
        place = (line + 0.5) / lines
        row = birth_row(song.inverse, now[M_FLOW] - 0.8 * s, rows)
        x = 31.0 * abs(2.0 * place - 1.0)
        b = int(x)
        band = song.bands[row, b] * (1.0 - x + b) + song.bands[row, min(31, b + 1)] * (x - b)
        ny = cos1(0.5 * (0.02 + 0.96 * s))
        flat = math.sqrt(max(0.0, 1.0 - ny * ny))
        turn = place + 0.30 * s + 0.018 * now[M_FLOW]
        # The cloth's poles lean, so that they are not where its threads would meet in plain sight.
        nx, nz = flat * cos1(turn), flat * sin1(turn)
        nx, ny = 0.36 * ny + 0.93 * nx, 0.93 * ny - 0.36 * nx
        nx, ny, nz = _fold(nx, ny, nz, now)
        bump = _surface(nx, ny, nz, now)
        r = radius * (1.04 + bump + 0.05 * now[M_LEVEL])
        out[i, 0], out[i, 1], out[i, 2] = nx * r, centre + ny * r, nz * r - DISTANCE
        out[i, 3] = radius * 0.0075
        front = 0.22 + 0.78 * smooth(-0.5, 0.5, nz)
        shine = rise_fall(s, 0.25, 0.25) * (0.12 + 0.9 * band * band + 0.55 * song.track[row, 4]) * front
        shine *= 0.35 + 0.9 * (1.0 - abs(nz))
        shade = 0.5 + 0.34 * nx + 0.38 * ny
        for c in range(3):
            out[i, 4 + c] = (5200.0 / len(out)) * shine * now[_THREADS] * ramp_at(ramps, 3, shade, c)
        out[i, 7] = 0.0


@kernel
def _heart(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    radius = _radius(now)
    for i in range(i0, i1):
        u = (i + 0.5) / len(out)
        k = key(seed, i, 0)
        a = 0.06 * now[M_FLOW] + rnd(k, 0)
        out[i, 0] = 0.22 * radius * sin1(a)
        out[i, 1] = 0.06 * now[M_HALF_HEIGHT] + 0.22 * radius * sin1(0.8 * a + rnd(k, 1))
        out[i, 2] = 0.22 * radius * cos1(a) - DISTANCE
        out[i, 3] = radius * (0.20 + 0.55 * u)
        pulse = (0.20 + 0.35 * now[M_LEVEL] + 0.75 * now[M_BEAT] + 0.4 * now[M_BASS_SOFT]) * now[_HEART]
        for c in range(3):
            out[i, 4 + c] = 0.035 * pulse * (1.2 - u) * ramp_at(ramps, 5, u, c)
        out[i, 7] = 0.0


@kernel
def _fog(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Large slow puffs: a bank below the orb, thin veils across the whole picture."""
    now, ramps = song.now, song.ramps
    half_w, half_h = now[M_HALF_WIDTH], now[M_HALF_HEIGHT]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        life = 9.0 + 7.0 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, i, int(generation))
        depth = 1.9 + 2.6 * rnd(q, 0)
        wide = depth / DISTANCE
        low = rnd(q, 1) * rnd(q, 1)
        y = (-1.10 + 1.6 * low * rnd(q, 2) - 0.7 * now[M_IMMERSIVE] * rnd(q, 6)) * half_h * wide
        if now[M_IMMERSIVE] > 0.5:
            turn = rnd(q, 3) + 0.006 * age * life
            x, z = depth * sin1(turn), -depth * cos1(turn)
        else:
            x, z = (2.8 * rnd(q, 3) - 1.4) * half_w * wide + 0.03 * age * life * (rnd(q, 4) - 0.3), -depth
        near = billow(0.9 * x, 1.6 * y, 0.9 * z, now[M_FLOW])
        out[i, 0], out[i, 1] = x, y + 0.05 * near + 0.04 * now[M_BASS_SOFT] * half_h
        out[i, 2] = z
        out[i, 3] = (0.10 + 0.20 * rnd(q, 5)) * wide
        lit = (0.30 + 0.55 * now[M_SWELL] + 0.25 * now[M_LOW_MID]) * now[_FOG] * smooth(-0.5, 0.7, near)
        centre = 1.0 / (1.0 + 0.9 * x * x) * min(1.0, half_w / half_h)
        for c in range(3):
            out[i, 4 + c] = (
                (26.0 * (1.0 + 4.0 * now[M_IMMERSIVE]) / len(out))
                * rise_fall(age, 0.3, 0.3)
                * lit
                * (0.35 + 0.65 * centre)
                * ramp_at(ramps, 4, 0.5 + 0.5 * near, c)
            )
        out[i, 7] = 0.0


def build(values: dict[str, float], layout: Layout, density: float) -> SceneModel:
    """The mist for a template's values; ``density`` scales the number of particles."""
    paint = Paint(values)
    dust = paint.ramp((0.0, "ffffff", 1.0), (0.5, "cfe6ff", 0.8), (1.0, "ffd0e6", 0.7))
    cloud = paint.ramp(
        (0.0, "10e0c8", 0.9),
        (0.22, "1c8cf0", 0.9),
        (0.45, "5048f4", 1.0),
        (0.66, "b83cf0", 1.0),
        (0.84, "ff4c98", 1.05),
        (1.0, "ff9a60", 1.2),
    )
    thread = paint.ramp((0.0, "5cf4e0", 1.0), (0.35, "7aa8ff", 1.0), (0.65, "d08cff", 1.0), (1.0, "ffb08c", 1.1))
    fog = paint.ramp((0.0, "0c2058", 0.7), (0.5, "283ca0", 0.8), (1.0, "6a48c0", 0.8))
    heart = paint.ramp((0.0, "ffc8d8", 1.4), (0.5, "f060c0", 0.9), (1.0, "5a3ae0", 0.6))
    sky = SkyLook(
        zenith=paint.light("0a1438", 0.35),
        horizon=paint.light("1c2458", 0.30),
        cloud_a=paint.light("34549c", 0.16),
        cloud_b=paint.light("5a3a8c", 0.14),
        contrast=0.6,
        seed=23,
    )
    around = 2.5 if layout.immersive else 1.0
    layers = (
        Layer(stars, 1500 if layout.immersive else 3500, 21),
        Layer(_fog, round(300 * density * around), 22),
        Layer(_cloud, round(12000 * density), 23),
        Layer(_heart, 14, 24),
        Layer(_threads, max(40, round(84 * density)) * _THREAD_LINE, 25),
        Layer(motes, round(380 * density * around), 26),
    )
    return SceneModel(
        layers=layers,
        sky=sky,
        parameters=tuple(values[name] for name in PARAMETERS),
        ramps=np.stack([STARLIGHT, dust, cloud, thread, fog, heart]),
        sway=values["sway"],
        exposure=1.35 * values["exposure"],
        bloom=values["bloom"],
        speed=values["speed"],
    )
