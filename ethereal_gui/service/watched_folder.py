"""A folder whose new songs are rendered by themselves, once they are there in full.

A file counts as complete when its size and time have stood still for a while, together with all other new files of its
folder, so that an album that is still being copied becomes one batch. What was there when the folder was first watched
is left alone; what was taken is written down, so that nothing is rendered twice after a restart.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ethereal_gui.domain.private import write_private
from ethereal_gui.intake.expand import expand

SETTLE_SECONDS: Final = 10.0
Signature = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


class WatchedFolder:
    """Looks into one folder. Blocking, so for a thread; one caller at a time.

    Args:
        ledger: the file that says what was taken.
        clock: seconds, only for comparing.
    """

    def __init__(
        self,
        folder: Path,
        ledger: Path,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._ledger = ledger
        self._settle = settle_seconds
        self._clock = clock
        self._taken: dict[str, Signature] | None = None
        self._seen: dict[str, tuple[Signature, float]] = {}

    def look(self) -> list[list[Path]]:
        """New songs that are complete, grouped by their folder. Names them again until they are ``taken``."""
        if not self.folder.is_dir():
            return []  # unplugged, or not mounted yet
        present = {str(candidate.path): _signature(candidate.path) for candidate in expand([self.folder])}
        current = {path: signature for path, signature in present.items() if signature and signature[0] > 0}
        if self._taken is None:
            self._taken = self._read()
            if self._taken is None:
                self._taken = current
                self._write()
        now = self._clock()
        fresh = {path: signature for path, signature in current.items() if self._taken.get(path) != signature}
        self._seen = {
            path: seen if (seen := self._seen.get(path)) and seen[0] == signature else (signature, now)
            for path, signature in fresh.items()
        }
        folders: dict[Path, list[Path]] = {}
        for path in fresh:
            folders.setdefault(Path(path).parent, []).append(Path(path))
        return [
            paths for paths in folders.values() if all(now - self._seen[str(path)][1] >= self._settle for path in paths)
        ]

    def taken(self, paths: Iterable[Path]) -> None:
        """These have become a batch, or were refused for good."""
        if self._taken is not None:
            for path in paths:
                if seen := self._seen.pop(str(path), None):
                    self._taken[str(path)] = seen[0]
            self._write()

    def batch_id(self, paths: Iterable[Path]) -> str:
        """The same for the same files as they are now: a submission that is repeated after a crash adds nothing."""
        digest = hashlib.sha256()
        for path in sorted(paths):
            digest.update(os.fsencode(path) + repr(self._seen.get(str(path), ((0, 0), 0))[0]).encode() + b"\0")
        return "b" + digest.hexdigest()[:12]

    def _read(self) -> dict[str, Signature] | None:
        try:
            stored = json.loads(self._ledger.read_text("utf-8"))
            if stored["folder"] != str(self.folder):
                return None
            return {path: (int(size), int(changed)) for path, (size, changed) in stored["taken"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self) -> None:
        # Surrogates of odd file names survive in JSON's own escapes.
        words = json.dumps({"folder": str(self.folder), "taken": self._taken}, ensure_ascii=True)
        write_private(self._ledger, words)


def _signature(path: Path) -> Signature | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_size, info.st_mtime_ns
