"""Colours: sRGB hex to linear light, ramps over a particle's life, and turning the hue of a whole scene."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.jit import kernel

RAMP_SIZE: Final = 64

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def light(hex_color: str, strength: float = 1.0) -> Float64:
    """Linear BT.709 light of an sRGB colour like ``ff8800``, times ``strength``; shape (3,)."""
    code = np.array([int(hex_color[i : i + 2], 16) / 255.0 for i in (0, 2, 4)])
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear * strength)


def turn_hue(rgb: Float64, turns: float, saturation: float = 1.0) -> Float64:
    """Light with its hue turned about the grey axis and its luma kept; shape (..., 3).

    The rotation is in the plane across grey, scaled back to the luma of before: a blue flame is as bright as a red one.
    """
    angle = 2.0 * np.pi * turns
    c, s = np.cos(angle), np.sin(angle)
    third, root = (1.0 - c) / 3.0, np.sqrt(1.0 / 3.0) * s
    matrix = np.array(
        [
            [c + third, third - root, third + root],
            [third + root, c + third, third - root],
            [third - root, third + root, c + third],
        ]
    )
    weights = np.array([0.30, 0.50, 0.20])  # nearer to how bright saturated light feels than BT.709 luma
    turned = np.maximum(rgb @ matrix.T, 0.0)
    before, after = rgb @ weights, np.maximum(turned @ weights, 1e-9)
    turned *= (before / after)[..., None]
    grey = (turned @ weights)[..., None]
    return np.asarray(np.maximum(grey + (turned - grey) * saturation, 0.0))


def ramp(stops: Sequence[tuple[float, str, float]], turns: float = 0.0, saturation: float = 1.0) -> Float64:
    """A ramp through (place 0..1, colour, strength) stops, eased between them; linear light, shape (RAMP_SIZE, 3)."""
    places = [place for place, _, _ in stops]
    lights = np.array([light(color, strength) for _, color, strength in stops])
    x = np.linspace(0.0, 1.0, RAMP_SIZE)
    # Roots are blended, not light: midway colours then look midway.
    mixed = np.stack([np.interp(x, places, np.sqrt(lights[:, c])) for c in range(3)], axis=1) ** 2
    return turn_hue(mixed, turns, saturation)


@kernel
def ramp_at(ramps: Float32, which: int, place: float, channel: int) -> float:
    """A ramp's light at ``place`` (clamped to 0..1); ``ramps`` is float32 (count, RAMP_SIZE, 3)."""
    x = min(62.999, max(0.0, place * 63.0))
    i = int(x)
    f = x - i
    return float(ramps[which, i, channel] * (1.0 - f) + ramps[which, i + 1, channel] * f)


class Paint:
    """A template's hue and saturation, laid over every colour of its scene."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._turns = values["hue"]
        self._saturation = values["saturation"]

    def ramp(self, *stops: tuple[float, str, float]) -> Float64:
        """``ramp`` through the stops, turned."""
        return ramp(stops, self._turns, self._saturation)

    def light(self, hex_color: str, strength: float) -> Float64:
        """``light`` of a colour, turned."""
        return turn_hue(light(hex_color, strength), self._turns, self._saturation)
