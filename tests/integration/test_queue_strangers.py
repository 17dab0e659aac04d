"""What other programs put into the queue never breaks reading it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from bullmq import Job, Queue
from hypothesis import given
from hypothesis import strategies as st

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import JobStatus, Progress, Stage
from ethereal_gui.queue.connection import connection_options
from ethereal_gui.queue.job_record import FIELDS, outcome_of_snapshot, snapshot_from_reply
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.workers import outcome, until, working

DOCUMENTED = {
    "batchId": "theirs",
    "audioFile": {"id": "x1", "path": "/a.mp3", "originalName": "a.mp3"},
    "template": "flame",
    "outputFormat": "1080p",
    "renderDbId": None,
}


async def _add(queue: RenderQueue, data: Any, job_id: str) -> None:
    theirs = Queue(queue.access.keys.queue_name, {"connection": connection_options(queue.address)})
    await theirs.add("render", data, {"jobId": job_id})
    await theirs.close()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        42,
        {},
        {"batchId": 7},
        {**DOCUMENTED, "audioFile": "no object"},
        {**DOCUMENTED, "audioFile": {"id": "x"}},
        {**DOCUMENTED, "template": None},
        {**DOCUMENTED, "fps": "many"},
        {**DOCUMENTED, "batchId": ["list"]},
        {"batchId": "a:b\n"},
        {"deep": [[[[[[[[]]]]]]]]},
    ],
)
async def test_data_that_does_not_parse_is_shown_with_the_reason(queue: RenderQueue, data: Any) -> None:
    await _add(queue, data, "theirs-1")
    snapshot = await queue.get_job_status("theirs-1")
    assert snapshot is not None
    assert snapshot.data is None
    assert snapshot.status is JobStatus.PENDING
    assert (snapshot.data_error or "").startswith("The job's data is not valid")
    assert await queue.live_job_ids() == ["theirs-1"]
    assert await queue.cancel("theirs-1")
    assert await queue.retry("theirs-1")
    removed = await queue.remove("theirs-1")
    assert removed is not None
    assert not await queue.restore(removed)


async def test_a_record_that_is_garbage_in_every_field(queue: RenderQueue) -> None:
    await _add(queue, DOCUMENTED, "theirs-1")
    key = queue.access.keys.key("theirs-1")
    garbage = b"\xff\xfe{\x00" + b"[" * 100_000
    fields = ("data", "opts", "progress", "timestamp", "processedOn", "atm", "priority", "pb", "stacktrace")
    await queue.access.client.hset(key, mapping=dict.fromkeys(fields, garbage))
    snapshot = await queue.get_job_status("theirs-1")
    assert snapshot is not None
    assert snapshot.data is None
    assert snapshot.priority == 0
    assert len(await queue.stacktraces("theirs-1")) == 1
    assert await queue.cancel("theirs-1")


_ANYTHING = st.one_of(
    st.none(),
    st.text(),
    st.sampled_from(["nan", "-inf", "1e999", "[" * 10_000, "true", '{"attempts": {}}', '{"stage": 1}', "\ud800"]),
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(json.dumps),
)


@given(state=st.sampled_from(["waiting", "delayed", "active", "completed", "failed", "unheard of"]), data=st.data())
def test_no_field_of_a_record_can_break_a_snapshot(state: str, data: st.DataObject) -> None:
    fields = [data.draw(_ANYTHING) for _ in FIELDS]
    score = data.draw(st.sampled_from(["", "nan", "1e300", "7000000000000000"]))
    snapshot = snapshot_from_reply("id", [state, score, 0, 0, *fields])
    assert (snapshot is None) == (state == "unheard of")
    if snapshot and snapshot.is_terminal:
        again = snapshot_from_reply("id", ["removed", outcome_of_snapshot(snapshot)])
        assert again is not None
        assert (again.status, again.data, again.outcome) == (snapshot.status, snapshot.data, snapshot.outcome)
    snapshot_from_reply("id", ["removed", data.draw(st.text())])


async def test_huge_data_is_not_even_read(queue: RenderQueue) -> None:
    await _add(queue, {**DOCUMENTED, "padding": "x" * 2_000_000}, "theirs-1")
    snapshot = await queue.get_job_status("theirs-1")
    assert snapshot is not None
    assert snapshot.data is None
    assert "too large" in (snapshot.data_error or "")


async def test_a_strangers_job_joins_the_batch_that_its_data_names(queue: RenderQueue) -> None:
    await _add(queue, DOCUMENTED, "any-id-of-theirs")
    await _add(queue, DOCUMENTED, "theirs-x1-1080p")
    for snapshot in await queue.snapshots(await queue.live_job_ids()):
        assert snapshot is not None
        assert snapshot.batch_id == "theirs"
    status = await queue.get_batch_status("theirs")
    assert status is not None
    assert (status.total, status.pending) == (2, 2)
    assert await queue.batch_ids() == ["theirs"]

    async def process(job: Job, _token: str) -> dict[str, Any]:
        await queue.record_outcome(job.id, "theirs", JobStatus.COMPLETED, outcome())
        return outcome().to_wire()

    async def finished() -> bool:
        status = await queue.get_batch_status("theirs")
        return status is not None and status.completed == 2

    async with working(queue, process):
        await until(finished)
    await queue.access.client.delete(queue.access.keys.key("any-id-of-theirs"))
    await queue.access.client.zrem(queue.access.keys.key("completed"), "any-id-of-theirs")
    assert {one.queue_state for one in await queue.snapshots(["any-id-of-theirs"]) if one} == {"removed"}
    assert await queue.clear_finished("theirs") == 2
    assert await queue.get_batch_status("theirs") is None


async def test_percents_and_foreign_results_of_other_workers(
    queue: RenderQueue, songs: Callable[[int], list[AudioFile]]
) -> None:
    ids = (await queue.add_batch_job(songs(1), "flame", ["1080p"])).job_ids
    seen: list[Progress | None] = []

    async def process(job: Job, _token: str) -> str:
        for progress in (40, {"anything": 1}, "text", -3, True, {"stage": "dancing", "fraction": 2}):
            await job.updateProgress(progress)
            snapshot = await queue.get_job_status(job.id)
            seen.append(snapshot.progress if snapshot else None)
        return json.dumps("a plain text")

    async def finished() -> bool:
        snapshot = await queue.get_job_status(ids[0])
        return snapshot is not None and snapshot.is_terminal

    async with working(queue, process):
        await until(finished)
    assert seen == [Progress(stage=Stage.RENDERING, fraction=0.4), None, None, None, None, None]
    snapshot = await queue.get_job_status(ids[0])
    assert snapshot is not None
    assert snapshot.outcome is None


async def test_a_strangers_removal_leaves_no_pending_ghost(
    queue: RenderQueue, songs: Callable[[int], list[AudioFile]]
) -> None:
    ids = (await queue.add_batch_job(songs(2), "flame", ["1080p"], batch_id="b")).job_ids
    theirs = Queue(queue.access.keys.queue_name, {"connection": connection_options(queue.address)})
    job = await theirs.getJob(ids[0])
    assert job is not None
    await theirs.backend.remove(ids[0], True)
    await theirs.close()
    status = await queue.get_batch_status("b")
    assert status is not None
    assert (status.total, status.pending) == (1, 1)
    assert await queue.get_job_status(ids[0]) is None
