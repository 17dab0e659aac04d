"""The event feed and the workers' messages, on a real server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from bullmq import Job

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import ServerUnavailableError
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.queue.access import MAX_EVENTS
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.event_feed import Changes, EventFeed
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer
from tests.integration.workers import outcome, until, working

Songs = Callable[[int], list[AudioFile]]


@pytest.fixture
async def feed(server_address: ServerAddress, queue_name: str) -> AsyncIterator[EventFeed]:
    event_feed = EventFeed(server_address, queue_name=queue_name)
    yield event_feed
    await event_feed.close()


async def test_the_first_look_asks_for_everything_and_later_ones_for_what_changed(
    queue: RenderQueue, feed: EventFeed, songs: Songs
) -> None:
    assert (await feed.changes(0)).resync
    assert await feed.changes(0) == Changes()
    added = await queue.add_batch_job(songs(3), "flame", ["1080p"])
    changes = await feed.changes(0)
    assert changes.job_ids == changes.added == set(added.job_ids)
    assert changes.batches_changed
    assert changes.order_changed
    assert not changes.resync
    await queue.hold(added.job_ids[0])
    await queue.move(added.job_ids[1], "bottom")
    await queue.cancel(added.job_ids[2])
    changes = await feed.changes(0)
    assert changes.job_ids == set(added.job_ids)
    assert changes.added == frozenset()
    await queue.remove(added.job_ids[1])
    assert (await feed.changes(0)).removed == {added.job_ids[1]}
    assert not await feed.changes(0)


async def test_pausing_is_told(queue: RenderQueue, feed: EventFeed) -> None:
    await feed.reset()
    await queue.pause()
    changes = await feed.changes(0)
    assert (changes.queue_paused, changes.queue_changed) == (True, True)
    await queue.resume()
    assert (await feed.changes(0)).queue_paused is False


async def test_waiting_for_a_change_ends_when_there_is_one(queue: RenderQueue, feed: EventFeed, songs: Songs) -> None:
    await feed.reset()
    started = time.monotonic()
    assert not await feed.changes(200)
    assert time.monotonic() - started >= 0.15
    waiting = asyncio.create_task(feed.changes(10_000))
    await asyncio.sleep(0.05)
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    assert (await asyncio.wait_for(waiting, 5)).job_ids == set(added.job_ids)
    # A reader that gives up in the middle of waiting can go on reading.
    cut = asyncio.create_task(feed.changes(10_000))
    await asyncio.sleep(0.05)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    await queue.cancel(added.job_ids[0])
    seen: set[str] = set()

    async def told() -> bool:
        seen.update((await feed.changes(100)).job_ids)
        return bool(seen)

    await until(told)
    assert seen == set(added.job_ids)


async def test_progress_and_the_end_of_a_job_are_told(queue: RenderQueue, feed: EventFeed, songs: Songs) -> None:
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    await feed.reset()
    states: list[str] = []
    go_on = asyncio.Event()

    async def process(job: Job, _token: str) -> dict[str, object]:
        await job.updateProgress({"stage": "rendering", "fraction": 0.5})
        await go_on.wait()
        return outcome().to_wire()

    async def finished() -> bool:
        for job_id in (await feed.changes(100)).job_ids:
            snapshot = await queue.get_job_status(job_id)
            assert snapshot is not None
            states.append(snapshot.queue_state)
            if snapshot.progress:
                go_on.set()
        return states[-1:] == ["completed"]

    async with working(queue, process):
        await until(finished)
    assert states[0] == "active"
    assert added.job_ids


async def test_a_stream_trimmed_past_the_cursor_asks_for_everything(
    queue: RenderQueue, feed: EventFeed, songs: Songs
) -> None:
    await queue.add_batch_job(songs(2), "flame", ["1080p"])
    await feed.reset()
    await queue.add_batch_job(songs(5), "flame", ["4k"])
    await queue.access.client.xtrim(queue.access.keys.key("events"), maxlen=2, approximate=False)
    assert (await feed.changes(0)).resync
    assert not await feed.changes(0)
    await queue.access.client.delete(queue.access.keys.key("events"))
    assert (await feed.changes(0)).resync


async def test_the_length_of_the_stream_is_asserted_again(queue: RenderQueue, feed: EventFeed, songs: Songs) -> None:
    meta = queue.access.keys.key("meta")
    await queue.add_batch_job(songs(1), "flame", ["1080p"])
    assert await queue.access.client.hget(meta, "opts.maxLenEvents") == str(MAX_EVENTS)
    await queue.access.client.hset(meta, "opts.maxLenEvents", "10000")
    await feed.reset()
    assert await queue.access.client.hget(meta, "opts.maxLenEvents") == str(MAX_EVENTS)


async def test_events_that_strangers_wrote_are_passed_over(queue: RenderQueue, feed: EventFeed) -> None:
    await feed.reset()
    events = queue.access.keys.key("events")
    await queue.access.client.xadd(events, {"no": "event"})
    await queue.access.client.xadd(events, {"event": "anything", "jobId": "j"})
    await queue.access.client.xadd(events, {b"event": b"\xff", b"jobId": b"\xff\xfe"})
    assert (await feed.changes(0)).job_ids == {"j", "\\xff\\xfe"}


async def test_a_server_that_goes_and_comes_back(tmp_path: Path, songs: Songs) -> None:
    server = EmbeddedServer(tmp_path / "a")
    address = await server.start()
    queue, feed = RenderQueue(address), EventFeed(address)
    await feed.reset()
    await queue.close_queue()
    await server.stop()
    with pytest.raises(ServerUnavailableError, match="built-in server does not answer"):
        await feed.changes(100)
    await server.start()
    assert (await feed.changes(0)).resync
    queue = RenderQueue(address)
    added = await queue.add_batch_job(songs(1), "flame", ["1080p"])
    assert (await feed.changes(0)).job_ids == set(added.job_ids)
    await feed.close()
    await queue.close_queue()
    await server.stop()


def _info(name: str, state: WorkerState = WorkerState.IDLE) -> WorkerInfo:
    return WorkerInfo(name=name, host="h", pid=1, cores=2, concurrency=1, state=state, jobs=("b-a-4k",))


async def test_workers_are_seen_until_they_leave(
    queue: RenderQueue, feed: EventFeed, server_address: ServerAddress, queue_name: str
) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    await feed.reset()
    seen = await registry.heartbeat(_info("w1"))
    assert abs(seen - time.time()) < 5
    assert (await feed.changes(0)).queue_changed
    await registry.heartbeat(_info("w1"))
    assert not await feed.changes(0)
    await registry.heartbeat(_info("w1", WorkerState.BUSY))
    assert (await feed.changes(0)).queue_changed
    (worker,) = await registry.workers()
    assert (worker.name, worker.state, worker.jobs) == ("w1", WorkerState.BUSY, ("b-a-4k",))
    assert worker.seen_at >= seen
    await registry.forget("w1")
    assert await registry.workers() == []
    await registry.close()


async def test_a_silent_worker_is_lost_and_forgotten_after_a_day(
    queue: RenderQueue, server_address: ServerAddress, queue_name: str
) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    now = await registry.heartbeat(_info("lost"))
    await registry.heartbeat(_info("old"))
    seen = queue.access.keys.workers_seen
    await queue.access.client.zadd(seen, {"lost": (now - 30) * 1000, "old": (now - 100_000) * 1000})
    await queue.access.client.hset(queue.access.keys.workers, "garbage", "{")
    await queue.access.client.zadd(seen, {"garbage": now * 1000})
    assert [(one.name, one.state) for one in await registry.workers()] == [("lost", WorkerState.LOST)]
    await registry.heartbeat(_info("lost"))
    assert [one.state for one in await registry.workers()] == [WorkerState.IDLE]
    await registry.close()


async def test_draining(server_address: ServerAddress, queue_name: str) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    await registry.heartbeat(_info("w1"))
    await registry.drain("w1")
    assert await registry.drain_requested("w1")
    assert [one.state for one in await registry.workers()] == [WorkerState.DRAINING]
    await registry.undrain("w1")
    assert not await registry.drain_requested("w1")
    assert [one.state for one in await registry.workers()] == [WorkerState.IDLE]
    await registry.close()
