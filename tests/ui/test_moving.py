"""The settings come to name another server while the window is open: the program goes there, and nothing is lost."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import qasync
from pydantic import SecretStr
from PySide6.QtWidgets import QApplication

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import Quality
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer
from ethereal_gui.settings import Settings
from ethereal_gui.ui.states import DisplayState
from tests.integration.rendering import make_song, shared_cache
from tests.ui.real_stage import RealStage, play_on_stage, submit


@asynccontextmanager
async def another_server() -> AsyncIterator[ServerAddress]:
    """A server of somebody else's, with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="eth-"))
    server = EmbeddedServer(folder)
    try:
        yield await server.start()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def say(stage: RealStage, url: str | None) -> str:
    """Save another address in the settings; returns what the window says to it."""
    stage.window.toast.say("")
    await stage.window.dialogs.apply({"redis_url": SecretStr(url) if url else None})
    return stage.window.toast.words


@pytest.fixture
def play(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> Callable[..., None]:
    """Run a scenario, with a worker or without."""
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "cache").symlink_to(shared_cache())
    chosen = settings.with_changes({"quality": Quality.DRAFT})
    return lambda scenario, worker: loop.run_until_complete(play_on_stage(qapp, chosen, scenario, worker=worker))


def test_another_address_is_used_at_once_and_waiting_jobs_stay_where_they_are(
    play: Callable[..., None], tmp_path: Path
) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.service.server.available)
        here = await submit(stage, [make_song(tmp_path / "here.wav", 2.0)], ["1080p", "4k"])
        async with another_server() as address:
            queue = RenderQueue(address)
            there_too = [AudioFile(id=f"a{n}", path=f"/there/{n}.wav", original_name=f"{n}.wav") for n in range(3)]
            there = (await queue.add_batch_job(there_too, "flame", ["1080p"])).job_ids
            assert "2 jobs stay in the queue" in await say(stage, address.url)
            await stage.until(lambda: {job.id for batch in stage.model.batches for job in batch.jobs} == set(there))
            assert (await stage.service.cancel(there[:1])).done == tuple(there[:1])
            await stage.until(lambda: stage.model.count(DisplayState.CANCELLED) == 1)
            assert "2 jobs stay in the queue" in await say(stage, None)
            await stage.until(lambda: {job.id for batch in stage.model.batches for job in batch.jobs} == set(here))
            assert stage.model.count(DisplayState.WAITING) == 2
            assert await queue.open_count() == 2
            await queue.close_queue()

    play(scenario, worker=False)


def test_removed_jobs_come_back_only_where_they_were(play: Callable[..., None], tmp_path: Path) -> None:
    async def scenario(stage: RealStage) -> None:
        def shown() -> set[str]:
            return {job.id for batch in stage.model.batches for job in batch.jobs}

        await stage.until(lambda: stage.service.server.available)
        here = await submit(stage, [make_song(tmp_path / "here.wav", 2.0)], ["1080p", "4k"])
        await stage.until(lambda: shown() == set(here))
        undo = stage.window.actions_["undo"]
        stage.window.jobs.run("remove", here)
        await stage.until(lambda: undo.isEnabled() and not shown())
        async with another_server() as address:
            queue = RenderQueue(address)
            await say(stage, address.url)
            await stage.until(lambda: stage.service.server.available and stage.service.server.address != "built-in")
            undo.trigger()
            await stage.until(lambda: "built-in server had these jobs" in stage.window.toast.words)
            assert await queue.open_count() == 0
            assert undo.isEnabled()
            await say(stage, None)
            await stage.until(lambda: stage.service.server.available and stage.service.server.address == "built-in")
            undo.trigger()
            await stage.until(lambda: shown() == set(here))
            assert not undo.isEnabled()
            await queue.close_queue()

    play(scenario, worker=False)


def test_a_running_render_is_finished_before_the_program_goes_to_another_server(
    play: Callable[..., None], tmp_path: Path
) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.service.server.available)
        first, second = await submit(
            stage, [make_song(tmp_path / "one.wav", 3.0), make_song(tmp_path / "two.wav", 3.0)], ["1080p"]
        )
        await stage.until(lambda: stage.service.running_jobs() == 1, 60)
        before = stage.service.queue
        async with another_server() as address:
            words = await say(stage, address.url)
            assert "when the running render has finished" in words
            assert "1 job stays" in words
            await stage.until(lambda: stage.model.job_count == 0, 120)
            await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 60)
            assert stage.service.queue is not before
            await say(stage, None)
            await stage.until(lambda: stage.model.job_count == 2, 30)
            await stage.until(lambda: stage.model.count(DisplayState.DONE) == 2, 120)
            for job_id in (first, second):
                job = stage.model.job(job_id)
                assert job
                assert job.snapshot.attempts_made == 1

    play(scenario, worker=True)


def test_a_server_that_is_not_there_is_told_and_the_way_back_is_open(play: Callable[..., None], tmp_path: Path) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.service.server.available)
        await submit(stage, [make_song(tmp_path / "here.wav", 2.0)], ["1080p"])
        await say(stage, f"unix://{tmp_path}/nobody.sock")
        await stage.until(lambda: "nobody.sock" in stage.window.banner.words)
        assert stage.window.status.words("server") == "Server not reachable"
        assert stage.model.job_count == 0
        await say(stage, None)
        await stage.until(lambda: stage.model.job_count == 1)
        await stage.until(lambda: "nobody" not in stage.window.banner.words)

    play(scenario, worker=False)
