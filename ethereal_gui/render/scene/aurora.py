"""Aurora: curtains of rays over hills and a still lake.

Along each curtain stand the 32 bands, so the music can be read in it; bass lifts and brightens the lower hem, mids fold
the curtain, treble runs through the rays, beats send a wave of light along it.
"""

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ambient import AMBIENT_PARAMETERS, STARLIGHT, motes
from ethereal_gui.render.scene.base import Layer, SceneModel, SkyLook, Song
from ethereal_gui.render.scene.camera import Layout
from ethereal_gui.render.scene.jit import cos1, kernel, key, rnd, sin1, smooth
from ethereal_gui.render.scene.palette import Paint, ramp_at
from ethereal_gui.render.scene.sky import stars
from ethereal_gui.render.scene.timeline import (
    M_BASS_SOFT,
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

PARAMETERS = (*AMBIENT_PARAMETERS, "height", "folds", "rays", "light")
_HEIGHT = M_PARAMETERS + 2
_FOLDS = M_PARAMETERS + 3
_RAYS = M_PARAMETERS + 4
_LIGHT = M_PARAMETERS + 5

_STEPS = 36  # sprites of one ray
# Ramps: 0 stars, 1 motes, 2 the curtains from hem to top, 3 the hem's glow.


@kernel
def _course(s: float, sheet: float, now: Float64) -> tuple[float, float]:
    """Where on the ground a curtain hangs: x and z in metres at ``s`` in -1..1; folds run along it."""
    flow = now[M_FLOW]
    folds = now[_FOLDS] * (0.75 + 0.35 * now[M_MID] + 0.15 * now[M_LOW_MID])
    a = sin1(0.55 * s + 0.037 * sheet + 0.020 * flow + 0.31 * sheet)
    b = sin1(1.35 * s - 0.034 * flow + 0.27 * a + 0.17 * sheet + 0.10 * now[M_FLOW_MID])
    c = sin1(3.10 * s + 0.060 * flow + 0.30 * b + 0.41 * sheet - 0.12 * now[M_FLOW_MID])
    d = cos1(2.30 * s - 0.047 * flow + 0.30 * a + 0.23 * sheet)
    along = s + 0.055 * folds * (d + 0.5 * c)
    return along, folds * (0.62 * a + 0.34 * b + 0.13 * c)


@kernel
def _curtains(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    now, ramps = song.now, song.ramps
    rows = song.track.shape[0]
    rays = len(out) // _STEPS
    immersive = now[M_IMMERSIVE] > 0.5
    sheets = 4 if immersive else 3
    each = rays // sheets
    wide = 3.0 * now[M_HALF_WIDTH] + 2.2
    tall = now[M_HALF_HEIGHT] * (1.0 + 0.25 * (now[M_HALF_HEIGHT] - 1.0))
    for ray in range(i0 // _STEPS, (i1 - 1) // _STEPS + 1):
        sheet = min(sheets - 1, ray // each)
        s = 2.0 * (ray - sheet * each + 0.5) / each - 1.0
        k = key(seed, ray, 0)
        along, across = _course(s, float(sheet), now)
        # Bands lie mirrored about the middle, low in the centre; a beat travels outwards.
        place = abs(s) ** 0.8
        row = birth_row(song.inverse, now[M_FLOW] - 0.55 * place - 0.20 * sheet, rows)
        x = 31.0 * min(0.999, place)
        b = int(x)
        band = song.bands[row, b] * (1.0 - x + b) + song.bands[row, min(31, b + 1)] * (x - b)
        beat = song.track[row, 6]
        bass = song.track[row, 9]
        if immersive:
            # Round the viewer's zenith: an arc of 300 degrees ahead.
            turn = 0.42 * along + 0.19 * (sheet - 1.5) * 0.35
            distance = 4.4 + 0.9 * sheet + 1.6 * across
            px, pz = distance * sin1(turn), -distance * cos1(turn)
            depth = distance
        else:
            depth = max(2.5, 5.4 + 0.9 * sheet + 3.1 * across)
            px, pz = along * wide * (0.85 + 0.10 * sheet), -depth
        ripple = sin1(5.3 * s + 0.13 * now[M_FLOW] + 0.33 * sheet) * sin1(3.1 * s - 0.09 * now[M_FLOW] + 0.2)
        fine = sin1(17.0 * s - 0.21 * now[M_FLOW] + 0.4 * ripple) * sin1(29.0 * s + 0.17 * now[M_FLOW] + 0.7 * sheet)
        streak = 0.42 + 0.30 * ripple + now[_RAYS] * fine * (0.12 + 0.55 * now[M_TREBLE])
        streak = max(0.0, streak + 0.25 * (rnd(k, 0) - 0.5) * now[_RAYS])
        power = 0.18 + 0.75 * band + 0.85 * beat + 0.25 * now[M_SWELL] + 0.35 * now[M_TREBLE] * (0.5 + fine)
        hem = (0.66 + 0.10 * sheet + 0.05 * ripple + 0.16 * bass) * (0.45 + 0.55 * tall)
        length = tall * now[_HEIGHT] * (0.95 + 0.85 * streak + 0.85 * band + 0.25 * now[M_LEVEL])
        ends = smooth(0.0, 0.25, 1.0 - abs(s))
        light = streak * power * ends * now[_LIGHT] / (1.0 + 0.22 * sheet) * 7800.0 / len(out)
        sway = 0.10 * sin1(0.4 * s + 0.03 * now[M_FLOW])
        for i in range(max(i0, ray * _STEPS), min(i1, (ray + 1) * _STEPS)):
            v = (i - ray * _STEPS + 0.5) / _STEPS
            lift = v**1.25
            out[i, 0] = px + sway * lift
            out[i, 1] = hem + length * lift
            out[i, 2] = pz
            out[i, 3] = (0.034 + 0.030 * now[M_IMMERSIVE]) * (1.0 + 1.5 * v)
            edge = smooth(0.0, 0.10, v)
            fall = (1.0 - v) * (1.0 - 0.6 * v) * (0.35 + 0.65 / (1.0 + 7.0 * v))
            shine = edge * fall * light
            shade = v * (1.08 - 0.30 * band) + 0.02 * sheet
            for c in range(3):
                out[i, 4 + c] = shine * ramp_at(ramps, 2, shade, c)
            out[i, 7] = 0.0


@kernel
def _glow(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """The air's own light round the curtains: wide, dim, slow."""
    now, ramps = song.now, song.ramps
    immersive = now[M_IMMERSIVE] > 0.5
    for i in range(i0, i1):
        k = key(seed, i, 0)
        s = 2.0 * (i + rnd(k, 0)) / len(out) - 1.0
        along, across = _course(s, float(i % 3), now)
        depth = 5.2 + across
        if immersive:
            px, pz = depth * sin1(0.42 * along), -depth * cos1(0.42 * along)
        else:
            px, pz = along * (3.0 * now[M_HALF_WIDTH] + 2.2) * 0.85, -depth
        out[i, 0] = px
        out[i, 1] = (0.75 + 0.9 * rnd(k, 1)) * now[M_HALF_HEIGHT]
        out[i, 2] = pz
        out[i, 3] = 0.35 + 0.30 * rnd(k, 2)
        shine = (0.15 + 0.5 * now[M_LEVEL] + 0.6 * now[M_BASS_SOFT]) * now[_LIGHT]
        for c in range(3):
            out[i, 4 + c] = (1.5 / len(out)) * shine * ramp_at(ramps, 3, rnd(k, 3), c)
        out[i, 7] = 0.0


def build(values: dict[str, float], layout: Layout, density: float) -> SceneModel:
    """The aurora for a template's values; ``density`` scales the number of particles."""
    paint = Paint(values)
    snow = paint.ramp((0.0, "e8f4ff", 1.0), (1.0, "b8f0dc", 0.8))
    curtain = paint.ramp(
        (0.0, "d8ffb0", 1.5),
        (0.07, "7cff88", 1.3),
        (0.25, "1ff09a", 0.95),
        (0.45, "14c8c0", 0.7),
        (0.62, "3a70f0", 0.75),
        (0.80, "8a3cf0", 0.95),
        (1.0, "e83ac0", 1.0),
    )
    glow = paint.ramp((0.0, "20d88c", 1.0), (0.5, "18a8b0", 0.9), (1.0, "4a40c0", 0.8))
    sky = SkyLook(
        zenith=paint.light("060a24", 0.30),
        horizon=paint.light("12324a", 0.42),
        cloud_a=paint.light("1c2a6c", 0.12),
        cloud_b=paint.light("3a2060", 0.10),
        contrast=0.7,
        turns=0.0008,
        seed=41,
    )
    wide = 1.6 if layout.immersive else 1.0
    layers = (
        Layer(stars, 4000 if layout.immersive else 10000, 31),
        Layer(_glow, 60, 32),
        Layer(_curtains, 12 * round(70 * density * wide) * _STEPS, 33),
        Layer(motes, round(160 * density * (2.0 if layout.immersive else 1.0)), 34),
    )
    return SceneModel(
        layers=layers,
        sky=sky,
        parameters=tuple(values[name] for name in PARAMETERS),
        ramps=np.stack([STARLIGHT, snow, curtain, glow]),
        sway=0.6 * values["sway"],
        pitch=-0.18,
        upright=True,
        landscape=np.stack([paint.light("0a1a26", 0.10), paint.light("02060c", 0.4)]),
        exposure=1.6 * values["exposure"],
        bloom=values["bloom"],
        speed=values["speed"],
    )
