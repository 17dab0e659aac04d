"""A video in pieces of about ten seconds, each a finished file of whole closed groups of pictures.

A segment is encoded by an encoder of its own, so it depends on nothing but its frames: rendered again after a crash it
has the same packets, and joining segments is copying packets. A segment is there when its file is there: it is
written aside, synced and renamed.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ethereal_gui.render.spec import Part
from ethereal_gui.render.video.encoders import EncoderSetup
from ethereal_gui.render.video.storage import sync_file, writing

MP4_OPTIONS = {"movflags": "+negative_cts_offsets", "use_editlist": "0"}
"""No edit list: the first picture is shown at 0 and everything after it when its number says."""

LARGE_PICTURE = 4096 * 4096
"""Pixels; a larger picture takes so long that a short video is worth splitting up, too."""

_SEGMENT_SECONDS = 10
_WANTED_PARTS = 16
_MOST_SEGMENTS_OF_PART = 6

UInt8 = NDArray[np.uint8]


class EncoderFailedError(Exception):
    """The encoder refused to go on; not the disk's fault."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames ``start`` to ``stop`` (not included), number ``index`` of a plan."""

    index: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.stop - self.start


def plan_segments(frames: int, fps: int, gop: int) -> list[Segment]:
    """Segments of whole groups of pictures; only the last may end inside one."""
    length = max(1, _SEGMENT_SECONDS * fps // gop) * gop
    return [Segment(i, start, min(start + length, frames)) for i, start in enumerate(range(0, frames, length))]


def plan_parts(missing: Sequence[Segment], pixels: int) -> tuple[Part, ...]:
    """Stretches of a video for several workers: neighbouring segments, one to six of them.

    To start a render takes a worker some two seconds, which a part should be long against; and there should be more
    parts than workers, so that all are busy until the end. One segment of a very large picture takes minutes.
    """
    most = 1 if pixels > LARGE_PICTURE else min(-(-len(missing) // _WANTED_PARTS), _MOST_SEGMENTS_OF_PART)
    parts: list[Part] = []
    count = 0
    for segment in missing:
        if count < most and parts and parts[-1].stop == segment.start:
            parts[-1] = Part(parts[-1].start, segment.stop)
            count += 1
        else:
            parts.append(Part(segment.start, segment.stop))
            count = 1
    return tuple(parts)


class SegmentStore:
    """The segments of one render, in a folder named after everything that determines them.

    Args:
        owner: who writes, in a folder that others write to at the same time; goes into the names of unfinished files.
    """

    def __init__(self, folder: Path, setup: EncoderSetup, *, owner: str = "") -> None:
        self.folder = folder
        self._setup = setup
        self._owner = owner

    def path(self, segment: Segment) -> Path:
        """Where that segment is, once it is finished."""
        return self.folder / f"segment-{segment.index:05d}.mp4"

    def is_finished(self, segment: Segment) -> bool:
        """It is there and has all its frames; one that does not is removed."""
        path = self.path(segment)
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                if (stream.frames, stream.width, stream.height) == (
                    segment.frames,
                    self._setup.width,
                    self._setup.height,
                ):
                    return True
        except (OSError, IndexError, ValueError):
            pass
        path.unlink(missing_ok=True)
        return False

    def writer(self, segment: Segment) -> "SegmentWriter":
        """A writer for that segment."""
        return SegmentWriter(self.path(segment), self._setup, segment.frames, owner=self._owner)


class SegmentWriter:
    """Encodes the frames of one segment, in order.

    Raises:
        StorageError: from any method, when the file cannot be written.
        EncoderFailedError: from any method, when the encoder fails.
    """

    def __init__(self, path: Path, setup: EncoderSetup, frames: int, *, owner: str = "") -> None:
        self._path, self._setup, self._frames = path, setup, frames
        self._partial = path.with_name(f".{path.name}{owner}.part")
        self._count = 0
        with writing(path.parent):
            self._container = av.open(str(self._partial), "w", format="mp4", options=MP4_OPTIONS)
        try:
            self._stream = setup.add_stream(self._container)
        except (av.error.FFmpegError, ValueError) as error:
            raise EncoderFailedError(str(error)) from error

    def add(self, picture: UInt8) -> None:
        """Encode the next frame: uint8 (height * 3 / 2, width), I420. It may be overwritten on return."""
        try:
            if self._setup.keeps_frames:
                frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            else:
                frame = av.VideoFrame.from_numpy_buffer(picture, "yuv420p")
            frame.pts = self._count
            frame.time_base = Fraction(1, self._setup.fps)
            packets = self._stream.encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise EncoderFailedError(str(error)) from error
        self._count += 1
        self._mux(packets)

    def finish(self) -> None:
        """Flush the encoder and put the file under its name."""
        try:
            packets = self._stream.encode(None)
        except (av.error.FFmpegError, ValueError) as error:
            raise EncoderFailedError(str(error)) from error
        self._mux(packets)
        with writing(self._path.parent):
            self._container.close()
            sync_file(self._partial)
            self._partial.replace(self._path)

    def abandon(self) -> None:
        """Let go of everything; the segment does not exist."""
        try:
            self._container.close()
        except OSError:
            pass
        finally:
            self._partial.unlink(missing_ok=True)

    def _mux(self, packets: "list[av.Packet[VideoStream]]") -> None:
        with writing(self._path.parent):
            self._container.mux(packets)


class FrameFeed:
    """Frames in order, drawn ahead on several threads into a few buffers that go round.

    Args:
        draw: ``draw(worker, n, out)`` draws frame ``n``; at most one call at a time for each worker number.
        shape: of a buffer, uint8.
        workers: drawing threads. ahead: frames that may be ready and waiting.
    """

    def __init__(
        self, draw: Callable[[int, int, UInt8], None], shape: tuple[int, int], *, workers: int, ahead: int
    ) -> None:
        self._draw = draw
        self._buffers = [np.empty(shape, np.uint8) for _ in range(workers + ahead)]
        self._idle = list(range(workers))
        self._pool = ThreadPoolExecutor(workers, "frame")

    def frames(self, numbers: Iterator[int]) -> Generator[UInt8, None, None]:
        """The frames of those numbers; each is valid until the next is asked for."""
        waiting: list[tuple[UInt8, Future[None]]] = []
        free = list(self._buffers)
        try:
            while True:
                while free and (n := next(numbers, None)) is not None:
                    buffer = free.pop()
                    waiting.append((buffer, self._pool.submit(self._run, n, buffer)))
                if not waiting:
                    return
                buffer, future = waiting.pop(0)
                future.result()
                yield buffer
                free.append(buffer)
        finally:
            for _, future in waiting:
                future.cancel()

    def close(self) -> None:
        """Wait for the threads and let go of them."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, n: int, buffer: UInt8) -> None:
        worker = self._idle.pop()  # as many numbers as threads, and list.pop is atomic
        try:
            self._draw(worker, n, buffer)
        finally:
            self._idle.append(worker)
