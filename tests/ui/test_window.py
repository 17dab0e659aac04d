"""The real window with a stand-in service: drops, submitting, actions by their keys, filters, notices, closing."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QWidget,
)

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import Caption, RenderJobData, RenderOptions, RenderOutcome
from ethereal_gui.intake.inspect import IntakeResult, Skipped
from ethereal_gui.service.updates import ServerState
from ethereal_gui.settings import CloseBehaviour, load_settings
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.ui.close_dialog import CloseDialog
from ethereal_gui.ui.edit_dialog import EditDialog
from ethereal_gui.ui.queue_cells import cell_text
from ethereal_gui.ui.queue_model import Column
from ethereal_gui.ui.queue_nodes import HIDDEN
from ethereal_gui.ui.settings_dialog import SettingsDialog
from ethereal_gui.ui.states import DisplayState, StateGroup
from tests import media
from tests.ui import samples
from tests.ui.conftest import Stage, windowed
from tests.ui.real_stage import RealStage

JOB = "b0000000000a1-00000001-1080p"
FAILED = "b0000000000a1-00000001-1080p_vertical"


async def with_queue(stage: Stage) -> None:
    """Show the mixed queue."""
    batches, jobs = samples.mixed()
    stage.service.show(batches, jobs, full=True)
    stage.window.show_page("queue")
    await stage.until(lambda: stage.window.model.job_count == len(jobs))
    await stage.until(stage.window.queue_page.view.isVisible)


def press(stage: Stage | RealStage, action_id: str) -> None:
    """Type the shortcut of an action into the window."""
    sequence = stage.window.actions_[action_id].shortcut()
    QTest.keySequence(QApplication.focusWidget() or stage.window, sequence)


def drop(window: QWidget, paths: list[Path]) -> bool:
    """Drag files over the window and let go. Returns whether they were accepted."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(400, 300), Qt.DropAction.CopyAction, mime, buttons, none)
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(400, 300), Qt.DropAction.CopyAction, mime, buttons, none)
    QApplication.sendEvent(window, event)
    return event.isAccepted()


# ---- building a batch ------------------------------------------------------------------------------------------


def test_dropped_files_are_taken_or_explained(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(2):
        media.write_audio(folder / f"song {number}.wav", media.tone(0.4))
    cover = tmp_path / "cover.jpg"
    cover.write_bytes(b"not audio at all")

    async def scenario(stage: Stage) -> None:
        page = stage.window.create_page
        stage.window.show_page("queue")
        assert drop(stage.window, [folder, cover])
        await stage.until(lambda: page.songs.rowCount() == 2 and page.note.text().startswith("2 songs"))
        assert stage.window.page == "create"
        assert "1 skipped" in page.note.text()
        assert "cover.jpg" in page.note.text()
        assert page.why.isVisible()
        assert drop(stage.window, [folder / "song 0.wav"])
        await stage.until(lambda: "already" in page.note.text())
        assert page.songs.rowCount() == 2

    drive(scenario)


def test_covers_are_shown_beside_the_songs(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    song = media.write_audio(tmp_path / "song.wav", media.tone(0.4))

    async def scenario(stage: Stage) -> None:
        picture = QImage(300, 200, QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor.red)
        picture.save(str(tmp_path / "cover.png"))

        async def cover(audio: AudioFile) -> bytes:
            return (tmp_path / "cover.png").read_bytes()

        stage.service.cover = cover  # type: ignore[method-assign]
        page = stage.window.create_page
        assert drop(stage.window, [song])
        await stage.until(lambda: page.songs.rowCount() == 1 and not page.songs.without_cover())
        index = page.songs.index(0)
        shown = page.song_list.grab(page.song_list.visualRect(index)).toImage()
        assert shown.pixelColor(32, 26) == QColor(Qt.GlobalColor.red)

    drive(scenario)


@windowed
async def test_a_drag_without_files_is_refused(stage: Stage) -> None:
    mime = QMimeData()
    mime.setText("hello")
    event = QDragEnterEvent(
        QPoint(10, 10), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(stage.window, event)
    assert not stage.window.veil.isVisible()


@windowed
async def test_submitting_by_shortcut_sends_what_was_chosen(stage: Stage) -> None:
    page = stage.window.create_page
    page.show_intake(IntakeResult(tuple(samples.song(n) for n in range(3)), ()))
    page.options.formats.choose(["1080p", "360mono"])
    await stage.until(lambda: page.gallery.chosen)
    page.parameters.row("height").put(1.25)
    page.options.caption.setCurrentIndex(page.options.caption.findData(Caption.TEXT))
    previewed = stage.window.preview._request()
    assert previewed is not None
    assert previewed.caption is Caption.TEXT
    press(stage, "submit")
    await stage.until(lambda: stage.window.page == "queue")
    sent: Any = next(sent for action, sent in stage.service.asked if action == "submit")
    files, template, formats, options = sent
    assert [file.id for file in files] == [samples.song(n).id for n in range(3)]
    assert (template, formats) == ("flame", ["1080p", "360mono"])
    assert isinstance(options, RenderOptions)
    assert options.template_values == {"height": 1.25}
    assert options.caption is Caption.TEXT
    assert page.songs.rowCount() == 0
    assert "6 videos" in stage.window.toast.words


@windowed
async def test_cost_line_counts_videos_and_submit_says_so(stage: Stage) -> None:
    options = stage.window.create_page.options
    assert not options.submit.isEnabled()
    stage.window.create_page.show_intake(IntakeResult(tuple(samples.song(n) for n in range(12)), ()))
    options.formats.choose(["1080p", "1080p_vertical", "360mono"])
    await stage.until(lambda: "free" in options.cost_detail.text())
    assert options.cost.text() == "12 songs × 3 formats = 36 videos"
    assert options.submit.accessibleName() == "Render 36 videos"
    options.formats.choose([])
    assert not options.submit.isEnabled()


def test_repetitions_and_taken_names_show_before_submitting(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async def scenario(stage: Stage) -> None:
        page, songs = stage.window.create_page, tuple(samples.song(n) for n in range(4))
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / f"{date.today()}_{samples.SONGS[3][0]}_4k_v1.mp4").touch()
        stage.service._store = store = RenderStore(tmp_path / "history.sqlite3")
        data = samples.batch("b0000000000a1", 1, ("1080p", "4k"), first=1)
        for job_id, job in data.jobs():
            store.complete(store.begin(job_id, job, attempt=1, worker="w"), outcome())
        waiting = samples.waiting(samples.batch("b0000000000b2", 1, ("4k",), first=0))
        stage.service.show([], waiting, full=True)
        await stage.until(lambda: stage.window.model.job_count == 1)
        page.show_intake(IntakeResult(songs, ()))
        page.options.folder.setText(str(folder))
        page.options.formats.choose(["1080p", "4k"])
        await stage.until(lambda: page.options.repeats.isVisible())
        assert page.options.repeats.text() == (
            "1 is in the queue already. 2 were rendered before. 1 file name is taken: the next version number is used."
        )
        assert page.options.example.text() == f"{date.today()}_Ember Garden_1080p_v1.mp4"
        page.options.leave_out.click()
        assert [song.id for song in page.songs.songs] == [songs[n].id for n in (0, 2, 3)]

    drive(scenario)


def outcome() -> RenderOutcome:
    """A finished render."""
    return RenderOutcome(output_path="/videos/one.mp4", duration=10, frames=300, size=1_000_000, elapsed=5)


def test_what_was_rendered_before_is_left_out_when_that_is_wanted(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async def scenario(stage: Stage) -> None:
        stage.service.settings = stage.service.settings.with_changes({"repeats": "leave_out"})
        stage.service._store = store = RenderStore(tmp_path / "history.sqlite3")
        for job_id, job in samples.batch("b0000000000a1", 1, ("1080p",)).jobs():
            store.complete(store.begin(job_id, job, attempt=1, worker="w"), outcome())
        page = stage.window.create_page
        page.options.formats.choose(["1080p"])
        page.show_intake(IntakeResult(tuple(samples.song(n) for n in range(3)), ()))
        await stage.until(lambda: page.songs.rowCount() == 2)
        assert "left out" in stage.window.toast.words
        stage.window.toast._button.click()
        await stage.until(lambda: page.songs.rowCount() == 3 and page.options.repeats.isVisible())
        await stage.settle(0.3)
        assert page.songs.rowCount() == 3

    drive(scenario)


@windowed
async def test_the_format_under_the_pointer_is_previewed(stage: Stage) -> None:
    page = stage.window.create_page
    page.show_intake(IntakeResult((samples.song(0),), ()))
    page.options.formats.choose(["1080p"])
    await stage.until(lambda: stage.window.preview.stage.has_image)
    box = page.options.formats.box("1080p_vertical")
    QApplication.sendEvent(box, QEvent(QEvent.Type.Enter))
    assert stage.window.preview._format == "1080p_vertical"
    QApplication.sendEvent(box, QEvent(QEvent.Type.Leave))
    assert stage.window.preview._format == "1080p"


@windowed
async def test_a_name_pattern_that_cannot_name_files_is_said_and_stops_submitting(stage: Stage) -> None:
    options = stage.window.create_page.options
    stage.window.create_page.show_intake(IntakeResult((samples.song(0),), ()))
    await stage.until(lambda: options.example.text())
    options.pattern.setText("{song}")
    await stage.until(lambda: "{n}" in options.example.text())
    assert not options.submit.isEnabled()
    options.pattern.setText("{artist} - {song} {n}")
    await stage.until(lambda: options.submit.isEnabled() and "Lys Arden" in options.example.text())
    assert options.example.text() == "Lys Arden - Ember Garden 1.mp4"


@windowed
async def test_songs_leave_by_delete(stage: Stage) -> None:
    page = stage.window.create_page
    page.show_intake(IntakeResult(tuple(samples.song(n) for n in range(3)), ()))
    page.song_list.setCurrentIndex(page.songs.index(1))
    QTest.keyClick(page.song_list, Qt.Key.Key_Delete)
    assert [song.id for song in page.songs.songs] == [samples.song(0).id, samples.song(2).id]


@windowed
async def test_a_failed_submission_keeps_songs_and_batch_id(stage: Stage) -> None:
    from ethereal_gui.domain.errors import ServerUnavailableError

    ids: list[str | None] = []

    async def refuse(files: list[AudioFile], *args: object, batch_id: str | None = None) -> None:
        ids.append(batch_id)
        raise ServerUnavailableError

    stage.service.submit = refuse  # type: ignore[assignment, method-assign]
    page = stage.window.create_page
    page.show_intake(IntakeResult((samples.song(0),), ()))
    await stage.until(lambda: page.gallery.chosen)
    for times in (1, 2):
        page.options.submit.click()
        await stage.until(lambda wanted=times: len(ids) == wanted and page.options.submit.isEnabled())  # type: ignore[misc]
    assert page.songs.rowCount() == 1
    assert ids[0] == ids[1]
    assert "does not answer" in stage.window.toast.words


@windowed
async def test_preview_draws_the_chosen_song_and_scrubbing_draws_again(stage: Stage) -> None:
    preview = stage.window.preview
    stage.window.create_page.show_intake(IntakeResult((samples.song(0),), (Skipped(Path("x"), "x"),)))
    await stage.until(lambda: preview.stage.has_image)
    before = preview.stage.grab().toImage()
    preview.scrub.setValue(1500)
    await stage.settle(0.1)
    assert preview.stage.grab().toImage() != before
    assert preview.clock.text().startswith("0:02")


@windowed
async def test_templates_move_under_the_pointer_and_stand_still_again(stage: Stage) -> None:
    page = stage.window.create_page
    page.show_intake(IntakeResult((samples.song(0),), ()))
    await stage.until(lambda: page.gallery.chosen and all(page.templates.picture(t.id) for t in page.templates.all))

    def look() -> int:
        picture = page.templates.picture("flame")
        assert picture
        return picture.cacheKey()

    index = page.templates.index(page.templates.row_of("flame"))
    still = look()
    QTest.mouseMove(page.gallery.viewport(), page.gallery.visualRect(index).center())
    await stage.until(lambda: look() != still)
    moving = look()
    await stage.until(lambda: look() != moving)
    QApplication.sendEvent(page.gallery, QEvent(QEvent.Type.Leave))
    await stage.settle(0.2)
    still = look()
    await stage.settle(0.3)
    assert look() == still


# ---- the queue -------------------------------------------------------------------------------------------------


@windowed
async def test_actions_work_on_the_selection_by_shortcut(stage: Stage) -> None:
    await with_queue(stage)
    view = stage.window.queue_page.view
    view.setFocus()
    waiting = "b0000000000b2-00000005-1080p"
    for job_id, action, asked in (
        (JOB, "cancel", "cancel"),
        (FAILED, "retry", "retry"),
        (FAILED, "retry_batch", "retry"),
        (waiting, "hold", "hold"),
        ("b0000000000a1-00000002-1080p", "release", "release"),
        (waiting, "top", "move top"),
        (waiting, "up", "move up"),
        (waiting, "down", "move down"),
        (waiting, "bottom", "move bottom"),
        (waiting, "low", "priority 10"),
        (waiting, "normal", "priority 0"),
    ):
        stage.service.asked.clear()
        view.select_ids([job_id])
        press(stage, action)
        await stage.until(lambda: stage.service.asked)
        assert stage.service.asked == [(asked, [job_id])], action


@windowed
async def test_actions_that_make_no_sense_are_disabled(stage: Stage) -> None:
    await with_queue(stage)
    stage.window.queue_page.view.select_ids([FAILED])
    enabled = {name for name in stage.window.actions_.for_jobs if stage.window.actions_[name].isEnabled()}
    assert enabled == {"retry", "retry_batch", "remove", "clone", "copy", "only_batch"}
    stage.window.show_page("create")
    assert not any(stage.window.actions_[name].isEnabled() for name in stage.window.actions_.for_jobs)


@windowed
async def test_a_batch_stands_for_its_jobs(stage: Stage) -> None:
    await with_queue(stage)
    view = stage.window.queue_page.view
    view.select_ids(["b0000000000b2"])
    assert len(view.selected_ids()) == 6
    stage.window.model.set_expanded("b0000000000b2", False)
    assert len(view.selected_ids()) == 6


@windowed
async def test_removing_can_be_undone(stage: Stage) -> None:
    await with_queue(stage)
    view = stage.window.queue_page.view
    view.setFocus()
    view.select_ids([FAILED])
    press(stage, "remove")
    await stage.until(lambda: stage.window.model.job(FAILED) is None)
    assert stage.window.toast.words == "1 job removed."
    press(stage, "undo")
    await stage.until(lambda: ("undo", [FAILED]) in stage.service.asked)
    assert not stage.window.actions_["undo"].isEnabled()


@windowed
async def test_clear_finished_leaves_failures(stage: Stage) -> None:
    await with_queue(stage)
    press(stage, "clear")
    await stage.until(lambda: stage.window.model.count(DisplayState.DONE) == 0)
    assert stage.window.model.count(DisplayState.CANCELLED) == 0
    assert stage.window.model.count(DisplayState.FAILED) == 1


@windowed
async def test_selection_survives_filters_and_updates(stage: Stage) -> None:
    await with_queue(stage)
    view, filters = stage.window.queue_page.view, stage.window.queue_page.filters
    view.select_ids([FAILED])
    filters.choose(StateGroup.FAILED)
    assert view.selected_ids() == [FAILED]
    filters.choose(StateGroup.ALL)
    assert view.selected_ids() == [FAILED]
    running = stage.window.model.job(JOB)
    assert running
    stage.service.show(jobs=[samples.running(running.snapshot, 0.9)])
    await stage.until(lambda: running.fraction == 0.9)
    assert view.selected_ids() == [FAILED]


@windowed
async def test_search_by_shortcut_filters_and_clears(stage: Stage) -> None:
    await with_queue(stage)
    stage.window.show_page("create")
    press(stage, "search")
    assert stage.window.page == "queue"
    QTest.keyClicks(stage.window.queue_page.filters.search, "aurora")
    await stage.until(lambda: stage.window.model.rowCount() == 3)
    stage.window.queue_page.filters.search.setText("no such song")
    await stage.until(lambda: stage.window.model.rowCount() == 0)
    stage.window.queue_page.filters.clear()
    assert stage.window.model.rowCount() == 23


@windowed
async def test_one_batch_alone_is_shown_and_all_again(stage: Stage) -> None:
    await with_queue(stage)
    view, filters = stage.window.queue_page.view, stage.window.queue_page.filters
    view.setFocus()
    view.select_ids(["b0000000000b2-00000005-1080p"])
    press(stage, "only_batch")
    assert stage.window.model.rowCount() == 7
    assert filters.batch.isVisible()
    assert "Über den Wolken" in filters.batch.text()
    filters.batch.click()
    assert stage.window.model.rowCount() == 23
    assert not filters.batch.isVisible()


@windowed
async def test_arrow_keys_close_and_open_a_batch(stage: Stage) -> None:
    await with_queue(stage)
    view, model = stage.window.queue_page.view, stage.window.model
    view.select_ids([JOB])
    QTest.keyClick(view, Qt.Key.Key_Left)
    node = view.current_node()
    assert node
    assert node.id == "b0000000000a1"
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert model.rowCount() == 23 - 12
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert model.rowCount() == 23


@windowed
async def test_details_show_error_log_and_report(stage: Stage) -> None:
    await with_queue(stage)
    details = stage.window.queue_page.details
    stage.window.queue_page.view.select_ids([FAILED])
    await stage.until(details.card.isVisible)
    assert "Export it again" in details.error.text()
    details.tabs.setCurrentIndex(1)
    await stage.until(lambda: "7,419 frames" in details.log.toPlainText())
    QGuiApplication.clipboard().clear()
    details.copy.click()
    await stage.until(lambda: QGuiApplication.clipboard().text())
    copied = QGuiApplication.clipboard().text()
    assert FAILED in copied
    assert "7,419 frames" in copied
    assert "cannot be decoded" in copied


@windowed
async def test_clone_fills_the_builder(stage: Stage) -> None:
    await with_queue(stage)
    stage.window.queue_page.view.select_ids(["b0000000000b2"])
    press(stage, "clone")
    page = stage.window.create_page
    assert stage.window.page == "create"
    assert page.songs.rowCount() == 3
    assert page.options.formats.chosen == ["1080p", "4k"]
    assert page.options.folder.text() == "/home/ada/Videos/Ethereal"


@windowed
async def test_clone_takes_over_options_and_values(stage: Stage) -> None:
    data = samples.batch("b0000000000e5", 1, ("4k",)).model_copy(
        update={"fps": 60, "quality": Quality.HIGH, "template_values": {"height": 1.25}, "name_pattern": "{song}_{n}"}
    )
    stage.service.show([data], samples.waiting(data), full=True)
    await stage.until(lambda: stage.window.model.job_count == 1 and stage.window.create_page.gallery.chosen)
    stage.window.show_page("queue")
    stage.window.queue_page.view.select_ids(["b0000000000e5"])
    press(stage, "clone")
    page = stage.window.create_page
    choices = page.options.choices
    assert (choices.formats, choices.fps, choices.quality, choices.name_pattern) == (
        ("4k",),
        60,
        Quality.HIGH,
        "{song}_{n}",
    )
    assert page.parameters.values == {"height": 1.25}


@windowed
async def test_pausing_and_what_it_looks_like(stage: Stage) -> None:
    await with_queue(stage)
    press(stage, "pause")
    await stage.until(lambda: ("pause", None) in stage.service.asked)
    stage.service.show(paused=True)
    await stage.until(lambda: stage.window.banner.words)
    assert "paused" in stage.window.banner.words
    assert stage.window.status.words("paused") == "Paused"
    assert stage.window.actions_["pause"].iconText() == "Resume"
    await stage.until(lambda: stage.window.queue_page.summary.text() == "7 of 20 done")
    stage.service.show()
    await stage.until(lambda: "done by" in stage.window.queue_page.summary.text())


@windowed
async def test_offline_and_no_worker_are_said_and_go_away(stage: Stage) -> None:
    await with_queue(stage)
    stage.service.show(server=ServerState("remote", "host:6379", False, "The Redis server does not answer."))
    await stage.until(lambda: "does not answer" in stage.window.banner.words)
    stage.service.show(workers=())
    await stage.until(lambda: "No worker" in stage.window.banner.words)
    assert stage.window.status.words("worker") == "No worker"
    stage.service.show()
    await stage.until(lambda: not stage.window.banner.isVisible())


@windowed
async def test_one_notification_when_a_batch_ends(stage: Stage) -> None:
    rung: list[tuple[str, str]] = []
    stage.window.bell._ring = lambda title, words: rung.append((title, words))
    data = samples.batch("b0000000000d4", 2, album="Tides")
    jobs = samples.waiting(data)
    stage.service.show([data], [samples.running(jobs[0]), jobs[1]], full=True)
    await stage.until(lambda: stage.window.model.job_count == 2)
    stage.service.show(jobs=[samples.done(jobs[0])])
    stage.service.show(jobs=[samples.failed(jobs[1])])
    await stage.until(lambda: rung)
    stage.service.show(jobs=[samples.failed(jobs[1])])
    await stage.settle(0.05)
    assert rung == [("“Tides” is done, with failures", "1 done, 1 failed")]


@windowed
async def test_a_task_that_fails_is_shown(stage: Stage) -> None:
    async def broken() -> None:
        raise ValueError("seven")

    stage.window.tasks.start(broken(), "Counting")
    await stage.until(lambda: stage.window.toast.isVisible())
    assert stage.window.toast.words == "Counting failed unexpectedly: seven"


@windowed
async def test_waiting_jobs_can_be_changed(stage: Stage) -> None:
    await with_queue(stage)
    waiting = "b0000000000b2-00000005-1080p"
    stage.window.queue_page.view.select_ids([waiting, JOB])
    press(stage, "edit")
    await stage.until(lambda: stage.window.findChild(EditDialog))
    dialog = stage.window.findChild(EditDialog)
    assert dialog
    dialog.choices["fps"].setCurrentIndex(2)
    dialog.choices["quality"].setCurrentIndex(3)
    dialog.confirm.click()
    await stage.until(lambda: any(action == "edit" for action, _ in stage.service.asked))
    (changed,) = [data for action, data in stage.service.asked if action == "edit"]
    assert isinstance(changed, RenderJobData)
    assert (changed.fps, changed.quality, changed.template) == (60, "high", "flame")
    assert changed.audio_file.id == "00000005"


@windowed
async def test_running_jobs_get_the_picture_of_their_newest_frame(stage: Stage) -> None:
    await with_queue(stage)
    details = stage.window.queue_page.details
    stage.window.queue_page.view.select_ids([JOB])
    await stage.until(lambda: JOB in stage.window.queue_page.view.delegate.thumbnails, 8)
    await stage.until(details.picture.isVisible)
    stage.window.queue_page.view.select_ids([FAILED])
    assert not details.picture.isVisible()


@windowed
async def test_finished_videos_can_be_looked_through(stage: Stage) -> None:
    await with_queue(stage)
    details = stage.window.queue_page.details
    done = next(job for job in stage.window.model.jobs_in(DisplayState.DONE) if job.row != HIDDEN)
    stage.window.queue_page.view.select_ids([done.id])
    await stage.until(details.picture.isVisible)
    assert done.snapshot.outcome
    assert details.scrub.maximum() == round(done.snapshot.outcome.duration * 1000)
    shown = details.picture.grab().toImage()
    details.scrub.setFocus()
    QTest.keyClick(details.scrub, Qt.Key.Key_Right)
    await stage.until(lambda: details.picture.grab().toImage() != shown)
    stage.window.queue_page.view.select_ids([JOB])
    assert not details.video_bar.isVisible()


@windowed
async def test_every_failed_attempt_is_told(stage: Stage) -> None:
    await with_queue(stage)
    details = stage.window.queue_page.details
    done = next(iter(stage.window.model.jobs_in(DisplayState.DONE)))
    stage.window.queue_page.view.select_ids([done.id])
    await stage.settle()
    assert not details.attempts_card.isVisible()
    stage.service.show([], [replace(done.snapshot, attempts_made=3)])
    await stage.until(details.attempts_card.isVisible)
    assert details.attempts.text() == "1. The renderer ended unexpectedly.\n2. The disk was full."
    stage.window.queue_page.view.select_ids([FAILED])
    assert not details.attempts_card.isVisible()
    job = stage.window.model.job(JOB)
    assert job
    assert "attempt" not in cell_text(job, Column.STATE)
    stage.service.show([], [replace(job.snapshot, attempts_made=1)])  # so many have ended; this is the next
    await stage.until(lambda: "attempt 2 of 3" in cell_text(job, Column.STATE))


# ---- closing, settings, memory ---------------------------------------------------------------------------------


@windowed
async def test_closing_while_nothing_runs_asks_nothing(stage: Stage) -> None:
    stage.window.close()
    await stage.until(lambda: ("close", "now") in stage.service.asked)
    assert stage.window.findChild(CloseDialog) is None


@windowed
async def test_closing_while_a_render_runs_asks_and_can_be_called_off(stage: Stage) -> None:
    stage.service.running = 1
    stage.window.close()
    dialog = stage.window.findChild(CloseDialog)
    assert dialog
    assert stage.window.isVisible()
    dialog.reject()
    await stage.settle()
    assert not any(asked == "close" for asked, _ in stage.service.asked)


def test_each_choice_of_the_close_dialog(drive) -> None:  # type: ignore[no-untyped-def]
    for choice, mode in (("finish", "finish"), ("stop", "now")):

        async def scenario(stage: Stage, choice: str = choice, mode: str = mode) -> None:
            stage.service.running = 1
            press(stage, "quit")
            dialog = stage.window.findChild(CloseDialog)
            assert dialog
            dialog.choices[choice].setChecked(True)
            dialog.remember.setChecked(choice == "finish")
            dialog.confirm.click()
            await stage.until(lambda: ("close", mode) in stage.service.asked)

        drive(scenario)
    assert load_settings().close_behaviour is CloseBehaviour.FINISH


@windowed
async def test_closing_again_while_the_last_render_finishes_stops_it(stage: Stage) -> None:
    stopped = asyncio.Event()
    stops: list[float] = []

    async def finish(mode: str = "now") -> None:
        await stopped.wait()

    async def stop(*, finish_within: float) -> bool:
        stops.append(finish_within)
        stopped.set()
        return True

    stage.service.close = finish  # type: ignore[method-assign]
    stage.service.stop_worker = stop  # type: ignore[method-assign]
    stage.program.close("finish")
    await stage.until(lambda: "Finishing" in stage.window.banner.words)
    assert stage.window.isVisible()
    stage.window.close()
    await stage.until(lambda: stops == [0.0])


@windowed
async def test_keeping_on_in_the_tray_hides_the_window(stage: Stage) -> None:
    dialog = CloseDialog(stage.window, 1, tray=True)
    dialog.decided.connect(stage.program._decided)
    dialog.choices["tray"].setChecked(True)
    dialog.confirm.click()
    assert not stage.window.isVisible()
    stage.window.come_back()
    assert stage.window.isVisible()


@windowed
async def test_settings_are_made_from_the_class_saved_and_used(stage: Stage) -> None:
    press(stage, "settings")
    await stage.until(lambda: stage.window.findChild(SettingsDialog))
    dialog = stage.window.findChild(SettingsDialog)
    assert dialog
    assert set(dialog.editors) == set(type(stage.service.settings).model_fields)
    dialog.editors["name_pattern"].put("{song}")
    dialog.save.click()
    assert "{n}" in dialog.message.text()
    dialog.editors["name_pattern"].put("{song}_v{n}")
    dialog.editors["hang_minutes"].put(25.0)
    dialog.save.click()
    await stage.until(lambda: stage.service.settings.hang_minutes == 25.0)
    saved = load_settings()
    assert (saved.name_pattern, saved.hang_minutes) == ("{song}_v{n}", 25.0)


def test_choices_and_page_are_remembered(drive) -> None:  # type: ignore[no-untyped-def]
    async def first(stage: Stage) -> None:
        page = stage.window.create_page
        page.show_intake(IntakeResult((samples.song(0),), ()))
        page.options.formats.choose(["4k"])
        page.options.fps.setCurrentIndex(1)
        await stage.until(lambda: page.gallery.chosen)
        press(stage, "submit")
        await stage.until(lambda: stage.window.page == "queue")
        stage.window.resize(1111, 777)

    async def second(stage: Stage) -> None:
        choices = stage.window.create_page.options.choices
        assert (choices.formats, choices.fps) == (("4k",), 60)
        assert stage.window.page == "queue"

    drive(first)
    drive(second)
