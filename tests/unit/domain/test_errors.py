"""Errors speak to people and cross a process boundary as what they are."""

import pytest

from ethereal_gui.domain.errors import (
    CancelledByUserError,
    DiskFullError,
    EtherealError,
    NotAudioError,
    RenderCrashedError,
    RenderError,
    UnknownFormatError,
)
from ethereal_gui.domain.formats import get_format


@pytest.mark.parametrize("cls", [DiskFullError, NotAudioError, RenderCrashedError])
def test_an_error_survives_the_wire_as_its_own_class(cls: type[EtherealError]) -> None:
    error = EtherealError.from_wire(cls("It broke.", hint="Mend it.").to_wire())
    assert type(error) is cls
    assert str(error) == "It broke. Mend it."


def test_an_unknown_class_becomes_a_retryable_render_error() -> None:
    error = EtherealError.from_wire({"code": "Nonsense", "message": "m"})
    assert type(error) is RenderError
    assert error.retryable


def test_what_cannot_succeed_is_not_retried_and_what_can_is() -> None:
    assert not NotAudioError.retryable
    assert not CancelledByUserError.retryable
    assert DiskFullError.retryable


def test_the_docstring_is_the_default_message() -> None:
    assert str(CancelledByUserError()) == "Cancelled."


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UnknownFormatError, match=r"“8mm”.*1080p_vertical"):
        get_format("8mm")
