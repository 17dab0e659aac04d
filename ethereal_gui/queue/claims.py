"""What a worker does with its job beyond BullMQ's Python API: put it back, note who cannot do it, keep its lock
whatever happens, and fail one whose record nobody can read.

All in BullMQ's key layout. Putting back runs the Lua script that BullMQ ships and its Node version calls in
``moveJobFromActiveToWait``: the job stands first in line again and no attempt is counted.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import bullmq
from bullmq import Job, UnrecoverableError, Worker
from pydantic import ValidationError

from ethereal_gui.domain.job import LeftBy

log = logging.getLogger(__name__)

_PUT_BACK: Final = (Path(bullmq.__file__).parent / "commands" / "moveJobFromActiveToWait-9.lua").read_text("utf-8")

# A lock that ran out while the server was away is taken again, but only while the job still is this worker's: once it
# was given to somebody else, or moved, the lock is somebody else's or the job is not active any more.
_RECLAIM: Final = """
local token = redis.call('GET', KEYS[1])
if token == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('SREM', KEYS[3], ARGV[3])
  return 1
end
if token or not redis.call('LPOS', KEYS[2], ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[3], ARGV[3])
return 1
"""


async def put_back(worker: Worker, job: Job, token: str) -> bool:
    """Move an active job to the head of the waiting line without counting the attempt.

    Returns False when the job is not this worker's any more.
    """
    keys = [
        worker.keys[name]
        for name in ("active", "wait", "stalled", "paused", "meta", "limiter", "prioritized", "marker", "events")
    ]
    client: Any = worker.client
    result = await client.eval(_PUT_BACK, len(keys), *keys, job.id, token, worker.backend.toKey(job.id))
    return int(result) >= 0


async def left_by(worker: Worker, job: Job) -> LeftBy:
    """Which workers have left a job so far."""
    client: Any = worker.client
    text = await client.hget(worker.backend.toKey(job.id), "left")
    try:
        return LeftBy.model_validate_json(text)
    except ValidationError:
        return LeftBy(workers={}, times=0)


async def note_left(worker: Worker, job: Job, left: LeftBy) -> None:
    """Write down who has left a job; the note goes with the job's record."""
    client: Any = worker.client
    await client.hset(worker.backend.toKey(job.id), "left", json.dumps(left.to_wire()))


async def reclaim(worker: Worker, job_id: str, token: str, lock_ms: int) -> bool:
    """Renew a job's lock, or take it again when it ran out. Returns False when the job went to somebody else."""
    keys = [f"{worker.backend.toKey(job_id)}:lock", worker.keys["active"], worker.keys["stalled"]]
    client: Any = worker.client
    return bool(await client.eval(_RECLAIM, len(keys), *keys, token, lock_ms, job_id))


def usable_options(opts: Mapping[str, Any]) -> dict[str, Any]:
    """A job's options without those that BullMQ would trip over when the job ends: it would stay active for ever."""
    kept = dict(opts)
    if not _is_count(kept.get("attempts")):
        kept["attempts"] = 1
    backoff = kept.get("backoff")
    by_type = isinstance(backoff, dict) and backoff.get("type") in _BACKOFFS and _is_count(backoff.get("delay"))
    if not by_type and not _is_count(backoff):
        kept.pop("backoff", None)
    for name in ("removeOnComplete", "removeOnFail"):
        value = kept.get(name)
        counted = isinstance(value, dict) and all(_is_count(value.get(key, 0)) for key in ("count", "age", "limit"))
        if not counted and not isinstance(value, int):
            kept.pop(name, None)
    return kept


_BACKOFFS: Final = ("fixed", "exponential")
_MAX_COUNT: Final = 2**40


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT


class SteadyWorker(Worker):
    """BullMQ's worker, whose locks outlive an absent server, a sleeping machine and a changed clock, and which a record
    that another program has written wrongly cannot stop.

    BullMQ renews locks by the wall clock, and its check for stalled jobs takes any job whose lock ran out while nobody
    could renew it, this worker's own among them. So before each check, whose timer no clock disturbs, the locks of all
    own jobs are renewed or taken again.
    """

    async def runStalledJobsCheck(self) -> None:
        """Renew the own locks, then look for jobs that other workers have lost."""
        try:
            for job, token in list(self.jobs):
                if not await reclaim(self, job.id, token, int(self.opts["lockDuration"])):
                    self.emit("lockRenewalFailed", [job.id])
        except Exception as error:  # BullMQ's timer ends for good with an error
            self.emit("error", error)
            return
        await super().runStalledJobsCheck()

    async def nextJobFromJobData(
        self,
        job_data: dict[str, Any] | None = None,
        job_id: str | None = None,
        limit_until: int = 0,
        delay_until: int = 0,
        token: str | None = None,
    ) -> Job | None:
        """The job that BullMQ has just made active; one that cannot be read fails at once."""
        try:
            job = await super().nextJobFromJobData(job_data, job_id, limit_until, delay_until, token)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            if job_id is None or token is None:
                raise
            log.warning("job %s cannot be read: %s", job_id, error)
            unread = Job(self, "", None, {"attempts": 1}, job_id)
            await unread.moveToFailed(UnrecoverableError(f"The job's record cannot be read ({error})."[:500]), token)
            return None
        if job is not None:
            job.opts = usable_options(job.opts)
            job.attempts = max(1, job.opts["attempts"])
        return job


class PartsFirstWorker(SteadyWorker):
    """Takes parts of videos that were split up before it takes whole jobs: what was begun is finished first.

    The parts are in a queue of their own. Both queues share this worker's loop, and with it the number of jobs at a
    time, pausing, and the end.

    Args:
        parts: a worker on the queue of parts, which is never run by itself.
    """

    def __init__(
        self, name: str, processor: Callable[..., Awaitable[Any]], opts: Mapping[str, Any], *, parts: SteadyWorker
    ) -> None:
        super().__init__(name, processor, opts)
        self.parts = parts

    async def run(self) -> None:
        """Take jobs and parts until closed."""
        await self.parts._ensure_client_names()
        self.parts.lockManager.start()
        await super().run()

    async def moveToActive(self, token: str) -> Job | None:
        """The next part, else the next job."""
        self.parts.blockUntil = 0
        part = await self.parts.moveToActive(token)
        if part:
            self.drained = False
            return part
        job = await super().moveToActive(token)
        self._wait_until_next(self.parts.blockUntil)
        return job

    async def waitForJob(self) -> int:
        """Sleep until something comes into one of the queues; returns until when to sleep on, or 0."""
        try:
            markers = [self.parts.keys["marker"], self.keys["marker"]]
            found = await self.backend.bclient.bzpopmin(markers, self.getBlockTimeout(self.blockUntil))
        except Exception as error:
            if self.isConnectionError(error) and not self.closing:
                await asyncio.sleep(0.1)  # as BullMQ does: a server that is away must not make a busy loop
            raise
        due = int(found[2]) if found else 0
        # The marker of one queue's delayed jobs must not hide that of the other's.
        return min(due, self.blockUntil) if due and self.blockUntil > time.time() * 1000 else due

    async def processJob(self, job: Job, token: str) -> None:
        """Each job by the worker of its queue, which knows its lock."""
        if job.queue is self.parts:
            await self.parts.processJob(job, token)
        else:
            await super().processJob(job, token)

    async def runStalledJobsCheck(self) -> None:
        """Look for lost parts and for lost jobs."""
        await self.parts.runStalledJobsCheck()
        await super().runStalledJobsCheck()

    async def close(self, force: bool = False) -> None:
        """Close both, after the jobs that run unless ``force``."""
        self.parts.forceClosing = self.parts.forceClosing or force
        await super().close(force)
        await self.parts.close(force)

    def _wait_until_next(self, due: int) -> None:
        if due:
            self.blockUntil = min(due, self.blockUntil) if self.blockUntil else due
