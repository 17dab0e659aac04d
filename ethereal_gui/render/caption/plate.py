"""Where a caption stands in a format, and its code values there.

In a flat picture it is a plate on the screen: lower left in wide formats, in the middle near the top in upright ones,
clear of what the platforms' own controls cover. In 360 degrees it is a flat plate in space, square to the view, two
metres away and a little below the horizon; in stereo each eye's rays meet it where omnidirectional stereo has them
start (the inverse of the formula in ``frames.project``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.caption.typeset import MARGIN, Sheet, typeset
from ethereal_gui.render.frames.project import HALF_IPD
from ethereal_gui.render.scene.camera import Layout

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PLATE_DISTANCE: Final = 2.0  # metres
PLATE_ELEVATION: Final = math.radians(-22.0)
_PLATE_EM: Final = PLATE_DISTANCE * math.tan(math.radians(3.0))
_PLATE_ROOM: Final = 2.0 * PLATE_DISTANCE * math.tan(math.radians(24.0)) / _PLATE_EM
_STEPS: Final = 4096.0  # code values are rounded to so many parts, far below what shows

# Pixels (x, y) -> ems from the block's upper left corner, x right and y down.
Unplace = Callable[[Float64, Float64], tuple[Float64, Float64]]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Code values to blend over one eye's picture: ``value = value x (1 - strength x cover) + strength x own``.

    Attributes:
        top, left: of the box, both even.
        luma: float32 (2, rows, columns), cover and own. chroma: float32 (3, rows / 2, columns / 2), cover, Cb, Cr.
    """

    top: int
    left: int
    luma: Float32
    chroma: Float32


@lru_cache(maxsize=4)
def make_overlay(card: Card, layout: Layout, eye: int) -> Overlay | None:
    """The caption for one eye (-1 left, 0 mono, 1 right); None when nothing of the card can be set."""
    return _in_space(card, layout, eye) if layout.immersive else _on_screen(card, layout)


def _on_screen(card: Card, layout: Layout) -> Overlay | None:
    upright = layout.height > layout.width
    short = min(layout.width, layout.height)
    em = (0.064 if upright else 0.052) * short
    room = (0.82 if upright else 0.62 if layout.width > layout.height else 0.84) * layout.width / em
    sheet = typeset(card, 2.0 * em, room=room, centred=upright)
    if sheet is None:
        return None
    if upright:
        x0, y0 = 0.5 * (layout.width - sheet.width * em), 0.15 * layout.height
    else:
        x0, y0 = 0.075 * short, layout.height - 0.075 * short - sheet.height * em
    right, bottom = x0 + (sheet.width + MARGIN) * em, y0 + (sheet.height + MARGIN) * em
    edges = (x0 - MARGIN * em, y0 - MARGIN * em, right, bottom)
    return _overlay(sheet, lambda x, y: ((x - x0) / em, (y - y0) / em), edges, layout)


def _in_space(card: Card, layout: Layout, eye: int) -> Overlay | None:
    pixels = _PLATE_EM / PLATE_DISTANCE * layout.height / math.pi
    sheet = typeset(card, 2.0 * pixels, room=_PLATE_ROOM, centred=True)
    if sheet is None:
        return None
    middle = np.array([0.5 * sheet.width, 0.5 * sheet.height])  # of the block, which stands straight ahead
    rise, ahead = math.sin(PLATE_ELEVATION), math.cos(PLATE_ELEVATION)
    centre = PLATE_DISTANCE * np.array([0.0, rise, -ahead])
    up = np.array([0.0, ahead, rise])

    def unplace(x: Float64, y: Float64) -> tuple[Float64, Float64]:
        phi = (x / layout.width - 0.5) * 2.0 * math.pi
        elevation = (0.5 - y / layout.height) * math.pi
        flat = np.cos(elevation)
        ray = (flat * np.sin(phi), np.sin(elevation), -flat * np.cos(phi))
        start = (eye * HALF_IPD * np.cos(phi), 0.0, eye * HALF_IPD * np.sin(phi))
        toward = ray[1] * centre[1] + ray[2] * centre[2]
        along = (PLATE_DISTANCE**2 - start[2] * centre[2]) / toward
        point = [s + along * r for s, r in zip(start, ray, strict=True)]
        across = point[0] / _PLATE_EM
        down = -((point[1] - centre[1]) * up[1] + (point[2] - centre[2]) * up[2]) / _PLATE_EM
        return across + middle[0], down + middle[1]

    def place(u: float, v: float) -> Float64:
        right = np.array([1.0, 0.0, 0.0])
        return np.asarray(centre + _PLATE_EM * ((u - middle[0]) * right - (v - middle[1]) * up))

    seen = np.array([_seen(place(u, v), layout, eye) for u, v in _rim(sheet)])
    low, high = seen.min(axis=0), seen.max(axis=0)
    return _overlay(sheet, unplace, (low[0], low[1], high[0], high[1]), layout)


def _rim(sheet: Sheet) -> list[tuple[float, float]]:
    """Points round the sheet's border, in ems."""
    steps = np.linspace(0.0, 1.0, 9)
    corners = [*((s, e) for s in steps for e in (0.0, 1.0)), *((e, s) for s in steps for e in (0.0, 1.0))]
    return [(a * (sheet.width + 2 * MARGIN) - MARGIN, b * (sheet.height + 2 * MARGIN) - MARGIN) for a, b in corners]


def _seen(point: Float64, layout: Layout, eye: int) -> tuple[float, float]:
    """The pixel at which an eye sees a point (the formula in ``frames.project``)."""
    flat = math.hypot(point[0], point[2])
    radius = HALF_IPD if eye else 0.0
    theta = math.atan2(point[0], -point[2]) - eye * math.asin(radius / flat)
    elevation = math.atan2(point[1], math.sqrt(flat * flat - radius * radius))
    return (theta / (2.0 * math.pi) + 0.5) * layout.width, (0.5 - elevation / math.pi) * layout.height


def _overlay(sheet: Sheet, unplace: Unplace, edges: tuple[float, float, float, float], layout: Layout) -> Overlay:
    """The sheet seen through pixels: the bilinear filter is as wide as one of them, for the sheet is twice as fine."""
    left, top = max(0, math.floor(edges[0]) // 2 * 2), max(0, math.floor(edges[1]) // 2 * 2)
    right, bottom = min(layout.width, math.ceil(edges[2])), min(layout.height, math.ceil(edges[3]))
    columns, rows = max(2, (right - left + 1) // 2 * 2), max(2, (bottom - top + 1) // 2 * 2)
    columns, rows = min(columns, layout.width - left), min(rows, layout.height - top)
    x, y = np.meshgrid(left + np.arange(columns) + 0.5, top + np.arange(rows) + 0.5)
    u, v = unplace(x, y)
    return _code_values(_sample(sheet.pixels, (u + MARGIN) * sheet.em, (v + MARGIN) * sheet.em), top, left)


def _sample(pixels: Float32, x: Float64, y: Float64) -> Float32:
    """Bilinear; transparent outside."""
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
    rows, columns = padded.shape[:2]
    px = np.clip(x + 0.5, 0.0, columns - 1.001)
    py = np.clip(y + 0.5, 0.0, rows - 1.001)
    i, j = px.astype(np.int64), py.astype(np.int64)
    fx, fy = (px - i).astype(np.float32)[..., None], (py - j).astype(np.float32)[..., None]
    above = padded[j, i] * (1 - fx) + padded[j, i + 1] * fx
    below = padded[j + 1, i] * (1 - fx) + padded[j + 1, i + 1] * fx
    return np.asarray(above * (1 - fy) + below * fy, np.float32)


def _code_values(pixels: Float32, top: int, left: int) -> Overlay:
    """Premultiplied display RGBA as BT.709 limited-range code values."""
    red, green, blue, cover = (pixels[..., c] for c in range(4))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    own = np.stack((cover, 16.0 * cover + 219.0 * luma))
    rows, columns = cover.shape
    colour = np.stack(
        (cover, 128.0 * cover + 224.0 * (blue - luma) / 1.8556, 128.0 * cover + 224.0 * (red - luma) / 1.5748)
    )
    halved = colour.reshape(3, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
    return Overlay(top, left, _rounded(own), _rounded(halved))


def _rounded(values: NDArray[np.floating]) -> Float32:
    """Rounded, so that no processor's last bit of a sine shows."""
    return np.ascontiguousarray(np.round(values * _STEPS) / _STEPS, dtype=np.float32)
