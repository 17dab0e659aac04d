"""A full disk or a drive that is gone stops the worker from taking jobs: it must not fail a whole night's batch.

The job that met it goes back to the head of the line without losing an attempt; the worker takes nothing until the
folders can be used again, says so in its heartbeat, and goes on by itself. A job that meets it again and again although
there seemed to be room loses attempts like any other, so that nothing goes round for ever.
"""

import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import DiskFullError, EtherealError, OutputFolderError

ENOUGH_BYTES: Final = 500_000_000
ENOUGH_SHARE: Final = 0.1
FREE_WAITS: Final = 3
"""How often one job may go back for want of storage without losing an attempt."""


class WaitForStorage(Exception):
    """The job waits for a disk; nothing is wrong with the job."""


@dataclass(frozen=True, slots=True)
class StorageTrouble:
    """Why the worker takes no jobs.

    Attributes:
        job_id: the job that met it.
        message: what is wrong and what to do, for people.
        output_dir, data_dir: folders that have to be there and writable.
        needed: bytes that have to be free for videos.
    """

    job_id: str
    message: str
    output_dir: Path
    data_dir: Path
    needed: int

    def is_over(self) -> bool:
        """Both folders can be written, and there is room."""
        return _usable(self.output_dir, self.needed) and _usable(self.data_dir, ENOUGH_BYTES)


@dataclass(slots=True)
class StorageWaits:
    """Which jobs went back for want of storage, and how often."""

    counts: Counter[str] = field(default_factory=Counter)

    def may_wait(self, job_id: str, error: EtherealError, output_dir: Path) -> bool:
        """Whether a job waits for a disk instead of failing its attempt; counts it."""
        if not is_storage_trouble(error, output_dir):
            return False
        self.counts[job_id] += 1
        return self.counts[job_id] <= FREE_WAITS


def is_storage_trouble(error: EtherealError, output_dir: Path) -> bool:
    """Whether other jobs would meet the same, and it may pass.

    An output folder whose name belongs to a file is wrong, not away: waiting would not help.
    """
    if isinstance(error, OutputFolderError):
        return output_dir.is_dir() or not output_dir.exists()
    return isinstance(error, DiskFullError)


def trouble_of(
    error: EtherealError, job_id: str, *, output_dir: Path, data_dir: Path, work_dir: Path
) -> StorageTrouble:
    """What to wait for after an error: a full disk needs room for the video's parts once more."""
    parts = _size_of(work_dir) if isinstance(error, DiskFullError) else 0
    return StorageTrouble(job_id, str(error), output_dir, data_dir, ENOUGH_BYTES + parts)


def _usable(folder: Path, needed: int) -> bool:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return False
    return usage.free >= min(needed, max(needed - ENOUGH_BYTES, 0) + int(usage.total * ENOUGH_SHARE))


def _size_of(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - a walk's own names
            except OSError:
                continue
    return total
