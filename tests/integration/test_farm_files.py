"""Workers that do not all see the same disks: a job goes to one that can read its song."""

import asyncio
import time
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import JobStatus
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.reach import OFFER_SECONDS
from ethereal_gui.worker.render_worker import WISH_POLL_SECONDS
from tests.integration.farm import open_farm
from tests.integration.rendering import QUICK, finished, job_until, make_song, running, song, worker_config
from tests.integration.workers import until


def worker(address: ServerAddress, folder: Path, queue_name: str, *roots: Path, concurrency: int = 1) -> WorkerConfig:
    """A worker that reads only what lies below its roots."""
    config = worker_config(address, folder, queue_name)
    return WorkerConfig(
        address=config.address,
        data_dir=config.data_dir,
        output_dir=config.output_dir,
        name_pattern=config.name_pattern,
        template_dirs=config.template_dirs,
        quality=config.quality,
        queue_name=queue_name,
        audio_roots=roots,
        name=folder.name,
        concurrency=concurrency,
    )


async def submit(queue: RenderQueue, *songs: AudioFile) -> list[str]:
    return list((await queue.add_batch_job(list(songs), "flame", ["1080p"], options=QUICK)).job_ids)


async def known(registry: WorkerRegistry, *names: str) -> None:
    async def all_there() -> bool:
        return set(names) <= {one.name for one in await registry.workers()}

    await until(all_there)


async def test_what_one_worker_cannot_read_another_one_renders(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    blind = worker(server_address, tmp_path / "blind", queue_name, tmp_path / "elsewhere", concurrency=2)
    seeing = worker(server_address, tmp_path / "seeing", queue_name, music)
    async with running(seeing):
        await known(registry, "seeing")
        await registry.drain("seeing")
        await asyncio.sleep(5 * WISH_POLL_SECONDS)  # until then it would still take a job
        async with running(blind):
            await known(registry, "blind")
            (job_id,) = await submit(queue, song(music / "a.wav", 1.0))
            left = await job_until(queue, job_id, lambda job: bool(job.left_by and job.left_by.times > 1))
            assert left.left_by is not None
            assert (left.status, left.attempts_made) == (JobStatus.PENDING, 0)
            assert list(left.left_by.workers) == ["blind"]
            assert left.left_by.note.startswith("Left by blind: “a.wav” is outside the folders")
            assert left.left_by.note.endswith("It waits for a worker that can read it.")
            await registry.undrain("seeing")
            job = await finished(queue, job_id)
    await registry.close()
    assert job.status is JobStatus.COMPLETED, job.failed_reason
    assert (job.worker, job.attempts_made, job.left_by) == ("seeing", 1, None)
    assert sum("Left by" in line for line in await queue.job_log(job_id)) == 1
    assert RenderStore(blind.history_path).search() == [], "what was left was never rendered there"


async def test_a_song_that_no_worker_can_read_fails_with_their_names(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    one, two = (worker(server_address, tmp_path / name, queue_name, tmp_path / "elsewhere") for name in ("one", "two"))
    async with running(one), running(two):
        await known(registry, "one", "two")
        (job_id,) = await submit(queue, song(tmp_path / "a.wav", 0.5))
        job = await finished(queue, job_id)
    await registry.close()
    assert sum("Left by" in line for line in await queue.job_log(job_id)) == 1
    assert (job.status, job.attempts_made) == (JobStatus.FAILED, 1)
    last = job.worker
    other = {"one": "two", "two": "one"}[last or ""]
    assert "a.wav" in (job.failed_reason or "")
    assert f"Neither can it be read by {other}." in (job.failed_reason or "")
    assert await queue.retry(job_id)
    (again,) = await queue.snapshots([job_id])
    assert again is not None
    assert (again.status, again.left_by) == (JobStatus.PENDING, None), "all may try again"


async def test_many_jobs_that_a_worker_cannot_read_are_no_flood(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    audio = song(tmp_path / "a.wav", 0.5)
    songs = [audio.model_copy(update={"id": f"a{n:05x}"}) for n in range(50)]
    seeing = worker(server_address, tmp_path / "seeing", queue_name, tmp_path)
    async with running(seeing):
        await known(registry, "seeing")
        await registry.drain("seeing")
        started = time.monotonic()
        async with running(worker(server_address, tmp_path / "blind", queue_name, tmp_path / "elsewhere")):
            ids = await submit(queue, *songs)
            await asyncio.sleep(3.0)
        seconds = time.monotonic() - started
        times = sum(job.left_by.times for job in await queue.snapshots(ids) if job and job.left_by)
        assert 1 < times <= seconds / OFFER_SECONDS + 1
        for job_id in ids:
            await queue.cancel(job_id)
    await registry.close()


async def test_path_maps_lead_to_the_song_and_back_from_the_video(tmp_path: Path) -> None:
    async with open_farm(tmp_path) as farm:
        music, out = tmp_path / "nas" / "music", tmp_path / "nas" / "videos"
        music.mkdir(parents=True)
        (out / "tonight").mkdir(parents=True)
        make_song(music / "a song.wav", 0.5)
        farm.worker(
            "box",
            *("--audio-root", str(music), "-o", str(out)),
            *("--path-map", rf"Z:\Songs={music}", "--path-map", f"/Volumes/videos={out}"),
        )
        audio = AudioFile(id="a1", path=r"Z:\Songs\a song.wav", original_name="a song.wav")
        options = QUICK.model_copy(update={"output_dir": "/Volumes/videos/tonight", "name_pattern": "{song}_v{n}"})
        batch = await farm.queue.add_batch_job([audio], "flame", ["1080p"], options=options)
        job = await finished(farm.queue, batch.job_ids[0])
    assert job.outcome is not None, job.failed_reason
    assert job.outcome.output_path == "/Volumes/videos/tonight/a song_v1.mp4"
    assert [path.name for path in (out / "tonight").iterdir()] == ["a song_v1.mp4"]
    (row,) = RenderStore(tmp_path / "box" / "data" / "history.sqlite3").search()
    assert row.output_path == str(out / "tonight" / "a song_v1.mp4")
