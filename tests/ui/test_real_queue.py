"""The window on the real service and its own real server: what is submitted, controlled, kept and found again."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from ethereal_gui.ui import queue_drag
from ethereal_gui.ui.states import DisplayState
from tests.ui.real_stage import RealScenario, RealStage, submit

Play = Callable[[RealScenario], None]


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


def test_jobs_come_back_to_their_places_in_the_line(play: Play, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        ids = await submit(stage, songs, ["1080p", "4k"])
        stage.act("remove", ids[:3])
        await stage.until(lambda: stage.model.job_count == 1)
        stage.window.actions_["undo"].trigger()
        await stage.until(lambda: stage.model.job_count == 4)
        assert await stage.service.queue.waiting_order() == ids
        await stage.until(lambda: [job.id for batch in stage.model.batches for job in batch.jobs] == ids)

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


def test_the_order_of_the_line_is_shown_and_changed_by_keys_and_by_dragging(play: Play, songs: list[Path]) -> None:
    async def scenario(stage: RealStage) -> None:
        ids = await submit(stage, songs, ["1080p", "4k"])
        one, two, three, four = ids

        def shown() -> list[str]:
            return [job.id for batch in stage.model.batches for job in batch.jobs]

        stage.act("top", [four])
        await stage.until(lambda: shown() == [four, one, two, three])
        stage.act("low", [one])
        await stage.until(lambda: shown() == [four, two, three, one])
        assert "low priority" in stage.window.queue_page.view.model().index(4, 3).data()
        drag_onto(stage, [three], four, below=False)
        await stage.until(lambda: shown() == [three, four, two, one])
        drag_onto(stage, [three, four], two, below=True)
        await stage.until(lambda: shown() == [two, three, four, one])
        assert await stage.service.queue.waiting_order() == [two, three, four, one]

    play(scenario)


def drag_onto(stage: RealStage, job_ids: list[str], other: str, *, below: bool) -> None:
    """Drag jobs over the upper or lower half of another one's row and let go."""
    view = stage.window.queue_page.view
    row = stage.model.row_of(other)
    place = QPointF(60, view.rowViewportPosition(row) + view.rowHeight(row) * (0.8 if below else 0.2))
    jobs = [job for job_id in job_ids if (job := stage.model.job(job_id))]
    data = queue_drag.mime_data(jobs)
    assert data
    left, none, action = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.MoveAction
    enter = QDragEnterEvent(place.toPoint(), action, data, left, none)
    QApplication.sendEvent(view.viewport(), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(view.viewport(), QDragMoveEvent(place.toPoint(), action, data, left, none))
    QApplication.sendEvent(view.viewport(), QDropEvent(place, action, data, left, none))
