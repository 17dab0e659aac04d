"""Hours of the day, over midnight too."""

from datetime import datetime

import pytest

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.hours import parse_hours


def at(clock: str, day: int = 24) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day}T{clock}:00+01:00")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("9:30 – 17:00", ["09:30", "16:59"], ["09:29", "17:00", "00:00"]),
        ("18:00-24:00", ["18:00", "23:59"], ["00:00", "17:59"]),
    ],
)
def test_hours_hold_from_their_start_up_to_their_end(text: str, inside: list[str], outside: list[str]) -> None:
    hours = parse_hours(text)
    assert hours
    assert all(hours.holds(at(clock)) for clock in inside)
    assert not any(hours.holds(at(clock)) for clock in outside)


def test_the_next_change_may_be_tomorrow() -> None:
    hours = parse_hours("22:00-07:00")
    assert hours
    assert hours.next_change(at("21:00")) == at("22:00")
    assert hours.next_change(at("23:00")) == at("07:00", 25)
    assert hours.next_change(at("03:00")) == at("07:00")


def test_no_text_stands_for_any_time() -> None:
    assert parse_hours("  ") is None


@pytest.mark.parametrize("text", ["night", "22-7", "25:00-07:00", "22:70-07:00", "08:00-08:00"])
def test_what_is_no_pair_of_times_is_refused_with_words(text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        parse_hours(text)
