"""How a format frames the world, and where the camera stands at a moment.

The subject of every scene is round (0, 0, -DISTANCE). A flat picture shows ``half_width`` x ``half_height`` metres
there; upright formats show a narrower and taller piece, and scenes lay themselves out in it, so none of them is a crop
of another. In 360 degrees the viewer stands at the origin and the camera never moves.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import Projection
from ethereal_gui.render.scene.timeline import M_BASS_SOFT, M_FLOW, M_GROUND, M_SWELL

DISTANCE: Final = 2.6
_IMMERSIVE_HALF: Final = 2.0

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a format shows: metres at the subject's distance, and pixels per eye."""

    width: int
    height: int
    half_width: float
    half_height: float
    immersive: bool

    @property
    def focal(self) -> float:
        """Focal length in pixels (flat pictures)."""
        return 0.5 * self.height * DISTANCE / self.half_height

    @property
    def pixels_per_metre(self) -> float:
        """Pixels of a metre at the subject's distance."""
        return self.height / (math.pi * DISTANCE) if self.immersive else self.focal / DISTANCE


def make_layout(width: int, eye_height: int, projection: Projection) -> Layout:
    """The layout of one eye's picture."""
    if projection is Projection.EQUIRECTANGULAR:
        return Layout(width, eye_height, _IMMERSIVE_HALF, _IMMERSIVE_HALF, True)
    aspect = width / eye_height
    if aspect >= 1.0:
        return Layout(width, eye_height, aspect, 1.0, False)
    half_width = aspect**0.55
    return Layout(width, eye_height, half_width, half_width / aspect, False)


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> Float64:
    """World-to-camera rotation of a camera turned left by yaw, up by pitch, then rolled; radians, shape (3, 3)."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    turn = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
    bank = np.array([[cr, sr, 0.0], [-sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(bank @ tilt @ turn)


def make_view(
    layout: Layout, moment: Float64, eye: int, levels: int, sway: float, pitch: float, upright: bool
) -> Float64:
    """The view vector of ``frames.project``: float64 (21,).

    Args:
        eye: -1 left, 0 mono, 1 right. levels: levels of the pyramid. sway: how far the camera wanders (0..1).
        pitch: how far above the subject it looks down from, radians. upright: never roll.
    """
    view = np.zeros(21)
    view[20] = moment[M_GROUND]
    view[:8] = (float(layout.immersive), layout.width, layout.height, layout.focal, eye, levels, 0.25, 0.6)
    if layout.immersive:
        view[6:8] = 0.5, 0.75
        view[11:20] = np.eye(3).reshape(-1)
        return view
    flow = moment[M_FLOW]
    yaw = sway * (0.16 * math.sin(0.11 * flow) + 0.05 * math.sin(0.29 * flow + 1.0))
    tilt = -pitch + sway * 0.035 * math.sin(0.17 * flow + 0.5)
    roll = 0.0 if upright else sway * 0.012 * math.sin(0.13 * flow + 2.0)
    turn = rotation(yaw, tilt, roll)
    distance = DISTANCE * (1.0 - 0.05 * sway * moment[M_SWELL] - 0.015 * moment[M_BASS_SOFT])
    position = np.array([0.0, 0.0, -DISTANCE]) + turn.T @ np.array([0.0, 0.0, distance])
    view[8:11] = position
    view[11:20] = turn.reshape(-1)
    return view
