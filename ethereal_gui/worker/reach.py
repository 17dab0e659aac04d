"""What this worker can read, and what becomes of a job whose files it cannot.

While another worker lives that has not said the same, the job is left to the others: it is offered to whoever is
idle, then it waits aside, longer each time; no attempt is counted. When all of them have left it, it fails.

A server with songs that does not answer is nobody's fault: the job waits aside in the same manner, for some hours, and
the worker goes on with others.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import (
    EtherealError,
    FileMissingError,
    FileUnreadableError,
    OutputFolderError,
    TransferError,
)
from ethereal_gui.domain.job import LeftBy
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.worker.messages import RenderRequest

UNREADABLE: Final = (FileMissingError, FileUnreadableError)
"""What another machine may not meet."""

LONGEST_WAIT_SECONDS: Final = 30.0
LONGEST_WAIT_FOR_SERVER: Final = 300.0
MOST_WAITS_FOR_SERVER: Final = 60
"""Four and a half hours; after that each further failure costs an attempt."""

OFFER_SECONDS: Final = 0.3
"""How long a left job stands first in line for idle workers. A worker that can read none of ten thousand jobs leaves
three of them in a second, and no more."""


class LeftToOthersError(Exception):
    """The job waits for a worker that can read its files; nothing is wrong with the job.

    Attributes:
        left: who cannot read them.
        is_first: this worker says so for the first time.
        is_offered: whoever is idle may take the job at once; not where all would meet the same.
    """

    def __init__(self, left: LeftBy, *, is_first: bool, is_offered: bool = True) -> None:
        super().__init__(left.note)
        self.left = left
        self.is_first = is_first
        self.is_offered = is_offered

    @property
    def seconds(self) -> float:
        """How long the job waits aside."""
        doubled = 2.0 ** min(self.left.times - 1, 20)
        return min(doubled, LONGEST_WAIT_SECONDS) if self.is_offered else min(2 * doubled, LONGEST_WAIT_FOR_SERVER)


def check_reach(request: RenderRequest) -> None:
    """Find out without a child process what its first look would show. Blocking. What will be fetched is no matter.

    Raises:
        UNREADABLE: the song or the picture. OutputFolderError: the folder is not there.
    """
    local = [name for name in (request.audio_path, request.picture) if name and not _in_work(name, request)]
    for name in local:
        if not os.access(name, os.R_OK):
            kind = FileUnreadableError if Path(name).exists() else FileMissingError
            raise kind(f"“{name}” cannot be read there.")
    if not Path(request.output_dir).is_dir() and not _in_work(request.output_dir, request):
        raise OutputFolderError(f"The folder “{request.output_dir}” is not there.")


def left_or_failed(
    error: EtherealError, left: LeftBy, name: str, workers: Iterable[WorkerInfo]
) -> LeftToOthersError | EtherealError:
    """What to raise instead of ``error``.

    Args:
        left: who has left the job before. name: this worker's. workers: all that there are.
    """
    again = left.left_again(name, error.message)
    if isinstance(error, TransferError):
        waits = again.times <= MOST_WAITS_FOR_SERVER
        return LeftToOthersError(again, is_first=name not in left.workers, is_offered=False) if waits else error
    alive = {one.name for one in workers if one.state is not WorkerState.LOST}
    if alive - set(again.workers):
        return LeftToOthersError(again, is_first=name not in left.workers)
    others = [other for other in again.workers if other != name]
    if not others:
        return error
    return type(error)(f"{error.message} Neither can it be read by {', '.join(others)}.", hint=error.hint)


def _in_work(path: str, request: RenderRequest) -> bool:
    return Path(path).is_relative_to(request.work_dir)
