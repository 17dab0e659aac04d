"""Pictures for the window, drawn by a child process of their own.

The engine's kernels compile when they are first used, and analysing a song takes seconds of processor time; neither
may happen in the window's process. The child keeps the last songs' analyses, so that any time, template and small
size is answered at once. It is started at the first request and again when it died.
"""

import asyncio
import contextlib
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import EtherealError, RenderCrashedError
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.template import Template
from ethereal_gui.domain.wire import WireModel
from ethereal_gui.worker.messages import to_line
from ethereal_gui.worker.sandbox import child_environment

PATIENCE_SECONDS: Final = 900.0
"""The first picture of a song waits for its analysis: some minutes for one of ten hours on a slow computer."""


class PreviewRequest(WireModel):
    """One picture.

    Attributes:
        time: seconds from the song's beginning. width, height: pixels of the picture, any small size.
        caption, title, artist, picture: as in the batch's options.
    """

    audio_path: str
    template: Template
    output_format: str
    fps: int
    time: float
    width: int
    height: int
    caption: Caption = Caption.NONE
    title: str | None = None
    artist: str | None = None
    picture: str | None = None


class VideoRequest(WireModel):
    """One picture of a finished video.

    Attributes:
        time: seconds from its beginning. width, height: pixels that the picture fits into.
    """

    video_path: str
    time: float
    width: int
    height: int


class PreviewHeader(WireModel):
    """What the child answers before the pixels; with ``code`` set there are none."""

    width: int = 0
    height: int = 0
    duration: float = 0.0
    code: str | None = None
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PreviewPicture:
    """RGB pixels, 8 bits a channel, rows top to bottom without padding; ``duration`` of song or video in seconds."""

    width: int
    height: int
    pixels: bytes
    duration: float


class PreviewProcess:
    """Asks the child for pictures, one at a time; usable from any event loop.

    Args:
        patience: seconds after which a picture is given up and the child is started anew.
    """

    def __init__(self, cache_dir: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._cache_dir = cache_dir
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def picture(self, request: PreviewRequest | VideoRequest) -> PreviewPicture:
        """Draw one picture off the loop, or take it from a finished video.

        Raises:
            EtherealError: the song or the template cannot be drawn, the video not be read, or the child died.
        """
        return await asyncio.to_thread(self._exchange, request)

    def close(self) -> None:
        """End the child; a picture that is being drawn fails."""
        self._closed = True
        process = self._process
        if process and process.poll() is None:
            process.kill()
            process.wait(timeout=5)

    def _exchange(self, request: PreviewRequest | VideoRequest) -> PreviewPicture:
        with self._lock:
            if self._closed:
                raise RenderCrashedError("The preview was closed.")
            process = self._running()
            impatience = threading.Timer(self._patience, process.kill)
            impatience.start()
            try:
                return self._ask(process, request)
            except (OSError, ValueError) as error:
                self._end(process)
                raise RenderCrashedError("The preview stopped and will start again.") from error
            finally:
                impatience.cancel()

    def _ask(self, process: "subprocess.Popen[bytes]", request: PreviewRequest | VideoRequest) -> PreviewPicture:
        if process.stdin is None or process.stdout is None:
            raise ValueError("no pipes")
        process.stdin.write(to_line(request))
        process.stdin.flush()
        header = PreviewHeader.model_validate_json(process.stdout.readline())
        if header.code:
            raise EtherealError.from_wire({"code": header.code, "message": header.message, "hint": header.hint})
        pixels = process.stdout.read(header.width * header.height * 3)
        if len(pixels) != header.width * header.height * 3:
            raise ValueError("the child ended in the middle of a picture")
        return PreviewPicture(header.width, header.height, pixels, header.duration)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - this Python with a module of ours
                [sys.executable, "-m", "ethereal_gui.worker.preview_child", str(self._cache_dir)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(self._cache_dir),
                start_new_session=True,
            )
        return self._process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait(timeout=5)
