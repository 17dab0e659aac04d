"""The window on the real service and its own real server: what is submitted, controlled, kept and found again."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import Settings
from ethereal_gui.ui.states import DisplayState
from tests import media
from tests.ui.stand_in import draw


class WithoutWorker(RenderService):
    """The service on a computer that does not render itself: jobs wait."""

    async def start(self, *, worker: bool = True) -> None:
        await super().start(worker=False)


class RealStage:
    """A window with the real service."""

    def __init__(self, app: QApplication, settings: Settings) -> None:
        self.service = WithoutWorker(settings)
        self.program = Program(app, settings, self.service, draw)
        self.window = self.program.window
        self.model = self.window.model

    async def until(self, condition: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait until that is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)

    def states(self) -> list[DisplayState]:
        """States of all jobs, in the order shown."""
        return [job.state for batch in self.model.batches for job in batch.jobs]

    def act(self, action: str, job_ids: list[str]) -> None:
        """Select jobs and use an action."""
        self.window.show_page("queue")
        self.window.queue_page.view.select_ids(job_ids)
        self.window.actions_[action].trigger()


Play = Callable[[Callable[[RealStage], Awaitable[None]]], None]


@pytest.fixture
def play(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> Play:
    """Run a scenario in a window with the real service."""

    async def run(scenario: Callable[[RealStage], Awaitable[None]]) -> None:
        stage = RealStage(qapp, settings)
        running = asyncio.get_running_loop().create_task(stage.program.run())
        try:
            await stage.until(lambda: stage.window.status.words("server") == "Built-in server")
            await scenario(stage)
        finally:
            stage.program.close("stop")
            await running
            stage.window.deleteLater()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks that nobody ended: {left}"

    return lambda scenario: loop.run_until_complete(run(scenario))


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Two short songs."""
    return [media.write_audio(tmp_path / f"song {n}.wav", media.tone(0.4, 300 + n)) for n in range(2)]


async def submit(stage: RealStage, songs: list[Path], formats: list[str]) -> list[str]:
    """Drop, choose, submit; returns the job ids."""
    page = stage.window.create_page
    stage.window.add_paths(songs)
    await stage.until(lambda: page.songs.rowCount() == len(songs) and page.gallery.chosen)
    page.options.formats.choose(formats)
    before = stage.model.job_count
    stage.window.actions_["submit"].trigger()
    await stage.until(lambda: stage.model.job_count == before + len(songs) * len(formats))
    return [job.id for batch in stage.model.batches for job in batch.jobs]


def test_submitted_jobs_appear_and_obey(play: Play, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        ids = await submit(stage, songs, ["1080p", "1080p_vertical"])
        assert stage.window.page == "queue"
        assert [job_id.rpartition("-")[2] for job_id in ids] == ["1080p", "1080p_vertical"] * 2
        assert "No worker" in stage.window.status.words("worker")
        stage.act("hold", ids[:2])
        await stage.until(lambda: stage.model.count(DisplayState.HELD) == 2)
        stage.act("release", ids[:1])
        await stage.until(lambda: stage.model.count(DisplayState.HELD) == 1)
        stage.act("cancel", ids[2:3])
        await stage.until(lambda: stage.model.count(DisplayState.CANCELLED) == 1)
        stage.act("retry", ids[2:3])
        await stage.until(lambda: stage.model.count(DisplayState.CANCELLED) == 0)
        stage.window.actions_["pause"].trigger()
        await stage.until(lambda: stage.window.status.words("paused") == "Paused")
        stage.window.actions_["pause"].trigger()
        await stage.until(lambda: not stage.window.status.words("paused"))

    play(scenario)


def test_removed_jobs_come_back_by_undo(play: Play, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        ids = await submit(stage, songs, ["1080p"])
        stage.act("remove", ids)
        await stage.until(lambda: stage.model.job_count == 0)
        stage.window.actions_["undo"].trigger()
        await stage.until(lambda: stage.model.job_count == 2)
        assert set(stage.states()) == {DisplayState.WAITING}

    play(scenario)


def test_everything_is_there_again_after_a_restart(play: Play, songs: list[Path]) -> None:
    seen: list[str] = []

    async def first(stage: RealStage) -> None:
        seen.extend(await submit(stage, songs, ["1080p", "4k"]))
        stage.act("cancel", seen[:1])
        await stage.until(lambda: stage.model.count(DisplayState.CANCELLED) == 1)

    async def second(stage: RealStage) -> None:
        await stage.until(lambda: stage.model.job_count == 4)
        assert [job.id for batch in stage.model.batches for job in batch.jobs] == seen
        assert stage.states() == [DisplayState.CANCELLED] + [DisplayState.WAITING] * 3
        assert stage.window.page == "queue"

    play(first)
    play(second)


def test_a_killed_server_is_said_and_the_window_goes_on_when_it_is_back(play: Play, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit(stage, songs, ["1080p"])
        process = server_process(stage)
        os.kill(process, signal.SIGKILL)
        await stage.until(lambda: not stage.service.server.available, 20)
        await stage.until(stage.window.banner.isVisible)
        assert stage.window.banner.words
        await stage.until(lambda: stage.service.server.available, 40)
        assert stage.model.job_count == 2

    play(scenario)


def server_process(stage: RealStage) -> int:
    """Process id of the embedded server."""
    import psutil

    data = str(stage.service.settings.data_dir)
    for process in psutil.process_iter(["pid", "name", "cmdline", "cwd"]):
        info = process.info
        if any(word in (info["name"] or "") for word in ("valkey", "redis")) and (
            data in " ".join(info["cmdline"] or []) or (info["cwd"] or "").startswith(data)
        ):
            return int(info["pid"])
    raise AssertionError("no server process found")
