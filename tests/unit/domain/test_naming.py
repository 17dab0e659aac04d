"""Whatever a song is called, its video is one plain file inside the output folder."""

import re
from itertools import islice
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.naming import DEFAULT_PATTERN, FIELDS, candidate_names, check_pattern, safe_component


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


fields = st.sampled_from(["{date}", "{song}", "{format}", "{template}", "{artist}", "{n}"])
literals = st.text(max_size=20).map(lambda text: text.replace("{", "{{").replace("}", "}}"))


@given(st.lists(fields | literals, max_size=20).map("".join), st.dictionaries(st.sampled_from(FIELDS), st.text()))
def test_any_pattern_is_refused_or_names_plain_files(pattern: str, values: dict[str, str]) -> None:
    try:
        check_pattern(pattern)
    except SettingsError:
        return
    names = list(islice(candidate_names(pattern, values), 11))
    assert len(set(names)) == 11
    for name in names:
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert name.endswith(".mp4")
        assert len(name.encode()) <= 255
        assert not name.startswith(".")
        assert not re.search(r"[\x00-\x1f\x7f]", name)


@pytest.mark.parametrize(
    "pattern", ["{artist}" * 9 + "{n}", "{song}{artist}{template}{n}", "{n}" + "x" * 100 + "{song}" * 2]
)
def test_long_values_leave_room_for_the_version(pattern: str) -> None:
    check_pattern(pattern)
    values = dict.fromkeys(("song", "artist", "template", "date", "format"), "ä" * 500)
    names = list(islice(candidate_names(pattern, values), 1_100))
    assert len(set(names)) == 1_100
    assert max(len(name.encode()) for name in names) <= 255


@pytest.mark.parametrize("pattern", ["{n}" * 13, "x" * 200 + "{n}", "é" * 80 + "{n}"])
def test_a_pattern_that_leaves_no_room_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="too long"):
        check_pattern(pattern)


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
    assert next(candidate_names("com{n}", {})) == "_com1.mp4"
