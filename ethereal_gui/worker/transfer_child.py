"""The entry point of a transfer: one file from a server, or one to it, then the end.

A process of its own keeps network code and credentials away from the rendering child, which opens strangers' files,
and can be killed whatever a server does. It speaks the protocol of ``messages`` like the rendering child.
"""

import contextlib
import errno
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ethereal_gui.domain.errors import (
    EtherealError,
    FileMissingError,
    FileUnreadableError,
    NotAudioError,
    OutOfReachError,
    TransferError,
)
from ethereal_gui.domain.job import Progress, Stage
from ethereal_gui.domain.locations import Url, file_name, join, parse_url
from ethereal_gui.domain.naming import candidate_names
from ethereal_gui.domain.wire import WireModel
from ethereal_gui.render.video.storage import write_durably, writing
from ethereal_gui.worker.child import serve
from ethereal_gui.worker.messages import (
    TRANSFER_REQUEST,
    FetchRequest,
    FolderRequest,
    ProgressLine,
    SendRequest,
    Transferred,
)

if TYPE_CHECKING:
    from ethereal_gui.worker.remote import Remote

CHUNK: Final = 1 << 20
_EVERY_SECONDS: Final = 0.25

# The libraries have exceptions of their own; by name, so that those that are not installed are not needed.
_MISSING: Final = {"FileNotFoundError", "SFTPNoSuchFile", "SFTPNoSuchPath"}
_REFUSED: Final = {
    "PermissionError", "PermissionDenied", "SFTPPermissionDenied", "HostKeyNotVerifiable", "SMBAuthenticationError",
    "LogonFailure", "AccessDenied", "PermissionDeniedError", "UnauthenticatedError",
}  # fmt: skip


def main() -> int:
    """Read one request from standard input, transfer, report. Returns the exit code: 0 done, 1 failed."""
    return serve(_transfer)


def _transfer(line: bytes, send: Callable[[WireModel], None]) -> Transferred:
    match request := TRANSFER_REQUEST.validate_json(line):
        case FetchRequest():
            return fetch(request, send)
        case FolderRequest():
            url = parse_url(request.url)
            with _speaking_of(request.url), _open(url) as remote:
                remote.make_folder(url.path)
            return Transferred(place=request.url, size=0)
        case SendRequest():
            return deliver(request, send)


def fetch(request: FetchRequest, send: Callable[[WireModel], None]) -> Transferred:
    """Bring a file here; what an earlier attempt has brought of the same file is kept."""
    url, path = parse_url(request.url), Path(request.path)
    part, mark = path.with_name(path.name + ".part"), path.with_name(path.name + ".from")
    with _speaking_of(request.url), _open(url) as remote:
        size, version = remote.look(url.path)
        source = json.dumps([request.url, size, version])
        with writing(path.parent):
            if not mark.exists() or mark.read_text("utf-8") != source:
                path.unlink(missing_ok=True)
                part.unlink(missing_ok=True)
                write_durably(mark, source.encode())
            if path.exists():
                return Transferred(place=str(path), size=size)
            start = part.stat().st_size if part.exists() else 0
        report = _Report(Stage.FETCHING, size, send)
        with remote.reading(url.path, min(start, size)) as source_file, _appending(part) as target:
            done = start
            while chunk := source_file.read(CHUNK):
                with writing(path.parent):
                    target(chunk)
                done += len(chunk)
                report(done)
        if done != size or remote.look(url.path) != (size, version):
            with writing(path.parent):
                part.unlink(missing_ok=True)
            raise TransferError(f"“{file_name(request.url)}” has changed while it was fetched.", hint="")
        with writing(path.parent):
            part.replace(path)
    return Transferred(place=str(path), size=size)


def deliver(request: SendRequest, send: Callable[[WireModel], None]) -> Transferred:
    """Bring a video to its folder: whole or not at all, under a name that nothing else has, and exactly once."""
    folder, local, record = parse_url(request.folder).path, Path(request.path), Path(request.record)
    size = local.stat().st_size
    report = _Report(Stage.SENDING, size, send)
    with _speaking_of(request.folder), _open(parse_url(request.folder)) as remote:
        chosen = record.read_text("utf-8") if record.exists() else None
        if chosen and remote.is_done(folder, request.key, chosen, size):
            # An attempt that died right afterwards has sent it.
            return Transferred(place=join(request.folder, chosen), size=size)
        remote.upload(local, folder, request.key, report)
        for name in candidate_names(request.name_pattern, request.name_fields):
            with writing(record.parent):
                write_durably(record, name.encode())
            if remote.take_name(local, folder, request.key, name, report):
                return Transferred(place=join(request.folder, name), size=size)
    raise AssertionError("names never run out")


@contextlib.contextmanager
def _open(url: Url) -> Iterator["Remote"]:
    try:
        from ethereal_gui.worker.remote import open_remote

        remote = open_remote(url)
    except ImportError as error:
        raise OutOfReachError(
            f"This worker cannot reach {url.scheme} servers: {error}.",
            hint="Install what it needs: pip install 'ethereal-gui[farm]'.",
        ) from error
    yield remote


@contextlib.contextmanager
def _speaking_of(place: str) -> Iterator[None]:
    """Errors of the libraries -> errors that say what to do."""
    try:
        yield
    except EtherealError:
        raise
    except Exception as error:
        names = {cls.__name__ for cls in type(error).__mro__}
        number = getattr(error, "errno", None)  # smbprotocol's errors have nothing else that tells them apart
        if names & _MISSING or number == errno.ENOENT:
            raise FileMissingError(f"“{place}” is not there.") from error
        if names & _REFUSED or number in (errno.EACCES, errno.EPERM):
            raise FileUnreadableError(
                f"“{place}” cannot be reached: {_said(error)}.",
                hint="Check the worker's keys, known hosts and permissions for that server.",
            ) from error
        if "IsADirectoryError" in names:
            raise NotAudioError(f"“{place}” is a folder, not an audio file.") from error
        raise TransferError(f"“{place}” could not be transferred: {_said(error)}.") from error


def _said(error: Exception) -> str:
    words = " ".join(str(error).partition("Debug source:")[0].split())[:300].rstrip(".")
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


@contextlib.contextmanager
def _appending(path: Path) -> Iterator[Callable[[bytes], object]]:
    with writing(path.parent):
        file = path.open("ab")
    with file:
        yield file.write


class _Report:
    """Bytes so far -> progress, four times a second."""

    def __init__(self, stage: Stage, size: int, send: Callable[[WireModel], None]) -> None:
        self._stage, self._size, self._send = stage, size, send
        self._said = float("-inf")
        self._start: tuple[float, int] | None = None

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        began, first = self._start = self._start or (now, done)
        if now - self._said < _EVERY_SECONDS and done < self._size:
            return
        self._said = now
        speed = (done - first) / (now - began) if now - began > 1 else 0.0
        self._send(
            ProgressLine(
                progress=Progress(
                    stage=self._stage,
                    fraction=min(1.0, done / self._size) if self._size else 1.0,
                    time_left=(self._size - done) / speed if speed else None,
                )
            )
        )


if __name__ == "__main__":
    raise SystemExit(main())
