"""Dropped paths: folders, links, duplicates, and things that must never be opened."""

import os
from pathlib import Path

import pytest

from ethereal_gui.intake.expand import expand


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(*paths: Path) -> list[str]:
    return [candidate.path.name for candidate in expand(paths)]


def test_folders_are_walked_in_order_and_only_audio_is_taken_from_them(tmp_path: Path) -> None:
    for name in ("b.mp3", "a.WAV", "cover.jpg", "sub/c.flac", ".hidden.mp3", ".trash/d.mp3"):
        touch(tmp_path / name)
    assert names(tmp_path) == ["a.WAV", "b.mp3", "c.flac"]


def test_a_file_that_was_named_is_always_looked_at(tmp_path: Path) -> None:
    assert names(touch(tmp_path / "cover.jpg")) == ["cover.jpg"]


def test_each_file_is_taken_once_whatever_leads_to_it(tmp_path: Path) -> None:
    song = touch(tmp_path / "a.mp3")
    (tmp_path / "link.mp3").symlink_to(song)
    os.link(song, tmp_path / "hard.mp3")
    assert names(tmp_path, song, song) == ["a.mp3"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "a.mp3")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["a.mp3"]


def test_what_is_not_a_file_is_named_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "broken.mp3").symlink_to(tmp_path / "nowhere")
    problems = {candidate.path.name: candidate.problem for candidate in expand([tmp_path, tmp_path / "gone.mp3"])}
    assert problems == {
        "pipe.mp3": "it is not a regular file",
        "broken.mp3": "it is not there",
        "gone.mp3": "it is not there",
    }


@pytest.mark.parametrize("name", ["a\nb.mp3", "-rf.mp3", "☠️ “x”.mp3", "a" * 251 + ".mp3"])
def test_any_name_is_taken(tmp_path: Path, name: str) -> None:
    assert names(touch(tmp_path / name)) == [name]


def test_a_name_that_is_no_unicode_cannot_travel_in_a_job_and_is_refused(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xff\xfe.mp3"
    Path(os.fsdecode(raw)).write_bytes(b"x")
    (candidate,) = expand([tmp_path])
    assert os.fsencode(candidate.path) == raw
    assert "rename" in (candidate.problem or "")


@pytest.mark.parametrize("name", ["a\0b.mp3", "a" * 300 + ".mp3", "x/" * 3000 + "a.mp3"])
def test_a_name_that_no_file_can_have_is_answered(tmp_path: Path, name: str) -> None:
    (candidate,) = expand([tmp_path / name])
    assert candidate.problem
