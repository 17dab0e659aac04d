"""The render queue: everything that the window, the command line and the worker ask of it.

BullMQ is the authority over jobs and their states; every call here is one of BullMQ's own or a script in BullMQ's key
layout for what it lacks (cancelling, holding, reordering, and a batch's status). So any BullMQ tool works on it.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, cast

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, BatchStatus, job_id, new_batch_id, utc_now
from ethereal_gui.domain.errors import JobDataError, QueueError
from ethereal_gui.domain.job import (
    CANCELLED_REASON,
    JobSnapshot,
    JobStatus,
    RenderJobData,
    RenderOptions,
    RenderOutcome,
)
from ethereal_gui.domain.wire import checked
from ethereal_gui.queue.access import (
    DEFAULT_JOB_OPTIONS,
    JOB_NAME,
    KEEP_FAILED,
    PREFIX,
    QUEUE_NAME,
    QueueAccess,
    chunks,
    reported,
)
from ethereal_gui.queue.batch_index import AddedBatch, BatchIndex, check_id
from ethereal_gui.queue.condition import condition
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.job_record import FIELDS, REMOVED, outcome_of_snapshot, raw_data_of_outcome, snapshot_from_reply
from ethereal_gui.queue.parts import PartQueue
from ethereal_gui.queue.waiting_line import WaitingLine, Where

__all__ = ["DEFAULT_JOB_OPTIONS", "JOB_NAME", "PREFIX", "QUEUE_NAME", "AddedBatch", "RenderQueue", "Where"]

_READ_CHUNK: Final = 200
_LIVE_SETS: Final = ("prioritized", "delayed", "waiting-children", "failed", "completed")


class RenderQueue:
    """The queue as one process sees it; connects with the first call.

    Every method raises ``ServerUnavailableError`` when the server does not answer, ``ServerRefusedError`` when it does
    not let us in, and ``QueueError`` for other answers that are errors.

    Attributes:
        parts: parts of videos that several workers render together.
    """

    def __init__(self, address: ServerAddress, *, queue_name: str = QUEUE_NAME, prefix: str = PREFIX) -> None:
        self.address = address
        self.access = QueueAccess(address, queue_name, prefix)
        self.parts = PartQueue(self.access)
        self._index = BatchIndex(self.access)
        self._line = WaitingLine(self.access)
        self._line_places: dict[str, str] = {}

    # -- Adding ------------------------------------------------------------------------------------------------------

    @reported
    async def add_batch_job(
        self,
        audio_files: Sequence[AudioFile],
        template: str,
        output_formats: Sequence[str],
        *,
        options: RenderOptions | None = None,
        batch_id: str | None = None,
    ) -> AddedBatch:
        """Add files x formats. The same ``batch_id`` again adds nothing but what a cut-off submission left out."""
        if batch_id is not None:
            check_id(batch_id)
        chosen = {name: getattr(options, name) for name in RenderOptions.model_fields} if options else {}
        values = {
            "batch_id": new_batch_id() if batch_id is None else batch_id,
            "audio_files": tuple(audio_files),
            "template": template,
            "output_formats": tuple(output_formats),
            "created_at": utc_now(),
        }
        return await self._index.submit(checked(BatchJobData, {**chosen, **values}))

    @reported
    async def add_render_job(self, data: RenderJobData) -> str:
        """Add one job; nothing happens when it was ever added before. Returns its id."""
        new_id = job_id(data.batch_id, data.audio_file.id, data.output_format)
        await self.access.keep_events()
        await self._index.register(data)
        place = await self._index.size(data.batch_id)
        await self._index.add_jobs(data.batch_id, [(new_id, data)], place)
        return new_id

    @reported
    async def finish_submissions(self) -> list[AddedBatch]:
        """Complete the submissions that a crash has cut off. Returns those that got jobs by it."""
        cut = [await self._index.batch(batch_id) for batch_id in await self._index.unfinished_submissions()]
        return [await self._index.submit(batch) for batch in cut if batch]

    # -- Looking -----------------------------------------------------------------------------------------------------

    async def get_job_status(self, job_id: str) -> JobSnapshot | None:
        """State, progress, failed reason and the rest of one job, or None when there is no such job."""
        return (await self.snapshots([job_id]))[0]

    @reported
    async def get_batch_status(self, batch_id: str) -> BatchStatus | None:
        """How far a batch is, or None when there is no such batch."""
        return await self._index.status(batch_id)

    @reported
    async def snapshots(self, job_ids: Sequence[str]) -> list[JobSnapshot | None]:
        """Some jobs, in the order asked for; None for those that neither the queue nor the index knows."""
        found: list[JobSnapshot | None] = []
        for chunk in chunks(job_ids, _READ_CHUNK):
            replies = await self.access.scripts.run("snapshots", len(FIELDS), *FIELDS, *chunk)
            found += [snapshot_from_reply(id_, reply) for id_, reply in zip(chunk, replies, strict=True)]
        return found

    @reported
    async def batch_job_ids(self, batch_id: str) -> list[str]:
        """Every job that a batch ever had and nobody removed, in the order of its submission."""
        return await self._index.job_ids(batch_id)

    @reported
    async def get_batch(self, batch_id: str) -> BatchJobData | None:
        """A batch as it was submitted."""
        return await self._index.batch(batch_id)

    @reported
    async def batches(self, limit: int = 1000) -> list[BatchJobData]:
        """The newest batches first."""
        return await self._index.batches(limit)

    @reported
    async def batch_ids(self, limit: int = 1000) -> list[str]:
        """Ids of the newest batches first, with those that only strangers' jobs belong to."""
        return await self._index.batch_ids(limit)

    @reported
    async def live_job_ids(self) -> list[str]:
        """Every job of which the queue itself has a record, running ones first; jobs of strangers are among them."""
        keys = self.access.keys
        pipe = self.access.client.pipeline(transaction=True)
        pipe.lrange(keys.key("active"), 0, -1)
        for name in _LIVE_SETS:
            pipe.zrange(keys.key(name), 0, -1)
        active, *others = await pipe.execute()
        waiting = await self._line.order()
        return list(dict.fromkeys([*active, *waiting, *(id_ for ids in others for id_ in ids)]))

    @reported
    async def waiting_order(self) -> list[str]:
        """The jobs in the order in which they will run; delayed and held ones are not in the line."""
        return await self._line.order()

    @reported
    async def open_count(self) -> int:
        """How many jobs run, wait, or will be tried again; without held ones."""
        return await self._line.open_count()

    @reported
    async def is_paused(self) -> bool:
        """No worker takes new jobs."""
        return bool(await self.access.client.hexists(self.access.keys.key("meta"), "paused"))

    @reported
    async def server_condition(self) -> str:
        """Why the server takes nothing new although it answers, a sentence; empty when all is well."""
        return condition(self.address.label, await self.access.client.info())

    @reported
    async def job_log(self, job_id: str) -> list[str]:
        """The lines of a job's log, oldest first."""
        return cast(list[str], await self.access.client.lrange(self.access.keys.key(f"{job_id}:logs"), 0, -1))

    @reported
    async def add_log(self, job_id: str, line: str, *, keep: int = 500) -> None:
        """Append a line to a job's log."""
        await self.access.queue.backend.addLog(job_id, line, keep)

    @reported
    async def stacktraces(self, job_id: str) -> list[str]:
        """The stack traces of a job's failed attempts, oldest first."""
        text = await self.access.client.hget(self.access.keys.key(job_id), "stacktrace")
        try:
            traces = json.loads(text or "[]")
        except ValueError:
            traces = [text]
        return [str(trace) for trace in traces] if isinstance(traces, list) else [str(traces)]

    # -- Steering ----------------------------------------------------------------------------------------------------

    @reported
    async def pause(self) -> None:
        """Let no worker take new jobs; running ones go on."""
        await self.access.queue.pause()

    @reported
    async def resume(self) -> None:
        """Let workers take jobs again."""
        await self.access.queue.resume()

    @reported
    async def cancel(self, job_id: str) -> bool:
        """Cancel a job: a waiting one and one whose parts others render fails at once, a running one as soon as its
        worker sees the wish.

        Returns False when it is finished or unknown.
        """
        answer = await self.access.scripts.run("cancel", job_id, f"{CANCELLED_REASON} by the user.", KEEP_FAILED)
        return answer in ("cancelled", "requested")

    @reported
    async def cancel_requests(self, job_ids: Iterable[str]) -> set[str]:
        """Which of these running jobs somebody wants to end; for the worker that has them.

        A wish for a job that runs nowhere any more, because its attempt failed or its worker was lost just then, is
        fulfilled at once, so that the job does not start again first.
        """
        wished = cast(list[str], await self.access.client.zrange(self.access.keys.cancelling, 0, -1))
        mine = set(job_ids)
        for other in set(wished) - mine:
            await self.cancel(other)
        return mine.intersection(wished)

    @reported
    async def clear_cancel(self, job_id: str) -> None:
        """The wish was obeyed or has become pointless."""
        await self.access.client.zrem(self.access.keys.cancelling, job_id)

    @reported
    async def note_worker(self, job_id: str, worker_name: str) -> None:
        """Say which worker has a running job: BullMQ's Node workers do it by themselves, its Python ones do not."""
        await self.access.scripts.run("note_worker", job_id, worker_name)

    @reported
    async def record_outcome(
        self,
        job_id: str,
        batch_id: str,
        status: JobStatus,
        outcome: RenderOutcome | None = None,
        failed_reason: str | None = None,
    ) -> None:
        """Note how a job ends; the worker calls it just before it leaves its processor for the last time.

        A crash right afterwards does no harm: as long as the queue has the job, the queue's own state counts.
        """
        await self._index.record_outcome(job_id, batch_id, status, outcome, failed_reason)

    @reported
    async def retry(self, job_id: str) -> bool:
        """Run a failed, completed or delayed job (again), with all its attempts. False for any other job."""
        answer = await self.access.scripts.run("retry", job_id)
        if answer[0] != "gone":
            return bool(answer[0] == "retried")
        raw = raw_data_of_outcome(str(answer[1]))
        try:
            data = RenderJobData.model_validate(raw)
        except ValueError as error:
            raise JobDataError(f"The job {job_id} cannot be run again: its data was not kept.") from error
        return bool(await self._index.add_jobs(str(answer[2]), [(job_id, data)], 0, again=True))

    @reported
    async def hold(self, job_id: str) -> bool:
        """Take a waiting job out of the line until it is released. False when it does not wait."""
        return await self._line.hold(job_id)

    @reported
    async def release(self, job_id: str) -> bool:
        """Let a held job back into the line, at its end. False when it is not held."""
        return await self._line.release(job_id)

    @reported
    async def set_aside(self, job_id: str, seconds: float) -> bool:
        """Take a waiting job out of everybody's way for some seconds. False when it does not wait any more."""
        return bool(await self.access.scripts.run("set_aside", job_id, round(seconds * 1000)))

    @reported
    async def move(self, job_id: str, where: Where) -> bool:
        """Move a waiting job within the line. False when it does not wait or is there already."""
        return await self._line.move(job_id, where)

    @reported
    async def move_before(self, job_id: str, other_id: str) -> bool:
        """Put a waiting job right before another one."""
        return await self._line.move_before(job_id, other_id)

    @reported
    async def set_priority(self, job_id: str, priority: int) -> None:
        """Give a job a priority: 1 is the highest, 0 is none and runs before all others, as BullMQ has it."""
        await self._line.set_priority(job_id, priority)

    @reported
    async def edit(self, job_id_: str, data: RenderJobData) -> bool:
        """Change what a waiting job shall do. False when a worker has it or it is finished.

        Raises:
            JobDataError: the data belongs to another job.
        """
        if job_id(data.batch_id, data.audio_file.id, data.output_format) != job_id_:
            raise JobDataError("A job's batch, file and format cannot be changed: add another job instead.")
        text = json.dumps(data.to_wire(), separators=(",", ":"), allow_nan=False)
        return bool(await self.access.scripts.run("edit", job_id_, text))

    # -- Removing ----------------------------------------------------------------------------------------------------

    @reported
    async def remove(self, job_id: str) -> JobSnapshot | None:
        """Remove a job for good. Returns what it was, for ``restore``; None when there was none.

        Raises:
            QueueError: it is running.
        """
        removed, running = await self.remove_many([job_id])
        if running:
            raise QueueError(f"The job {job_id} is running.", hint="Cancel it first.")
        return removed[0] if removed else None

    @reported
    async def remove_many(self, job_ids: Sequence[str]) -> tuple[list[JobSnapshot], list[str]]:
        """Remove jobs for good. Returns what they were, for ``restore``, and the ids of those that are running."""
        removed: list[JobSnapshot] = []
        running: list[str] = []
        line = await self._line.order()
        followers = dict(pairwise(line))
        for chunk in chunks(job_ids, _READ_CHUNK):
            found = [one for one in await self.snapshots(chunk) if one]
            running += [one.id for one in found if one.status is JobStatus.PROCESSING]
            gone = [one for one in found if one.status is not JobStatus.PROCESSING]
            self._line_places |= {one.id: followers[one.id] for one in gone if one.id in followers}
            await self._drop(gone)
            removed += gone
        return removed, running

    @reported
    async def restore(self, snapshot: JobSnapshot) -> bool:
        """Undo a ``remove``: a pending job goes back to its place in the line, a finished one into the history.

        Returns False when the job cannot be rebuilt, because its data was not readable.
        """
        if snapshot.data is None or snapshot.batch_id is None:
            return False
        await self._index.register(snapshot.data)
        if snapshot.is_terminal:
            await self._index.put_outcome(snapshot.id, snapshot.batch_id, outcome_of_snapshot(snapshot))
            await self.access.announce("restored", jobId=snapshot.id)
            return True
        place = await self._index.size(snapshot.batch_id)
        await self._index.add_jobs(snapshot.batch_id, [(snapshot.id, snapshot.data)], place, again=True)
        if snapshot.priority:
            await self._line.set_priority(snapshot.id, snapshot.priority)
        follower = self._line_places.pop(snapshot.id, None)
        if snapshot.held:
            await self._line.hold(snapshot.id)
        elif follower:
            await self._line.move_before(snapshot.id, follower)
        return True

    @reported
    async def forget_batch(self, batch_id: str) -> int:
        """Remove every job of a batch and the batch itself. Returns how many jobs went.

        Raises:
            QueueError: one of its jobs is running.
        """
        ids = await self._index.job_ids(batch_id)
        status = await self._index.status(batch_id)
        if status and status.processing:
            raise QueueError(f"The batch {batch_id} is still running.", hint="Cancel its running jobs first.")
        for chunk in chunks(ids, _READ_CHUNK):
            await self._drop([one for one in await self.snapshots(chunk) if one])
        await self._index.forget(ids)
        keys = self.access.keys
        await self.access.client.delete(
            keys.batch(batch_id), keys.batch_jobs(batch_id), keys.batch_outcomes(batch_id), keys.batch_ends(batch_id)
        )
        await self.access.client.zrem(keys.batches, batch_id)
        await self.access.announce("batch-removed", batchId=batch_id)
        return len(ids)

    @reported
    async def clear_finished(self, batch_id: str | None = None) -> int:
        """Remove finished jobs, of one batch or of all. Returns how many went."""
        ids = await (self._index.job_ids(batch_id) if batch_id else self._ended_ids())
        cleared = 0
        for chunk in chunks(ids, _READ_CHUNK):
            finished = [one for one in await self.snapshots(chunk) if one and one.is_terminal]
            await self._drop(finished)
            cleared += len(finished)
        return cleared

    async def _ended_ids(self) -> list[str]:
        """Jobs that are finished, without a look at those that wait, which may be many more."""
        ended = await self._index.ended_ids(await self._index.batch_ids(1_000_000))
        pipe = self.access.client.pipeline(transaction=True)
        for name in ("completed", "failed"):
            pipe.zrange(self.access.keys.key(name), 0, -1)
        return list(dict.fromkeys([*ended, *(id_ for ids in await pipe.execute() for id_ in ids)]))

    async def _drop(self, snapshots: Sequence[JobSnapshot]) -> None:
        """Out of the index, then out of the queue. Cut off in between, a job is indexed again when it is next seen."""
        await self._index.forget(one.id for one in snapshots)
        await self.access.remove_records(one.id for one in snapshots if one.queue_state != REMOVED)

    async def close_queue(self) -> None:
        """Close the connections; jobs stay where they are."""
        await self.access.close()
