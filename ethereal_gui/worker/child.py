"""The child's entry point: one render, then the end. It imports the engine and nothing of Qt, redis or the queue.

Its standard output belongs to the protocol of ``messages``; whatever a library prints goes to standard error, which
the worker keeps for the job's log.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ethereal_gui.domain.errors import DiskFullError, EtherealError, NotEnoughMemoryError
from ethereal_gui.domain.formats import get_format
from ethereal_gui.domain.job import Progress
from ethereal_gui.domain.naming import candidate_names
from ethereal_gui.domain.wire import WireModel
from ethereal_gui.worker.confine import allow_last_words, confine
from ethereal_gui.worker.messages import (
    Done,
    Failed,
    LogLine,
    PartDone,
    ProgressLine,
    RenderRequest,
    SplitLine,
    to_line,
)

PARENT_GONE = 3
"""Exit code of a child whose worker went away."""

NICENESS = 5
"""A render gives way to whatever the person at this computer does."""


def main() -> int:
    """Read one request from standard input, render, report. Returns the exit code: 0 done, 1 failed."""
    return serve(lambda line, send: _render(RenderRequest.model_validate_json(line), send))


def serve(work: Callable[[bytes, Callable[[WireModel], None]], WireModel]) -> int:
    """Be a child: read one request from standard input, do the work, report. Ends with the worker, whatever it does.

    Args:
        work: makes the last message of a request's line and a function that sends messages before that.

    Returns:
        The exit code: 0 done, 1 failed.
    """
    channel = _take_over_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the worker's business
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    line = sys.stdin.buffer.readline()
    if not line:
        return PARENT_GONE
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    lock = threading.Lock()

    def send(message: WireModel) -> None:
        with lock:
            channel.write(to_line(message))
            channel.flush()

    try:
        send(work(line, send))
    except Exception as error:
        allow_last_words()
        send(_failure(error))
        return 1
    return 0


def _failure(error: Exception) -> Failed:
    """What to tell the worker. Stack traces are for the job's log."""
    trace = "".join(traceback.format_exception(error))
    code = getattr(error, "errno", None)
    match error:
        case EtherealError():
            cause = error.__cause__
            trace = "".join(traceback.format_exception(cause)) if cause else ""
            return Failed(**error.to_wire(), trace=trace)
        case MemoryError():
            return Failed(**NotEnoughMemoryError().to_wire(), trace=trace)
        case OSError() if code == errno.ENOMEM:
            return Failed(**NotEnoughMemoryError().to_wire(), trace=trace)
        case RuntimeError() if "can't start new thread" in str(error):  # there is no memory for its stack
            return Failed(**NotEnoughMemoryError().to_wire(), trace=trace)
        case ImportError() if "Cannot allocate memory" in str(error):
            return Failed(**NotEnoughMemoryError().to_wire(), trace=trace)
        case OSError() if code in (errno.ENOSPC, errno.EDQUOT):
            # What the engine did not expect to write, such as a compiler's cache, meets a full disk too.
            full = DiskFullError(f"The disk with “{error.filename or 'the unfinished work'}” is full.")
            return Failed(**full.to_wire(), trace=trace)
    message = f"The render stopped with an unexpected error: {type(error).__name__}: {error}."
    return Failed(code="RenderCrashedError", message=message, trace=trace)


def _render(request: RenderRequest, send: Callable[[WireModel], None]) -> Done | SplitLine | PartDone:
    # The engine brings in Numba and FFmpeg, which start threads; those shall be confined too.
    confine([Path(request.output_dir), Path(request.work_dir), Path(request.cache_dir)], memory=request.memory)
    from ethereal_gui.render.engine import render, render_part
    from ethereal_gui.render.spec import Part, RenderSpec, Sharing, SplitUp

    spec = RenderSpec(
        audio_path=Path(request.audio_path),
        template=request.template,
        output_format=get_format(request.output_format),
        fps=request.fps,
        quality=request.quality,
        max_bit_rate=request.max_bit_rate,
        title=request.title,
        artist=request.artist,
        caption=request.caption,
        picture_path=Path(request.picture) if request.picture else None,
    )

    def report(progress: Progress) -> None:
        send(ProgressLine(progress=progress))

    shared = Path(request.shared_dir) if request.shared_dir else None
    if request.part and shared:
        resumed = render_part(
            spec,
            Part(request.part.start, request.part.stop),
            request.part.mark,
            segments_dir=shared,
            work_dir=Path(request.work_dir),
            cache_dir=Path(request.cache_dir),
            on_progress=report,
            threads=request.threads or None,
        )
        return PartDone(resumed_frames=resumed)
    try:
        video = render(
            spec,
            Path(request.output_dir),
            candidate_names(request.name_pattern, request.name_fields),
            work_dir=Path(request.work_dir),
            cache_dir=Path(request.cache_dir),
            on_progress=report,
            threads=request.threads or None,
            encoder=request.encoder,
            sharing=Sharing(shared, request.split_over) if shared else None,
        )
    except SplitUp as up:
        parts = tuple((part.start, part.stop) for part in up.split.parts)
        return SplitLine(mark=up.split.mark, frames=up.split.frames, parts=parts)
    if video.resumed_frames:
        send(LogLine(text=f"Went on from frame {video.resumed_frames} of an earlier attempt."))
    for note in video.notes:
        send(LogLine(text=note))
    return Done(
        output_path=str(video.path),
        duration=video.duration,
        frames=video.frames,
        size=video.size,
        resumed_frames=video.resumed_frames,
    )


def _take_over_stdout() -> BinaryIO:
    """Keep the real standard output for the protocol and send everybody else's prints to standard error."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return channel


def _end_with_parent() -> None:
    """End this process when the worker's end of the pipe closes, whatever the render is doing."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    raise SystemExit(main())
