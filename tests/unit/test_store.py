"""The history: one row per job, kept over attempts, searched and summed."""

import stat
import threading
from pathlib import Path

import pytest

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.job import RenderJobData, RenderOutcome
from ethereal_gui.store.renders import RenderStore


def data(name: str = "song.mp3", row: str | None = None) -> RenderJobData:
    audio = AudioFile(id="a", path=f"/music/{name}", original_name=name)
    return RenderJobData(batch_id="b", audio_file=audio, template="flame", output_format="4k", render_db_id=row)


def outcome(path: str = "/out/v.mp4", duration: float = 60.0, elapsed: float = 30.0) -> RenderOutcome:
    return RenderOutcome(output_path=path, duration=duration, frames=1800, size=1000, elapsed=elapsed)


@pytest.fixture
def store(tmp_path: Path) -> RenderStore:
    return RenderStore(tmp_path / "new folder" / "history.sqlite3")


def test_a_job_has_one_row_over_all_its_attempts(store: RenderStore) -> None:
    row = store.begin("j1", data(), attempt=1, worker="w")
    store.end(row, "failed", "It broke.")
    assert store.begin("j1", data(row=row), attempt=2, worker="w2") == row
    store.complete(row, outcome())
    (record,) = store.search()
    assert (record.status, record.attempts, record.worker, record.error) == ("completed", 2, "w2", None)
    assert (record.output_path, record.duration, record.size) == ("/out/v.mp4", 60.0, 1000)


def test_a_row_of_another_computer_is_made_here_under_its_id(store: RenderStore) -> None:
    assert store.begin("j1", data(row="elsewhere"), attempt=2, worker="w") == "elsewhere"
    assert [record.id for record in store.search()] == ["elsewhere"]


@pytest.mark.parametrize("needle", ["100%", "_under", "back\\slash", "'; DROP TABLE renders; --"])
def test_search_takes_every_character_as_itself(store: RenderStore, needle: str) -> None:
    store.begin("j1", data(f"a {needle} b.mp3"), attempt=1, worker="w")
    store.begin("j2", data("100 other under backslash.mp3"), attempt=1, worker="w")
    assert [record.job_id for record in store.search(needle)] == ["j1"]


def test_totals_and_speeds_count_completed_renders(store: RenderStore) -> None:
    for number in range(3):
        row = store.begin(f"j{number}", data(), attempt=1, worker="w")
        if number < 2:
            store.complete(row, outcome())
    totals = store.totals()
    assert (totals.videos, totals.seconds, totals.size) == (2, 120.0, 2000)
    assert store.speeds() == {("flame", "4k"): 0.5}


def test_the_file_is_private_and_in_wal_mode(store: RenderStore) -> None:
    import sqlite3

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    connection = sqlite3.connect(store.path)
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()


def test_several_threads_write_at_once(store: RenderStore) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            store.complete(store.begin(f"j{number}-{turn}", data(), attempt=1, worker="w"), outcome())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.totals().videos == 40
