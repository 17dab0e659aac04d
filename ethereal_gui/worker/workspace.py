"""Folders of unfinished work: removed when their job is done, swept when nobody came back for them."""

import contextlib
import shutil
import time
from pathlib import Path

STALE_AFTER_SECONDS = 14 * 86_400.0


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
