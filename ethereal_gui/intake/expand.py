"""Dropped paths -> the regular files among and below them, each once.

Folders are walked without following links to folders, so a loop of links ends; a file that is reached twice (by two
names or a link) is taken once. Only regular files are opened later: a FIFO or a device never blocks the program.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

AUDIO_EXTENSIONS: Final = frozenset(
    {".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".aifc", ".wma", ".caf", ".mka"}
)
"""Extensions that are taken from a folder; a file that was named itself is always looked at."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path that may be audio. ``problem`` says why it cannot be looked at; ``named`` that the user named it."""

    path: Path
    named: bool
    problem: str | None = None


def expand(paths: Iterable[Path]) -> Iterator[Candidate]:
    """Every file among ``paths`` and, for folders, below them; folders' other files are passed over silently."""
    seen: set[tuple[int, int]] = set()
    for given in paths:
        path = given.absolute()
        try:
            if stat.S_ISDIR(path.stat().st_mode):
                yield from _walk(path, seen)
                continue
        except (OSError, ValueError) as error:
            yield Candidate(path, named=True, problem=_explain(error))
            continue
        candidate = _candidate(path, seen, named=True)
        if candidate:
            yield candidate


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Candidate]:
    errors: list[OSError] = []
    for root, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in AUDIO_EXTENSIONS and not name.startswith("."):
                candidate = _candidate(Path(root, name), seen, named=False)
                if candidate:
                    yield candidate
        while errors:
            error = errors.pop()
            yield Candidate(Path(error.filename or root), named=False, problem=_explain(error))


def _candidate(path: Path, seen: set[tuple[int, int]], *, named: bool) -> Candidate | None:
    try:
        info = path.stat()
    except (OSError, ValueError) as error:
        return Candidate(path, named, _explain(error))
    if not stat.S_ISREG(info.st_mode):
        return Candidate(path, named, "it is not a regular file")
    identity = (info.st_dev, info.st_ino)
    if identity in seen:
        return None
    seen.add(identity)
    return Candidate(path, named, None if _is_text(path) else "its name or folder is no valid text; rename it")


def _is_text(path: Path) -> bool:
    """Whether other programs and computers can be told this path."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _explain(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "it is not there"
        case PermissionError():
            return "you may not read it"
        case OSError():
            return (error.strerror or str(error)).lower()
        case _:  # a NUL, or what this system cannot write in a name
            return "no file can be called that"
