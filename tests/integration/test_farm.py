"""Several workers on one server: they are seen, drained, cancelled and lost, and their jobs go on elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from ethereal_gui.domain.job import JobStatus, Stage
from ethereal_gui.domain.worker_info import WorkerState
from tests.integration.farm import Farm, open_farm
from tests.integration.rendering import QUICK, finished, job_until, render_children, song


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    async with open_farm(tmp_path) as opened:
        yield opened


async def submit(farm: Farm, *seconds: float) -> list[str]:
    songs = [song(farm.folder / f"song {n}.wav", length) for n, length in enumerate(seconds)]
    out = farm.folder / "out"
    out.mkdir(exist_ok=True)
    options = QUICK.model_copy(update={"output_dir": str(out)})
    return list((await farm.queue.add_batch_job(songs, "flame", ["1080p"], options=options)).job_ids)


async def test_workers_say_who_they_are_and_obey_from_afar(farm: Farm) -> None:
    worker = farm.worker("box")
    idle = await farm.info(worker, lambda one: bool(one.encoders))
    assert idle.state is WorkerState.IDLE
    assert idle.cores >= 1
    assert {"libx264", "libx265"} <= set(idle.encoders)
    assert idle.name in await farm.registry.connected()

    first, second = await submit(farm, 120.0, 0.5)
    busy = await farm.info(worker, lambda one: one.state is WorkerState.BUSY and bool(one.fps))
    assert busy.jobs == (first,)
    assert abs(busy.seen_at - time.time()) < 10

    await farm.registry.drain(idle.name)
    draining = await farm.info(worker, lambda one: one.state is WorkerState.DRAINING)
    assert draining.jobs == (first,), "a draining worker finishes what it has"
    assert await farm.queue.cancel(first)
    assert (await finished(farm.queue, first, 10)).is_cancelled
    assert render_children(worker.pid) == []
    await asyncio.sleep(1.0)
    assert await farm.queue.waiting_order() == [second], "and takes nothing new"
    await farm.registry.undrain(idle.name)
    assert (await finished(farm.queue, second)).status is JobStatus.COMPLETED


async def test_the_job_of_a_lost_worker_goes_on_elsewhere(farm: Farm) -> None:
    first = farm.worker("first")
    (job_id,) = await submit(farm, 4.0)
    await job_until(farm.queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
    second = farm.worker("second")
    other = await farm.info(second, lambda one: one.state is WorkerState.IDLE)
    first.kill()
    killed = time.monotonic()
    taken = await job_until(farm.queue, job_id, lambda job: job.worker == other.name)
    assert time.monotonic() - killed < 30
    assert taken.attempts_made == 0
    job = await finished(farm.queue, job_id)
    assert job.outcome is not None, job.failed_reason
    assert job.outcome.worker == other.name
    (path,) = (farm.folder / "out").iterdir()
    with av.open(str(path)) as video:
        assert video.streams.video[0].frames == 120
    lost = await farm.info(first, lambda one: one.state is WorkerState.LOST)
    assert lost.name != other.name
