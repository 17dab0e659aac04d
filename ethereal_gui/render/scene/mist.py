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
    C_TREBLE,
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
_BLOCK = 256
# Rows of the working memory of a block of the cloud, or of one thread: float64 (_ROWS, particles). The functions that
# take it do mathematics alone, on its first n particles, so in SIMD; hashes and tables are left to loops of their own.
# X, Y, Z are a direction, in the end a place in metres, from the orb's centre. AGE is a part of a life or of a thread.
_X, _Y, _Z, _AGE, _TURN, _DEEP, _LEVEL, _BUMP, _SIGMA, _SHINE, _INSIDE, _SHADE = range(12)
_ROWS = 12
# Ramps: 0 stars, 1 motes, 2 cloud (shadow to light), 3 threads, 4 fog, 5 heart.


@kernel
def _radius(now: Float64) -> float:
    """The orb's radius now, metres."""
    frame = min(now[M_HALF_WIDTH], now[M_HALF_HEIGHT]) * (0.86 if now[M_HALF_WIDTH] < now[M_HALF_HEIGHT] else 0.60)
    breath = 0.03 * sin1(0.085 * now[M_FLOW])
    return float(frame * now[_SIZE] * (0.84 + breath + 0.10 * now[M_LEVEL] + 0.17 * now[M_BASS_SOFT]))


@kernel
def _fold(work: Float64, n: int, now: Float64) -> None:
    """Currents on the sphere: directions carried along by two drifts. Where they fold, mist gathers into veils."""
    flow = now[M_FLOW] + 0.8 * now[M_FLOW_MID]
    strength = now[_BILLOWS] * (0.21 + 0.07 * now[M_MID])
    for j in range(n):
        nx, ny, nz = work[_X, j], work[_Y, j], work[_Z, j]
        dx, dy, dz = drift(1.25 * nx, 1.25 * ny, 1.25 * nz, flow)
        nx, ny, nz = nx + strength * dx, ny + strength * dy, nz + strength * dz
        dx, dy, dz = drift(2.3 * nz + 5.0, 2.3 * nx, 2.3 * ny, 1.4 * flow)
        nx, ny, nz = nx + 0.42 * strength * dx, ny + 0.42 * strength * dy, nz + 0.42 * strength * dz
        norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-6)
        work[_X, j], work[_Y, j], work[_Z, j] = nx * norm, ny * norm, nz * norm


@kernel
def _raise(work: Float64, n: int, now: Float64) -> None:
    """Height of the billows in each direction, in parts of the radius."""
    flow = now[M_FLOW] + 1.2 * now[M_FLOW_MID]
    strength = now[_BILLOWS] * (0.09 + 0.12 * now[M_MID] + 0.05 * now[M_LOW_MID])
    for j in range(n):
        nx, ny, nz = work[_X, j], work[_Y, j], work[_Z, j]
        work[_BUMP, j] = strength * billow(1.15 * nx + 3.1, 1.15 * ny, 1.15 * nz, flow)


@kernel
def _scatter(work: Float64, n: int, now: Float64) -> None:
    """Directions of the cloud's particles from their heights and turns, before the currents."""
    flow = now[M_FLOW]
    for j in range(n):
        ny = work[_Y, j]
        flat = math.sqrt(1.0 - ny * ny)
        turn = work[_TURN, j] + 0.020 * flow * (0.6 + 0.8 * flat) + 0.03 * sin1(0.9 * ny + 0.04 * flow)
        work[_TURN, j], work[_X, j], work[_Z, j] = turn, flat * cos1(turn), flat * sin1(turn)


@kernel
def _glow(work: Float64, n: int, now: Float64, radius: float) -> None:
    """Places and sizes of the cloud's particles, and what light they give."""
    flow, swirl = now[M_FLOW], 1.3 * now[M_FLOW] + now[M_FLOW_MID]
    billows = 0.07 * now[_BILLOWS]
    loud, bass = 0.45 + 0.50 * now[M_LEVEL], 0.3 * now[M_BASS_SOFT]
    heart = now[_HEART] * (0.02 + 0.16 * now[M_BEAT])
    # The light stands at the upper left, and walks.
    lx, ly, lz = -0.62 + 0.25 * sin1(0.02 * flow), 0.66, 0.42 + 0.2 * cos1(0.02 * flow)
    for j in range(n):
        nx, ny, nz, bump = work[_X, j], work[_Y, j], work[_Z, j], work[_BUMP, j]
        age, deep = work[_AGE, j], work[_DEEP, j]
        fine = billow(3.2 * nx + 1.3 * bump, 3.6 * ny, 3.2 * nz - 1.3 * bump, swirl)
        shell = 1.0 - 0.55 * deep * deep * deep
        leave = smooth(0.62, 1.0, age)
        r = radius * (shell * (1.0 + bump + billows * fine) + 0.16 * leave * leave)
        wisp = 0.10 * radius * leave * leave
        work[_X, j] = nx * r + wisp * sin1(work[_TURN, j] + 0.3)
        work[_Y, j] = ny * r + 0.5 * wisp
        work[_Z, j] = nz * r
        work[_SIGMA, j] *= radius * (1.0 + 0.9 * leave)
        rim = 1.0 - abs(nz)
        facing = smooth(-0.9, 1.1, nx * lx + ny * ly + nz * lz)
        dense = smooth(-0.45, 0.75, fine + 1.5 * bump) * (0.30 + 0.70 * smooth(-0.4, 0.4, nz))
        shine = (0.10 + 0.30 * facing + 1.0 * rim * rim) * (0.06 + dense)
        work[_SHINE, j] = shine * (rise_fall(age, 0.25, 0.45) * (loud + 0.35 * work[_LEVEL, j] + bass))
        work[_INSIDE, j] = heart * smooth(0.1, -0.7, fine) * (1.0 - rim)
        work[_SHADE, j] = 0.5 + 0.30 * nx + 0.34 * ny + 0.16 * fine


@kernel
def _cloud(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    radius = _radius(now)
    centre = 0.06 * now[M_HALF_HEIGHT]
    work = np.empty((_ROWS, _BLOCK))
    for first in range(i0, i1, _BLOCK):
        n = min(_BLOCK, i1 - first)
        for j in range(n):
            k = key(seed, first + j, 0)
            life = 5.0 + 4.0 * rnd(k, 0)
            clock = now[M_FLOW] / life + rnd(k, 1)
            generation = math.floor(clock)
            age = clock - generation
            q = key(seed, first + j, generation)
            birth = birth_row(song.inverse, now[M_FLOW] - age * life, rows)
            work[_AGE, j], work[_LEVEL, j] = age, song.track[birth, C_LEVEL]
            work[_Y, j], work[_TURN, j] = 2.0 * rnd(q, 0) - 1.0, rnd(q, 1)
            work[_DEEP, j], work[_SIGMA, j] = rnd(q, 2), 0.026 + 0.062 * rnd(q, 3)
        _scatter(work, n, now)
        _fold(work, n, now)
        _raise(work, n, now)
        _glow(work, n, now, radius)
        for j in range(n):
            i = first + j
            out[i, 0], out[i, 1], out[i, 2] = work[_X, j], centre + work[_Y, j], work[_Z, j] - DISTANCE
            out[i, 3] = work[_SIGMA, j]
            for c in range(3):
                light = ramp_at(ramps, 2, work[_SHADE, j], c) * work[_SHINE, j]
                out[i, 4 + c] = (300.0 / len(out)) * (light + work[_INSIDE, j] * ramp_at(ramps, 5, 0.5, c))
            out[i, 7] = 0.0


@kernel
def _lay(work: Float64, n: int, now: Float64, place: float) -> None:
    """Directions along the thread at ``place`` (0..1) of the cloth, before the currents."""
    turned = place + 0.018 * now[M_FLOW]
    for j in range(n):
        s = work[_AGE, j]
        ny = cos1(0.5 * (0.02 + 0.96 * s))
        flat = math.sqrt(max(0.0, 1.0 - ny * ny))
        turn = turned + 0.30 * s
        nx = flat * cos1(turn)
        # The cloth's poles lean, so that they are not where its threads would meet in plain sight.
        work[_X, j], work[_Y, j], work[_Z, j] = 0.36 * ny + 0.93 * nx, 0.93 * ny - 0.36 * nx, flat * sin1(turn)


@kernel
def _light(work: Float64, n: int, now: Float64, radius: float) -> None:
    """Places along a thread, and how it shines there."""
    away = 1.04 + 0.05 * now[M_LEVEL]
    for j in range(n):
        nx, ny, nz, s = work[_X, j], work[_Y, j], work[_Z, j], work[_AGE, j]
        r = radius * (away + work[_BUMP, j])
        work[_X, j], work[_Y, j], work[_Z, j] = nx * r, ny * r, nz * r
        front = 0.22 + 0.78 * smooth(-0.5, 0.5, nz)
        work[_SHINE, j] *= rise_fall(s, 0.25, 0.25) * front * (0.35 + 0.9 * (1.0 - abs(nz)))
        work[_SHADE, j] = 0.5 + 0.34 * nx + 0.38 * ny


@kernel
def _threads(out: Float32, i0: int, i1: int, _seed: int, song: Song) -> None:
    """A cloth of fine threads round the orb, folded by the same currents; each thread shines with its own band."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    radius = _radius(now)
    centre = 0.06 * now[M_HALF_HEIGHT]
    lines = len(out) // _THREAD_LINE
    work = np.empty((_ROWS, _THREAD_LINE))
    for line in range(i0 // _THREAD_LINE, (i1 - 1) // _THREAD_LINE + 1):
        place = (line + 0.5) / lines
        x = 31.0 * abs(2.0 * place - 1.0)
        b = int(x)
        first = max(i0, line * _THREAD_LINE)
        n = min(i1, (line + 1) * _THREAD_LINE) - first
        for j in range(n):
            s = (first + j - line * _THREAD_LINE + 0.5) / _THREAD_LINE
            row = birth_row(song.inverse, now[M_FLOW] - 0.8 * s, rows)
            band = song.bands[row, b] * (1.0 - x + b) + song.bands[row, min(31, b + 1)] * (x - b)
            work[_AGE, j] = s
            work[_SHINE, j] = 0.12 + 0.9 * band * band + 0.55 * song.track[row, C_TREBLE]
        _lay(work, n, now, place)
        _fold(work, n, now)
        _raise(work, n, now)
        _light(work, n, now, radius)
        for j in range(n):
            i = first + j
            out[i, 0], out[i, 1], out[i, 2] = work[_X, j], centre + work[_Y, j], work[_Z, j] - DISTANCE
            out[i, 3] = radius * 0.0075
            shine = (5200.0 / len(out)) * work[_SHINE, j] * now[_THREADS]
            for c in range(3):
                out[i, 4 + c] = shine * ramp_at(ramps, 3, work[_SHADE, j], c)
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
