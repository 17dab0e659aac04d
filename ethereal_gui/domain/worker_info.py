"""What a worker says of itself, about every five seconds."""

from enum import StrEnum

from ethereal_gui.domain.wire import WireModel

HEARTBEAT_SECONDS = 5.0
LOST_AFTER_SECONDS = 20.0


class WorkerState(StrEnum):
    """What a worker is doing."""

    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"  # finishes what it has, takes nothing new
    LOST = "lost"  # no heartbeat for a while; never said by the worker itself


class WorkerInfo(WireModel):
    """One worker.

    Attributes:
        name: unique among the workers of a queue: host, process id and a random part.
        host: name of its machine.
        pid: process id on its machine.
        cores: processors that it may use.
        concurrency: renders at a time.
        jobs: ids of the jobs that it has.
        encoders: video encoders that passed their trial on that machine.
        trouble: why it takes no jobs, a sentence; None while all is well.
        fps: newest speed in frames per second, all its jobs together.
        started_at, seen_at: seconds since the epoch on the server's clock for ``seen_at``.
    """

    name: str
    host: str
    pid: int
    cores: int
    concurrency: int
    state: WorkerState
    jobs: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()
    trouble: str | None = None
    fps: float | None = None
    version: str = ""
    started_at: float = 0.0
    seen_at: float = 0.0
