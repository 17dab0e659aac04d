"""One frame of a video, from template, features and frame number alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import OutputFormat, Projection, Quality, StereoMode
from ethereal_gui.domain.template import Template
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.caption.card import Card, strength
from ethereal_gui.render.frames import develop, pyramid, tone
from ethereal_gui.render.frames.landscape import add_landscape
from ethereal_gui.render.frames.overlay import blend
from ethereal_gui.render.frames.preview import yuv_to_rgb
from ethereal_gui.render.frames.project import project
from ethereal_gui.render.frames.splat import count_bands, list_bands, splat_level
from ethereal_gui.render.scene.base import PARTICLE_SIZE, Layer, Song
from ethereal_gui.render.scene.camera import Layout, make_layout, make_view
from ethereal_gui.render.scene.catalog import SCENES, build_scene
from ethereal_gui.render.scene.sky import add_sky, paint_sky, sky_turn
from ethereal_gui.render.scene.timeline import (
    M_FLOW,
    M_GROUND,
    M_HALF_HEIGHT,
    M_HALF_WIDTH,
    M_IMMERSIVE,
    M_PARAMETERS,
    Timeline,
)

if TYPE_CHECKING:
    from ethereal_gui.render.caption.plate import Overlay

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

_DENSITY: Final = {Quality.DRAFT: 0.5, Quality.STANDARD: 1.0, Quality.HIGH: 1.4}
_GRAIN: Final = {Quality.DRAFT: 0.0, Quality.STANDARD: 0.9, Quality.HIGH: 1.4}
_BLUR_SAMPLES: Final = {Quality.DRAFT: 1, Quality.STANDARD: 1, Quality.HIGH: 3}
_SHUTTER: Final = 0.5  # of a frame's time

_FADE_IN: Final = 1.2  # seconds
_FADE_OUT: Final = 2.2
# The sky is added to the finest level with no more texels: flat, sphere. Its map has a texel or less to each of them.
_SKY_TEXELS: Final = (12_000, 40_000)
_PROJECT_PIECE: Final = 4096


def scenes() -> tuple[str, ...]:
    """The names of the scenes that a template can ask for."""
    return SCENES


class FrameRenderer:
    """Draws frames of one song in one template and format. Not to be used by two threads at once.

    A frame is a pure function of (template, features, n): any frame alone equals that frame in a sequence, bit for bit,
    with any number of threads. ``size`` overrides the format's (both even; a multiple of 4 rows for stereo);
    ``caption`` is faded in and out near the beginning.
    """

    def __init__(
        self,
        template: Template,
        output_format: OutputFormat,
        fps: int,
        features: AudioFeatures,
        *,
        quality: Quality = Quality.STANDARD,
        threads: int = 1,
        size: tuple[int, int] | None = None,
        caption: Card | None = None,
    ) -> None:
        self.width, self.height = size or (output_format.width, output_format.height)
        self.fps = fps
        stereo = output_format.stereo is StereoMode.TOP_BOTTOM
        if self.width % 2 or self.height % (4 if stereo else 2):
            raise ValueError(f"{self.width}x{self.height} cannot be drawn: sides must be even")
        self._eyes = (-1, 1) if stereo else (0,)
        self._rows = self.height // len(self._eyes)
        self._sphere = output_format.projection is Projection.EQUIRECTANGULAR
        self._layout = make_layout(self.width, self._rows, output_format.projection)
        self._overlays = _make_overlays(caption, self._layout, self._eyes)
        self._model = build_scene(template, self._layout, _DENSITY[quality])
        self._timeline = Timeline(features, self._model.speed)
        self._samples = _BLUR_SAMPLES[quality]

        self._ramps = tone.to_working(self._model.ramps)
        self._sky = paint_sky(self._model.sky, tone.INSET)
        ground = self._model.landscape
        self._landscape = None if ground is None else np.ascontiguousarray(ground @ tone.INSET.T)

        self._matrix = tone.yuv_matrix()
        self._noise = develop.make_noise(self.width, _GRAIN[quality])

        self._levels = pyramid.plan_levels(self.width, self._rows, wraps=self._sphere)
        self._planes = [pyramid.new_plane(level) for level in self._levels[1:]]
        self._sums = [self._planes[0], *(pyramid.new_plane(level) for level in self._levels[2:])]
        self._bloom = pyramid.bloom_weights(len(self._levels), self._layout.pixels_per_metre, self._model.bloom)
        self._first_band = np.array([level.first_band for level in self._levels], np.int32)
        bands = self._levels[-1].first_band + self._levels[-1].bands
        most = _SKY_TEXELS[self._sphere]
        coarse = [i for i, level in enumerate(self._levels) if i and level.width * level.height <= most]
        self._sky_level = min(coarse, default=len(self._levels) - 1)

        count = self._model.count * self._samples
        self._particles = np.zeros((count, PARTICLE_SIZE), np.float32)
        self._sprites = np.zeros((2 * count, 8), np.float32)
        self._meta = np.zeros((2 * count, 3), np.int32)
        self._starts = np.zeros(bands + 1, np.int32)
        self._fill = np.zeros(bands, np.int32)
        self._lists = np.zeros(4 * count, np.int32)
        self._chunks = list(self._model.chunks())
        self._threads = max(1, threads)
        self._pool = ThreadPoolExecutor(self._threads, "draw") if self._threads > 1 else None

    def draw_yuv(self, n: int, out: UInt8) -> None:
        """Draw frame ``n`` into ``out``: uint8 (height * 3 / 2, width), I420, BT.709 limited range, C-contiguous."""
        if out.shape != (self.height * 3 // 2, self.width) or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError("the frame's buffer has the wrong shape, type or order")
        flat = out.reshape(-1)
        pixels = self.width * self.height
        luma = flat[:pixels].view(np.uint16).reshape(self.height, self.width // 2)
        cb = flat[pixels : pixels * 5 // 4].reshape(self.height // 2, self.width // 2)
        cr = flat[pixels * 5 // 4 :].reshape(self.height // 2, self.width // 2)
        t = n / self.fps
        moment = self._moment(t)
        self._place_particles(t, moment)
        gain = self._model.exposure * self._fade(t) / (1.0 + self._model.bloom)
        for index, eye in enumerate(self._eyes):
            top = index * self._rows
            half = slice(top // 2, (top + self._rows) // 2)
            planes = luma[top : top + self._rows], cb[half], cr[half]
            self._draw_eye(n, moment, eye, gain, *planes)
            self._lay_caption(index, t, *planes)

    def draw_rgb(self, n: int) -> UInt8:
        """Frame ``n`` as sRGB-encoded uint8 (height, width, 3): the same picture, converted from its 4:2:0 form."""
        out = np.empty((self.height * 3 // 2, self.width), np.uint8)
        self.draw_yuv(n, out)
        return yuv_to_rgb(out)

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _moment(self, t: float) -> Float64:
        moment = self._timeline.moment(t)
        moment[M_HALF_WIDTH] = self._layout.half_width
        moment[M_HALF_HEIGHT] = self._layout.half_height
        moment[M_IMMERSIVE] = float(self._layout.immersive)
        moment[M_GROUND] = float(self._landscape is not None)
        values = self._model.parameters
        moment[M_PARAMETERS : M_PARAMETERS + len(values)] = values
        return moment

    def _fade(self, t: float) -> float:
        """Linear gain of the fades of the first and last seconds; shorter for very short songs."""
        duration = self._timeline.duration
        fade_in, fade_out = min(_FADE_IN, duration / 4), min(_FADE_OUT, duration / 4)
        rise = min(1.0, max(0.0, t / fade_in)) if fade_in > 0 else 1.0
        fall = min(1.0, max(0.0, (duration - t) / fade_out)) if fade_out > 0 else 1.0
        u = min(rise, fall)
        return float((u * u * (3.0 - 2.0 * u)) ** 1.5)

    def _run(self, jobs: list[Callable[[], None]]) -> None:
        """Do all jobs, on the pool where there is one. Jobs write to places that don't overlap."""
        if self._pool is None or len(jobs) == 1:
            for job in jobs:
                job()
            return
        futures = [self._pool.submit(job) for job in jobs]
        wait(futures)
        for future in futures:
            future.result()

    def _split(self, length: int, smallest: int) -> list[tuple[int, int]]:
        """Ranges that cover 0..length, a few per thread."""
        parts = 1 if self._pool is None else max(1, min(length // smallest, 3 * self._threads))
        edges = [length * part // parts for part in range(parts + 1)]
        return list(pairwise(edges))

    def _place_particles(self, t: float, moment: Float64) -> None:
        line = self._timeline
        jobs: list[Callable[[], None]] = []
        count = self._model.count
        for sample in range(self._samples):
            offset = (sample - 0.5 * (self._samples - 1)) * _SHUTTER / (self.fps * self._samples)
            now = moment if offset == 0.0 else self._moment(max(0.0, t + offset))
            song = Song(now, line.track, line.bands, line.inverse, self._ramps)
            for layer, start, first, last in self._chunks:
                begin = sample * count + start
                jobs.append(_layer_job(layer, self._particles[begin : begin + layer.count], first, last, song))
        self._run(jobs)

    def _draw_eye(
        self, n: int, moment: Float64, eye: int, gain: float, luma: NDArray[np.uint16], cb: UInt8, cr: UInt8
    ) -> None:
        view = make_view(
            self._layout, moment, eye, len(self._levels), self._model.sway, self._model.pitch, self._model.upright
        )
        self._make_sprites(view)
        self._gather_light(moment, view)
        base = self._planes[0]

        def band_job(first: int, last: int) -> Callable[[], None]:
            return lambda: develop.develop(
                self._sprites,
                self._lists,
                self._starts,
                base,
                first,
                last,
                self._sphere,
                gain,
                self._matrix,
                self._noise,
                2 * n,
                luma,
                cb,
                cr,
            )

        self._run([band_job(a, b) for a, b in self._split(self._levels[0].bands, 1)])

    def _lay_caption(self, index: int, t: float, luma: NDArray[np.uint16], cb: UInt8, cr: UInt8) -> None:
        overlay = self._overlays[index]
        visible = strength(t, self._timeline.duration)
        if overlay is None or visible == 0.0:
            return
        top, left = overlay.top, overlay.left
        blend(luma.view(np.uint8), top, left, overlay.luma[0], overlay.luma[1], visible)
        for plane, own in ((cb, overlay.chroma[1]), (cr, overlay.chroma[2])):
            blend(plane, top // 2, left // 2, overlay.chroma[0], own, visible)

    def _make_sprites(self, view: Float64) -> None:
        count = len(self._particles)
        halo = 0.022 * self._layout.pixels_per_metre
        glare = 0.008 * self._layout.pixels_per_metre

        def job(first: int, last: int) -> Callable[[], None]:
            part = 1.0 / self._samples
            return lambda: project(
                self._particles,
                view,
                part,
                halo,
                self._model.bloom,
                glare,
                first,
                last,
                count,
                self._sprites,
                self._meta,
            )

        self._run([job(a, min(count, a + _PROJECT_PIECE)) for a in range(0, count, _PROJECT_PIECE)])
        total = count_bands(self._meta, self._first_band, self._starts)
        if total > len(self._lists):
            self._lists = np.zeros(total * 5 // 4, np.int32)
        list_bands(self._meta, self._first_band, self._starts, self._fill, self._lists)

    def _gather_light(self, moment: Float64, view: Float64) -> None:
        """Splat levels 1 and coarser, spread the bloom, add the sky, and sum all of it up into level 1."""
        jobs: list[Callable[[], None]] = []
        for index, plane in enumerate(self._planes, start=1):
            level = self._levels[index]
            for a, b in self._split(level.bands, 1):
                jobs.append(self._splat_job(index, plane, a, b))
        self._run(jobs)
        wraps = self._sphere
        pyramid.close_borders(self._planes[0], wraps, True)
        total, own = self._planes[0], 1.0
        for index in range(1, len(self._planes)):
            plane, part = self._planes[index], self._bloom[index + 1]
            if wraps:
                pyramid.close_borders(plane, wraps, True)
            finer, total = total, self._sums[index]
            height = self._levels[index + 1].height
            self._run([_spread_job(finer, plane, total, own, part, a, b) for a, b in self._split(height, 32)])
            pyramid.close_borders(total, wraps, False)
            own += part
        turn = sky_turn(self._model.sky, float(moment[M_FLOW]))
        shine = self._model.sky_gain(moment) * (1.0 + self._model.bloom)  # so smooth that its glare is itself
        for index in range(len(self._planes) - 1, -1, -1):
            plane, level_index = self._planes[index], index + 1
            height = self._levels[level_index].height
            if level_index == self._sky_level:
                add_sky(self._sky, view, turn, shine, level_index, plane, 0, height)
            if index == 0 and self._landscape is not None:
                add_landscape(plane, view, float(moment[M_FLOW]), self._landscape, 2)
            pyramid.close_borders(plane, wraps, False)
            if index > 0:
                finer = self._planes[index - 1]
                self._run([_up_job(plane, finer, a, b) for a, b in self._split(self._levels[index].height, 32)])

    def _splat_job(self, index: int, plane: Float32, first: int, last: int) -> Callable[[], None]:
        level = self._levels[index]
        height = self._rows / (1 << index)
        return lambda: splat_level(
            self._sprites, self._lists, self._starts, level.first_band, first, last, height, level.height, plane
        )


def _make_overlays(card: Card | None, layout: Layout, eyes: tuple[int, ...]) -> "list[Overlay | None]":
    if card is None:
        return [None] * len(eyes)
    # The type setter is loaded only for videos that have a caption.
    from ethereal_gui.render.caption.plate import make_overlay

    return [make_overlay(card, layout, eye) for eye in eyes]


def _layer_job(layer: Layer, rows: Float32, first: int, last: int, song: Song) -> Callable[[], None]:
    return lambda: layer.kernel(rows, first, last, layer.seed, song)


def _spread_job(
    finer: Float32, plane: Float32, total: Float32, own: float, part: float, a: int, b: int
) -> Callable[[], None]:
    return lambda: pyramid.spread(finer, plane, total, own, part, a, b)


def _up_job(coarse: Float32, fine: Float32, a: int, b: int) -> Callable[[], None]:
    return lambda: pyramid.add_up(coarse, fine, a, b)
