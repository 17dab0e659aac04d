"""A job's own folder: one process at a time in it, and old ones swept."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ethereal_gui.domain.errors import RenderError
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.video.storage import writing

SHARED_PREFIX = ".ethereal-work-"
"""How the folders begin in which several workers share a video's segments; they lie in output folders."""

_LOCK = ".lock"
_NOTE = "shared-folder"
_PATIENCE_SECONDS = 20.0


@contextmanager
def locked(work_dir: Path) -> Iterator[None]:
    """Hold the folder, made when missing, against other processes on this machine.

    A worker that was killed takes a moment to take its render down with it, so this waits a little.

    Raises:
        RenderError: another process holds it. StorageError: it cannot be made.
    """
    with writing(work_dir):
        private_folder(work_dir)
        handle = os.open(work_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise RenderError(
                    "This video is already being made by another process.", hint="Wait until that one has ended."
                )
            time.sleep(0.1)
        yield
    finally:
        os.close(handle)  # and with it the lock


def note_shared_folder(work_dir: Path, shared: Path) -> None:
    """Write down that a job has a folder elsewhere, too: whoever sweeps its own one sweeps both."""
    with writing(work_dir):
        (work_dir / _NOTE).write_text(str(shared), "utf-8", "surrogateescape")


def _shared_folder(work_dir: Path) -> Path | None:
    try:
        shared = Path((work_dir / _NOTE).read_text("utf-8", "surrogateescape"))
    except (OSError, ValueError):
        return None
    return shared if shared.name.startswith(SHARED_PREFIX) and not shared.is_symlink() else None


def clean_stale(work_root: Path, older_than: float) -> int:
    """Remove the folders of jobs that nothing has touched for ``older_than`` seconds. Returns how many."""
    limit = time.time() - older_than
    removed = 0
    for folder in work_root.iterdir() if work_root.is_dir() else ():
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            shared = _shared_folder(folder)
            entries = [*folder.rglob("*"), *(shared.rglob("*") if shared else ())]
            newest = max((entry.stat().st_mtime for entry in entries), default=folder.stat().st_mtime)
            if newest < limit and not _is_held(folder):
                if shared:
                    shutil.rmtree(shared, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
                removed += not folder.exists()
    return removed


def _is_held(folder: Path) -> bool:
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
