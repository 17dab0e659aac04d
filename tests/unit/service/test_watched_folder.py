"""A watched folder: complete files only, whole albums, nothing twice."""

from pathlib import Path

import pytest

from ethereal_gui.service.watched_folder import WatchedFolder


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    return made


def watch(folder: Path, tmp_path: Path, clock: Clock) -> WatchedFolder:
    return WatchedFolder(folder, tmp_path / "ledger.json", settle_seconds=10, clock=clock)


def test_what_was_there_before_is_left_alone(folder: Path, tmp_path: Path, clock: Clock) -> None:
    (folder / "old.wav").write_bytes(b"old")
    watched = watch(folder, tmp_path, clock)
    for _ in range(3):
        assert watched.look() == []
        clock.now += 20


def test_a_file_is_named_once_it_has_stood_still_and_again_until_it_is_taken(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    watched = watch(folder, tmp_path, clock)
    watched.look()
    song = folder / "song.flac"
    song.write_bytes(b"1")
    assert watched.look() == []
    clock.now += 9
    song.write_bytes(b"12")
    assert watched.look() == []
    clock.now += 9
    assert watched.look() == []
    clock.now += 1
    assert watched.look() == [[song]]
    assert watched.look() == [[song]]
    watched.taken([song])
    assert watched.look() == []
    assert watch(folder, tmp_path, clock).look() == []


def test_an_album_waits_for_its_last_song_and_other_folders_do_not(folder: Path, tmp_path: Path, clock: Clock) -> None:
    watched = watch(folder, tmp_path, clock)
    watched.look()
    (folder / "album").mkdir()
    first, second, single = folder / "album" / "1.wav", folder / "album" / "2.wav", folder / "single.wav"
    for song in (first, single):
        song.write_bytes(b"1")
    watched.look()
    clock.now += 10
    second.write_bytes(b"1")
    assert watched.look() == [[single]]
    clock.now += 10
    assert sorted(map(sorted, watched.look())) == [[first, second], [single]]


def test_a_song_that_was_put_there_while_the_program_was_closed_is_new(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    watch(folder, tmp_path, clock).look()
    song = folder / "song.wav"
    song.write_bytes(b"1")
    later = watch(folder, tmp_path, clock)
    later.look()
    clock.now += 10
    assert later.look() == [[song]]


def test_the_same_files_give_the_same_batch_and_changed_ones_another(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    watched = watch(folder, tmp_path, clock)
    watched.look()
    song = folder / "song.wav"
    song.write_bytes(b"1")
    watched.look()
    first = watched.batch_id([song])
    assert watched.batch_id([song]) == first
    song.write_bytes(b"12")
    watched.look()
    assert watched.batch_id([song]) != first


def test_hidden_empty_and_other_files_are_no_songs(folder: Path, tmp_path: Path, clock: Clock) -> None:
    watched = watch(folder, tmp_path, clock)
    watched.look()
    for name in (".song.wav", "song.wav.part", "cover.jpg"):
        (folder / name).write_bytes(b"1")
    (folder / "empty.wav").touch()
    watched.look()
    clock.now += 20
    assert watched.look() == []


def test_a_folder_that_is_not_there_is_waited_for(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "stick"
    watched = watch(folder, tmp_path, clock)
    assert watched.look() == []
    assert not (tmp_path / "ledger.json").exists()
