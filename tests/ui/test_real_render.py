"""From the drop to the video: the real window, its own server, its own worker, the real engine in child processes."""

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import qasync
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from ethereal_gui.domain.formats import Quality
from ethereal_gui.settings import Settings
from ethereal_gui.ui.close_dialog import CloseDialog
from ethereal_gui.ui.states import DisplayState
from tests.integration.rendering import make_song, shared_cache
from tests.ui.real_stage import RealScenario, RealStage, play_on_stage
from tests.ui.test_window import drop, press

Play = Callable[[RealScenario], None]


@pytest.fixture
def render(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> Play:
    """Run a scenario with a real worker and the real preview; kernels come from the tests' shared cache."""
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "cache").symlink_to(shared_cache())
    chosen = settings.with_changes({"quality": Quality.DRAFT})
    return lambda scenario: loop.run_until_complete(play_on_stage(qapp, chosen, scenario, worker=True, draw=None))


async def submit_by_hand(stage: RealStage, song: Path) -> None:
    """Drop, wait for the song and the templates, press the shortcut."""
    page = stage.window.create_page
    assert drop(stage.window, [song])
    await stage.until(lambda: page.songs.rowCount() == 1 and page.gallery.chosen and page.options.submit.isEnabled())
    before = stage.model.job_count
    press(stage, "submit")
    await stage.until(lambda: stage.model.job_count > before)


def test_a_dropped_song_becomes_a_video_and_every_page_knows_of_it(render: Play, tmp_path: Path) -> None:
    song = make_song(tmp_path / "song.wav", 2.0)

    async def scenario(stage: RealStage) -> None:
        window = stage.window
        await submit_by_hand(stage, song)
        seen: set[str] = set()
        (job,) = stage.model.batches[0].jobs

        def followed() -> bool:
            seen.add(job.state.value)
            if job.snapshot.progress:
                seen.add(job.snapshot.progress.stage.value)
            return job.state is DisplayState.DONE

        await stage.until(followed, 120)
        assert {"running", "rendering", "done"} <= seen
        assert job.snapshot.outcome
        assert Path(job.snapshot.outcome.output_path).is_file()
        await stage.until(lambda: "is done" in window.toast.words)
        window.queue_page.view.select_ids([job.id])
        assert window.actions_["open"].isEnabled()
        await stage.until(lambda: job.id in window.queue_page.view.delegate.thumbnails, 60)
        details = window.queue_page.details
        await stage.until(details.picture.isVisible)
        shown = details.picture.grab().toImage()
        details.scrub.setValue(1500)
        await stage.until(lambda: details.picture.has_image and details.picture.grab().toImage() != shown)
        window.show_page("history")
        await stage.until(lambda: window.history_page.model.rowCount() == 1)
        assert window.history_page.totals.text().startswith("1 video · ")
        assert drop(window, [song])
        await stage.until(lambda: "rendered before" in window.create_page.options.repeats.text())
        assert window.create_page.options.example.text().endswith("_v1.mp4")
        await stage.until(lambda: window.preview.stage.has_image, 60)

    render(scenario)


def test_a_running_render_is_cancelled_by_its_shortcut(render: Play, tmp_path: Path) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit_by_hand(stage, make_song(tmp_path / "song.wav", 60.0))
        (job,) = stage.model.batches[0].jobs
        await stage.until(lambda: job.snapshot.progress and job.fraction > 0, 120)
        stage.window.queue_page.view.select_ids([job.id])
        stage.window.queue_page.view.setFocus()
        press(stage, "cancel")
        await stage.until(lambda: job.state is DisplayState.CANCELLED, 30)
        assert stage.service.running_jobs() == 0

    render(scenario)


def test_rendering_settings_are_used_from_the_next_job_on(render: Play, tmp_path: Path) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 60)
        (before,) = await stage.service.workers()
        await submit_by_hand(stage, make_song(tmp_path / "song.wav", 3.0))
        await stage.until(lambda: stage.service.running_jobs() == 1, 60)
        changed = stage.service.settings.with_changes({"threads": 1})
        assert await stage.service.apply_settings(changed) == ["Rendering settings are used from the next job on."]
        await stage.until(lambda: stage.model.count(DisplayState.DONE) == 1, 120)
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 60)
        (after,) = await stage.service.workers()
        assert after.name != before.name

    render(scenario)


def test_settings_that_change_while_a_render_runs_do_not_keep_the_window_from_closing(
    render: Play, tmp_path: Path
) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit_by_hand(stage, make_song(tmp_path / "song.wav", 60.0))
        await stage.until(lambda: stage.service.running_jobs() == 1, 60)
        await stage.service.apply_settings(stage.service.settings.with_changes({"threads": 1}))
        stage.program.close("stop")
        await stage.until(lambda: not stage.window.tasks._tasks, 30)

    render(scenario)


def test_closing_may_finish_the_render_or_put_it_back(render: Play, tmp_path: Path) -> None:
    async def close_with(stage: RealStage, choice: str) -> None:
        stage.window.close()
        dialog = stage.window.findChild(CloseDialog)
        assert dialog
        dialog.choices[choice].setChecked(True)
        dialog.confirm.click()
        await stage.until(lambda: not stage.window.isVisible(), 120)

    async def stop(stage: RealStage) -> None:
        await submit_by_hand(stage, make_song(tmp_path / "song.wav", 3.0))
        await stage.until(lambda: stage.service.running_jobs() == 1, 60)
        await close_with(stage, "stop")

    async def finish(stage: RealStage) -> None:
        await stage.until(lambda: stage.service.running_jobs() == 1, 60)
        await close_with(stage, "finish")

    async def look(stage: RealStage) -> None:
        await stage.until(lambda: stage.model.count(DisplayState.DONE) == 1)

    for scenario in (stop, finish, look):
        render(scenario)


def test_nothing_is_left_of_a_closed_window(render: Play, tmp_path: Path) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 60)
        stage.window.show_page("queue")

    def left() -> tuple[int, int, set[str]]:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        timers = sum(1 for one in gc.get_objects() if type(one) is QTimer and shiboken6.isValid(one) and one.isActive())
        files = psutil.Process().num_fds() if os.name == "posix" else 0
        # The loop's own pool of threads stays for the next one.
        names = {thread.name for thread in threading.enumerate() if "Thread-" not in thread.name}
        return timers, files, {name for name in names if not name.startswith(("QThread", "asyncio", "Dummy"))}

    def servers() -> set[int]:
        children = psutil.Process().children(recursive=True)
        return {child.pid for child in children if "valkey" in child.name() and child.status() != "zombie"}

    others = servers()  # the one that all tests share
    render(scenario)
    first = left()
    render(scenario)
    second = left()
    assert second == first
    assert first[0] == 0
    assert "render-worker" not in first[2]
    assert servers() <= others
