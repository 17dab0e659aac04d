"""The history's page: search, totals, pages, rendering again, opening, export."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest

from ethereal_gui.service.render_service import RenderService
from ethereal_gui.ui.history_model import HistoryColumn
from tests import media
from tests.ui import samples
from tests.ui.conftest import Stage, windowed


async def with_history(stage: Stage, number: int = 60) -> None:
    """Show the page with so many renders."""
    stage.service.records = samples.records(number)
    stage.window.show_page("history")
    await stage.until(lambda: stage.window.history_page.model.rowCount() > 0)


@windowed
async def test_totals_and_search(stage: Stage) -> None:
    await with_history(stage)
    page = stage.window.history_page
    assert page.model.rowCount() == 60
    assert page.totals.text().startswith("35 videos · ")
    assert "real time" in page.totals.text()
    QTest.keyClicks(page.search, "aurora")
    await stage.until(lambda: page.model.rowCount() == 5)
    page.search.setText("no such song")
    await stage.until(lambda: not page.table.isVisible())
    assert page._empty_words.text() == "Nothing matches"


@windowed
async def test_older_renders_come_as_one_scrolls(stage: Stage) -> None:
    await with_history(stage, 450)
    page = stage.window.history_page
    assert page.model.rowCount() == 200
    for number in (400, 450):
        page.table.verticalScrollBar().setValue(page.table.verticalScrollBar().maximum())
        await stage.until(lambda wanted=number: page.model.rowCount() == wanted)  # type: ignore[misc]


@windowed
async def test_cells_say_what_became_of_a_render(stage: Stage) -> None:
    await with_history(stage, 3)
    model = stage.window.history_page.model
    said = [model.index(2, column).data() for column in HistoryColumn]
    assert said[:4] == ["Kōan", "360 3D 8K", "Flame", "Failed"]
    assert model.index(0, HistoryColumn.SIZE).data() == "252 MB"


def test_rendering_again_takes_over_songs_formats_and_template(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    song = media.write_audio(tmp_path / "song.wav", media.tone(0.4))

    async def scenario(stage: Stage) -> None:
        stage.service.records = [
            replace(record, audio_path=str(song), template="mist") for record in samples.records(2)
        ]
        page = stage.window.create_page
        await stage.until(lambda: page.gallery.chosen)
        stage.window.show_page("history")
        await stage.until(lambda: stage.window.history_page.model.rowCount() == 2)
        stage.window.history_page.table.selectAll()
        stage.window.actions_["clone"].trigger()
        await stage.until(lambda: page.songs.rowCount() == 1)
        assert stage.window.page == "create"
        assert page.options.formats.chosen == ["1080p", "1080p_vertical"]
        assert page.gallery.chosen
        assert page.gallery.chosen.id == "mist"

    drive(scenario)


def test_videos_are_opened_by_their_shortcut(  # type: ignore[no-untyped-def]
    drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "one.mp4"
    video.touch()
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)

    async def scenario(stage: Stage) -> None:
        stage.service.records = [replace(samples.records(1)[0], output_path=str(video))]
        stage.window.show_page("history")
        table = stage.window.history_page.table
        await stage.until(lambda: stage.window.history_page.model.rowCount() == 1)
        table.selectRow(0)
        enabled = {name for name in stage.window.actions_.for_jobs if stage.window.actions_[name].isEnabled()}
        assert enabled == {"open", "reveal", "clone", "copy"}
        for action, path in (("open", video), ("reveal", tmp_path)):
            QTest.keySequence(table, stage.window.actions_[action].shortcut())
            assert opened.pop().toLocalFile() == str(path)
        stage.window.actions_["copy"].trigger()
        assert str(video) in QGuiApplication.clipboard().text()
        video.unlink()
        stage.window.actions_["open"].trigger()
        assert "not there any more" in stage.window.toast.words

    drive(scenario)


def test_everything_that_the_search_finds_is_exported(drive, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async def scenario(stage: Stage) -> None:
        await with_history(stage, 2300)
        await stage.window.history_page.export_to(tmp_path / "all.csv")
        with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 2300
        assert rows[0]["audio_name"] == "Ember Garden.flac"
        assert rows[2]["error"] == "The disk is full."

    drive(scenario)


def test_the_service_has_no_history_before_it_was_started(settings) -> None:  # type: ignore[no-untyped-def]
    import asyncio

    assert asyncio.run(RenderService(settings).history()) == []
