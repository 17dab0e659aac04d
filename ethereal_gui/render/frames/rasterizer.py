"""From particles in the world to the code values of one eye's picture."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.frames import develop, pyramid, tone
from ethereal_gui.render.frames.landscape import add_landscape
from ethereal_gui.render.frames.project import project
from ethereal_gui.render.frames.splat import count_bands, list_bands, splat_level
from ethereal_gui.render.scene.camera import Layout
from ethereal_gui.render.scene.sky import add_sky

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]

# The sky is added to the finest level with no more texels: flat, sphere. Its map has a texel or less to each of them.
_SKY_TEXELS: Final = (12_000, 40_000)
_PROJECT_PIECE: Final = 4096


class Crew:
    """Does pieces of work on some threads. With one thread there is no pool."""

    def __init__(self, threads: int) -> None:
        self._threads = max(1, threads)
        self._pool = ThreadPoolExecutor(self._threads, "draw") if self._threads > 1 else None

    def run(self, jobs: list[Callable[[], None]]) -> None:
        """Do all jobs, which write to places that don't overlap."""
        if self._pool is None or len(jobs) == 1:
            for job in jobs:
                job()
            return
        futures = [self._pool.submit(job) for job in jobs]
        wait(futures)
        for future in futures:
            future.result()

    def split(self, length: int, smallest: int) -> list[tuple[int, int]]:
        """Ranges that cover 0..length, a few per thread."""
        parts = 1 if self._pool is None else max(1, min(length // smallest, 3 * self._threads))
        edges = [length * part // parts for part in range(parts + 1)]
        return list(pairwise(edges))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


class Planes(NamedTuple):
    """Where one eye's picture goes: pairs of luma bytes (rows, width / 2), and both chroma planes of half the size."""

    luma: UInt16
    cb: UInt8
    cr: UInt8


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What lies behind the particles, in the working space of the tone curve.

    Attributes:
        sky: the octahedral map of scene/sky.py. landscape: the light of hills and lake, see frames/landscape.py.
    """

    sky: Float32
    landscape: Float64 | None


@dataclass(frozen=True, slots=True)
class Shot:
    """What is different in every picture.

    Attributes:
        view: the view vector of ``frames.project``. flow: the flow time, for the lake's waves.
        turn, shine: how the sky stands (3, 3), and its gain. gain: of the whole picture. grain: chooses the dither.
    """

    view: Float64
    flow: float
    turn: Float64
    shine: float
    gain: float
    grain: int


class Rasterizer:
    """Draws the particles of a scene as one eye sees them. Not to be used by two threads at once.

    Args:
        count: particles. samples: of each, spread over the time in which the shutter is open.
        bloom: light that spreads as glare, as a part of all light. grain: sigma in code values.
    """

    def __init__(
        self, layout: Layout, backdrop: Backdrop, *, count: int, samples: int, bloom: float, grain: float, crew: Crew
    ) -> None:
        self._layout, self._backdrop, self._crew = layout, backdrop, crew
        self._count, self._part, self._glare = count, 1.0 / samples, bloom
        sphere = layout.immersive
        self.levels = pyramid.plan_levels(layout.width, layout.height, wraps=sphere)
        self._planes = [pyramid.new_plane(level) for level in self.levels[1:]]
        self._sums = [self._planes[0], *(pyramid.new_plane(level) for level in self.levels[2:])]
        self._bloom = pyramid.bloom_weights(len(self.levels), layout.pixels_per_metre, bloom)
        self._first_band = np.array([level.first_band for level in self.levels], np.int32)
        bands = self.levels[-1].first_band + self.levels[-1].bands
        most = _SKY_TEXELS[sphere]
        coarse = [i for i, level in enumerate(self.levels) if i and level.width * level.height <= most]
        self._sky_level = min(coarse, default=len(self.levels) - 1)
        self._matrix = tone.yuv_matrix()
        self._noise = develop.make_noise(layout.width, grain)
        self._sprites = np.zeros((2 * count, 8), np.float32)
        self._meta = np.zeros((2 * count, 3), np.int32)
        self._starts = np.zeros(bands + 1, np.int32)
        self._fill = np.zeros(bands, np.int32)
        self._lists = np.zeros(4 * count, np.int32)

    def draw(self, particles: Float32, shot: Shot, out: Planes) -> None:
        """Draw particles, float32 (count, PARTICLE_SIZE), in the BT.709 limited range."""
        self._make_sprites(particles, shot.view)
        self._gather_light(shot)
        base = self._planes[0]

        def band_job(first: int, last: int) -> Callable[[], None]:
            return lambda: develop.develop(
                self._sprites,
                self._lists,
                self._starts,
                base,
                first,
                last,
                self._layout.immersive,
                shot.gain,
                self._matrix,
                self._noise,
                shot.grain,
                *out,
            )

        self._crew.run([band_job(a, b) for a, b in self._crew.split(self.levels[0].bands, 1)])

    def _make_sprites(self, particles: Float32, view: Float64) -> None:
        count = self._count
        halo = 0.022 * self._layout.pixels_per_metre
        glare = 0.008 * self._layout.pixels_per_metre

        def job(first: int, last: int) -> Callable[[], None]:
            return lambda: project(
                particles, view, self._part, halo, self._glare, glare, first, last, count, self._sprites, self._meta
            )

        self._crew.run([job(a, min(count, a + _PROJECT_PIECE)) for a in range(0, count, _PROJECT_PIECE)])
        total = count_bands(self._meta, self._first_band, self._starts)
        if total > len(self._lists):
            self._lists = np.zeros(total * 5 // 4, np.int32)
        list_bands(self._meta, self._first_band, self._starts, self._fill, self._lists)

    def _gather_light(self, shot: Shot) -> None:
        """Splat levels 1 and coarser, spread the bloom, add the sky, and sum all of it up into level 1."""
        run, split = self._crew.run, self._crew.split
        jobs: list[Callable[[], None]] = []
        for index, plane in enumerate(self._planes, start=1):
            for a, b in split(self.levels[index].bands, 1):
                jobs.append(self._splat_job(index, plane, a, b))
        run(jobs)
        wraps = self._layout.immersive
        pyramid.close_borders(self._planes[0], wraps, True)
        total, own = self._planes[0], 1.0
        for index in range(1, len(self._planes)):
            plane, part = self._planes[index], self._bloom[index + 1]
            if wraps:
                pyramid.close_borders(plane, wraps, True)
            finer, total = total, self._sums[index]
            height = self.levels[index + 1].height
            run([_spread_job(finer, plane, total, own, part, a, b) for a, b in split(height, 32)])
            pyramid.close_borders(total, wraps, False)
            own += part
        sky, landscape = self._backdrop.sky, self._backdrop.landscape
        for index in range(len(self._planes) - 1, -1, -1):
            plane, level_index = self._planes[index], index + 1
            height = self.levels[level_index].height
            if level_index == self._sky_level:
                add_sky(sky, shot.view, shot.turn, shot.shine, level_index, plane, 0, height)
            if index == 0 and landscape is not None:
                add_landscape(plane, shot.view, shot.flow, landscape, 2)
            pyramid.close_borders(plane, wraps, False)
            if index > 0:
                finer = self._planes[index - 1]
                run([_up_job(plane, finer, a, b) for a, b in split(self.levels[index].height, 32)])

    def _splat_job(self, index: int, plane: Float32, first: int, last: int) -> Callable[[], None]:
        level = self.levels[index]
        height = self._layout.height / (1 << index)
        return lambda: splat_level(
            self._sprites, self._lists, self._starts, level.first_band, first, last, height, level.height, plane
        )


def _spread_job(
    finer: Float32, plane: Float32, total: Float32, own: float, part: float, a: int, b: int
) -> Callable[[], None]:
    return lambda: pyramid.spread(finer, plane, total, own, part, a, b)


def _up_job(coarse: Float32, fine: Float32, a: int, b: int) -> Callable[[], None]:
    return lambda: pyramid.add_up(coarse, fine, a, b)
