"""Layers that every scene shares: motes in the air between the lens and the subject; starlight's colours."""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.base import Song
from ethereal_gui.render.scene.camera import DISTANCE
from ethereal_gui.render.scene.jit import cos1, kernel, key, rise_fall, rnd, sin1
from ethereal_gui.render.scene.palette import ramp, ramp_at
from ethereal_gui.render.scene.timeline import (
    M_FLOW,
    M_HALF_HEIGHT,
    M_HALF_WIDTH,
    M_IMMERSIVE,
    M_LEVEL,
    M_PARAMETERS,
    M_TREBLE,
)

Float32 = NDArray[np.float32]

# Every scene's parameters begin with these two: light of the motes, and how fast they rise (metres per unit of flow).
AMBIENT_PARAMETERS = ("motes", "drift")
_RISE = M_PARAMETERS + 1

STARLIGHT = ramp(((0.0, "ffd0a0", 1.0), (0.4, "fff4ea", 1.0), (0.7, "dfe8ff", 1.0), (1.0, "9cbcff", 1.0)))


@kernel
def motes(out: Float32, i0: int, i1: int, seed: int, song: Song) -> None:
    """Drifting through the whole picture; those near the lens are big and out of focus."""
    now, ramps = song.now, song.ramps
    half_w, half_h = now[M_HALF_WIDTH], now[M_HALF_HEIGHT]
    for i in range(i0, i1):
        k = key(seed, i, 0)
        life = 5.0 + 5.0 * rnd(k, 0)
        clock = now[M_FLOW] / life + rnd(k, 1)
        generation = math.floor(clock)
        age = clock - generation
        q = key(seed, i, int(generation))
        depth = 0.9 + 4.2 * rnd(q, 0)
        if now[M_IMMERSIVE] > 0.5:
            turn = rnd(q, 1)
            x, z = depth * sin1(turn), -depth * cos1(turn)
            y = (2.4 * rnd(q, 2) - 1.4) * (0.5 + 0.35 * depth)
        else:
            wide = depth / DISTANCE
            x = (2.6 * rnd(q, 1) - 1.3) * half_w * wide
            y = (2.4 * rnd(q, 2) - 1.5) * half_h * wide
            z = -depth
        seconds = age * life
        y += now[_RISE] * seconds
        x += 0.10 * sin1(0.12 * seconds + rnd(q, 3)) + 0.05 * sin1(0.31 * seconds + rnd(q, 4))
        z += 0.10 * cos1(0.10 * seconds + rnd(q, 5))
        focus = abs(depth - DISTANCE) / DISTANCE
        fleck = rnd(q, 6)
        sigma = (0.0018 + 0.0045 * fleck * fleck * fleck) * (1.0 + 7.0 * focus * focus)
        flicker = 0.7 + 0.3 * sin1((0.4 + 0.7 * rnd(q, 7)) * seconds + rnd(q, 8))
        lit = 0.25 + 0.6 * now[M_LEVEL] + 0.8 * now[M_TREBLE] * rnd(q, 9)
        shine = rise_fall(age, 0.3, 0.4) * flicker * lit * now[M_PARAMETERS] / (1.0 + 30.0 * focus * focus)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = x, y, z, sigma
        tint = 0.35 + 0.5 * rnd(q, 10)
        for c in range(3):
            out[i, 4 + c] = 2.2 * shine * ramp_at(ramps, 1, tint, c)
        out[i, 7] = -0.5  # round: big soft ones stand alone
