"""Parts of a video in a queue of their own: counted as one job, cancelled, failed, done and removed with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bullmq import Job, Queue, UnrecoverableError, WaitingChildrenError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import QueueError
from ethereal_gui.domain.job import JobSnapshot, JobStatus, PartJobData, Stage
from ethereal_gui.queue.claims import PartsFirstWorker, SteadyWorker
from ethereal_gui.queue.connection import worker_client
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.workers import Processor, outcome, until

Songs = Callable[[int], list[AudioFile]]
MARK = "0123456789abcdef" * 2
STATES = ("wait", "active", "prioritized", "delayed", "completed", "failed", "waiting-children")


async def parts_left(queue: RenderQueue) -> int:
    """How many parts the server has, in whatever state."""
    parts = Queue(queue.access.keys.parts, {"connection": queue.access.client})
    return sum((await parts.getJobCounts(*STATES)).values())


@asynccontextmanager
async def sharing_worker(queue: RenderQueue, job: Processor, part: Processor, **more: Any) -> AsyncIterator[None]:
    """The worker as the program has it, with other processors."""
    options = {"autorun": False, "drainDelay": 0.05, "lockDuration": 3000, "stalledInterval": 500, **more}

    def connected() -> dict[str, Any]:
        return {**options, "connection": worker_client(queue.address)}

    parts = SteadyWorker(queue.access.keys.parts, part, connected())
    worker = PartsFirstWorker(queue.access.keys.queue_name, job, connected(), parts=parts)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        await worker.close(force=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Splitting:
    """Jobs are split up in two when they are taken first, and done when their parts are."""

    def __init__(self, queue: RenderQueue) -> None:
        self.queue = queue
        self.go_on = asyncio.Event()
        self.ran: list[str] = []
        self.seen: list[str] = []

    async def job(self, job: Job, token: str) -> Any:
        state = await self.queue.parts.state(job.id)
        self.seen.append(state.kind)
        if state.kind == "failed":
            await self.queue.record_outcome(job.id, job.data["batchId"], JobStatus.FAILED, None, state.reason)
            raise UnrecoverableError(state.reason)
        if state.kind == "done":
            assert state.elapsed is not None
            return outcome().to_wire()
        parts = [
            PartJobData(job_id=job.id, job=job.data, mark=MARK, frames=500, start=start, stop=start + 200)
            for start in (100, 300)
        ]
        for _ in range(2):  # as after a lost answer
            await self.queue.parts.hand_out(parts, "abc", token)
        raise WaitingChildrenError

    async def part(self, job: Job, _token: str) -> Any:
        data = PartJobData.model_validate(job.data)
        self.ran.append(job.id)
        await job.updateProgress({"stage": "rendering", "fraction": 0.5, "frame": 50, "frames": 200, "fps": 20.0})
        await self.queue.parts.report(data.job_id, data.frames)
        while not self.go_on.is_set() and await self.queue.parts.is_wanted(data.job_id, job.id):
            await asyncio.sleep(0.02)
        return {}


@pytest.fixture
def splitting(queue: RenderQueue) -> Splitting:
    return Splitting(queue)


async def snapshot(queue: RenderQueue, job_id: str) -> JobSnapshot:
    (found,) = await queue.snapshots([job_id])
    assert found is not None
    return found


async def rendering(queue: RenderQueue, splitting: Splitting, job_id: str, parts: int = 1) -> JobSnapshot:
    await until(lambda: _true(len(splitting.ran) >= parts))

    async def told() -> bool:
        return (await snapshot(queue, job_id)).progress is not None

    await until(told)
    return await snapshot(queue, job_id)


async def _true(holds: bool) -> bool:
    return holds


async def numbers(queue: RenderQueue, batch_id: str) -> tuple[int, ...]:
    status = await queue.get_batch_status(batch_id)
    assert status is not None
    return status.total, status.pending, status.processing, status.completed, status.failed, status.cancelled


async def test_a_job_in_parts_is_one_job(queue: RenderQueue, splitting: Splitting, songs: Songs) -> None:
    files = songs(2)
    batch = await queue.add_batch_job(files, "flame", ["1080p"])
    first, second = batch.job_ids
    async with sharing_worker(queue, splitting.job, splitting.part):
        job = await rendering(queue, splitting, first)
        assert (job.status, job.queue_state) == (JobStatus.PROCESSING, "waiting-children")
        assert job.progress is not None
        assert (job.progress.stage, job.progress.frame, job.progress.frames) == (Stage.RENDERING, 150, 500)
        assert job.progress.fraction == pytest.approx(0.04 + 0.93 * 150 / 500)
        assert job.progress.fps == 20.0
        assert job.progress.time_left == pytest.approx(17.5)
        assert await numbers(queue, batch.batch_id) == (2, 1, 1, 0, 0, 0)
        assert await queue.open_count() == 2
        assert await queue.live_job_ids() == [second, first]
        assert (await queue.add_batch_job(files, "flame", ["1080p"], batch_id=batch.batch_id)).added == 0
        assert not await queue.hold(first)
        assert not await queue.retry(first)
        with pytest.raises(QueueError, match="Cancel it first"):
            await queue.remove(first)

        splitting.go_on.set()
        await until(lambda: _finished(queue, batch.batch_id))
    assert await numbers(queue, batch.batch_id) == (2, 0, 0, 2, 0, 0)
    assert splitting.seen == ["none", "done", "none", "done"], "a video is finished before the next one is begun"
    assert len(set(splitting.ran)) == len(splitting.ran) == 4
    assert await parts_left(queue) == 0
    base = queue.access.keys.key(first)
    assert not await queue.access.client.exists(f"{base}:dependencies", f"{base}:processed", f"{base}:failed")


async def _finished(queue: RenderQueue, batch_id: str) -> bool:
    status = await queue.get_batch_status(batch_id)
    return bool(status and status.is_finished)


async def test_cancelling_ends_the_parts_and_trying_again_begins_anew(
    queue: RenderQueue, splitting: Splitting, songs: Songs
) -> None:
    batch = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    (job_id,) = batch.job_ids
    async with sharing_worker(queue, splitting.job, splitting.part):
        await rendering(queue, splitting, job_id)
        assert await queue.cancel(job_id)
        assert (await snapshot(queue, job_id)).is_cancelled
        assert await numbers(queue, batch.batch_id) == (1, 0, 0, 0, 1, 1)
        await until(lambda: _none_left(queue))
        assert len(splitting.ran) == 1, "the part that waited never ran"
        await asyncio.sleep(0.3)
        assert (await snapshot(queue, job_id)).is_cancelled, "the end of a part that nobody wants changes nothing"

        splitting.go_on.set()
        assert await queue.retry(job_id)
        await until(lambda: _finished(queue, batch.batch_id))
    assert await numbers(queue, batch.batch_id) == (1, 0, 0, 1, 0, 0)
    assert splitting.seen == ["none", "none", "done"]
    assert await queue.remove(job_id) is not None
    assert await parts_left(queue) == 0


async def _none_left(queue: RenderQueue) -> bool:
    return await parts_left(queue) == 0


async def test_a_failed_part_fails_the_job_with_its_reason(
    queue: RenderQueue, splitting: Splitting, songs: Songs
) -> None:
    async def part(job: Job, token: str) -> Any:
        if job.id.endswith(".300-500"):
            raise UnrecoverableError("No memory for this.")
        return await splitting.part(job, token)

    batch = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    (job_id,) = batch.job_ids
    async with sharing_worker(queue, splitting.job, part, concurrency=2):
        await until(lambda: _finished(queue, batch.batch_id))
        await until(lambda: _none_left(queue))
    job = await snapshot(queue, job_id)
    assert (job.status, job.failed_reason) == (JobStatus.FAILED, "No memory for this.")
    assert await numbers(queue, batch.batch_id) == (1, 0, 0, 0, 1, 0)
    assert splitting.seen == ["none", "failed"]


async def test_parts_of_a_lost_worker_are_taken_again(queue: RenderQueue, splitting: Splitting, songs: Songs) -> None:
    batch = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    (job_id,) = batch.job_ids
    async with sharing_worker(queue, splitting.job, splitting.part):
        await rendering(queue, splitting, job_id)
    assert await numbers(queue, batch.batch_id) == (1, 0, 1, 0, 0, 0)
    splitting.go_on.set()
    async with sharing_worker(queue, splitting.job, splitting.part):
        await until(lambda: _finished(queue, batch.batch_id))
    assert await numbers(queue, batch.batch_id) == (1, 0, 0, 1, 0, 0)
    assert splitting.ran.count(splitting.ran[0]) == 2, "it was taken again"
    assert await parts_left(queue) == 0


async def test_who_lost_the_job_hands_out_nothing(queue: RenderQueue, songs: Songs) -> None:
    (job_id,) = (await queue.add_batch_job(songs(1), "flame", ["1080p"])).job_ids
    data = (await snapshot(queue, job_id)).data
    assert data is not None
    part = PartJobData(job_id=job_id, job=data, mark=MARK, frames=9, start=0, stop=9)
    with pytest.raises(QueueError, match="not this worker's"):
        await queue.parts.hand_out([part], "abc", "token")
    assert await parts_left(queue) == 0
    assert (await snapshot(queue, job_id)).status is JobStatus.PENDING


async def test_a_stranger_s_flow_stays_a_waiting_job(queue: RenderQueue, songs: Songs) -> None:
    """A parent of another program's children that nobody has taken yet is pending, and theirs stay theirs."""
    (job_id,) = (await queue.add_batch_job(songs(1), "flame", ["1080p"])).job_ids
    keys, client = queue.access.keys, queue.access.client
    await client.lrem(keys.key("wait"), 1, job_id)
    await client.zadd(keys.key("waiting-children"), {job_id: 1})
    await client.sadd(keys.key(f"{job_id}:dependencies"), "bull:other:child")
    job = await snapshot(queue, job_id)
    assert (job.status, job.queue_state) == (JobStatus.PENDING, "waiting-children")
    assert await numbers(queue, job.batch_id or "") == (1, 1, 0, 0, 0, 0)
    assert await queue.cancel(job_id)
    assert (await snapshot(queue, job_id)).is_cancelled
    assert await client.smembers(keys.key(f"{job_id}:dependencies")) == {"bull:other:child"}
