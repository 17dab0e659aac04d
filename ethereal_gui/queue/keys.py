"""The names of the queue's keys: BullMQ's own, and beside them the few that are ours.

BullMQ keeps everything of a queue under ``{prefix}:{queue}:``. Ours live there too, under names that no job can have,
because a job id never contains a colon and ``batches``, ``cancelling``, ``workers``, ``draining`` are no job ids.
"""

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """Key names of one queue."""

    prefix: str
    queue_name: str

    @property
    def base(self) -> str:
        """What every key of the queue begins with."""
        return f"{self.prefix}:{self.queue_name}:"

    def key(self, name: str) -> str:
        """Any key of the queue: one of BullMQ's (``wait``, ``meta``, ...) or a job's."""
        return self.base + name

    @property
    def parts(self) -> str:
        """Name of the queue for parts of videos that several workers render together."""
        return f"{self.queue_name}-parts"

    @property
    def batches(self) -> str:
        """ZSET of batch ids by the time of their submission in ms."""
        return self.key("batches")

    def batch(self, batch_id: str) -> str:
        """HASH of one batch: ``data`` (JSON of BatchJobData) and ``complete`` once every job of it was added."""
        return self.key(f"batch:{batch_id}")

    def batch_jobs(self, batch_id: str) -> str:
        """ZSET of the batch's job ids by their place in it."""
        return self.key(f"batch:{batch_id}:jobs")

    def batch_outcomes(self, batch_id: str) -> str:
        """HASH of job id to how it ended, see ``lua/common.lua``."""
        return self.key(f"batch:{batch_id}:outcomes")

    def batch_ends(self, batch_id: str) -> str:
        """HASH of job id to the first letter of its outcome: all that counting needs."""
        return self.key(f"batch:{batch_id}:ends")

    @property
    def cancelling(self) -> str:
        """ZSET of running jobs that somebody wants to end, by the time of asking in ms."""
        return self.key("cancelling")

    @property
    def workers(self) -> str:
        """HASH of worker name to its newest WorkerInfo."""
        return self.key("workers")

    @property
    def workers_seen(self) -> str:
        """ZSET of worker names by their newest heartbeat in ms of the server's clock."""
        return self.key("workers:seen")

    @property
    def draining(self) -> str:
        """SET of worker names that shall take no new jobs."""
        return self.key("draining")


def bullmq_client_name(worker_name: str, *, queue_name: str, prefix: str = "bull") -> str:
    """The connection name by which Node's ``getWorkers`` finds a worker.

    Python's BullMQ writes the queue's name as it is, Node's in base64. Set this as
    ``worker.clientName`` before ``run``.
    """
    encoded = base64.b64encode(queue_name.encode()).decode()
    return f"{prefix}:{encoded}:w:{worker_name}"
