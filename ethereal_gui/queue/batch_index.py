"""Which jobs a batch has and how they ended, kept beside BullMQ's records.

BullMQ drops all but the newest hundred completed jobs, so a batch's progress cannot be counted from them. The index
keeps every job's id and, when it is finished, its outcome. Jobs and their entries are added in one transaction: a job
is in the index exactly if it was ever added, which makes submitting the same batch twice add nothing, even when its
jobs are long done and dropped. While the queue still has a job, the queue's own state wins.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from bullmq import Job
from pydantic import ValidationError
from redis.exceptions import WatchError

from ethereal_gui.domain.batch import BatchJobData, BatchStatus, utc_now
from ethereal_gui.domain.errors import JobDataError, QueueError
from ethereal_gui.domain.job import JobStatus, RenderJobData, RenderOutcome
from ethereal_gui.queue.access import DEFAULT_JOB_OPTIONS, JOB_NAME, QueueAccess, chunks

CHUNK: Final = 100
"""Jobs per transaction: blocks the caller's loop for less than 10 ms."""

_ID: Final = re.compile(r"[^:\s\x00-\x1f]{1,300}")


@dataclass(frozen=True, slots=True)
class AddedBatch:
    """What was submitted.

    Attributes:
        job_ids: all jobs of the batch, in the order in which they run.
        added: how many of them are new; 0 when the same batch had been submitted before.
    """

    batch_id: str
    job_ids: tuple[str, ...]
    added: int


class BatchIndex:
    """The batches of one queue."""

    def __init__(self, access: QueueAccess) -> None:
        self.access = access
        self._client = access.client
        self._keys = access.keys

    async def submit(self, batch: BatchJobData) -> AddedBatch:
        """Add every job of a batch that was never added. A batch that is already known stays as it was submitted."""
        check_id(batch.batch_id)
        await self.access.keep_events()
        key = self._keys.batch(batch.batch_id)
        if await self._client.hget(key, "complete"):
            return AddedBatch(batch.batch_id, tuple(await self.job_ids(batch.batch_id)), 0)
        if not await self._client.hsetnx(key, "data", json.dumps(batch.to_wire())):
            batch = await self.batch(batch.batch_id) or batch
        await self._client.zadd(self._keys.batches, {batch.batch_id: time.time() * 1000}, nx=True)
        jobs = batch.jobs()
        added, place = 0, 0
        for chunk in chunks(jobs, CHUNK):
            added += await self.add_jobs(batch.batch_id, chunk, place)
            place += len(chunk)
            await asyncio.sleep(0)
        await self._client.hset(key, "complete", "1")
        await self.access.announce("batch-added", batchId=batch.batch_id)
        return AddedBatch(batch.batch_id, tuple(job_id for job_id, _ in jobs), added)

    async def add_jobs(
        self, batch_id: str, jobs: Sequence[tuple[str, RenderJobData]], place: int, *, again: bool = False
    ) -> int:
        """Add jobs and their index entries in one transaction; returns how many were added.

        A job that the index knows is left out, unless ``again`` says that it was dropped and shall run once more.
        Two processes that submit the same batch at once see each other by the watched key.
        """
        for job_id, data in jobs:
            check_id(job_id)
            if data.batch_id != batch_id:
                raise JobDataError(f"The job {job_id} belongs to the batch {data.batch_id}, not to {batch_id}.")
        index = self._keys.batch_jobs(batch_id)
        outcomes, ends = self._keys.batch_outcomes(batch_id), self._keys.batch_ends(batch_id)
        while True:
            async with self._client.pipeline(transaction=True) as pipe:
                await pipe.watch(index)
                ids = [job_id for job_id, _ in jobs]
                known: list[float | None] = [None] * len(ids) if again else await pipe.zmscore(index, ids)
                new = [(n, job) for n, (job, score) in enumerate(zip(jobs, known, strict=True)) if score is None]
                if not new:
                    return 0
                pipe.multi()  # type: ignore[no-untyped-call]
                for n, (job_id, data) in new:
                    options = {**DEFAULT_JOB_OPTIONS, "jobId": job_id}
                    await self.access.queue.backend.scripts.addJob(
                        Job(self.access.queue, JOB_NAME, data.to_wire(), options, job_id), pipe
                    )
                    pipe.zadd(index, {job_id: place + n}, nx=True)
                    pipe.hdel(outcomes, job_id)
                    pipe.hdel(ends, job_id)
                try:
                    replies = await pipe.execute()
                except WatchError:
                    continue
                refused = [reply for reply in replies[::4] if isinstance(reply, int) and reply < 0]
                if refused:
                    raise QueueError(f"The queue refused a job (code {refused[0]}).")
                return len(new)

    async def register(self, data: RenderJobData) -> None:
        """Make sure that a batch exists for a job that is added alone."""
        check_id(data.batch_id)
        shared = {name: getattr(data, name) for name in type(data).model_fields if name in BatchJobData.model_fields}
        batch = BatchJobData(
            **{**shared, "created_at": data.created_at or utc_now()},
            audio_files=(data.audio_file,),
            output_formats=(data.output_format,),
        )
        pipe = self._client.pipeline(transaction=True)
        pipe.hsetnx(self._keys.batch(data.batch_id), "data", json.dumps(batch.to_wire()))
        pipe.zadd(self._keys.batches, {data.batch_id: time.time() * 1000}, nx=True)
        await pipe.execute()

    async def batch(self, batch_id: str) -> BatchJobData | None:
        """A batch as it was submitted, or None."""
        return _parse(await self._client.hget(self._keys.batch(batch_id), "data"))

    async def batches(self, limit: int) -> list[BatchJobData]:
        """The newest batches first; those that only strangers' jobs have made have no data and are left out."""
        ids = await self.batch_ids(limit)
        pipe = self._client.pipeline(transaction=False)
        for batch_id in ids:
            pipe.hget(self._keys.batch(batch_id), "data")
        parsed = [_parse(text) for text in (await pipe.execute() if ids else [])]
        return [batch for batch in parsed if batch]

    async def batch_ids(self, limit: int) -> list[str]:
        """Ids of the newest batches first, strangers' too."""
        return cast(list[str], await self._client.zrevrange(self._keys.batches, 0, limit - 1))

    async def unfinished_submissions(self) -> list[str]:
        """Batches whose submission was cut off: they lack some of their jobs."""
        ids = await self.batch_ids(10_000)
        pipe = self._client.pipeline(transaction=False)
        for batch_id in ids:
            pipe.hexists(self._keys.batch(batch_id), "complete")
        replies = await pipe.execute() if ids else []
        cut: list[str] = []
        for batch_id in (batch_id for batch_id, complete in zip(ids, replies, strict=True) if not complete):
            batch = await self.batch(batch_id)
            if batch and await self.size(batch_id) < len(batch.jobs()):
                cut.append(batch_id)
        return cut

    async def job_ids(self, batch_id: str) -> list[str]:
        """The batch's jobs in their order."""
        return cast(list[str], await self._client.zrange(self._keys.batch_jobs(batch_id), 0, -1))

    async def size(self, batch_id: str) -> int:
        """How many jobs the batch has."""
        return int(await self._client.zcard(self._keys.batch_jobs(batch_id)))

    async def ended_ids(self, batch_ids: Sequence[str]) -> list[str]:
        """Jobs of these batches of which it was noted how they ended."""
        pipe = self._client.pipeline(transaction=False)
        for batch_id in batch_ids:
            pipe.hkeys(self._keys.batch_ends(batch_id))
        return [job_id for ids in (await pipe.execute() if batch_ids else []) for job_id in ids]

    async def status(self, batch_id: str) -> BatchStatus | None:
        """Counted by one script in one step, see ``lua/batch_status.lua``."""
        counts = await self.access.scripts.run("batch_status", batch_id)
        return None if counts is None else BatchStatus(batch_id, *(int(count) for count in counts))

    async def record_outcome(
        self,
        job_id: str,
        batch_id: str,
        status: JobStatus,
        outcome: RenderOutcome | None,
        failed_reason: str | None,
    ) -> None:
        """Note how a job is about to end."""
        fields: dict[str, Any] = {}
        if outcome is not None:
            fields["returnvalue"] = json.dumps(outcome.to_wire())
        if failed_reason is not None:
            fields["failedReason"] = failed_reason
        await self.access.scripts.run("record_outcome", job_id, batch_id, status.value, json.dumps(fields))

    async def put_outcome(self, job_id: str, batch_id: str, text: str) -> None:
        """Write an outcome back as it was, together with its index entry."""
        index = self._keys.batch_jobs(batch_id)
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(index, {job_id: await self.size(batch_id)}, nx=True)
        pipe.hset(self._keys.batch_outcomes(batch_id), job_id, text)
        pipe.hset(self._keys.batch_ends(batch_id), job_id, text[:1])
        pipe.zadd(self._keys.batches, {batch_id: time.time() * 1000}, nx=True)
        await pipe.execute()

    async def forget(self, job_ids: Iterable[str]) -> None:
        """Take jobs out of the index; a batch without jobs goes with its last one."""
        for chunk in chunks(job_ids, CHUNK):
            await self.access.scripts.run("forget", *chunk)


def check_id(text: str) -> None:
    """Refuse what BullMQ cannot use as (part of) a job id.

    Raises:
        JobDataError: it is empty, too long, a number, or has a colon or white space in it.
    """
    if not _ID.fullmatch(text) or text.isdecimal():
        raise JobDataError(f"“{text[:40]}” cannot be an id: it must not be a number nor have a colon or a space in it.")


def _parse(text: str | bytes | None) -> BatchJobData | None:
    if not text:
        return None
    try:
        return BatchJobData.model_validate_json(text)
    except ValidationError:
        return None
