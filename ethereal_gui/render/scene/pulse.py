"""Pulse: the spectrum as a landscape. 32 bands stand in a ring; what they were runs outwards as waves of light.

In the middle an orb beats with the bass inside a crown of rays, one for each band; onsets throw particles off the
crown where the music is.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ambient import AMBIENT_PARAMETERS, STARLIGHT, motes
from ethereal_gui.render.scene.base import Layer, SceneModel, SkyLook, Song
from ethereal_gui.render.scene.camera import DISTANCE, Layout
from ethereal_gui.render.scene.field import billow
from ethereal_gui.render.scene.jit import cos1, kernel, key, rise_fall, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
    C_ONSET,
    M_BASS_SOFT,
    M_BEAT,
    M_FLOW,
    M_FLOW_MID,
    M_HALF_HEIGHT,
    M_HALF_WIDTH,
    M_IMMERSIVE,
    M_LEVEL,
    M_MID,
    M_PARAMETERS,
    M_ROW,
    M_TREBLE,
    birth_row,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PARAMETERS = (*AMBIENT_PARAMETERS, "size", "waves", "crown", "orb", "particles")
_SIZE = M_PARAMETERS + 2
_WAVES = M_PARAMETERS + 3
_CROWN = M_PARAMETERS + 4
_ORB = M_PARAMETERS + 5
_PARTICLES = M_PARAMETERS + 6

_RING = 288  # points of a ring
_RAY = 14  # points of a ray of the crown
_SPOKES = 128
_TRAIL = 2
# Ramps: 0 stars, 1 motes, 2 bands low to high, 3 orb.


@kernel
def _band(bands: Float32, row: float, place: float) -> float:
    """The spectrum at ``place`` (0 low, 1 high) in a row of the song, linear in both."""
    x = 30.999 * min(1.0, max(0.0, place))
    b = int(x)
    f = x - b
    f = f * f * (3.0 - 2.0 * f)  # rounds the peaks
    last = bands.shape[0] - 1
    r0 = min(last, max(0, int(row)))
    r1 = min(last, r0 + 1)
    g = min(1.0, max(0.0, row - r0))
    low = bands[r0, b] * (1.0 - f) + bands[r0, b + 1] * f
    high = bands[r1, b] * (1.0 - f) + bands[r1, b + 1] * f
    return float(low * (1.0 - g) + high * g)


@kernel
def _mirror(turn: float) -> float:
    """Place in the spectrum of an angle in turns: low at the bottom (0), high at the top, the same on both sides."""
    u = turn - math.floor(turn)
    return 1.0 - abs(2.0 * u - 1.0)


@kernel
def _frame(now: Float64) -> float:
    if now[M_IMMERSIVE] > 0.5:
        return float(1.6 * now[_SIZE])
    return float(now[_SIZE] * min(1.0, 0.30 + 0.70 * now[M_HALF_WIDTH]) * (0.92 + 0.08 * now[M_HALF_HEIGHT]))


@kernel
def _waves(out: Float32, i0: int, i1: int, _seed: int, song: Song) -> None:
    """Rings on the ground; a ring shows the spectrum of the moment when its wave left the middle."""
    now, ramps = song.now, song.ramps
    rings = len(out) // _RING
    frame = _frame(now)
    immersive = now[M_IMMERSIVE] > 0.5
    floor = -0.40 * (0.4 + 0.6 * now[M_HALF_HEIGHT]) if not immersive else -0.95
    inner, outer, ahead = 0.42, 2.3, DISTANCE
    if immersive:  # the viewer stands in the middle of the rings
        inner, outer, ahead = 0.75, 4.2, 0.0
    fps_row = now[M_ROW]
    # Rings travel: ring j lies at (j + part) / rings of the way out.
    clock = 0.9 * now[M_FLOW]
    part = clock - math.floor(clock)
    step = math.floor(clock)
    for i in range(i0, i1):
        ring = i // _RING
        u = (ring + part) / rings
        turn = (i - ring * _RING + 0.5 * ((ring - step) & 1)) / _RING
        place = _mirror(turn) if immersive else _mirror(turn + 0.5)  # low bands in front of the viewer
        row = song.inverse[min(song.inverse.shape[0] - 1, max(0, int((now[M_FLOW] - 2.7 * u) * 30.0)))]
        row = min(fps_row, row)
        # Three moments together: rings stand closer in time than a band needs to jump.
        level = 0.4 * _band(song.bands, row, place)
        level += 0.3 * (_band(song.bands, row - 4.0, place) + _band(song.bands, min(fps_row, row + 4.0), place))
        beat = song.track[min(song.track.shape[0] - 1, int(row)), 6]
        r = frame * (inner + outer * u**1.2)
        ground = 0.05 * billow(1.4 * r * cos1(turn), 1.4 * r * sin1(turn), 2.0, now[M_FLOW] + 2.0 * now[M_FLOW_MID])
        x, z = r * sin1(turn), -r * cos1(turn)
        lift = now[_WAVES] * frame * (0.34 * level * level + 0.10 * level) * (0.35 + 0.65 * smooth(0.0, 0.12, u))
        out[i, 0], out[i, 1], out[i, 2] = x, floor + lift + ground * (0.4 + now[M_MID]), z - ahead
        out[i, 3] = frame * (0.0045 + 0.0075 * u + 0.006 * level) * outer / 2.3
        fade = smooth(0.0, 0.06, u) * (1.0 - smooth(0.5, 1.0, u))
        if not immersive:
            fade *= smooth(0.5, 2.2, DISTANCE - z)
        shine = fade * (0.035 + 0.95 * level * level + 0.10 * beat) * (0.7 + 0.5 * now[M_LEVEL]) * now[_WAVES]
        for c in range(3):
            out[i, 4 + c] = 0.95 * shine * ramp_at(ramps, 2, place * 0.86 + 0.14 * level, c)
        out[i, 7] = 0.0


@kernel
def _crown(out: Float32, i0: int, i1: int, _seed: int, song: Song) -> None:
    """Rays round the orb, one point of the spectrum each, and the line that joins their feet."""
    now, ramps = song.now, song.ramps
    frame = _frame(now)
    centre = 0.20 * now[M_HALF_HEIGHT]
    base = frame * (0.335 + 0.035 * now[M_BASS_SOFT] + 0.012 * now[M_BEAT])
    for i in range(i0, i1):
        spoke = i // _RAY
        v = (i - spoke * _RAY) / (_RAY - 1.0)
        turn = (spoke + 0.5) / _SPOKES
        place = _mirror(turn)
        level = _band(song.bands, now[M_ROW], place)
        spin = turn + 0.5
        reach = frame * (0.018 + 0.40 * level * level + 0.16 * level)
        r = base + reach * v
        out[i, 0] = r * sin1(spin)
        out[i, 1] = centre + r * cos1(spin)
        out[i, 2] = 0.10 * frame * sin1(2.0 * spin + 0.05 * now[M_FLOW]) * v - DISTANCE
        out[i, 3] = frame * (0.0062 - 0.0024 * v)
        shine = (0.30 + 1.5 * level) * (1.0 - 0.78 * v) * now[_CROWN]
        for c in range(3):
            out[i, 4 + c] = 0.85 * shine * ramp_at(ramps, 2, place + 0.10 * v, c)
        out[i, 7] = 0.10 + 0.5 * level * level


@kernel
def _orb(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """A sphere of points with a soft heart."""
    now, ramps = song.now, song.ramps
    frame = _frame(now)
    centre = 0.20 * now[M_HALF_HEIGHT]
    radius = frame * (0.215 + 0.075 * now[M_BASS_SOFT] + 0.03 * now[M_BEAT])
    soft = 16
    for i in range(i0, i1):
        k = key(seed, i, 0)
        if i < soft:
            u = (i + 0.5) / soft
            a = 0.1 * now[M_FLOW] + rnd(k, 0)
            out[i, 0], out[i, 1] = 0.2 * radius * sin1(a), centre + 0.2 * radius * cos1(a + rnd(k, 1))
            out[i, 2] = -DISTANCE
            out[i, 3] = radius * (0.25 + 1.5 * u * u)
            glow = (0.10 + 0.25 * now[M_LEVEL] + 0.55 * now[M_BEAT] + 0.35 * now[M_BASS_SOFT]) * now[_ORB]
            for c in range(3):
                out[i, 4 + c] = 0.060 * glow * (1.15 - u) * ramp_at(ramps, 3, u, c)
            out[i, 7] = 0.0
        else:
            ny = 1.0 - 2.0 * (i - soft + 0.5) / (len(out) - soft)
            flat = math.sqrt(1.0 - ny * ny)
            turn = 0.6180339887 * i + 0.05 * now[M_FLOW] + 0.08 * now[M_FLOW_MID]
            nx, nz = flat * cos1(turn), flat * sin1(turn)
            place = min(1.0, abs(ny) * 0.9 + 0.1 * rnd(k, 1))
            level = _band(song.bands, now[M_ROW], place)
            bump = 0.16 * billow(2.1 * nx, 2.1 * ny, 2.1 * nz, 1.4 * now[M_FLOW] + 2.0 * now[M_FLOW_MID])
            r = radius * (1.0 + bump * (0.4 + now[M_MID]) + 0.16 * level * level)
            out[i, 0], out[i, 1], out[i, 2] = r * nx, centre + r * ny, r * nz - DISTANCE
            out[i, 3] = frame * (0.0026 + 0.0040 * level)
            front = 0.25 + 0.75 * smooth(-0.7, 0.7, nz) + 0.5 * (1.0 - abs(nz)) ** 2
            shine = front * (0.10 + 0.75 * level + 0.35 * now[M_TREBLE] * rnd(k, 2)) * now[_ORB]
            for c in range(3):
                out[i, 4 + c] = 0.50 * shine * ramp_at(ramps, 3, 0.25 + 0.6 * place + 0.15 * level, c)
            out[i, 7] = 0.0


@kernel
def _thrown(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Particles that onsets throw off the crown, most where the spectrum was strong."""
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    frame = _frame(now)
    centre = 0.20 * now[M_HALF_HEIGHT]
    for i in range(i0, i1):
        fleck = i // _TRAIL
        tail = i - fleck * _TRAIL
        k = key(seed, fleck, 0)
        life = 1.9 + 2.2 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, fleck, int(generation))
        row = birth_row(song.inverse, now[M_FLOW] - age * life, rows)
        turn = rnd(q, 0)
        place = _mirror(turn)
        level = _band(song.bands, float(row), place)
        strength = level * smooth(0.10, 0.7, song.track[row, C_ONSET] - 0.3 * rnd(q, 1)) + 0.06 * level
        seconds = max(0.0, age * life - 0.014 * tail)
        away = (0.13 + 0.45 * rnd(q, 2)) * (0.4 + 0.9 * level) * seconds * (1.0 - 0.12 * seconds)
        r = frame * (0.36 + 0.35 * level * level + away)
        spin = turn + 0.5 + 0.03 * seconds * (rnd(q, 3) - 0.5)
        out[i, 0] = r * sin1(spin) + 0.05 * seconds * sin1(0.3 * seconds + rnd(q, 4))
        out[i, 1] = centre + r * cos1(spin) - 0.03 * seconds * seconds
        out[i, 2] = (rnd(q, 5) - 0.5) * 0.9 * away - DISTANCE
        big = rnd(q, 6)
        out[i, 3] = frame * (0.0018 + 0.0042 * big * big * big) * (1.0 - 0.4 * age)
        shine = strength * rise_fall(age, 0.06, 0.8) * now[_PARTICLES] * (0.8 + 0.6 * now[M_TREBLE])
        shine /= 1.0 + 0.8 * tail
        for c in range(3):
            out[i, 4 + c] = 4.5 * shine * ramp_at(ramps, 2, place, c)
        out[i, 7] = 0.8 if tail == 0 else 0.0


def build(values: dict[str, float], layout: Layout, density: float) -> SceneModel:
    """The pulse for a template's values; ``density`` scales the number of particles."""
    paint = Paint(values)
    dust = paint.ramp((0.0, "ffffff", 0.8), (0.5, "9ad8ff", 0.8), (1.0, "ff9ae0", 0.8))
    spectrum = paint.ramp(
        (0.0, "ff3c5a", 1.0),
        (0.18, "ff6a3c", 1.0),
        (0.36, "ffc23c", 0.9),
        (0.52, "4cf0a0", 0.8),
        (0.68, "2cc0ff", 0.9),
        (0.84, "5a6cff", 1.1),
        (1.0, "c45aff", 1.1),
    )
    orb = paint.ramp((0.0, "fff0f8", 1.2), (0.3, "ff8ac0", 1.0), (0.6, "8a5cff", 0.9), (1.0, "28b8ff", 0.9))
    sky = SkyLook(
        zenith=paint.light("080a20", 0.32),
        horizon=paint.light("140a2a", 0.36),
        cloud_a=paint.light("2a2c8c", 0.13),
        cloud_b=paint.light("6a1c6c", 0.10),
        contrast=0.8,
        seed=83,
    )
    around = 2.0 if layout.immersive else 1.0
    layers = (
        Layer(stars, 3000 if layout.immersive else 7000, 51),
        Layer(_waves, round(58 * density) * _RING, 52),
        Layer(_orb, round(3200 * density), 53),
        Layer(_crown, _SPOKES * _RAY, 54),
        Layer(_thrown, _TRAIL * round(1500 * density), 55),
        Layer(motes, round(200 * density * around), 56),
    )
    return SceneModel(
        layers=layers,
        sky=sky,
        parameters=tuple(values[name] for name in PARAMETERS),
        ramps=np.stack([STARLIGHT, dust, spectrum, orb]),
        sway=0.8 * values["sway"],
        pitch=values["tilt"],
        exposure=1.4 * values["exposure"],
        bloom=values["bloom"],
        speed=values["speed"],
    )
