"""One frame of a video, from template, features and frame number alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import OutputFormat, Quality, StereoMode
from ethereal_gui.domain.template import Template
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.caption.card import Card, strength
from ethereal_gui.render.frames import compiling, tone
from ethereal_gui.render.frames.overlay import blend
from ethereal_gui.render.frames.preview import yuv_to_rgb
from ethereal_gui.render.frames.rasterizer import Backdrop, Crew, Planes, Rasterizer, Shot
from ethereal_gui.render.scene.base import PARTICLE_SIZE, Layer, Song
from ethereal_gui.render.scene.camera import Layout, make_layout, make_view
from ethereal_gui.render.scene.catalog import SCENES, build_scene
from ethereal_gui.render.scene.sky import paint_sky, sky_turn
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
        compiling.begin()
        self._eyes = (-1, 1) if stereo else (0,)
        self._rows = self.height // len(self._eyes)
        self._layout = make_layout(self.width, self._rows, output_format.projection)
        self._overlays = _make_overlays(caption, self._layout, self._eyes)
        self._model = build_scene(template, self._layout, _DENSITY[quality])
        self._timeline = Timeline(features, self._model.speed)
        self._samples = _BLUR_SAMPLES[quality]
        self._ramps = tone.to_working(self._model.ramps)
        self._chunks = list(self._model.chunks())
        count = self._model.count * self._samples
        self._particles = np.zeros((count, PARTICLE_SIZE), np.float32)
        self._crew = Crew(threads)
        ground = self._model.landscape
        self._rasterizer = Rasterizer(
            self._layout,
            Backdrop(
                paint_sky(self._model.sky, tone.INSET),
                None if ground is None else np.ascontiguousarray(ground @ tone.INSET.T),
            ),
            count=count,
            samples=self._samples,
            bloom=self._model.bloom,
            grain=_GRAIN[quality],
            crew=self._crew,
        )

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
        compiling.wait()
        for index, eye in enumerate(self._eyes):
            top = index * self._rows
            half = slice(top // 2, (top + self._rows) // 2)
            planes = Planes(luma[top : top + self._rows], cb[half], cr[half])
            self._rasterizer.draw(self._particles, self._shot(n, moment, eye), planes)
            self._lay_caption(index, t, planes)

    def draw_rgb(self, n: int) -> UInt8:
        """Frame ``n`` as sRGB-encoded uint8 (height, width, 3): the same picture, converted from its 4:2:0 form."""
        out = np.empty((self.height * 3 // 2, self.width), np.uint8)
        self.draw_yuv(n, out)
        return yuv_to_rgb(out)

    def close(self) -> None:
        """Let go of the threads."""
        self._crew.close()

    def _moment(self, t: float) -> Float64:
        moment = self._timeline.moment(t)
        moment[M_HALF_WIDTH] = self._layout.half_width
        moment[M_HALF_HEIGHT] = self._layout.half_height
        moment[M_IMMERSIVE] = float(self._layout.immersive)
        moment[M_GROUND] = float(self._model.landscape is not None)
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
        self._crew.run(jobs)

    def _shot(self, n: int, moment: Float64, eye: int) -> Shot:
        model, flow = self._model, float(moment[M_FLOW])
        view = make_view(
            self._layout, moment, eye, len(self._rasterizer.levels), model.sway, model.pitch, model.upright
        )
        return Shot(
            view,
            flow,
            turn=sky_turn(model.sky, flow),
            shine=model.sky_gain(moment) * (1.0 + model.bloom),  # so smooth that its glare is itself
            gain=model.exposure * self._fade(n / self.fps) / (1.0 + model.bloom),
            grain=2 * n,
        )

    def _lay_caption(self, index: int, t: float, planes: Planes) -> None:
        overlay = self._overlays[index]
        visible = strength(t, self._timeline.duration)
        if overlay is None or visible == 0.0:
            return
        top, left = overlay.top, overlay.left
        blend(planes.luma.view(np.uint8), top, left, overlay.luma[0], overlay.luma[1], visible)
        for plane, own in ((planes.cb, overlay.chroma[1]), (planes.cr, overlay.chroma[2])):
            blend(plane, top // 2, left // 2, overlay.chroma[0], own, visible)


def _make_overlays(card: Card | None, layout: Layout, eyes: tuple[int, ...]) -> "list[Overlay | None]":
    if card is None:
        return [None] * len(eyes)
    # The type setter is loaded only for videos that have a caption.
    from ethereal_gui.render.caption.plate import make_overlay

    return [make_overlay(card, layout, eye) for eye in eyes]


def _layer_job(layer: Layer, rows: Float32, first: int, last: int, song: Song) -> Callable[[], None]:
    return lambda: layer.kernel(rows, first, last, layer.seed, song)
