"""Whatever another program has put into the queue: the job fails at once with a reason, and the worker lives on."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from bullmq import Queue

from ethereal_gui.domain.job import JobSnapshot, JobStatus
from ethereal_gui.queue.claims import usable_options
from ethereal_gui.queue.connection import ServerAddress, connection_options
from ethereal_gui.queue.render_queue import RenderQueue
from tests.integration.rendering import (
    QUICK,
    finished,
    render_children,
    running,
    song,
    videos,
    worker_config,
)

AUDIO: Final = {"id": "x1", "path": "/nowhere/a.mp3", "originalName": "a.mp3"}
GOOD: Final = {
    "batchId": "theirs",
    "audioFile": AUDIO,
    "template": "flame",
    "outputFormat": "1080p",
    "renderDbId": None,
    "outputDir": "/nowhere",
}
THREE_TRIES: Final = {"attempts": 3, "backoff": {"type": "fixed", "delay": 50}}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


BAD_DATA: Final[dict[str, tuple[Any, str]]] = {
    "null": (None, "not valid"),
    "list": ([1, 2], "not valid"),
    "number": (7, "not valid"),
    "nothing": ({}, "batchId"),
    **{f"no-{name}": (without(name), name) for name in ("batchId", "audioFile", "template", "outputFormat")},
    "wrong-type": ({**GOOD, "template": ["flame"]}, "template"),
    "deep": ({**GOOD, "audioFile": {"id": [[[[]]]]}}, "audioFile"),
    "huge": ({**GOOD, "padding": "x" * 3_000_000}, "too large"),
    "long-path": ({**GOOD, "audioFile": {**AUDIO, "path": "/" + "a" * 100_000}}, "path"),
    "nul": ({**GOOD, "audioFile": {**AUDIO, "path": "/a\0.mp3"}}, "path"),
    "gone": (GOOD, "not there any more"),
    "surrogate": ({**GOOD, "audioFile": {**AUDIO, "path": "/a\udcff.mp3"}}, "path"),
    "relative": ({**GOOD, "audioFile": {**AUDIO, "path": "../../etc/passwd"}}, "absolute"),
    "traversal": ({**GOOD, "audioFile": {**AUDIO, "path": "/music/../etc/passwd"}}, "outside"),
    "elsewhere": ({**GOOD, "audioFile": {**AUDIO, "path": "/etc/passwd"}}, "outside"),
    "address": ({**GOOD, "audioFile": {**AUDIO, "path": "http://127.0.0.1/a.mp3"}}, "cannot be reached by http"),
    "server": ({**GOOD, "audioFile": {**AUDIO, "path": "sftp://127.0.0.1:1/a.mp3"}}, "outside"),
    "password": ({**GOOD, "audioFile": {**AUDIO, "path": "sftp://ada:hush@127.0.0.1:1/a.mp3"}}, "password in it"),
    "template": ({**GOOD, "template": "../../etc/passwd"}, "no template"),
    "format": ({**GOOD, "outputFormat": "8mm"}, "8mm"),
    "pattern": ({**GOOD, "namePattern": "../../{song}{n}"}, "contain a folder"),
    "pattern-without-n": ({**GOOD, "namePattern": "{song}"}, "{n}"),
    "pattern-that-indexes": ({**GOOD, "namePattern": "{song.__class__}{n}"}, "unknown field"),
    "pattern-that-pads": ({**GOOD, "namePattern": "{n:1000000000}"}, "unknown field"),
    "rate": ({**GOOD, "fps": 1_000_000}, "frames per second"),
    "values": ({**GOOD, "templateValues": {"width": 1e300}}, "between"),
    "batch-of-ours": ({**GOOD, "batchId": "b1:jobs"}, "batchId"),
}

BAD_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "attempts-words": {"attempts": "many"},
    "attempts-object": {"attempts": {"a": 1}},
    "attempts-minus": {"attempts": -5},
    "backoff-unknown": {"attempts": 3, "backoff": {"type": "whenever", "delay": 10}},
    "backoff-words": {"attempts": 3, "backoff": "later"},
    "keep-words": {"removeOnFail": "never", "removeOnComplete": {"count": "all"}},
}

BAD_RECORDS: Final[dict[str, dict[Any, Any]]] = {
    "data-cut": {"data": '{"batchId": "th'},
    "data-nan": {"data": json.dumps({**GOOD, "templateValues": {"width": float("nan")}})},
    "data-deep": {"data": "[" * 100_000},
    "data-bytes": {"data": b"\xff\xfe\x00"},
    "opts-list": {"opts": "[]"},
    "opts-garbage": {"opts": "{{{"},
    "number-garbage": {"priority": "first", "delay": "a while"},
    "progress-garbage": {"progress": "most of it"},
    "stacktrace-garbage": {"stacktrace": "{"},
}


async def test_no_job_of_a_stranger_stops_the_worker(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    theirs = Queue(queue_name, {"connection": connection_options(queue.address)})
    out, root = tmp_path / "out", tmp_path / "music"
    root.mkdir()
    for name, (data, _) in BAD_DATA.items():
        data = json.loads(json.dumps(data).replace("/nowhere", str(root)))
        await theirs.add("render", data, {"jobId": f"data-{name}", **THREE_TRIES})
    for name, options in BAD_OPTIONS.items():
        # BullMQ looks at some options itself, so they are changed behind its back.
        await theirs.add("render", {"batchId": 1}, {"jobId": f"options-{name}"})
        await queue.access.client.hset(queue.access.keys.key(f"options-{name}"), "opts", json.dumps(options))
    for name, fields in BAD_RECORDS.items():
        await theirs.add("render", GOOD, {"jobId": f"record-{name}", **THREE_TRIES})
        await queue.access.client.hset(queue.access.keys.key(f"record-{name}"), mapping=fields)
    await theirs.close()
    config = worker_config(server_address, tmp_path, queue_name, own_output_only=True, audio_roots=(root,))
    async with running(config):
        for name, (_, words) in BAD_DATA.items():
            job = await failed(queue, f"data-{name}")
            assert words in str(job.failed_reason), (name, job.failed_reason)
            assert len(str(job.failed_reason)) < 1500
        for name in BAD_OPTIONS:
            await failed(queue, f"options-{name}")
        for name in BAD_RECORDS:
            job = await failed(queue, f"record-{name}")
            reasons = ("cannot be read", "not valid", "between", "outside")
            assert any(reason in str(job.failed_reason) for reason in reasons), (name, job.failed_reason)
        good = song(root / "good.wav", 0.2)
        (job_id,) = (await queue.add_batch_job([good], "flame", ["1080p"], options=QUICK)).job_ids
        assert (await finished(queue, job_id)).status is JobStatus.COMPLETED
        assert render_children() == []
    assert len(videos(out)) == 1


async def failed(queue: RenderQueue, job_id: str) -> JobSnapshot:
    job = await finished(queue, job_id, 30)
    assert job.status is JobStatus.FAILED, job
    assert job.attempts_made == 1, f"{job_id} was tried again: {job.failed_reason}"
    return job


@pytest.mark.parametrize("opts", [{}, {"attempts": 3, "backoff": {"type": "fixed", "delay": 5}}, {"backoff": 1000}])
def test_sensible_options_stay_as_they_are(opts: dict[str, Any]) -> None:
    assert usable_options({"attempts": 1, **opts}) == {"attempts": 1, **opts}
