"""What the tests of workers and commands share: songs on disk, workers in this process, commands as processes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from ethereal_gui.domain.audio_file import AudioFile, audio_id
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import JobSnapshot, RenderOptions
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.render.audio.probe import probe
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.render_worker import RenderWorker
from tests.media import click_track, tone, write_audio

QUICK = RenderOptions(fps=30, quality=Quality.DRAFT)


def make_song(path: Path, seconds: float = 1.0) -> Path:
    """A short song on the disk."""
    return write_audio(path, tone(seconds) * 0.3 + click_track(seconds, 120) * 0.5, 44_100)


def song(path: Path, seconds: float = 1.0) -> AudioFile:
    """A short song, probed."""
    found = probe(make_song(path, seconds))
    return AudioFile(id=audio_id(path), path=str(path), original_name=path.name, **asdict(found))


def worker_config(address: ServerAddress, folder: Path, queue_name: str, **more: Any) -> WorkerConfig:
    """A worker that keeps everything below ``folder``; all tests share one cache of compiled kernels."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    cache = shared_cache()
    if not (data / "cache").exists():
        (data / "cache").symlink_to(cache)
    return WorkerConfig(
        address=address,
        data_dir=data,
        output_dir=folder / "out",
        name_pattern="{date}_{song}_{format}_v{n}",
        template_dirs=(resource_path("templates"),),
        quality=Quality.DRAFT,
        queue_name=queue_name,
        **more,
    )


def shared_cache() -> Path:
    """A cache folder that stays between runs, so that kernels are compiled once per machine."""
    folder = Path(os.environ.get("ETHEREAL_TEST_CACHE", Path.home() / ".cache" / "ethereal-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@asynccontextmanager
async def running(
    config: WorkerConfig, on_event: Callable[[str], None] = lambda _: None
) -> AsyncIterator[RenderWorker]:
    """A worker that runs on this loop; stopped at once on the way out."""
    worker = RenderWorker(config, on_event=on_event)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.request_stop(0.0)
        await asyncio.wait_for(task, 30)


async def job_until(
    queue: RenderQueue, job_id: str, condition: Callable[[JobSnapshot], bool], seconds: float = 60.0
) -> JobSnapshot:
    """The job once something holds of it."""
    job: JobSnapshot | None = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                job = (await queue.snapshots([job_id]))[0]
                if job and condition(job):
                    return job
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"it never came to that; the job was {job}") from None


async def finished(queue: RenderQueue, job_id: str, seconds: float = 90.0) -> JobSnapshot:
    """The job once nothing more happens to it."""
    return await job_until(queue, job_id, lambda job: job.is_terminal, seconds)


def render_children(parent: int | None = None) -> list[psutil.Process]:
    """The render processes below ``parent``, this process when not given."""
    return _children("ethereal_gui.worker.child", parent)


def probe_children(parent: int | None = None) -> list[psutil.Process]:
    """The processes below ``parent`` that look into files."""
    return _children("ethereal_gui.worker.probe_child", parent)


def _children(module: str, parent: int | None) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(parent).children(recursive=True):
        try:
            if module in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def videos(folder: Path) -> list[str]:
    """Names of everything in an output folder, hidden files too."""
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The environment of a command that must not meet this machine's own settings."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if not (data_dir / "cache").exists():
        (data_dir / "cache").symlink_to(shared_cache())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETHEREAL_", "REDIS_"))}
    return {**kept, "ETHEREAL_DATA_DIR": str(data_dir), "ETHEREAL_QUALITY": "draft", **more}


def start(arguments: list[str], env: dict[str, str], cwd: Path, umask: int = -1) -> "subprocess.Popen[str]":
    """An ``ethereal`` command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ethereal_gui", *arguments],
        env=env,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
    )


def run(
    arguments: list[str], env: dict[str, str], cwd: Path, seconds: float = 120
) -> "subprocess.CompletedProcess[str]":
    """An ``ethereal`` command, waited for."""
    return subprocess.run(
        [sys.executable, "-m", "ethereal_gui", *arguments],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
