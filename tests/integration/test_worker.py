"""The worker with a real server, real child processes and real songs: to the video, and to every other end."""

import asyncio
import signal
import time
from pathlib import Path

import av
import pytest
from bullmq import Job

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import JobStatus, Stage
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker.requests import work_dir_of
from tests.integration.rendering import (
    QUICK,
    finished,
    job_until,
    make_song,
    render_children,
    running,
    song,
    videos,
    worker_config,
)
from tests.media import write_silent_video


async def submit(queue: RenderQueue, *songs: AudioFile, formats: tuple[str, ...] = ("1080p",)) -> list[str]:
    return list((await queue.add_batch_job(list(songs), "flame", list(formats), options=QUICK)).job_ids)


async def test_a_song_becomes_a_video(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):
        (job_id,) = await submit(queue, song(tmp_path / "Ünïcode song.flac", 1.0))
        job = await finished(queue, job_id)
        assert job.status is JobStatus.COMPLETED, job.failed_reason
        assert job.outcome is not None
        path = Path(job.outcome.output_path)
        assert path.name.endswith("_Ünïcode song_1080p_v1.mp4")
        assert videos(tmp_path / "out") == [path.name]
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            assert (video.width, video.height, sum(1 for _ in container.decode(video))) == (1920, 1080, 30)
            assert len(container.streams.audio) == 1
    (row,) = RenderStore(config.history_path).search()
    assert job.data is not None
    assert job.data.render_db_id == row.id
    assert (row.status, row.output_path, row.attempts, row.job_id) == ("completed", str(path), 1, job_id)
    assert not work_dir_of(config, job_id).exists()
    status = await queue.get_batch_status(job.data.batch_id)
    assert status is not None
    assert (status.total, status.completed) == (1, 1)
    assert any(str(path) in line for line in await queue.job_log(job_id))


async def test_cancelling_kills_the_child_within_a_second(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):
        (job_id,) = await submit(queue, song(tmp_path / "long.wav", 120.0))
        await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
        assert len(render_children()) == 1
        running_job = (await queue.snapshots([job_id]))[0]
        assert running_job is not None
        assert running_job.worker == config.name
        asked = time.monotonic()
        assert await queue.cancel(job_id)
        while render_children():
            assert time.monotonic() - asked < 1.0
            await asyncio.sleep(0.02)
        job = await finished(queue, job_id, 5)
        assert job.is_cancelled
        assert job.attempts_made == 1
    assert videos(tmp_path / "out") == []
    assert [row.status for row in RenderStore(config.history_path).search()] == ["cancelled"]


async def test_a_stopped_worker_puts_its_job_back_at_the_head_of_the_line(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):
        first, second = await submit(queue, song(tmp_path / "a.wav", 120.0), song(tmp_path / "b.wav", 120.0))
        await job_until(queue, first, lambda job: job.progress is not None)
    assert await queue.waiting_order() == [first, second]
    job = (await queue.snapshots([first]))[0]
    assert job is not None
    assert (job.status, job.attempts_made) == (JobStatus.PENDING, 0)
    assert render_children() == []
    assert [row.status for row in RenderStore(config.history_path).search()] == ["interrupted"]


async def test_a_running_render_may_finish_within_the_limit(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config) as worker:
        first, second = await submit(queue, song(tmp_path / "a.wav", 1.0), song(tmp_path / "b.wav", 1.0))
        await job_until(queue, first, lambda job: job.status is JobStatus.PROCESSING)
        worker.request_stop(60.0)
        assert (await finished(queue, first)).status is JobStatus.COMPLETED
    assert await queue.waiting_order() == [second]


async def test_a_killed_child_costs_one_attempt_and_the_next_one_finishes(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):
        (job_id,) = await submit(queue, song(tmp_path / "a.wav", 3.0))
        await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
        render_children()[0].send_signal(signal.SIGKILL)
        waiting = await job_until(queue, job_id, lambda job: job.queue_state == "delayed")
        assert "signal 9" in (waiting.failed_reason or "")
        job = await finished(queue, job_id)
    assert (job.status, job.attempts_made) == (JobStatus.COMPLETED, 2)
    assert len(videos(tmp_path / "out")) == 1
    assert [row.attempts for row in RenderStore(config.history_path).search()] == [2]


async def test_bad_input_fails_its_own_job_at_once_and_the_others_go_on(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    good = song(tmp_path / "good.mp3", 1.0)
    vanished = song(tmp_path / "vanished.mp3", 1.0)
    Path(vanished.path).unlink()
    bad = {"vanished": vanished}
    for name, content in {"empty": b"", "text": b"no audio at all\n" * 100, "zeros": bytes(5000)}.items():
        path = tmp_path / f"{name}.mp3"
        path.write_bytes(content)
        bad[name] = good.model_copy(update={"id": name, "path": str(path), "original_name": path.name})
    picture = write_silent_video(tmp_path / "video without sound.mp4")
    bad["mute"] = good.model_copy(update={"id": "mute", "path": str(picture), "original_name": picture.name})
    async with running(config):
        ids = await submit(queue, *bad.values(), good)
        jobs = [await finished(queue, job_id) for job_id in ids]
    for job, audio in zip(jobs[:-1], bad.values(), strict=True):
        assert job.status is JobStatus.FAILED
        assert job.attempts_made == 1, "what cannot succeed is not tried again"
        assert audio.original_name in (job.failed_reason or "")
        assert "Traceback" not in (job.failed_reason or "")
    assert jobs[-1].status is JobStatus.COMPLETED
    assert len(videos(tmp_path / "out")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"batchId": 7},
        {"outputFormat": "8mm"},
        {"template": "../../flame"},
        {"audioFile": {"id": "a", "path": "relative.mp3", "originalName": "x"}},
        {"outputDir": "../out"},
        {"fps": 1e9},
        {"namePattern": "{n.__class__}"},
    ],
)
async def test_malformed_jobs_of_strangers_fail_at_once(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, wrong: dict[str, object]
) -> None:
    path = make_song(tmp_path / "a.wav", 0.5)
    data: dict[str, object] = {
        "batchId": "b",
        "audioFile": {"id": "a", "path": str(path), "originalName": "a.wav"},
        "template": "flame",
        "outputFormat": "1080p",
        "renderDbId": None,
    }
    async with running(worker_config(server_address, tmp_path, queue_name)):
        added: Job = await queue.access.queue.add("render", {**data, **wrong} if wrong else {}, {"attempts": 3})
        job = await finished(queue, added.id, 20)
    assert job.status is JobStatus.FAILED
    assert job.attempts_made == 1
    assert job.failed_reason
    assert videos(tmp_path / "out") == []


async def test_an_output_folder_that_is_a_file_is_a_clear_error(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("I am a file")
    options = QUICK.model_copy(update={"output_dir": str(tmp_path / "taken")})
    async with running(worker_config(server_address, tmp_path, queue_name)):
        batch = await queue.add_batch_job([song(tmp_path / "a.wav", 0.5)], "flame", ["1080p"], options=options)
        job = await job_until(queue, batch.job_ids[0], lambda job: job.failed_reason is not None)
    assert "taken" in (job.failed_reason or "")
    assert "Traceback" not in (job.failed_reason or "")


async def test_a_worker_says_what_it_does_and_can_be_drained(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    config = worker_config(server_address, tmp_path, queue_name)

    async def state() -> str | None:
        return next((worker.state.value for worker in await registry.workers() if worker.name == config.name), None)

    async def becomes(wanted: str | None) -> None:
        async with asyncio.timeout(20):
            while await state() != wanted:
                await asyncio.sleep(0.05)

    async with running(config):
        await becomes("idle")
        (job_id,) = await submit(queue, song(tmp_path / "a.wav", 120.0))
        await becomes("busy")
        await registry.drain(config.name)
        await becomes("draining")
        await queue.cancel(job_id)
        await finished(queue, job_id)
        (waiting,) = await submit(queue, song(tmp_path / "b.wav", 0.5))
        await asyncio.sleep(1.0)
        assert await queue.waiting_order() == [waiting]
        await registry.undrain(config.name)
        assert (await finished(queue, waiting)).status is JobStatus.COMPLETED
    assert await state() is None
    await registry.close()
