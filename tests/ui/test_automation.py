"""What happens by itself, on the real service with its own server: hours, the watched folder, the end of the queue."""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from ethereal_gui.service.attendant import Attendant
from ethereal_gui.settings import Settings, WhenDone
from ethereal_gui.ui.finale import Countdown
from ethereal_gui.ui.states import DisplayState
from ethereal_gui.ui.workers_dialog import WorkersDialog
from tests import media
from tests.ui.real_stage import RealScenario, RealStage, play_on_stage, submit

PlayWith = Callable[..., None]


@pytest.fixture
def play_with(qapp: QApplication, loop: qasync.QEventLoop, settings: Settings) -> PlayWith:
    """Run a scenario with a real worker and with changed settings."""

    def play(scenario: RealScenario, *, worker: bool = True, **changes: object) -> None:
        changed = settings.with_changes(changes)
        loop.run_until_complete(play_on_stage(qapp, changed, scenario, worker=worker))

    return play


async def submit_hopeless(stage: RealStage, songs: list[Path]) -> None:
    """Jobs that end at once, because their songs have gone."""
    await stage.service.pause()
    await submit(stage, songs, ["1080p"])
    for song in songs:
        song.unlink()
    await stage.service.resume()


def test_a_command_runs_when_everything_is_done(play_with: PlayWith, songs: list[Path], tmp_path: Path) -> None:
    mark = tmp_path / "done"

    async def scenario(stage: RealStage) -> None:
        assert "Your command runs" in stage.window.status.words("then")
        await submit_hopeless(stage, songs)
        await stage.until(lambda: stage.window.finale.countdown, 30)
        assert stage.model.count(DisplayState.FAILED) == 2
        countdown = stage.window.finale.countdown
        assert countdown
        assert not mark.exists()
        for _ in range(60):
            countdown.tick()
        await stage.until(mark.exists)
        assert stage.window.finale.countdown is None

    async def next_start(stage: RealStage) -> None:
        await stage.until(lambda: any(update.full for update in stage.updates))
        assert stage.model.count(DisplayState.FAILED) == 2
        assert not any(update.all_done for update in stage.updates)  # what ended earlier is no news

    touch = f'"{sys.executable}" -c "import pathlib; pathlib.Path(r\'{mark}\').touch()"'
    play_with(scenario, when_done=WhenDone.COMMAND, done_command=touch)
    play_with(next_start, when_done=WhenDone.COMMAND, done_command=touch)


def test_the_end_can_be_called_off_and_new_work_calls_it_off(
    play_with: PlayWith, songs: list[Path], tmp_path: Path
) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit_hopeless(stage, songs)
        await stage.until(lambda: stage.window.finale.countdown, 30)
        countdown = stage.window.finale.countdown
        assert countdown
        countdown.stop.click()
        await stage.until(lambda: not stage.window.findChild(Countdown))
        more = [media.write_audio(tmp_path / "more.wav", media.tone(0.4))]
        await submit_hopeless(stage, more)
        await stage.until(lambda: stage.window.finale.countdown, 30)
        await stage.service.pause()
        again = [media.write_audio(tmp_path / "again.wav", media.tone(0.4))]
        await submit(stage, again, ["1080p"])
        await stage.until(lambda: stage.window.finale.countdown is None)
        assert stage.window.isVisible()

    play_with(scenario, when_done=WhenDone.QUIT)


def test_quitting_when_everything_is_done(play_with: PlayWith, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit_hopeless(stage, songs)
        await stage.until(lambda: stage.window.finale.countdown, 30)
        countdown = stage.window.finale.countdown
        assert countdown
        countdown.accept()
        await stage.until(lambda: not stage.window.isVisible())

    play_with(scenario, when_done=WhenDone.QUIT)


def test_outside_its_hours_this_computer_rests_until_told_otherwise(play_with: PlayWith, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        await submit(stage, songs, ["1080p"])
        await stage.until(lambda: "rests" in stage.window.banner.words)
        assert stage.window.status.words("worker") == "No worker"
        assert stage.model.count(DisplayState.WAITING) == 2
        for song in songs:
            song.unlink()
        stage.window.banner._button.click()
        await stage.until(lambda: stage.model.count(DisplayState.FAILED) == 2, 30)
        assert not stage.window.banner.isVisible()

    play_with(scenario, hours=far_from_now())


def far_from_now() -> str:
    """Hours that begin six hours from now."""
    start = datetime.now().astimezone() + timedelta(hours=6)
    return f"{start:%H:%M}-{start + timedelta(hours=2):%H:%M}"


def test_a_worker_rests_when_the_hours_end_and_goes_on_when_they_are_changed(play_with: PlayWith) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 30)
        await stage.service.apply_settings(stage.service.settings.with_changes({"hours": far_from_now()}))
        await stage.until(lambda: stage.window.status.words("worker") == "Worker resting")
        await stage.service.apply_settings(stage.service.settings.with_changes({"hours": ""}))
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle")

    play_with(scenario)


def test_a_worker_is_drained_and_called_back_in_the_list_of_workers(play_with: PlayWith) -> None:
    async def scenario(stage: RealStage) -> None:
        await stage.until(lambda: stage.window.status.words("worker") == "Worker idle", 30)
        stage.window.actions_["workers"].trigger()
        dialog = stage.window.findChild(WorkersDialog)
        assert dialog
        await stage.until(lambda: dialog.rows)
        ((state, drain),) = dialog.rows.values()
        assert state.text() == "Idle"
        drain.click()
        await stage.until(lambda: state.text() == "Takes nothing new")
        drain.click()
        await stage.until(lambda: state.text() == "Idle")
        dialog.accept()

    play_with(scenario)


def test_songs_in_the_watched_folder_are_rendered_when_they_are_there_in_full(
    play_with: PlayWith, tmp_path: Path
) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    media.write_audio(folder / "old.wav", media.tone(0.4))
    whole = media.write_audio(tmp_path / "new.wav", media.tone(0.4)).read_bytes()
    told: list[str] = []

    async def scenario(stage: RealStage) -> None:
        attendant = Attendant(stage.service, told.append, every=0.02, settle_seconds=0.4)
        attending = asyncio.ensure_future(attendant.attend())
        await asyncio.sleep(0.2)
        copy = folder / "new.wav"
        for part in range(8):
            with copy.open("ab") as file:
                file.write(whole[part * len(whole) // 8 : (part + 1) * len(whole) // 8])
            await asyncio.sleep(0.15)
            assert stage.model.job_count == 0, "taken while it was still being copied"
        (folder / "broken.mp3").write_bytes(b"no sound at all" * 100)
        await stage.until(lambda: stage.model.job_count == len(stage.service.settings.formats))
        (job,) = stage.model.batches[0].jobs
        assert job.audio
        assert job.audio.path == str(copy)
        await stage.until(lambda: told)
        assert "broken.mp3" in told[0]
        attending.cancel()

    async def again(stage: RealStage) -> None:
        attendant = Attendant(stage.service, told.append, every=0.02, settle_seconds=0.1)
        attending = asyncio.ensure_future(attendant.attend())
        await asyncio.sleep(0.5)
        attending.cancel()
        await stage.until(lambda: stage.model.job_count == 1)
        assert len(told) == 1

    play_with(scenario, worker=False, watch_folder=folder)
    play_with(again, worker=False, watch_folder=folder)
