"""Folders of unfinished work: removed when their job is done, swept when nobody came back for them."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ethereal_gui.domain.errors import RenderError

STALE_AFTER_SECONDS = 14 * 86_400.0
LOCK_WAIT_SECONDS = 5.0


@contextlib.contextmanager
def exclusive(work_dir: Path) -> Iterator[None]:
    """Hold a job's folder: two attempts of one job never write into it at the same time.

    The lock goes with the process, however it ends. A killed predecessor is waited for a few seconds.

    Raises:
        RenderError: another process is rendering this job.
    """
    work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (work_dir / ".lock").open("w") as file:
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise RenderError("This job is being rendered by another process already.", hint="Wait for it to end.")
            time.sleep(0.1)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def remove_work_dir(path: Path) -> None:
    """Remove a job's own folder; what cannot be removed now is swept later."""
    shutil.rmtree(path, ignore_errors=True)


def sweep(work_root: Path, *, older_than: float = STALE_AFTER_SECONDS) -> int:
    """Remove folders that nothing has touched for so many seconds. Returns how many."""
    limit = time.time() - older_than
    removed = 0
    for folder in work_root.iterdir() if work_root.is_dir() else ():
        with contextlib.suppress(OSError):
            newest = max((entry.stat().st_mtime for entry in folder.rglob("*")), default=folder.stat().st_mtime)
            if folder.is_dir() and newest < limit:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed
