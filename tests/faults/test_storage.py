"""A disk that is full, a folder that is gone, a drive that allows reading only: the queue waits, nothing is lost."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ethereal_gui.domain.errors import DiskFullError
from ethereal_gui.domain.job import JobStatus, RenderOptions
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker import render_worker
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.requests import work_dir_of
from ethereal_gui.worker.storage import FREE_WAITS, StorageTrouble, StorageWaits
from tests.integration.rendering import QUICK, finished, running, song, videos, worker_config
from tests.integration.workers import until

ROOM = 40_000_000


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "drive"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no small disk here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_worker, "STORAGE_POLL_SECONDS", 0.2)


def fill(folder: Path, leave: int) -> Path:
    """Fill a disk up to a rest."""
    path = folder / "holiday films"
    path.write_bytes(b"x" * (shutil.disk_usage(folder).free - leave))
    return path


async def trouble_is(address: ServerAddress, config: WorkerConfig, holds: Callable[[str], bool]) -> None:
    """Wait until what everybody sees of the worker's trouble is as wanted; empty for none."""
    registry = WorkerRegistry(address, queue_name=config.queue_name)

    async def seen() -> bool:
        return any(worker.name == config.name and holds(worker.trouble or "") for worker in await registry.workers())

    await until(seen, 60)
    await registry.close()


async def submit(queue: RenderQueue, folder: Path, out: Path, count: int = 2) -> list[str]:
    songs = [song(folder / f"song {n}.wav", 0.5) for n in range(count)]
    options: RenderOptions = QUICK.model_copy(update={"output_dir": str(out)})
    return list((await queue.add_batch_job(songs, "flame", ["1080p"], options=options)).job_ids)


async def all_done(queue: RenderQueue, ids: list[str]) -> None:
    """Every job is completed, in its first attempt."""
    jobs = [await finished(queue, job_id) for job_id in ids]
    assert [(job.status, job.attempts_made) for job in jobs] == [(JobStatus.COMPLETED, 1)] * len(ids)


async def nothing_lost(queue: RenderQueue, ids: list[str]) -> None:
    """No job failed or lost an attempt, and the line has its old order."""
    assert await queue.waiting_order() == ids
    jobs = await queue.snapshots(ids)
    assert [(job.status, job.attempts_made) for job in jobs if job] == [(JobStatus.PENDING, 0)] * len(ids)


@pytest.mark.parametrize("which", ["output", "data"])
async def test_a_full_disk_pauses_the_worker_and_costs_nobody_an_attempt(
    which: str, drive: Path, server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, drive if which == "data" else tmp_path, queue_name)
    out = drive / "videos" if which == "output" else tmp_path / "videos"
    out.mkdir()
    said: list[str] = []
    async with running(config, said.append):
        await trouble_is(server_address, config, lambda text: text == "")
        films = fill(drive, 60_000)
        ids = await submit(queue, tmp_path, out)
        await trouble_is(server_address, config, lambda text: "is full" in text and "Free some space" in text)
        await nothing_lost(queue, ids)
        assert videos(out) == [], "no half a video, hidden or not"
        assert sum("Taking no more jobs" in line for line in said) == 1
        films.unlink()
        await all_done(queue, ids)
        await trouble_is(server_address, config, lambda text: text == "")
    assert len(videos(out)) == len(ids)
    assert [row.status for row in RenderStore(config.history_path).search()] == ["completed"] * len(ids)
    assert [job_id for job_id in ids if work_dir_of(config, job_id).exists()] == []


async def test_an_output_folder_that_is_gone_is_waited_for(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    out = tmp_path / "drive" / "videos"
    async with running(config):
        ids = await submit(queue, tmp_path, out)
        await trouble_is(server_address, config, lambda text: str(out) in text and "not there" in text)
        await nothing_lost(queue, ids)
        assert not out.exists(), "a folder made where a drive should be would hide the drive"
        out.mkdir(parents=True)
        await all_done(queue, ids)


async def test_a_drive_that_becomes_read_only_is_waited_for(
    drive: Path, server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    subprocess.run(["mount", "-o", "remount,ro", str(drive)], check=True)
    async with running(config):
        ids = await submit(queue, tmp_path, drive)
        await trouble_is(server_address, config, lambda text: "cannot be written" in text)
        await nothing_lost(queue, ids)
        subprocess.run(["mount", "-o", "remount,rw", str(drive)], check=True)
        await all_done(queue, ids)


async def test_other_jobs_go_on_when_the_one_that_waits_for_a_folder_is_cancelled(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    (tmp_path / "videos").mkdir()
    async with running(config):
        (lost,) = await submit(queue, tmp_path, tmp_path / "gone", 1)
        good = await submit(queue, tmp_path, tmp_path / "videos", 1)
        await trouble_is(server_address, config, lambda text: "gone" in text)
        await queue.cancel(lost)
        await all_done(queue, good)


def test_a_job_does_not_go_back_for_ever() -> None:
    waits = StorageWaits()
    answers = [waits.may_wait("job", DiskFullError("full"), Path("/tmp")) for _ in range(FREE_WAITS + 1)]
    assert answers == [True] * FREE_WAITS + [False]


def test_a_full_disk_needs_room_for_the_whole_video_and_not_only_for_its_beginning(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    enough = StorageTrouble("job", "full", tmp_path, tmp_path, free // 2)
    assert enough.is_over()
    assert not StorageTrouble("job", "full", tmp_path, tmp_path, 2 * free + (1 << 40)).is_over()
    assert not StorageTrouble("job", "gone", tmp_path / "gone", tmp_path, 0).is_over()
