"""Strangers' files are looked into by confined child processes, never by the window or a command itself.

A child answers one request after the other, so that its start is paid once for many files; a large drop gets several
children. A file that makes a child crash or hang, or take more memory than it may, costs that one file a clear reason,
and the next file gets a new child.
"""

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import ValidationError

from ethereal_gui.domain.audio_file import AudioFile, audio_id, display_name
from ethereal_gui.domain.errors import DamagedAudioError, EtherealError, FileUnreadableError, InputError
from ethereal_gui.intake.expand import Candidate, expand
from ethereal_gui.intake.inspect import IntakeResult, Skipped, passed_over, refused
from ethereal_gui.worker.sandbox import child_environment

SECONDS: Final = 20.0
"""For one file; a drive that has to spin up takes some."""

MEMORY: Final = 512 << 20
CHILDREN: Final = min(4, os.cpu_count() or 1)
FILES_PER_CHILD: Final = 200
"""Another child is worth its start from so many files on."""

_TRIES: Final = 3
_MAX_ANSWER: Final = 1 << 20
_PROGRESS_SECONDS: Final = 0.1


class _NoAnswerError(Exception):
    """A child did not answer.

    Attributes:
        hung: it was killed because it took too long.
        code: its exit code, negative for a signal.
    """

    def __init__(self, hung: bool, code: int | None) -> None:
        super().__init__()
        self.hung = hung
        self.code = code


class _Child:
    """One child and the pipes to it; used by one thread at a time."""

    def __init__(self, memory: int) -> None:
        self.answers = 0
        self._hung = False
        self._process = subprocess.Popen(  # noqa: S603 - this Python with a module of ours
            [sys.executable, "-m", "ethereal_gui.worker.probe_child", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            start_new_session=True,
        )

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, str], seconds: float) -> dict[str, Any]:
        """The child's answer.

        Raises:
            _NoAnswerError: there is none; the child has ended.
        """
        assert self._process.stdin is not None  # noqa: S101 - both are pipes, see above
        assert self._process.stdout is not None  # noqa: S101
        watch = threading.Timer(seconds, self._lose_patience)
        watch.daemon = True
        watch.start()
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline(_MAX_ANSWER))
            if not isinstance(answer, dict):
                raise ValueError(answer)
        except (OSError, ValueError, RecursionError) as error:  # a child in strange hands may say anything
            raise _NoAnswerError(self._hung, self.end()) from error
        finally:
            watch.cancel()
        self.answers += 1
        return answer

    def _lose_patience(self) -> None:
        self._hung = True
        self._process.kill()

    def end(self) -> int | None:
        """Kill it unless it is ending by itself; returns its exit code when it is known."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            return self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        # One that hangs on a dead network drive cannot even be killed; it is left to the system.
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(2)
        return None


class Prober:
    """Looks into files by its children. All methods block and may be called by several threads.

    Attributes:
        lost: how many files have ended a child, by a crash or because there was no end to them.

    Args:
        children: how many there may be. seconds, memory: what one file may take; memory in bytes.
    """

    def __init__(self, *, children: int = CHILDREN, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.children = children
        self.lost = 0
        self._seconds = seconds
        self._memory = memory
        self._places = threading.BoundedSemaphore(children)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start a child unless there is one: the first file need not wait for it."""
        with self._lock:
            if not self._closed and not any(child.lives for child in self._all):
                self._idle.append(self._new())

    def song(self, path: Path) -> AudioFile:
        """A file as a song.

        Raises:
            InputError: it cannot become a video; the message names it and says why.
        """
        found = self._ask("song", path)
        given = {"id": audio_id(path), "path": str(path), "originalName": display_name(path)}
        try:
            return AudioFile.model_validate({**found, **given})
        except ValidationError as error:
            raise DamagedAudioError(f"“{display_name(path)}” cannot be read: what it says makes no sense.") from error

    def cover(self, path: Path) -> bytes | None:
        """The cover in a song's tags, drawn anew as a small PNG, or None."""
        try:
            picture = self._ask("cover", path).get("picture")
            return base64.b64decode(picture) if picture else None
        except (InputError, ValueError, TypeError):
            return None

    def check_picture(self, path: Path) -> None:
        """Complain about a picture that no caption could show.

        Raises:
            InputError: it cannot be read, is too large, or is neither PNG nor JPEG.
        """
        self._ask("picture", path)

    def examine(self, candidate: Candidate) -> AudioFile | Skipped:
        """A file of a drop; never raises for bad input."""
        if candidate.problem:
            return passed_over(candidate)
        try:
            return self.song(candidate.path)
        except InputError as error:
            return refused(candidate.path, error)

    def close(self) -> None:
        """End all children; files that are being looked into are refused."""
        with self._lock:
            self._closed = True
            children, self._all, self._idle = self._all, set(), []
        for child in children:
            child.end()

    def _ask(self, look: str, path: Path) -> dict[str, Any]:
        request = {"look": look, "path": str(path.absolute())}
        for _ in range(_TRIES):
            with self._places:
                child = self._borrow()
                try:
                    answer = child.ask(request, self._seconds)
                except _NoAnswerError as error:
                    with self._lock:
                        self._all.discard(child)
                    # It may have left after a long wait, or suffer from what an earlier file did to it.
                    innocent = error.code == 0 or child.answers > 0
                    lost = error
                else:
                    self._give_back(child)
                    return _judge(path, answer)
            if self._closed or lost.hung or not innocent:
                break
        with self._lock:
            self.lost += 1
        raise _explain(path, lost, self._seconds) from lost

    def _new(self) -> _Child:
        child = _Child(self._memory)
        self._all.add(child)
        return child

    def _borrow(self) -> _Child:
        with self._lock:
            if self._closed:
                raise FileUnreadableError("The program is closing.", hint="")
            while self._idle:
                child = self._idle.pop()
                if child.lives:
                    return child
                self._all.discard(child)
            return self._new()

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            if child in self._all:
                self._idle.append(child)


class _Inspection:
    """One look into a drop, on a thread; another one reads ``done`` and ``total`` meanwhile."""

    def __init__(self, prober: Prober, paths: Iterable[Path]) -> None:
        self.total = 0
        self.stopped = False
        self._results: list[AudioFile | Skipped] = []
        self._prober = prober
        self._paths = paths

    @property
    def done(self) -> int:
        """Files that have been looked into."""
        return len(self._results)

    def run(self) -> IntakeResult:
        candidates = []
        for candidate in expand(self._paths):
            if self.stopped:
                break
            candidates.append(candidate)
        self.total = len(candidates)
        helpers = min(self._prober.children, 1 + self.total // FILES_PER_CHILD)
        with ThreadPoolExecutor(helpers, "intake") as pool:
            results = [result for result in pool.map(self._examine, candidates) if result]
        return IntakeResult(
            tuple(result for result in results if isinstance(result, AudioFile)),
            tuple(result for result in results if isinstance(result, Skipped)),
        )

    def _examine(self, candidate: Candidate) -> AudioFile | Skipped | None:
        if self.stopped:
            return None
        result = self._prober.examine(candidate)
        self._results.append(result)
        return result


async def inspect(
    prober: Prober, paths: Iterable[Path], on_progress: Callable[[int, int], None] | None = None
) -> IntakeResult:
    """Look into files and folders off the loop; cancel the task to stop.

    Args:
        on_progress: called with how many files are done and how many there are, about ten times a second.
    """
    inspection = _Inspection(prober, paths)
    running = asyncio.get_running_loop().run_in_executor(None, inspection.run)
    try:
        while not (await asyncio.wait({running}, timeout=_PROGRESS_SECONDS))[0]:
            if on_progress and inspection.total:
                on_progress(inspection.done, inspection.total)
    finally:
        inspection.stopped = True
        running.cancel()  # nobody waits for the file that it is at
    return running.result()


def _judge(path: Path, answer: dict[str, Any]) -> dict[str, Any]:
    error, found = answer.get("error"), answer.get("found")
    if isinstance(error, dict):
        known = EtherealError.from_wire(error)
        raise known if isinstance(known, InputError) else DamagedAudioError(known.message, hint=known.hint)
    if not isinstance(found, dict):
        raise DamagedAudioError(f"“{display_name(path)}” cannot be read.")
    return found


def _explain(path: Path, lost: _NoAnswerError, seconds: float) -> InputError:
    name = display_name(path)
    if lost.hung:
        return FileUnreadableError(
            f"“{name}” cannot be read: there was no end to it within {seconds:.0f} s.",
            hint="It is damaged, or the disk or network drive that it is on does not answer.",
        )
    how = f"signal {-lost.code}" if lost.code and lost.code < 0 else f"exit code {lost.code}"
    return DamagedAudioError(f"“{name}” cannot be read: it brought down the process that tried ({how}).")
