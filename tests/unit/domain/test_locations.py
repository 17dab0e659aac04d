"""Shared folders under two names, and addresses on servers."""

import pytest
from pydantic import ValidationError

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import EtherealError, LocationError, SettingsError
from ethereal_gui.domain.job import RenderOptions
from ethereal_gui.domain.locations import (
    Url,
    file_name,
    folder_of,
    is_absolute,
    is_url,
    join,
    local_path_of,
    parse_path_map,
    parse_path_maps,
    parse_url,
    path_here,
    steps_below,
)

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


def test_maps_lead_to_servers_and_from_them() -> None:
    maps = parse_path_maps("/Volumes/nas=sftp://nas/export; sftp://render-nas/music=/mnt/music")
    assert path_here("/Volumes/nas/a/b.wav", maps) == "sftp://nas/export/a/b.wav"
    assert path_here("sftp://render-nas/music/c.wav", maps) == "/mnt/music/c.wav"
    assert path_here("sftp://other/music/c.wav", maps) == "sftp://other/music/c.wav"
    with pytest.raises(EtherealError, match="password"):
        parse_path_map("/Volumes/nas=sftp://ada:hush@nas/export")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sftp://nas/a/b.wav", Url("sftp", "/a/b.wav", "nas")),
        ("SFTP://ada@nas:2222/50% #1?.wav", Url("sftp", "/50% #1?.wav", "nas", 2222, "ada")),
        ("sftp://[::1]:22/a", Url("sftp", "/a", "::1", 22)),
        ("smb://nas/share/a.wav", Url("smb", "/share/a.wav", "nas")),
        ("s3://bucket/a/b.wav", Url("s3", "bucket/a/b.wav")),
    ],
)
def test_the_parts_of_an_address(text: str, url: Url) -> None:
    assert is_url(text)
    assert parse_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "ftp://nas/a.wav",
        "simplecache::sftp://nas/a.wav",
        "/a.wav",
        "sftp:///a.wav",
        "sftp://nas",
        "sftp://nas:notaport/a.wav",
        "sftp://nas/a/../../b.wav",
        "sftp://nas/a\0b",
        "s3:///a.wav",
        "s3://key@bucket/a.wav",
        "sftp://ada:hush@nas/a.wav",
        "sftp://ada:hu@sh@nas/a.wav",
        "s3://key:hush@bucket/a.wav",
        "ftp://ada:hush@nas/a.wav",
    ],
)
def test_other_addresses_are_refused_and_no_password_is_repeated(text: str) -> None:
    with pytest.raises(LocationError) as caught:
        parse_url(text)
    assert "hush" not in str(caught.value)
    assert "hu@" not in str(caught.value)


def test_a_password_never_travels_in_a_job() -> None:
    url = "sftp://ada:hush@nas/a.wav"
    for make in (
        lambda: AudioFile(id="a", path=url, original_name="a.wav"),
        lambda: RenderOptions(output_dir=url),
        lambda: RenderOptions(picture=url),
    ):
        with pytest.raises(ValidationError, match="password") as caught:
            make()
        assert "hush" not in caught.value.errors()[0]["msg"]
    assert RenderOptions(output_dir="sftp://ada@nas/videos").output_dir == "sftp://ada@nas/videos"


def test_names_and_places_below() -> None:
    assert file_name("sftp://nas/a/50% #1?.wav") == "50% #1?.wav"
    assert file_name(r"Z:\a\b.wav") == "b.wav"
    assert folder_of("sftp://nas/videos/v.mp4") == "sftp://nas/videos"
    assert (folder_of("/videos/v.mp4"), folder_of(r"Z:\videos\v.mp4")) == ("/videos", r"Z:\videos")
    assert join("s3://bucket/videos/", "v.mp4") == "s3://bucket/videos/v.mp4"
    assert steps_below("sftp://nas/music", "sftp://nas/music/a/b.wav") == ("a", "b.wav")
    assert steps_below("sftp://nas/music", "sftp://nas/music/../b.wav") is None
    assert steps_below("sftp://nas/music", "sftp://nas/musical/b.wav") is None
    assert steps_below("/music", "sftp://nas/music/b.wav") is None
    assert local_path_of("file:///music/a%20b.wav") == "/music/a b.wav"
    assert local_path_of("/music/a%20b.wav") == "/music/a%20b.wav"


def test_absolute_paths_of_every_system() -> None:
    assert all(is_absolute(path) for path in ("/a", "C:\\a", "c:/a", r"\\nas\share\a"))
    assert not any(is_absolute(path) for path in ("", "a", "C:a", "../a", "/a\0b"))
