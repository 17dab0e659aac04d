"""Our queue and Node's BullMQ and bull-board on the same server."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bullmq import Job

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import JobStatus, RenderJobData
from ethereal_gui.queue.access import MAX_EVENTS
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.event_feed import EventFeed
from ethereal_gui.queue.keys import bullmq_client_name
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.rendering import finished, make_song, running, worker_config
from tests.integration.workers import outcome, until, working
from tests.interop.conftest import Node

Songs = Callable[[int], list[AudioFile]]

DATA = {
    "batchId": "node-batch",
    "audioFile": {"id": "n1", "path": "/music/ü.mp3", "originalName": "ü.mp3"},
    "template": "flame",
    "outputFormat": "1080p",
    "renderDbId": None,
}


def _is(queue: RenderQueue, job_id: str, status: JobStatus) -> Callable[[], Any]:
    async def check() -> bool:
        snapshot = await queue.get_job_status(job_id)
        return snapshot is not None and snapshot.status is status

    return check


async def test_a_python_worker_takes_what_a_node_queue_adds(node: Node, queue: RenderQueue) -> None:
    job_id = await node("add", data=DATA, opts={"jobId": "node-batch-n1-1080p", "attempts": 3})
    snapshot = await queue.get_job_status(job_id)
    assert snapshot is not None
    assert snapshot.data == RenderJobData.model_validate(DATA)
    assert snapshot.attempts == 3
    taken: list[Any] = []

    async def process(job: Job, _token: str) -> dict[str, object]:
        taken.append(job.data)
        await queue.record_outcome(job.id, "node-batch", JobStatus.COMPLETED, outcome())
        return outcome().to_wire()

    async with working(queue, process):
        await until(_is(queue, job_id, JobStatus.COMPLETED))
    assert taken == [DATA]
    assert await node("state", id=job_id) == "completed"
    status = await queue.get_batch_status("node-batch")
    assert status is not None
    assert (status.total, status.completed) == (1, 1)


async def test_our_worker_renders_what_node_adds_and_node_sees_all_of_it(
    node: Node, queue: RenderQueue, server_address: ServerAddress, queue_name: str, tmp_path: Path
) -> None:
    song = make_song(tmp_path / "ü.wav", 0.5)
    data = {**DATA, "audioFile": {"id": "n1", "path": str(song), "originalName": "ü.wav"}, "quality": "draft"}
    await node("listen")
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):

        async def node_sees_it() -> bool:
            return any(name.endswith(f":w:{config.name}") for name in await node("workers"))

        await until(node_sees_it)
        job_id = await node("add", data=data, opts={"jobId": "node-batch-n1-1080p", "attempts": 3})
        job = await finished(queue, job_id)
        assert job.outcome is not None, job.failed_reason
        assert Path(job.outcome.output_path).stat().st_size == job.outcome.size
        assert Path(job.outcome.output_path).parent == config.output_dir

    async def told() -> bool:
        return any(event["name"] == "completed" for event in await node("events"))

    await until(told)
    events = await node("events")
    assert next(event["returnvalue"] for event in events if event["name"] == "completed") == job.outcome.to_wire()
    assert "rendering" in [event["data"]["stage"] for event in events if event["name"] == "progress"]
    assert await node("state", id=job_id) == "completed"


async def test_a_node_worker_sees_every_documented_field_and_its_end_is_noted(
    node: Node, queue: RenderQueue, songs: Songs
) -> None:
    added = await queue.add_batch_job(songs(2), "flame", ["4k"], batch_id="ours")
    await node("work", name="node-worker")
    await until(_is(queue, added.job_ids[1], JobStatus.COMPLETED))
    first = (await node("taken"))[0]
    assert first["name"] == "render"
    created = first["data"].pop("createdAt")
    assert created
    assert first["data"] == {
        "batchId": "ours",
        "audioFile": {"id": "a00000", "path": "/music/0.mp3", "originalName": "0.mp3"},
        "template": "flame",
        "outputFormat": "4k",
        "renderDbId": None,
    }
    assert first["opts"]["attempts"] == 3
    assert first["opts"]["backoff"] == {"type": "exponential", "delay": 10000}
    snapshot = await queue.get_job_status(added.job_ids[0])
    assert snapshot is not None
    assert snapshot.worker == "node-worker"
    assert snapshot.outcome is not None
    assert snapshot.outcome.output_path == "/v.mp4"
    status = await queue.get_batch_status("ours")
    assert status is not None
    assert status.completed == 2


async def test_node_queue_events_tell_what_we_do(node: Node, queue: RenderQueue, songs: Songs) -> None:
    await node("listen")
    added = await queue.add_batch_job(songs(3), "flame", ["1080p"])
    a, b, c = added.job_ids
    await queue.move(b, "top")
    await queue.hold(c)
    await queue.cancel(a)
    await queue.pause()
    await queue.remove(c)

    async def process(job: Job, _token: str) -> dict[str, object]:
        await job.updateProgress({"stage": "rendering", "fraction": 0.25})
        return outcome().to_wire()

    async with working(queue, process):
        await queue.resume()
        await until(_is(queue, b, JobStatus.COMPLETED))

    async def complete() -> bool:
        return any(event["name"] == "completed" for event in await node("events"))

    await until(complete)
    events = await node("events")
    told = {(event["name"], event.get("jobId")) for event in events}
    assert {("added", a), ("waiting", b), ("moved", b), ("delayed", c), ("failed", a), ("removed", c)} <= told
    assert {("paused", None), ("active", b), ("progress", b), ("completed", b)} <= told
    assert next(event["failedReason"] for event in events if event["name"] == "failed") == "Cancelled by the user."


async def test_bull_board_lists_retries_promotes_and_removes(node: Node, queue: RenderQueue, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(4), "flame", ["1080p"], batch_id="b")
    cancelled, held, kept, removed = added.job_ids
    await queue.cancel(cancelled)
    await queue.hold(held)
    await queue.set_priority(kept, 7)
    listed = await node("list", status="latest")
    assert listed["counts"] | {"paused": 0} == {
        "active": 0,
        "completed": 0,
        "delayed": 1,
        "failed": 1,
        "paused": 0,
        "prioritized": 1,
        "waiting": 1,
        "waiting-children": 0,
    }
    jobs = {job["id"]: job for job in listed["jobs"]}
    assert set(jobs) == set(added.job_ids)
    assert jobs[cancelled]["failedReason"].startswith("Cancelled")
    assert (await node("retry", id=cancelled))["status"] == 204
    assert (await node("promote", id=held))["status"] == 204
    assert (await node("clean", id=removed))["status"] == 204
    assert await queue.waiting_order() == [cancelled, held, kept]
    for job_id in (cancelled, held):
        snapshot = await queue.get_job_status(job_id)
        assert snapshot is not None
        assert snapshot.queue_state == "waiting"
        assert not snapshot.held
        assert snapshot.failed_reason is None
    assert await queue.get_job_status(removed) is None
    status = await queue.get_batch_status("b")
    assert status is not None
    assert (status.total, status.pending, status.failed) == (3, 3, 0)


async def test_what_node_does_reaches_our_feed_and_its_short_stream_is_made_long_again(
    node: Node, queue: RenderQueue, server_address: ServerAddress, queue_name: str
) -> None:
    feed = EventFeed(server_address, queue_name=queue_name)
    await feed.reset()
    await queue.access.keep_events()
    job_id = await node("add", data=DATA, opts={"jobId": "node-batch-n1-1080p"})
    changes = await feed.changes(2000)
    assert changes.job_ids == changes.added == {job_id}
    await feed.reset()
    length = await queue.access.client.hget(queue.access.keys.key("meta"), "opts.maxLenEvents")
    assert length == str(MAX_EVENTS)
    await feed.close()


async def test_workers_of_both_kinds_see_each_other(
    node: Node, queue: RenderQueue, server_address: ServerAddress, queue_name: str
) -> None:
    await node("work", name="theirs")
    registry = WorkerRegistry(server_address, queue_name=queue_name)

    async def process(_job: Job, _token: str) -> None:
        await asyncio.sleep(0)

    async with working(queue, process, name="ours") as worker:
        # As the render worker does between making the worker and running it; here it runs already.
        name = bullmq_client_name("ours", queue_name=queue_name)
        worker.clientName = name
        await worker.client.client_setname(name)

        async def both() -> bool:
            return await registry.connected() == ["ours", "theirs"]

        await until(both)
        assert any(one.endswith(":w:ours") for one in await node("workers"))
        assert any(one.endswith(":w:theirs") for one in await node("workers"))
    await registry.close()
