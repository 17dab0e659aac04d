"""Whatever a song is called, its video is one plain file inside the output folder."""

from itertools import islice
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.naming import DEFAULT_PATTERN, candidate_names, check_pattern, safe_component


def first(song: str, pattern: str = DEFAULT_PATTERN, **fields: str) -> str:
    return next(candidate_names(pattern, {"date": "2026-11-24", "song": song, "format": "4k", **fields}))


def test_the_default_name() -> None:
    assert first("Morning Light") == "2026-11-24_Morning Light_4k_v1.mp4"


def test_versions_count_up() -> None:
    names = list(islice(candidate_names(DEFAULT_PATTERN, {"date": "d", "song": "s", "format": "f"}), 3))
    assert names == ["d_s_f_v1.mp4", "d_s_f_v2.mp4", "d_s_f_v3.mp4"]


@pytest.mark.parametrize(
    "song",
    ['../../"☠️ ', "/etc/passwd", "..", ".", "", "a\nb", "-rf", "CON", "a" * 300, "ñ" * 300, "\udcff\udcfe", "a\u202eb"],
)
def test_hostile_names_stay_in_the_folder(song: str) -> None:
    name = first(song)
    assert PurePosixPath(name).name == name
    assert PureWindowsPath(name).name == name
    assert not name.startswith((".", "-"))
    assert len(name.encode()) <= 230
    assert name.endswith("_4k_v1.mp4")
    assert name.isprintable()


@given(
    st.text(max_size=400), st.text(max_size=400), st.sampled_from(["{song}_v{n}", "{artist} {song} {n}", "{n}{song}"])
)
def test_any_text_gives_a_safe_name_with_its_version(song: str, artist: str, pattern: str) -> None:
    names = list(islice(candidate_names(pattern, {"song": song, "artist": artist}), 11))
    assert len(set(names)) == 11
    for name in names:
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert "\0" not in name
        assert len(name.encode()) <= 255


@pytest.mark.parametrize(
    ("pattern", "word"),
    [("{song}", "lacks"), ("{song", "not valid"), ("{nope}_{n}", "unknown"), ("a/{n}", "folder"), ("{n!r}", "unknown")],
)
def test_bad_patterns_say_what_is_wrong(pattern: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        check_pattern(pattern)


def test_reserved_windows_names_are_avoided() -> None:
    assert safe_component("nul") != "nul"
    assert safe_component("COM1.mp3") != "COM1.mp3"
