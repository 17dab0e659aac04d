"""Pausing, cancelling, holding, reordering, retrying, removing: on a real server with real BullMQ workers."""

import asyncio
import random
from collections.abc import Callable

import pytest
from bullmq import Job, UnrecoverableError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import JobDataError, QueueError
from ethereal_gui.domain.job import JobSnapshot, JobStatus, Progress, Stage
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.workers import outcome, until, working

Songs = Callable[[int], list[AudioFile]]


async def _submit(queue: RenderQueue, songs: Songs, count: int) -> list[str]:
    return list((await queue.add_batch_job(songs(count), "flame", ["1080p"], batch_id="b")).job_ids)


async def _snapshot(queue: RenderQueue, job_id: str) -> JobSnapshot:
    snapshot = await queue.get_job_status(job_id)
    assert snapshot is not None
    return snapshot


async def _run_order(queue: RenderQueue, count: int) -> list[str]:
    """What a real worker takes, in its order."""
    taken: list[str] = []

    async def process(job: Job, _token: str) -> dict[str, object]:
        taken.append(job.id)
        return outcome().to_wire()

    async def enough() -> bool:
        return len(taken) >= count

    async with working(queue, process):
        await until(enough)
    return taken


async def test_a_paused_queue_gives_no_jobs_and_goes_on_when_resumed(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 2)
    await queue.pause()
    assert await queue.is_paused()
    taken: list[str] = []

    async def process(job: Job, _token: str) -> dict[str, object]:
        taken.append(job.id)
        return outcome().to_wire()

    async with working(queue, process):
        await asyncio.sleep(0.3)
        assert taken == []
        await queue.resume()

        async def both() -> bool:
            return len(taken) == 2

        await until(both)
    assert not await queue.is_paused()
    assert taken == ids


async def test_cancelling_a_waiting_a_delayed_a_prioritised_and_a_held_job(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 5)
    await queue.set_priority(ids[1], 5)
    await queue.hold(ids[2])

    async def process(_job: Job, _token: str) -> None:
        raise RuntimeError("later")

    others = (ids[0], ids[1], ids[4])
    for job_id in others:  # the worker shall take none of them while it ends
        assert await queue.hold(job_id)
    async with working(queue, process):

        async def delayed() -> bool:
            return (await _snapshot(queue, ids[3])).queue_state == "delayed"

        await until(delayed)
    for job_id in others:
        assert await queue.release(job_id)
    assert (await _snapshot(queue, ids[3])).retry_at is not None
    for job_id in ids[1:4]:
        assert await queue.cancel(job_id)
        snapshot = await _snapshot(queue, job_id)
        assert snapshot.is_cancelled
        assert snapshot.queue_state == "failed"
        assert snapshot.finished_at is not None
        assert not await queue.cancel(job_id)
    assert set(ids[1:4]).isdisjoint(await queue.waiting_order())
    keys = queue.access.keys
    assert {ids[1], ids[2], ids[3]}.isdisjoint(await queue.access.client.zrange(keys.key("prioritized"), 0, -1))
    assert {ids[1], ids[2], ids[3]}.isdisjoint(await queue.access.client.zrange(keys.key("delayed"), 0, -1))
    assert not await queue.cancel("nobody-1-1")


async def test_cancelling_a_running_job_reaches_its_worker(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    started = asyncio.Event()

    async def process(job: Job, _token: str) -> None:
        started.set()
        while job.id not in await queue.cancel_requests([job.id, "other"]):
            await asyncio.sleep(0.01)
        await queue.record_outcome(job.id, "b", JobStatus.FAILED, None, "Cancelled by the user.")
        raise UnrecoverableError("Cancelled by the user.")

    async with working(queue, process):
        await asyncio.wait_for(started.wait(), 10)
        assert await queue.cancel(ids[0])

        async def ended() -> bool:
            return (await _snapshot(queue, ids[0])).is_cancelled

        await until(ended)
    assert await queue.cancel_requests(ids) == set()
    assert not (await _snapshot(queue, ids[0])).cancelling


async def test_a_wish_to_cancel_outlives_the_attempt_that_it_was_meant_for(queue: RenderQueue, songs: Songs) -> None:
    """The attempt fails by itself just then: the job would wait for its backoff and run again."""
    ids = await _submit(queue, songs, 1)

    async def process(job: Job, _token: str) -> None:
        await queue.cancel(job.id)
        raise RuntimeError("failed in the same moment")

    async def delayed() -> bool:
        return (await _snapshot(queue, ids[0])).queue_state == "delayed"

    async with working(queue, process):
        await until(delayed)
    assert (await _snapshot(queue, ids[0])).cancelling
    # Any worker's next look at the wishes.
    assert await queue.cancel_requests(["another"]) == set()
    assert (await _snapshot(queue, ids[0])).is_cancelled
    assert await queue.access.client.exists(queue.access.keys.cancelling) == 0


async def test_cancelled_jobs_are_trimmed_like_failed_ones_and_their_ends_are_kept(
    queue: RenderQueue, songs: Songs
) -> None:
    ids = await _submit(queue, songs, 510)
    for job_id in ids:
        assert await queue.cancel(job_id)
    assert await queue.access.client.zcard(queue.access.keys.key("failed")) == 500
    status = await queue.get_batch_status("b")
    assert status is not None
    assert (status.total, status.failed, status.cancelled) == (510, 510, 510)
    assert all(one and one.is_cancelled for one in await queue.snapshots(ids))


async def test_a_held_job_is_passed_over_until_released(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 3)
    assert await queue.hold(ids[0])
    assert not await queue.hold(ids[0])
    snapshot = await _snapshot(queue, ids[0])
    assert snapshot.held
    assert snapshot.status is JobStatus.PENDING
    assert snapshot.retry_at is None
    assert await queue.waiting_order() == ids[1:]
    assert await _run_order(queue, 2) == ids[1:]
    assert await queue.release(ids[0])
    assert not await queue.release(ids[0])
    assert not (await _snapshot(queue, ids[0])).held
    assert await _run_order(queue, 1) == [ids[0]]


async def test_moving_within_the_line_is_the_order_in_which_a_worker_takes_them(
    queue: RenderQueue, songs: Songs
) -> None:
    a, b, c, d, e = await _submit(queue, songs, 5)
    assert await queue.move(d, "top")
    assert await queue.move(a, "bottom")
    assert await queue.move(c, "up")
    assert await queue.waiting_order() == [d, c, b, e, a]
    assert await queue.move(b, "down")
    assert await queue.move_before(a, c)
    assert await queue.waiting_order() == [d, a, c, e, b]
    assert not await queue.move(d, "top")
    assert not await queue.move(d, "up")
    assert not await queue.move(b, "down")
    assert not await queue.move(b, "bottom")
    assert not await queue.move("nobody", "top")
    assert await _run_order(queue, 5) == [d, a, c, e, b]


async def test_priorities_and_moving_across_their_border(queue: RenderQueue, songs: Songs) -> None:
    a, b, c, d, e = await _submit(queue, songs, 5)
    await queue.set_priority(c, 2)
    await queue.set_priority(d, 1)
    await queue.set_priority(e, 2)
    assert await queue.waiting_order() == [a, b, d, c, e]
    assert await queue.move(d, "up")
    assert await queue.waiting_order() == [a, d, b, c, e]
    assert (await _snapshot(queue, d)).priority == 0
    assert await queue.move(b, "bottom")
    assert await queue.waiting_order() == [a, d, c, e, b]
    assert (await _snapshot(queue, b)).priority == 2
    assert await queue.move_before(a, b)
    assert await queue.waiting_order() == [d, c, e, a, b]
    assert await queue.move(d, "down")
    assert await queue.waiting_order() == [c, d, e, a, b]
    with pytest.raises(ValueError, match="priority"):
        await queue.set_priority(a, -1)
    assert await _run_order(queue, 5) == [c, d, e, a, b]


async def test_any_sequence_of_moves_is_like_moving_in_a_plain_list(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 9)
    chance = random.Random(7)
    for job_id in ids[5:]:
        await queue.set_priority(job_id, chance.choice([1, 1, 2, 3]))
    expected = await queue.waiting_order()
    for _ in range(200):
        job_id, other = chance.sample(ids, 2)
        where = chance.choice(["top", "up", "down", "bottom", "before"])
        place = expected.index(job_id)
        if where == "before":
            await queue.move_before(job_id, other)
            expected.remove(job_id)
            expected.insert(expected.index(other), job_id)
        else:
            await queue.move(job_id, where)  # type: ignore[arg-type]
            target = {"top": 0, "up": max(0, place - 1), "down": place + 1, "bottom": len(ids)}[where]
            expected.insert(target, expected.pop(place))
        assert await queue.waiting_order() == expected, (where, job_id, other)
    assert await _run_order(queue, 9) == expected


async def test_retry_gives_a_failed_job_all_its_attempts_again(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    failing = True

    async def process(job: Job, _token: str) -> dict[str, object]:
        if failing:
            await job.updateProgress({"stage": "rendering", "fraction": 0.5})
            await queue.record_outcome(job.id, "b", JobStatus.FAILED, None, "no luck")
            raise UnrecoverableError("no luck")
        return outcome().to_wire()

    async with working(queue, process):

        async def failed() -> bool:
            return (await _snapshot(queue, ids[0])).status is JobStatus.FAILED

        await until(failed)
    before = await _snapshot(queue, ids[0])
    assert before.failed_reason == "no luck"
    assert before.progress is None
    assert await queue.stacktraces(ids[0]) != []
    assert await queue.retry(ids[0])
    assert not await queue.retry(ids[0])
    again = await _snapshot(queue, ids[0])
    assert again.status is JobStatus.PENDING
    assert again.failed_reason is None
    assert again.attempts_made == 0
    status = await queue.get_batch_status("b")
    assert status is not None
    assert (status.pending, status.failed) == (1, 0)
    failing = False
    assert await _run_order(queue, 1) == ids


async def test_retry_of_a_job_that_the_queue_has_dropped(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    await queue.cancel(ids[0])
    await queue.access.client.delete(queue.access.keys.key(ids[0]), queue.access.keys.key("failed"))
    assert await queue.retry(ids[0])
    snapshot = await _snapshot(queue, ids[0])
    assert snapshot.queue_state == "waiting"
    assert snapshot.data is not None
    assert snapshot.data.audio_file.path == "/music/0.mp3"
    assert await _run_order(queue, 1) == ids


async def test_removing_and_restoring_a_waiting_job_keeps_its_place(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 4)
    removed = await queue.remove(ids[1])
    assert removed is not None
    assert await queue.waiting_order() == [ids[0], ids[2], ids[3]]
    assert await queue.get_job_status(ids[1]) is None
    status = await queue.get_batch_status("b")
    assert status is not None
    assert status.total == 3
    assert await queue.restore(removed)
    assert await queue.waiting_order() == ids
    held = ids[2]
    await queue.hold(held)
    removed = await queue.remove(held)
    assert removed is not None
    assert await queue.restore(removed)
    assert (await _snapshot(queue, held)).held
    assert await queue.remove("nobody-1-1") is None


async def test_removing_and_restoring_a_finished_job_keeps_how_it_ended(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 2)
    await queue.hold(ids[1])

    async def process(_job: Job, _token: str) -> dict[str, object]:
        return outcome("x.mp4").to_wire()

    async def finished() -> bool:
        return (await _snapshot(queue, ids[0])).status is JobStatus.COMPLETED

    async with working(queue, process):
        await until(finished)
    removed = await queue.remove(ids[0])
    assert removed is not None
    assert await queue.get_job_status(ids[0]) is None
    assert await queue.restore(removed)
    back = await _snapshot(queue, ids[0])
    assert back.status is JobStatus.COMPLETED
    assert back.outcome == outcome("x.mp4")
    status = await queue.get_batch_status("b")
    assert status is not None
    assert (status.total, status.completed) == (2, 1)


async def test_a_running_job_is_not_removed(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    started = asyncio.Event()

    async def process(job: Job, _token: str) -> None:
        await job.updateProgress(Progress(stage=Stage.RENDERING, fraction=0.25, fps=12.0).to_wire())
        await queue.note_worker(job.id, "the-worker")
        started.set()
        await asyncio.sleep(60)

    async with working(queue, process):
        await asyncio.wait_for(started.wait(), 10)
        snapshot = await _snapshot(queue, ids[0])
        assert snapshot.status is JobStatus.PROCESSING
        assert snapshot.progress == Progress(stage=Stage.RENDERING, fraction=0.25, fps=12.0)
        assert snapshot.worker == "the-worker"
        assert snapshot.started_at is not None
        with pytest.raises(QueueError, match="running"):
            await queue.remove(ids[0])
        with pytest.raises(QueueError, match="running"):
            await queue.forget_batch("b")
        assert not await queue.hold(ids[0])
        assert not await queue.move(ids[0], "top")
        assert snapshot.data is not None
        assert not await queue.edit(ids[0], snapshot.data)


async def test_editing_a_waiting_job(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    data = (await _snapshot(queue, ids[0])).data
    assert data is not None
    assert await queue.edit(ids[0], data.model_copy(update={"template": "mist", "fps": 60}))
    edited = (await _snapshot(queue, ids[0])).data
    assert edited is not None
    assert (edited.template, edited.fps) == ("mist", 60)
    with pytest.raises(JobDataError, match="another job"):
        await queue.edit(ids[0], data.model_copy(update={"output_format": "4k"}))


async def test_the_log_of_a_job(queue: RenderQueue, songs: Songs) -> None:
    ids = await _submit(queue, songs, 1)
    await queue.add_log(ids[0], "first")
    await queue.add_log(ids[0], "second")
    assert await queue.job_log(ids[0]) == ["first", "second"]
    assert await queue.job_log("nobody") == []
