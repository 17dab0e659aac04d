"""Frames drawn ahead of the encoder, on as many threads as help and in as much memory as is decent."""

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.formats import OutputFormat
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.spec import RenderSpec
from ethereal_gui.render.video.segments import FrameFeed

UInt8 = NDArray[np.uint8]

_CORES_PER_RENDERER = 3  # drawing takes about a quarter of the time of encoding
_PIXELS_IN_FLIGHT = 3 * 3840 * 2160
_MAX_RENDERERS = 6


class DrawingPool:
    """Several renderers that draw different frames at the same time; large pictures get one with several threads.

    Args:
        caption: what is shown near the beginning. threads: processors to use, encoder included.
    """

    def __init__(self, spec: RenderSpec, features: AudioFeatures, caption: Card | None, *, threads: int) -> None:
        count, inner = split_threads(spec.output_format, threads)
        self._renderers = [
            FrameRenderer(
                spec.template,
                spec.output_format,
                spec.fps,
                features,
                quality=spec.quality,
                threads=inner,
                caption=caption,
            )
            for _ in range(count)
        ]
        fmt = spec.output_format
        ahead = 1 if fmt.pixels > 4096 * 4096 else 4
        self._feed = FrameFeed(self._draw, (fmt.height * 3 // 2, fmt.width), workers=count, ahead=ahead)

    def frames(self, numbers: Iterator[int]) -> Generator[UInt8, None, None]:
        """The frames of those numbers, in order: uint8 (height * 3 / 2, width), valid until the next."""
        return self._feed.frames(numbers)

    def close(self) -> None:
        """End the threads."""
        self._feed.close()
        for renderer in self._renderers:
            renderer.close()

    def _draw(self, worker: int, n: int, out: UInt8) -> None:
        self._renderers[worker].draw_yuv(n, out)


def split_threads(output_format: OutputFormat, threads: int) -> tuple[int, int]:
    """How many renderers, and how many threads in each."""
    wanted = max(1, -(-threads // _CORES_PER_RENDERER))
    room = max(1, _PIXELS_IN_FLIGHT // output_format.pixels)
    count = min(wanted, room, _MAX_RENDERERS)
    return count, max(1, wanted // count)
