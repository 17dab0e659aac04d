"""The preview's child process: answers one request after the other with a picture, until its standard input ends.

It keeps the analyses of the last songs and the last renderers, so that scrubbing costs only the drawing.
"""

import contextlib
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.formats import Quality, StereoMode, get_format
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.caption.choose import choose_card
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.video.look_into import look_into
from ethereal_gui.render.video.tags import chosen_tags
from ethereal_gui.worker.confine import confine
from ethereal_gui.worker.messages import to_line
from ethereal_gui.worker.preview import PreviewHeader, PreviewRequest, VideoRequest

NICENESS = 3
KEPT = 6
LARGEST_SIDE = 2048
MEMORY = 4 << 30  # a picture of an 8192x8192 video is decoded in one

_REQUEST: TypeAdapter[PreviewRequest | VideoRequest] = TypeAdapter(PreviewRequest | VideoRequest)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values that were used last, made when they are missing."""

    def __init__(self, size: int, drop: Callable[[V], None] = lambda _: None) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()
        self._size = size
        self._drop = drop

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of ``key``."""
        if key not in self._values:
            self._values[key] = make()
            if len(self._values) > self._size:
                self._drop(self._values.popitem(last=False)[1])
        self._values.move_to_end(key)
        return self._values[key]


class Previewer:
    """Draws what requests ask for."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._songs: Recent[tuple[Hashable, ...], AudioFeatures] = Recent(KEPT)
        self._renderers: Recent[tuple[Hashable, ...], FrameRenderer] = Recent(KEPT, lambda renderer: renderer.close())

    def draw(self, request: PreviewRequest) -> tuple[PreviewHeader, bytes]:
        """One picture: header and pixels.

        Raises:
            EtherealError: the song or the template cannot be drawn.
        """
        path = Path(request.audio_path)
        output_format = get_format(request.output_format)
        song = (request.audio_path, request.fps, *_stamp(path))
        features = self._songs.get(song, lambda: analyse(path, request.fps, self._cache_dir))
        size = (
            _fit(request.width, 2),
            _fit(request.height, 4 if output_format.stereo is StereoMode.TOP_BOTTOM else 2),
        )
        caption = _card(request, path)
        key = (song, request.template.model_dump_json(), output_format.id, size, caption)
        renderer = self._renderers.get(
            key,
            lambda: FrameRenderer(
                request.template,
                output_format,
                request.fps,
                features,
                quality=Quality.DRAFT,
                size=size,
                caption=caption,
            ),
        )
        last = max(features.frames - 1, 0)
        picture = renderer.draw_rgb(min(max(round(request.time * request.fps), 0), last))
        return PreviewHeader(width=size[0], height=size[1], duration=features.duration), picture.tobytes()


def _look(request: VideoRequest) -> tuple[PreviewHeader, bytes]:
    width, height = (max(2, min(side, LARGEST_SIDE)) for side in (request.width, request.height))
    picture, lasts = look_into(Path(request.video_path), request.time, width, height)
    return PreviewHeader(width=picture.shape[1], height=picture.shape[0], duration=lasts), picture.tobytes()


def _card(request: PreviewRequest, song: Path) -> Card | None:
    if request.caption is Caption.NONE:
        return None
    picture = Path(request.picture) if request.picture else None
    return choose_card(request.caption, chosen_tags(song, request.title, request.artist), song, picture)


def _stamp(path: Path) -> tuple[int, int]:
    """When the file was changed, and its size; zeros when it cannot be asked, which the analysis then explains."""
    try:
        info = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return info.st_mtime_ns, info.st_size


def main() -> int:
    """Answer requests until standard input ends."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    cache_dir = Path(sys.argv[1])
    confine([private_folder(cache_dir)], memory=MEMORY)
    previewer = Previewer(cache_dir)
    for line in sys.stdin.buffer:
        _answer(previewer, line, channel)
    return 0


def _answer(previewer: Previewer, line: bytes, channel: BinaryIO) -> None:
    pixels = b""
    try:
        request = _REQUEST.validate_json(line)
        header, pixels = _look(request) if isinstance(request, VideoRequest) else previewer.draw(request)
    except EtherealError as error:
        header = PreviewHeader(**error.to_wire())
    except (ValidationError, ValueError, MemoryError) as error:
        header = PreviewHeader(code="RenderError", message=f"The preview could not be drawn: {error}.")
    channel.write(to_line(header))
    channel.write(pixels)
    channel.flush()


def _fit(length: int, step: int) -> int:
    return max(step, min(length, LARGEST_SIDE) // step * step)


if __name__ == "__main__":
    raise SystemExit(main())
