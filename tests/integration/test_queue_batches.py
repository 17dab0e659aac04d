"""Adding batches and counting them, on a real server with real BullMQ workers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from bullmq import Job, UnrecoverableError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import JobDataError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import CANCELLED_REASON, JobStatus, RenderJobData, RenderOptions
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.workers import Processor, outcome, until, working

Songs = Callable[[int], list[AudioFile]]


async def _finished(queue: RenderQueue, batch_id: str) -> bool:
    status = await queue.get_batch_status(batch_id)
    return status is not None and status.is_finished


def _completing(queue: RenderQueue) -> Processor:
    async def process(job: Job, _token: str) -> dict[str, object]:
        result = outcome(f"{job.id}.mp4")
        await queue.record_outcome(job.id, job.data["batchId"], JobStatus.COMPLETED, result)
        return result.to_wire()

    return process


async def test_a_batch_is_files_times_formats_under_the_documented_keys(queue: RenderQueue, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(3), "flame", ["1080p", "4k"], batch_id="my-batch")
    assert added.batch_id == "my-batch"
    assert added.added == 6
    assert added.job_ids[:3] == ("my-batch-a00000-1080p", "my-batch-a00000-4k", "my-batch-a00001-1080p")
    client, base = queue.access.client, queue.access.keys.base
    assert base.startswith("bull:")
    record = await client.hgetall(base + added.job_ids[0])
    assert record["name"] == "render"
    assert json.loads(record["opts"]) | {"jobId": None} == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 10000},
        "delay": 0,
        "jobId": None,
        "removeOnComplete": {"count": 100},
        "removeOnFail": {"count": 500},
    }
    data = json.loads(record["data"])
    created = data.pop("createdAt")
    assert created.endswith("+00:00")
    assert data == {
        "batchId": "my-batch",
        "audioFile": {"id": "a00000", "path": "/music/0.mp3", "originalName": "0.mp3"},
        "template": "flame",
        "outputFormat": "1080p",
        "renderDbId": None,
    }
    assert await queue.waiting_order() == list(added.job_ids)


async def test_options_of_a_batch_reach_its_jobs(queue: RenderQueue, songs: Songs) -> None:
    options = RenderOptions(output_dir="/out", fps=60, quality=Quality.HIGH, template_values={"glow": 0.5})
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"], options=options)
    snapshot = await queue.get_job_status(added.job_ids[0])
    assert snapshot is not None
    assert snapshot.data is not None
    assert snapshot.data.fps == 60
    assert snapshot.data.template_values == {"glow": 0.5}
    batch = await queue.get_batch(added.batch_id)
    assert batch is not None
    assert batch.output_dir == "/out"
    assert [one.batch_id for one in await queue.batches()] == [added.batch_id]


async def test_the_same_batch_again_adds_nothing(queue: RenderQueue, songs: Songs) -> None:
    first = await queue.add_batch_job(songs(4), "flame", ["1080p"], batch_id="b1")
    again = await queue.add_batch_job(songs(5), "mist", ["1080p"], batch_id="b1")
    assert again.added == 0
    assert again.job_ids == first.job_ids
    assert len(await queue.waiting_order()) == 4


async def test_two_programs_submitting_the_same_batch_at_once_add_each_job_once(
    queue: RenderQueue, songs: Songs, server_address: ServerAddress, queue_name: str
) -> None:
    other = RenderQueue(server_address, queue_name=queue_name)
    both = await asyncio.gather(
        *(one.add_batch_job(songs(250), "flame", ["1080p", "4k"], batch_id="same") for one in (queue, other))
    )
    await other.close_queue()
    assert sum(one.added for one in both) == 500
    line = await queue.waiting_order()
    assert len(line) == len(set(line)) == 500


async def test_a_submission_that_was_cut_off_is_completed(queue: RenderQueue, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(5), "flame", ["1080p"], batch_id="cut")
    keys, client = queue.access.keys, queue.access.client
    # As a crash after the first transaction leaves it: the last jobs were never added.
    for job_id in added.job_ids[3:]:
        await client.delete(keys.key(job_id))
        await client.lrem(keys.key("wait"), 1, job_id)
        await client.zrem(keys.batch_jobs("cut"), job_id)
    await client.hdel(keys.batch("cut"), "complete")
    completed = await queue.finish_submissions()
    assert [(one.batch_id, one.added) for one in completed] == [("cut", 2)]
    assert await queue.waiting_order() == list(added.job_ids)
    assert await queue.finish_submissions() == []


async def test_status_stays_right_after_completed_jobs_were_dropped_and_nothing_runs_twice(
    queue: RenderQueue, songs: Songs
) -> None:
    added = await queue.add_batch_job(songs(140), "flame", ["1080p"], batch_id="long")
    async with working(queue, _completing(queue), concurrency=8):
        await until(lambda: _finished(queue, "long"))
    keys, client = queue.access.keys, queue.access.client
    assert await client.zcard(keys.key("completed")) == 100
    status = await queue.get_batch_status("long")
    assert status is not None
    assert (status.total, status.completed, status.pending, status.failed) == (140, 140, 0, 0)
    again = await queue.add_batch_job(songs(140), "flame", ["1080p"], batch_id="long")
    assert again.added == 0
    assert await queue.waiting_order() == []
    dropped = [one for one in await queue.snapshots(added.job_ids) if one and one.queue_state == "removed"]
    assert len(dropped) == 40
    for one in dropped:
        assert one.status is JobStatus.COMPLETED
        assert one.outcome == outcome(f"{one.id}.mp4")
        assert one.data is not None
        assert one.data.audio_file.original_name.endswith(".mp3")
        assert one.finished_at is not None
        assert one.attempts_made == 1


async def test_status_counts_every_state(queue: RenderQueue, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(7), "flame", ["1080p"], batch_id="all")
    ids = added.job_ids
    await queue.set_priority(ids[5], 3)
    await queue.hold(ids[6])
    await queue.cancel(ids[4])
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def process(job: Job, _token: str) -> dict[str, object]:
        if job.id == ids[0]:
            return outcome().to_wire()
        if job.id == ids[1]:
            raise UnrecoverableError("hopeless")
        if job.id == ids[2]:
            raise RuntimeError("once more")
        arrived.set()
        await go_on.wait()
        return outcome().to_wire()

    async with working(queue, process):
        await asyncio.wait_for(arrived.wait(), 10)
        status = await queue.get_batch_status("all")
        go_on.set()
    assert status is not None
    assert status.total == 7
    assert (status.completed, status.failed, status.pending, status.processing) == (1, 2, 3, 1)
    assert status.cancelled == 1


async def test_a_record_dropped_without_our_worker_noting_it_still_counts_once_it_was_seen(
    queue: RenderQueue, songs: Songs
) -> None:
    """A worker of strangers notes no outcome; whoever looks while the record is there does."""
    added = await queue.add_batch_job(songs(2), "flame", ["1080p"], batch_id="foreign")

    async def process(_job: Job, _token: str) -> dict[str, object]:
        return outcome().to_wire()

    async with working(queue, process):
        await until(lambda: _finished(queue, "foreign"))
    for job_id in added.job_ids:
        await queue.access.client.delete(queue.access.keys.key(job_id))
        await queue.access.client.zrem(queue.access.keys.key("completed"), job_id)
    status = await queue.get_batch_status("foreign")
    assert status is not None
    assert (status.total, status.completed) == (2, 2)


async def test_the_queues_own_state_wins_over_a_noted_outcome(queue: RenderQueue, songs: Songs) -> None:
    """A worker that crashes between noting the outcome and telling BullMQ leaves a job that is not done."""
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"], batch_id="crash")
    await queue.record_outcome(added.job_ids[0], "crash", JobStatus.COMPLETED, outcome())
    status = await queue.get_batch_status("crash")
    assert status is not None
    assert (status.pending, status.completed) == (1, 0)
    snapshot = await queue.get_job_status(added.job_ids[0])
    assert snapshot is not None
    assert snapshot.status is JobStatus.PENDING


async def test_status_asks_the_server_once_and_reads_no_job_of_other_batches(queue: RenderQueue, songs: Songs) -> None:
    await queue.add_batch_job(songs(50), "flame", ["1080p"], batch_id="mine")
    await queue.get_batch_status("mine")

    async def calls() -> dict[str, int]:
        stats = await queue.access.client.info("commandstats")
        return {name: value["calls"] for name, value in stats.items()}

    def cost(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
        grown = {name: count - before.get(name, 0) for name, count in after.items()}
        return {name: count for name, count in grown.items() if count and name != "cmdstat_info"}

    before = await calls()
    await queue.get_batch_status("mine")
    alone = cost(before, await calls())
    await queue.add_batch_job(songs(600), "flame", ["1080p", "4k"], batch_id="others")
    before = await calls()
    await queue.get_batch_status("mine")
    crowded = cost(before, await calls())
    assert crowded == alone
    assert alone["cmdstat_evalsha"] == 1
    assert alone["cmdstat_exists"] <= 51


async def test_what_every_start_and_every_job_asks_costs_the_same_in_a_long_queue(
    queue: RenderQueue, songs: Songs
) -> None:
    """Bytes that the server sends for it: 3,000 waiting jobs would be far more, their ids alone are 60 kB."""
    await queue.add_batch_job(songs(3000), "flame", ["1080p"], batch_id="long")
    data = RenderJobData(
        batch_id="long", audio_file=songs(3001)[-1], template="flame", output_format="4k", render_db_id=None
    )

    async def sent() -> int:
        return int((await queue.access.client.info("stats"))["total_net_output_bytes"])

    idle = -await sent() + await sent()
    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "completing what was cut off": queue.finish_submissions,
        "one more job": lambda: queue.add_render_job(data),
        "is anything left to do": queue.open_count,
        "clearing what is finished": queue.clear_finished,
        "wishes to cancel": lambda: queue.cancel_requests([]),
    }
    for name, ask in questions.items():
        before = await sent()
        await ask()
        cost = await sent() - before - idle
        assert cost < 5_000, f"{name}: {cost} bytes"
    assert (await queue.batch_job_ids("long"))[-1] == "long-a00bb8-4k"
    assert await queue.open_count() == 3001


async def test_one_job_alone(queue: RenderQueue, songs: Songs) -> None:
    data = RenderJobData(
        batch_id="single", audio_file=songs(1)[0], template="flame", output_format="4k", render_db_id=None
    )
    job_id = await queue.add_render_job(data)
    assert job_id == "single-a00000-4k"
    assert await queue.add_render_job(data) == job_id
    assert await queue.waiting_order() == [job_id]
    status = await queue.get_batch_status("single")
    assert status is not None
    assert status.total == 1
    assert (await queue.batches())[0].output_formats == ("4k",)


async def test_unknown_things_are_none(queue: RenderQueue) -> None:
    assert await queue.get_batch_status("nobody") is None
    assert await queue.get_job_status("nobody-1-2") is None
    assert await queue.get_batch("nobody") is None
    # Names of BullMQ's own keys are no jobs either.
    assert await queue.snapshots(["wait", "meta", "events", "id"]) == [None, None, None, None]


@pytest.mark.parametrize("bad", ["12345", "a:b", "", "a b", "x" * 400])
async def test_ids_that_bullmq_cannot_use_are_refused(queue: RenderQueue, songs: Songs, bad: str) -> None:
    if bad:
        with pytest.raises(JobDataError, match="cannot be an id"):
            await queue.add_batch_job(songs(1), "flame", ["1080p"], batch_id=bad)
    file = songs(1)[0].model_copy(update={"id": f"{bad}:"})
    with pytest.raises(JobDataError, match="cannot be an id"):
        await queue.add_batch_job([file], "flame", ["1080p"], batch_id="ok")
    assert await queue.waiting_order() == []


async def test_forgetting_a_batch_and_clearing_what_is_finished(queue: RenderQueue, songs: Songs) -> None:
    kept = await queue.add_batch_job(songs(2), "flame", ["1080p"], batch_id="kept")
    await queue.add_batch_job(songs(3), "flame", ["1080p"], batch_id="gone")
    await queue.cancel(kept.job_ids[0])
    assert await queue.forget_batch("gone") == 3
    assert await queue.get_batch_status("gone") is None
    assert await queue.clear_finished() == 1
    assert await queue.batch_job_ids("kept") == [kept.job_ids[1]]
    assert await queue.waiting_order() == [kept.job_ids[1]]
    left = {key async for key in queue.access.client.scan_iter(match=f"{queue.access.keys.base}*gone*")}
    assert left == set()


async def test_a_cancelled_job_says_so_when_its_record_is_dropped(queue: RenderQueue, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"], batch_id="c")
    await queue.cancel(added.job_ids[0])
    await queue.access.client.delete(queue.access.keys.key(added.job_ids[0]))
    await queue.access.client.delete(queue.access.keys.key("failed"))
    snapshot = await queue.get_job_status(added.job_ids[0])
    assert snapshot is not None
    assert snapshot.is_cancelled
    assert (snapshot.failed_reason or "").startswith(CANCELLED_REASON)
    status = await queue.get_batch_status("c")
    assert status is not None
    assert (status.failed, status.cancelled) == (1, 1)
