"""Flame: silk of fire rising round a glowing core, sparks on onsets, embers near and far, smoke lit from below.

The silk is made of streak lines: each emitter lets go of particles at even steps of flow time, and all of them move
through one field of rising waves, so neighbours stay neighbours and fold into sheets and wisps.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ambient import AMBIENT_PARAMETERS, STARLIGHT, motes
from ethereal_gui.render.scene.base import Layer, SceneModel, SkyLook, Song
from ethereal_gui.render.scene.camera import DISTANCE, Layout
from ethereal_gui.render.scene.jit import cos1, inlined, kernel, key, rise_fall, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
    C_BASS_SOFT,
    C_LEVEL,
    C_MID,
    C_ONSET,
    C_TREBLE,
    M_BASS_SOFT,
    M_BEAT,
    M_FLOW,
    M_FLOW_MID,
    M_HALF_HEIGHT,
    M_HALF_WIDTH,
    M_IMMERSIVE,
    M_LEVEL,
    M_LOUDNESS,
    M_LOW_MID,
    M_MID,
    M_PARAMETERS,
    M_SWELL,
    M_TREBLE,
    birth_row,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PARAMETERS = (*AMBIENT_PARAMETERS, "height", "width", "turbulence", "twist", "sparks", "glow", "smoke")
_HEIGHT = M_PARAMETERS + 2
_WIDTH = M_PARAMETERS + 3
_TURBULENCE = M_PARAMETERS + 4
_TWIST = M_PARAMETERS + 5
_SPARKS = M_PARAMETERS + 6
_GLOW = M_PARAMETERS + 7
_SMOKE = M_PARAMETERS + 8

_BODY_LINE = 96
_SILK_LINE = 200
_TRAIL = 3
# Rows of the working memory of one line, see _rise.
_AGE, _TURN, _TALL, _BASS, _MID, _LEVEL, _PART, _X, _Y, _Z = range(10)
_ROWS = 10
# Ramps: 0 stars, 1 embers and sparks, 2 body, 3 silk, 4 smoke, 5 core.


@inlined
def _profile(a: float) -> float:
    """Radius of the flame at height ``a`` (0..1): narrow at the hearth, wide at a quarter, thin at the tip."""
    rest = max(0.0, 1.0 - a)
    return (0.16 + 4.3 * a * rest * rest) * (1.0 - smooth(0.5, 1.08, a) * 0.8)


@inlined
def _waves(x: float, y: float, z: float, flow: float, phase: float, a: float, strength: float) -> tuple[float, float]:
    """Sideways displacement (x, z) by rising waves at three scales, each bent by the one before."""
    s = strength * (0.30 * math.sqrt(a) + 0.85 * a)
    w1 = sin1(0.55 * y - 0.42 * flow + 0.30 * z + 0.15 * phase)
    v1 = cos1(0.48 * y - 0.37 * flow - 0.33 * x + 0.40)
    w2 = sin1(1.25 * y - 0.80 * flow + 0.55 * x + 0.28 * w1 + phase * 0.5)
    v2 = cos1(1.10 * y - 0.74 * flow + 0.60 * z + 0.30 * v1)
    w3 = sin1(2.70 * y - 1.50 * flow + 1.40 * x + 0.35 * w2 + phase)
    v3 = cos1(2.45 * y - 1.38 * flow + 1.25 * z + 0.35 * v2)
    fine = 0.35 + 0.65 * a
    return (
        s * (0.115 * w1 + 0.080 * w2 * fine + 0.036 * w3 * fine),
        s * (0.115 * v1 + 0.080 * v2 * fine + 0.036 * v3 * fine),
    )


@inlined
def _remember(line: Float64, j: int, age: float, turn: float, tall: float, birth: int, track: Float32) -> None:
    """Write down what ``_rise`` has to know of the ``j``-th particle of a line."""
    line[_AGE, j], line[_TURN, j], line[_TALL, j] = age, turn, tall
    line[_BASS, j], line[_MID, j], line[_LEVEL, j] = (
        track[birth, C_BASS_SOFT],
        track[birth, C_MID],
        track[birth, C_LEVEL],
    )


@kernel
def _rise(line: Float64, n: int, now: Float64, reach: float, phase: float) -> None:
    """Height parts and places of the first ``n`` particles of a line; all of them at once, in SIMD.

    ``line`` is float64 (_ROWS, length): each particle's age (0..1), the angle at which it left the hearth, how tall it
    can be, and the music at its birth go in; its part of the height (0..1) and its place x, y, z in metres come out.
    """
    age, turn, tall = line[_AGE], line[_TURN], line[_TALL]
    bass, mid, level = line[_BASS], line[_MID], line[_LEVEL]
    out_a, out_x, out_y, out_z = line[_PART], line[_X], line[_Y], line[_Z]
    flow = now[M_FLOW]
    frame = now[M_HALF_HEIGHT] * (0.9 + 0.1 * now[M_IMMERSIVE])
    height = now[_HEIGHT] * 1.34 * frame
    twist, spun = now[_TWIST], 0.045 * flow + 0.10 * now[M_FLOW_MID]
    swollen = 0.20 * now[M_BASS_SOFT]
    radius = 0.27 * now[_WIDTH] * reach * (0.75 + 0.25 * frame)
    turbulence, stirred = now[_TURBULENCE] * frame, 0.75 + 0.45 * now[M_MID]
    for j in range(n):
        # About age ** 0.82, from roots alone.
        half = math.sqrt(age[j])
        quarter = math.sqrt(half)
        a = half * quarter * (0.44 + 0.56 * math.sqrt(quarter))
        y = a * height * (0.62 + 0.34 * level[j] + 0.42 * bass[j]) * tall[j]
        spin = turn[j] + twist * a * (0.32 + 0.10 * mid[j]) - spun
        swell = 1.0 + 0.55 * bass[j] * (1.0 - 0.5 * a) + swollen * (1.0 - a)
        r = radius * _profile(a) * swell
        x, z = r * cos1(spin), r * sin1(spin)
        dx, dz = _waves(x, y, z, flow, phase, a, turbulence * (stirred + 0.5 * mid[j]))
        out_a[j], out_x[j], out_y[j], out_z[j] = a, x + dx, y, z + dz


@kernel
def _body(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps, track = song.now, song.ramps, song.track
    lines = len(out) // _BODY_LINE
    rows = track.shape[0]
    floor = -0.66 * now[M_HALF_HEIGHT]
    glow = (0.7 + 0.5 * now[M_LOUDNESS] + 0.35 * now[M_BEAT]) * now[_GLOW]
    work = np.empty((_ROWS, _BODY_LINE))
    for line in range(i0 // _BODY_LINE, (i1 - 1) // _BODY_LINE + 1):
        k = key(seed, line, 0)
        life = 2.1 + 0.7 * rnd(k, 0)
        start = now[M_FLOW] / life + rnd(k, 1)
        reach = 0.2 + 0.75 * math.sqrt((line + 0.5) / lines)
        turn = rnd(k, 2)
        first, last = max(i0, line * _BODY_LINE), min(i1, (line + 1) * _BODY_LINE)
        for i in range(first, last):
            clock = start + (i - line * _BODY_LINE) / _BODY_LINE
            generation = math.floor(clock)
            age = clock - generation
            tall = 0.78 + 0.26 * rnd(key(seed, i, generation), 0)
            birth = birth_row(song.inverse, now[M_FLOW] - age * life, rows)
            _remember(work, i - first, age, turn, tall, birth, track)
        _rise(work, last - first, now, reach, 0.25 * rnd(k, 3))
        for i in range(first, last):
            j = i - first
            q = key(seed, i, math.floor(start + (i - line * _BODY_LINE) / _BODY_LINE))
            age, a, bass = work[_AGE, j], work[_PART, j], work[_BASS, j]
            spread = 0.012 + 0.05 * a
            out[i, 0] = work[_X, j] + spread * (rnd(q, 1) - 0.5) * 2.0
            out[i, 1] = floor + work[_Y, j]
            out[i, 2] = work[_Z, j] + spread * (rnd(q, 2) - 0.5) * 2.0 - DISTANCE
            out[i, 3] = (0.026 + 0.070 * a * (1.0 - 0.45 * a)) * (0.8 + 0.5 * bass) * (0.6 + 0.4 * now[M_HALF_HEIGHT])
            shine = rise_fall(age, 0.10, 0.55) * (0.35 + 0.55 * work[_LEVEL, j] + 0.65 * bass) * glow
            heat = a * 0.80 + 0.34 * reach * reach + 0.06 * rnd(q, 3) - 0.14 * bass
            for c in range(3):
                out[i, 4 + c] = (40.0 / len(out)) * shine * ramp_at(ramps, 2, heat, c)
            out[i, 7] = 0.0


@kernel
def _silk(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps, track = song.now, song.ramps, song.track
    lines = len(out) // _SILK_LINE
    rows = track.shape[0]
    floor = -0.66 * now[M_HALF_HEIGHT]
    glow = (0.55 + 0.30 * now[M_LOUDNESS] + 1.3 * now[M_TREBLE]) * now[_GLOW]
    work = np.empty((_ROWS, _SILK_LINE))
    loud = np.empty(_SILK_LINE)
    for line in range(i0 // _SILK_LINE, (i1 - 1) // _SILK_LINE + 1):
        k = key(seed, line, 0)
        life = 2.6 + 0.9 * rnd(k, 0)
        start = now[M_FLOW] / life + rnd(k, 1)
        reach = 0.25 + 0.95 * math.sqrt((line + 0.5) / lines)
        side, wander, phase = rnd(k, 2), rnd(k, 4), 0.22 * rnd(k, 3)
        tall = 0.62 + 0.62 * rnd(k, 5) * rnd(k, 5) + 0.1 * rnd(k, 8)
        thick = (0.8 + 0.5 * rnd(k, 6)) * (0.6 + 0.4 * now[M_HALF_HEIGHT])
        light = glow * (0.3 + 0.7 * rnd(k, 7)) * 2100.0 / len(out)
        first, last = max(i0, line * _SILK_LINE), min(i1, (line + 1) * _SILK_LINE)
        for i in range(first, last):
            clock = start + (i - line * _SILK_LINE) / _SILK_LINE
            age = clock - math.floor(clock)
            born = now[M_FLOW] - age * life
            birth = birth_row(song.inverse, born, rows)
            _remember(work, i - first, age, side + 0.04 * sin1(0.21 * born + wander), tall, birth, track)
            loud[i - first] = (
                0.25 + 0.5 * track[birth, C_LEVEL] + 0.9 * track[birth, C_MID] + 0.5 * track[birth, C_TREBLE]
            )
        _rise(work, last - first, now, reach, phase)
        for i in range(first, last):
            j = i - first
            a = work[_PART, j]
            out[i, 0], out[i, 1], out[i, 2] = work[_X, j], floor + work[_Y, j], work[_Z, j] - DISTANCE
            out[i, 3] = (0.0032 + 0.010 * a * a) * thick
            shine = rise_fall(work[_AGE, j], 0.16, 0.6) * loud[j] * light
            heat = a * 0.82 + 0.26 * reach * reach
            for c in range(3):
                out[i, 4 + c] = shine * ramp_at(ramps, 3, heat, c)
            out[i, 7] = 0.0


@kernel
def _core(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """The hearth's heart, its halo, and its light on the ground."""
    now, ramps = song.now, song.ramps
    half = now[M_HALF_HEIGHT]
    floor = -0.66 * half
    pulse = 0.5 + 0.55 * now[M_BASS_SOFT] + 0.40 * now[M_BEAT] + 0.25 * now[M_LEVEL]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        u = (i + 0.5) / len(out)
        drift = 0.25 * now[M_FLOW] * (0.6 + 0.8 * rnd(k, 2))
        x = 0.10 * u * sin1(drift + rnd(k, 0)) * now[_WIDTH]
        z = 0.10 * u * cos1(drift + rnd(k, 1)) * now[_WIDTH]
        y = 0.10 * half + 0.24 * half * u * (0.6 + 0.5 * now[M_BASS_SOFT]) + 0.03 * sin1(0.7 * drift + rnd(k, 3))
        sigma = (0.055 + 0.15 * u) * (0.75 + 0.45 * pulse) * (0.6 + 0.4 * half)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = x, floor + y, z - DISTANCE, sigma
        for c in range(3):
            out[i, 4 + c] = 0.055 * pulse * now[_GLOW] * (1.15 - u) * ramp_at(ramps, 5, u, c)
        out[i, 7] = 0.05


@kernel
def _ground(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Light lying on dark water below: glints that shiver sideways, brighter near the flame."""
    now, ramps = song.now, song.ramps
    half = now[M_HALF_HEIGHT]
    floor = -0.70 * half
    glow = (0.25 + 0.5 * now[M_LEVEL] + 0.5 * now[M_BASS_SOFT]) * now[_GLOW]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        u = rnd(k, 0)
        depth = -0.9 + 2.2 * u  # metres nearer than the flame
        sway = sin1(0.30 * now[M_FLOW] + 1.9 * depth + rnd(k, 3)) * 0.03
        side = (rnd(k, 1) + rnd(k, 2) + rnd(k, 4) - 1.5) * (0.30 + 0.30 * abs(depth))
        wave = sin1(1.4 * depth - 0.35 * now[M_FLOW] + 0.6 * side) + sin1(0.9 * side + 0.22 * now[M_FLOW] + rnd(k, 5))
        shimmer = max(0.0, 0.35 + 0.5 * wave)
        near = 1.0 / (1.0 + 2.5 * depth * depth + 5.0 * side * side)
        out[i, 0], out[i, 1], out[i, 2] = side + sway, floor, depth - DISTANCE
        out[i, 3] = 0.004 + 0.022 * rnd(k, 6)
        for c in range(3):
            out[i, 4 + c] = (260.0 / len(out)) * glow * shimmer * near * ramp_at(ramps, 5, 0.55 + 0.4 * u, c)
        out[i, 7] = 0.0


@kernel
def _sparks(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Thrown up by onsets: what an onset is at a spark's birth decides whether and how brightly it lives.

    Each spark is drawn ``_TRAIL`` times, where it is and where it just was, so that fast ones are streaks.
    """
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    half = now[M_HALF_HEIGHT]
    floor = -0.58 * half
    for i in range(i0, i1):
        spark = i // _TRAIL
        tail = i - spark * _TRAIL
        k = key(seed, spark, 0)
        life = 1.7 + 2.1 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, spark, int(generation))
        birth = song.track[birth_row(song.inverse, now[M_FLOW] - age * life, rows)]
        strength = (
            smooth(0.12, 0.75, birth[C_ONSET] - 0.35 * rnd(q, 0)) + 0.25 * smooth(0.86, 1.0, rnd(q, 1)) * birth[C_LEVEL]
        )
        seconds = max(0.0, age * life - 0.012 * tail)
        turn = rnd(q, 2)
        speed = (0.20 + 0.60 * rnd(q, 3)) * (0.50 + 0.65 * birth[C_ONSET])
        out_r = 0.05 + 0.34 * speed * seconds * (0.35 + rnd(q, 4)) * (0.6 + 0.4 * now[M_HALF_WIDTH])
        y = 0.12 + 1.05 * half * speed * seconds * (1.0 - 0.13 * seconds)
        curl = 0.07 * seconds
        x = out_r * cos1(turn + 0.08 * seconds) + curl * sin1(0.9 * y - 0.5 * now[M_FLOW] + rnd(q, 5))
        z = out_r * sin1(turn + 0.08 * seconds) + curl * cos1(0.8 * y - 0.4 * now[M_FLOW] + rnd(q, 6))
        flicker = 0.72 + 0.28 * sin1((2.0 + 3.0 * rnd(q, 7)) * seconds + rnd(q, 8))
        shine = (
            strength
            * rise_fall(age, 0.05, 0.75)
            * flicker
            * now[_SPARKS]
            * (0.8 + 0.6 * now[M_TREBLE])
            / (1.0 + 0.8 * tail)
        )
        out[i, 0], out[i, 1], out[i, 2] = x, floor + y, z - DISTANCE
        big = rnd(q, 9)
        out[i, 3] = (0.0014 + 0.0042 * big * big * big) * (1.0 - 0.5 * age)
        for c in range(3):
            out[i, 4 + c] = 5.5 * shine * ramp_at(ramps, 1, age, c)
        out[i, 7] = 1.0 if tail == 0 else 0.0


@kernel
def _smoke(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Large soft puffs above and behind, lit by the flame."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    half = now[M_HALF_HEIGHT]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        life = 6.0 + 3.0 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, i, int(generation))
        birth = song.track[birth_row(song.inverse, now[M_FLOW] - age * life, rows)]
        turn = rnd(q, 0)
        r = (0.12 + 0.75 * age * rnd(q, 1)) * (0.55 + 0.45 * now[M_HALF_WIDTH])
        y = -0.35 * half + age * 1.75 * half
        sway = 0.22 * age * sin1(0.4 * y - 0.12 * now[M_FLOW] + rnd(q, 2))
        out[i, 0] = r * cos1(turn + 0.15 * age) + sway
        out[i, 1] = y
        out[i, 2] = r * sin1(turn + 0.15 * age) - DISTANCE - 0.25
        out[i, 3] = 0.10 + 0.22 * age
        lit = (0.35 + 0.45 * now[M_SWELL] + 0.35 * now[M_LOW_MID]) * (0.4 + 0.8 * birth[C_LEVEL])
        for c in range(3):
            out[i, 4 + c] = (3.0 / len(out)) * rise_fall(age, 0.25, 0.6) * lit * now[_SMOKE] * ramp_at(ramps, 4, age, c)
        out[i, 7] = 0.0


def build(values: dict[str, float], layout: Layout, density: float) -> SceneModel:
    """The flame for a template's values; ``density`` scales the number of particles."""
    paint = Paint(values)
    embers = paint.ramp((0.0, "fff0cc", 1.2), (0.25, "ffc050", 1.0), (0.6, "ff7420", 0.8), (1.0, "d82a14", 0.5))
    body = paint.ramp(
        (0.0, "ffcf80", 3.0),
        (0.16, "ff9c30", 1.7),
        (0.38, "ff6a14", 1.0),
        (0.6, "f23414", 0.75),
        (0.8, "b01c4a", 0.5),
        (1.0, "3c1a78", 0.32),
    )
    silk = paint.ramp(
        (0.0, "ffe9b8", 1.2),
        (0.2, "ffc860", 1.1),
        (0.45, "ff8c30", 1.0),
        (0.7, "ff4824", 0.9),
        (0.88, "d02e78", 0.7),
        (1.0, "6a3ad0", 0.6),
    )
    smoke = paint.ramp((0.0, "c8481c", 0.9), (0.35, "6c2a4a", 0.7), (0.7, "2c2c66", 0.6), (1.0, "12204a", 0.4))
    core = paint.ramp((0.0, "ffe0a0", 4.0), (0.3, "ffa840", 1.6), (0.6, "ff6418", 0.7), (1.0, "c02c10", 0.45))
    sky = SkyLook(
        zenith=paint.light("0a1030", 0.30),
        horizon=paint.light("160c20", 0.35),
        cloud_a=paint.light("24408c", 0.16),
        cloud_b=paint.light("7a2448", 0.10),
        contrast=0.85,
        seed=5,
    )
    around = 3.0 if layout.immersive else 1.0
    layers = (
        Layer(stars, 3000 if layout.immersive else 9000, 11),
        Layer(_smoke, round(150 * density), 12),
        Layer(_ground, round(1500 * density), 13),
        Layer(_body, max(24, round(56 * density)) * _BODY_LINE, 14),
        Layer(_core, 18, 15),
        Layer(_silk, max(40, round(110 * density)) * _SILK_LINE, 16),
        Layer(_sparks, _TRAIL * round(1300 * density), 17),
        Layer(motes, round(420 * density * around), 18),
    )
    return SceneModel(
        layers=layers,
        sky=sky,
        parameters=tuple(values[name] for name in PARAMETERS),
        ramps=np.stack([STARLIGHT, embers, body, silk, smoke, core]),
        sway=values["sway"],
        exposure=1.5 * values["exposure"],
        bloom=values["bloom"],
        speed=values["speed"],
    )
