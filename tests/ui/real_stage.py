"""A window with the real service and its own real server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import Update
from ethereal_gui.settings import Settings
from ethereal_gui.ui.preview_panel import DrawPreview
from ethereal_gui.ui.states import DisplayState
from tests.ui.stand_in import draw as draw_glow


class WithoutWorker(RenderService):
    """The service on a computer that does not render itself: jobs wait."""

    async def start(self, *, worker: bool = True) -> None:
        await super().start(worker=False)


class RealStage:
    """A window with the real service.

    Attributes:
        updates: all that the window was told of the queue, from the start.
    """

    def __init__(self, app: QApplication, settings: Settings, *, worker: bool, draw: DrawPreview | None) -> None:
        self.service = RenderService(settings) if worker else WithoutWorker(settings)
        self.program = Program(app, settings, self.service, draw)
        self.window = self.program.window
        self.model = self.window.model
        self.updates: list[Update] = []
        self.window.watcher.updated.connect(self.updates.append)

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


RealScenario = Callable[[RealStage], Awaitable[None]]


async def play_on_stage(
    app: QApplication,
    settings: Settings,
    scenario: RealScenario,
    *,
    worker: bool,
    draw: DrawPreview | None = draw_glow,
) -> None:
    """Run a scenario from the program's start to its end; afterwards no task may be left.

    Args:
        draw: for pictures; None for the program's own engine.
    """
    stage = RealStage(app, settings, worker=worker, draw=draw)
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
