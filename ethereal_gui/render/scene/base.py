"""What a scene is: layers of particles, the sky behind them, and how the camera wanders."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PARTICLE_SIZE: Final = 8  # x, y, z, sigma, r, g, b, halo
CHUNK: Final = 4096  # particles per piece of work


class Song(NamedTuple):
    """What a layer's kernel knows of the music, see timeline.py.

    Attributes:
        now: the moment vector. track, bands, inverse: of the whole song. ramps: float32 (count, RAMP_SIZE, 3).
    """

    now: Float64
    track: Float32
    bands: Float32
    inverse: Float32
    ramps: Float32


# (rows of the layer, first, last + 1, seed, song)
LayerKernel: TypeAlias = Callable[[Float32, int, int, int, Song], None]


@dataclass(frozen=True, slots=True)
class Layer:
    """``count`` particles that one kernel places; ``seed`` sets it apart from other layers of the same kernel."""

    kernel: LayerKernel
    count: int
    seed: int


@dataclass(frozen=True, slots=True)
class SkyLook:
    """The nebula at infinity: linear light of its zenith, its horizon and its two clouds, shape (3,) each.

    Attributes:
        contrast: 0 an even glow, 1 torn clouds. turns: revolutions per unit of flow time.
    """

    zenith: Float64
    horizon: Float64
    cloud_a: Float64
    cloud_b: Float64
    contrast: float = 0.7
    turns: float = 0.0016
    seed: int = 1


@dataclass(frozen=True, slots=True)
class SceneModel:
    """A scene, made for one template, layout and quality.

    Attributes:
        parameters: values for the moment vector, in the order in which the kernels know them.
        ramps: linear light, float32 (count, RAMP_SIZE, 3).
        sway: 0..1, how far the camera wanders. pitch: how far it looks down, radians. upright: it never rolls.
        landscape: linear light of the hills and the lake (2, 3), where there is a ground (frames/landscape.py).
        exposure: linear gain of the whole picture. bloom: light that spreads as glare, as a part of all light.
    """

    layers: tuple[Layer, ...]
    sky: SkyLook
    parameters: tuple[float, ...]
    ramps: Float64
    sway: float = 0.5
    pitch: float = 0.0
    upright: bool = False
    landscape: Float64 | None = None

    exposure: float = 1.0
    bloom: float = 0.1
    speed: float = 1.0
    sky_gain: Callable[[Float64], float] = field(default=lambda moment: 0.65 + 0.5 * float(moment[10]))

    @property
    def count(self) -> int:
        """Particles of all layers."""
        return sum(layer.count for layer in self.layers)

    def chunks(self) -> Iterator[tuple[Layer, int, int, int]]:
        """Pieces of work: a layer, where its rows begin, and the first and last + 1 of its particles."""
        offset = 0
        for layer in self.layers:
            for first in range(0, layer.count, CHUNK):
                yield layer, offset, first, min(layer.count, first + CHUNK)
            offset += layer.count
