"""Shared folders under two names."""

import pytest

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.locations import is_absolute, join, parse_path_map, parse_path_maps, path_here

MAPS = parse_path_maps(
    r"/Volumes/music=/mnt/music; /Volumes/music/loud=/mnt/loud; Z:\Songs=/mnt/songs; \\nas\share=/mnt/nas; /=/root"
)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("/Volumes/music/a/b.wav", "/mnt/music/a/b.wav"),
        ("/Volumes/music", "/mnt/music"),
        ("/Volumes/music/loud/c.wav", "/mnt/loud/c.wav"),
        ("/Volumes/musical/c.wav", "/root/Volumes/musical/c.wav"),
        (r"Z:\Songs\Ünïcode\d.mp3", "/mnt/songs/Ünïcode/d.mp3"),
        (r"z:\songs\d.mp3", "/mnt/songs/d.mp3"),
        ("Z:/Songs/d.mp3", "/mnt/songs/d.mp3"),
        (r"Y:\Songs\d.mp3", r"Y:\Songs\d.mp3"),
        (r"\\NAS\share\e.wav", "/mnt/nas/e.wav"),
        ("relative/f.wav", "relative/f.wav"),
        ("/Volumes/music/../../etc/passwd", "/Volumes/music/../../etc/passwd"),
        ("", ""),
    ],
)
def test_the_longest_prefix_that_fits_is_replaced(theirs: str, ours: str) -> None:
    assert path_here(theirs, MAPS) == ours
    assert path_here(theirs, MAPS[::-1]) == ours


def test_a_path_is_written_as_its_folder_is() -> None:
    assert path_here("/Volumes/music/a/b.wav", parse_path_maps(r"/Volumes/music=D:\music")) == r"D:\music\a\b.wav"
    assert join(r"Z:\videos", "v.mp4") == r"Z:\videos\v.mp4"
    assert join("/videos/", "v.mp4") == "/videos/v.mp4"


@pytest.mark.parametrize("text", ["", "/a", "/a=", "=/a", "a=/b", "/a=b", "/a\0=/b"])
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="path map"):
        parse_path_map(text)


def test_absolute_paths_of_every_system() -> None:
    assert all(is_absolute(path) for path in ("/a", "C:\\a", "c:/a", r"\\nas\share\a"))
    assert not any(is_absolute(path) for path in ("", "a", "C:a", "../a", "/a\0b"))
