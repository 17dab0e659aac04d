"""A full disk stops the worker from taking jobs, so that one full disk does not fail a whole night's batch.

The job that met it fails its attempt with the reason and waits for its next one; the worker takes nothing until there
is room again, says so in its heartbeat, and goes on by itself.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENOUGH_BYTES: Final = 500_000_000
ENOUGH_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class StorageTrouble:
    """Why the worker takes no jobs: ``folder``'s disk is full."""

    folder: Path
    message: str

    def is_over(self) -> bool:
        """There is room again: half a gigabyte, or a tenth of a small disk."""
        for candidate in (self.folder, *self.folder.parents):
            try:
                usage = shutil.disk_usage(candidate)
            except OSError:
                continue
            return usage.free >= min(ENOUGH_BYTES, usage.total * ENOUGH_SHARE)
        return True
