"""Plain values that the service hands to the window and the command line."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ethereal_gui.domain.batch import BatchJobData
from ethereal_gui.domain.job import JobSnapshot
from ethereal_gui.domain.worker_info import WorkerInfo


@dataclass(frozen=True, slots=True)
class ServerState:
    """The queue's server: ``address`` without secrets, ``message`` a sentence when it is not available or slow."""

    mode: Literal["embedded", "remote"]
    address: str
    available: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """What a submission became."""

    batch_id: str
    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of an action on several jobs: ids that it worked on, and why not on the others."""

    done: tuple[str, ...]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class Removed:
    """Jobs that were removed; the token for undoing it. ``server``: how a sentence calls the one that had them."""

    result: ActionResult
    jobs: tuple[JobSnapshot, ...]
    server: str


@dataclass(frozen=True, slots=True)
class Update:
    """What changed since the last update; with ``full`` it replaces everything known before.

    Attributes:
        jobs: changed or new jobs. removed: ids of jobs that are gone.
        batches: new batches, newest first when ``full``.
        news: the jobs changed just now; False when they are only read, after a start or trouble with the server.
        order: ids of the waiting jobs as they will run, when that may have changed; None when it has not.
        rests_until: when this computer renders again, outside the hours in the settings.
        all_done: the last of what was to do has ended just now.
        recovery: what the built-in server had to leave out of its data at its last start, a sentence.
    """

    server: ServerState
    paused: bool
    workers: tuple[WorkerInfo, ...]
    jobs: tuple[JobSnapshot, ...] = ()
    removed: tuple[str, ...] = ()
    batches: tuple[BatchJobData, ...] = ()
    full: bool = False
    news: bool = True
    order: tuple[str, ...] | None = None
    worker_error: str | None = field(default=None)
    rests_until: datetime | None = None
    all_done: bool = False
    recovery: str | None = None
