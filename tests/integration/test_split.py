"""One video on several workers, with real renders: the same bytes, whatever happens to a worker on the way."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from bullmq import Queue

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import JobSnapshot, JobStatus, PartJobData, RenderOptions
from ethereal_gui.queue.access import PART_OPTIONS
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.render.video.workspace import SHARED_PREFIX
from ethereal_gui.service.job_actions import JobActions
from ethereal_gui.worker import part_runner, render_worker
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.messages import RenderRequest
from ethereal_gui.worker.requests import make_part_request, shared_dir_of
from ethereal_gui.worker.workspace import shared_dir_name
from tests.integration.farm import Farm, open_farm
from tests.integration.rendering import (
    QUICK,
    finished,
    job_until,
    render_children,
    running,
    song,
    videos,
    worker_config,
)
from tests.integration.workers import until

Songs = Callable[[int], list[AudioFile]]
FORMAT = "1080p_square"
PARTS = ("wait", "active", "prioritized", "delayed", "completed", "failed")

# A worker whose locks are soon missed.
IMPATIENT = """
import sys
from ethereal_gui.worker import render_worker
render_worker.LOCK_MS, render_worker.STALL_CHECK_MS = 2_000, 500
from ethereal_gui.cli import main
sys.argv = ["ethereal", "worker"]
raise SystemExit(main())
"""


def split_options(folder: Path, minutes: float = 0.0) -> RenderOptions:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    return QUICK.model_copy(update={"output_dir": str(out), "split_minutes": minutes})


def machine(config: WorkerConfig, name: str) -> WorkerConfig:
    """Another worker on the same output folder."""
    data = config.data_dir.with_name(name)
    data.mkdir()
    (data / "cache").symlink_to(config.cache_dir.resolve())
    return replace(config, data_dir=data, name=name)


async def parts_left(queue: RenderQueue) -> int:
    parts = Queue(queue.access.keys.parts, {"connection": queue.access.client})
    return sum((await parts.getJobCounts(*PARTS)).values())


async def nothing_left(queue: RenderQueue, folder: Path, *names: str) -> None:
    async def gone() -> bool:
        return await parts_left(queue) == 0

    await until(gone)
    assert videos(folder / "out") == sorted(names)


def shared_segments(folder: Path) -> list[Path]:
    return sorted((folder / "out").glob(f"{SHARED_PREFIX}*/*/segment-*.mp4"))


def unfinished_segments(folder: Path) -> list[Path]:
    return sorted((folder / "out").glob(f"{SHARED_PREFIX}*/*/.segment-*.part"))


def in_parts(job: JobSnapshot) -> bool:
    return job.queue_state == "waiting-children" and job.progress is not None and job.progress.frames is not None


async def test_two_workers_make_the_same_file_as_one(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    audio = [song(tmp_path / "a.wav", 11.0)]
    options = split_options(tmp_path)
    alone = options.model_copy(update={"split_minutes": None})
    started: list[str] = []
    async with running(config, on_event=lambda text: started.append(f"first {text}")):
        (whole_id,) = (await queue.add_batch_job(audio, "flame", [FORMAT], options=alone)).job_ids
        whole = await finished(queue, whole_id)
        assert whole.outcome is not None, whole.failed_reason
        async with running(machine(config, "second"), on_event=lambda text: started.append(f"second {text}")):
            batch = await queue.add_batch_job(audio, "flame", [FORMAT], options=options)
            (job_id,) = batch.job_ids
            during = await job_until(queue, job_id, in_parts)
            assert during.progress is not None
            assert (during.status, during.progress.frames) == (JobStatus.PROCESSING, 330)
            status = await queue.get_batch_status(batch.batch_id)
            assert status is not None
            assert (status.total, status.processing) == (1, 1)
            again = await queue.add_batch_job(audio, "flame", [FORMAT], options=options, batch_id=batch.batch_id)
            assert again.added == 0
            job = await finished(queue, job_id)
    assert job.outcome is not None, job.failed_reason
    assert Path(job.outcome.output_path).read_bytes() == Path(whole.outcome.output_path).read_bytes()
    assert (job.attempts_made, job.outcome.frames) == (1, 330)
    assert 0.5 < job.outcome.elapsed < 120
    status = await queue.get_batch_status(batch.batch_id)
    assert status is not None
    assert (status.total, status.completed) == (1, 1)
    parts = [line for line in started if f"{job_id}." in line and line.endswith(": started")]
    assert {line.split()[0] for line in parts} == {"first", "second"}, "both have rendered a part"
    assert len(parts) == 2
    await nothing_left(queue, tmp_path, *(Path(one.outcome.output_path).name for one in (whole, job) if one.outcome))
    log = "\n".join(await queue.job_log(job_id))
    assert "Split up into 2 parts" in log
    assert "Frames 300 to 329: done in" in log


async def test_a_cancelled_one_stops_everywhere_and_goes_on_when_it_is_tried_again(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    async with running(config):
        options = split_options(tmp_path)
        (job_id,) = (
            await queue.add_batch_job([song(tmp_path / "a.wav", 14.0)], "flame", [FORMAT], options=options)
        ).job_ids

        async def second_begun() -> bool:
            return len(shared_segments(tmp_path)) == 1 and len(render_children()) == 1

        await until(second_begun, 60)
        assert await queue.cancel(job_id)
        asked = time.monotonic()
        assert (await queue.snapshots([job_id]))[0].is_cancelled  # type: ignore[union-attr]

        async def quiet() -> bool:
            return not render_children() and await parts_left(queue) == 0

        await until(quiet, 20)
        assert time.monotonic() - asked < 10
        assert len(shared_segments(tmp_path)) == 1, "what is finished is kept"
        assert await queue.retry(job_id)
        job = await finished(queue, job_id)
    assert job.outcome is not None, job.failed_reason
    assert job.outcome.frames == 420
    await nothing_left(queue, tmp_path, Path(job.outcome.output_path).name)
    log = "\n".join(await queue.job_log(job_id))
    assert "Split up into 2 parts" in log
    assert "Went on from frame 300 of an earlier attempt." in log


async def test_a_part_that_fails_for_good_fails_the_job_with_its_reason(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PART_OPTIONS, "attempts", 1)
    async with running(worker_config(server_address, tmp_path, queue_name)):
        batch = await queue.add_batch_job(
            [song(tmp_path / "a.wav", 10.5)], "flame", [FORMAT], options=split_options(tmp_path)
        )
        await job_until(queue, batch.job_ids[0], in_parts)

        async def killed() -> bool:
            for child in render_children():
                child.kill()
                return True
            return False

        await until(killed)
        job = await finished(queue, batch.job_ids[0])
    assert (job.status, job.attempts_made) == (JobStatus.FAILED, 1)
    assert "A part of the video failed: The render process ended unexpectedly (signal 9)." in (job.failed_reason or "")
    status = await queue.get_batch_status(batch.batch_id)
    assert status is not None
    assert (status.total, status.failed, status.cancelled) == (1, 1, 0)
    assert await parts_left(queue) == 0


async def test_parts_that_no_worker_can_render_are_left_to_the_one_that_joins(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_worker, "LEFT_TO_OTHERS_MS", 50)
    monkeypatch.setattr(render_worker, "MOST_STARTS_OF_PART", 2)

    def elsewhere(config: WorkerConfig, part_id: str, part: PartJobData) -> RenderRequest:
        return make_part_request(config, part_id, part).model_copy(update={"shared_dir": str(tmp_path / "away")})

    monkeypatch.setattr(part_runner, "make_part_request", elsewhere)
    async with running(worker_config(server_address, tmp_path, queue_name)):
        (job_id,) = (
            await queue.add_batch_job(
                [song(tmp_path / "a.wav", 10.5)], "flame", [FORMAT], options=split_options(tmp_path)
            )
        ).job_ids
        job = await finished(queue, job_id)
    assert job.outcome is not None, job.failed_reason
    assert job.outcome.frames == 315
    await nothing_left(queue, tmp_path, Path(job.outcome.output_path).name)
    assert "cannot be reached here" in "\n".join(await queue.job_log(job_id))


class Actions(JobActions):
    """What window and commands do with jobs."""

    registry = None

    def __init__(self, queue: RenderQueue) -> None:
        self._queue = queue

    @property
    def queue(self) -> RenderQueue:
        return self._queue


async def test_what_was_shared_for_a_job_goes_when_it_is_removed(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, songs: Songs
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    ids = (await queue.add_batch_job(songs(2), "flame", [FORMAT], options=split_options(tmp_path))).job_ids
    for snapshot in await queue.snapshots(ids):
        assert snapshot is not None
        assert snapshot.data is not None
        shared = shared_dir_of(config, snapshot.id, snapshot.data)
        assert shared is not None
        (shared / "mark").mkdir(parents=True)
    assert len(videos(tmp_path / "out")) == 2
    assert (await Actions(queue).remove(ids[:1])).result.done == ids[:1]
    assert videos(tmp_path / "out") == [shared_dir_name(queue_name, ids[1])]


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    async with open_farm(tmp_path) as opened:
        yield opened


@pytest.mark.skipif(sys.platform == "win32", reason="processes are told apart by their parents")
async def test_the_part_of_a_killed_worker_is_rendered_by_another_one(farm: Farm) -> None:
    def worker(name: str) -> "subprocess.Popen[str]":
        env = farm.env(name)
        process = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT],
            env=env,
            cwd=farm.folder / name,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        farm.processes.append(process)
        return process

    options = split_options(farm.folder)
    batch = await farm.queue.add_batch_job([song(farm.folder / "a.wav", 10.5)], "flame", [FORMAT], options=options)
    (job_id,) = batch.job_ids
    first = worker("first")
    await job_until(farm.queue, job_id, in_parts)

    async def busy() -> bool:
        return len(render_children(first.pid)) == 1 and bool(unfinished_segments(farm.folder))

    await until(busy, 60)
    second = worker("second")
    await farm.info(second, lambda _: True)
    children = render_children(first.pid)
    first.kill()
    job = await finished(farm.queue, job_id, 120)
    assert job.outcome is not None, job.failed_reason
    assert (job.status, job.outcome.frames, job.attempts_made) == (JobStatus.COMPLETED, 315, 1)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    await nothing_left(farm.queue, farm.folder, Path(job.outcome.output_path).name)
    status = await farm.queue.get_batch_status(batch.batch_id)
    assert status is not None
    assert (status.total, status.completed, status.failed) == (1, 1, 0)
