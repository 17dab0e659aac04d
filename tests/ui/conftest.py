"""Real widgets on the offscreen platform, on a real qasync loop."""

import asyncio
import gc
import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import qasync
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program
from ethereal_gui.settings import Settings, Theme, load_settings
from tests import media
from tests.ui.real_stage import RealScenario, play_on_stage
from tests.ui.stand_in import StandInService, draw

Scenario = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A window in a test."""

    def __init__(self, app: QApplication, settings: Settings) -> None:
        self.service = StandInService(settings)
        self.program = Program(app, settings, self.service, draw)
        self.window = self.program.window
        self.window.resize(1280, 800)

    async def settle(self, seconds: float = 0.0) -> None:
        """Let queued events and tasks run, and timers if some seconds are given."""
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.sleep(seconds)

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until that is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def garbage_stays_on_this_thread() -> Iterator[None]:
    """As in the program (see ``ui/garbage.py``), also between two windows."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder for this test alone."""
    folder = tmp_path / "data"
    monkeypatch.setenv("ETHEREAL_DATA_DIR", str(folder))
    for name in list(os.environ):
        if name.startswith("REDIS_"):
            monkeypatch.delenv(name)
    return folder


@pytest.fixture
def settings(data_dir: Path, tmp_path: Path) -> Settings:
    """Settings of a new user."""
    return load_settings().with_changes({"theme": Theme.DARK, "output_dir": tmp_path / "videos"})


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[qasync.QEventLoop]:
    """The window's own kind of event loop."""
    made = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(made)
    yield made
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def drive(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> Iterator[Callable[[Scenario], None]]:
    """Run a scenario in a window with a stand-in service; afterwards nothing may be left."""

    async def play(scenario: Scenario) -> None:
        stage = Stage(qapp, settings)
        running = asyncio.get_running_loop().create_task(stage.program.run())
        try:
            await stage.settle()
            await scenario(stage)
        finally:
            stage.program.close("stop")
            await running
            stage.window.deleteLater()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks that nobody ended: {left}"

    yield lambda scenario: loop.run_until_complete(play(scenario))
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


@pytest.fixture
def play(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> Callable[[RealScenario], None]:
    """Run a scenario in a window with the real service and its own server, without a worker: jobs wait."""
    return lambda scenario: loop.run_until_complete(play_on_stage(qapp, settings, scenario, worker=False))


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Two short songs."""
    return [media.write_audio(tmp_path / f"song {n}.wav", media.tone(0.4, 300 + n)) for n in range(2)]


def windowed(scenario: Scenario) -> Callable[[Callable[[Scenario], None]], None]:
    """Make a test of an async function that takes a ``Stage``."""

    def test(drive: Callable[[Scenario], None]) -> None:
        drive(scenario)

    test.__name__ = test.__qualname__ = getattr(scenario, "__name__", "test")
    test.__doc__ = scenario.__doc__
    test.__module__ = scenario.__module__
    return test
