"""The reasons of failed attempts, read from the stack traces that BullMQ keeps."""

import traceback

import pytest

from ethereal_gui.domain.errors import RenderCrashedError
from ethereal_gui.service.render_service import reason_of


def test_the_message_of_our_errors_is_what_is_shown() -> None:
    try:
        raise RenderCrashedError("The renderer ended: signal 9.")
    except RenderCrashedError as error:
        trace, said = traceback.format_exc(), str(error)
    assert "signal 9" in said
    assert reason_of(trace) == said


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("Error: no disk\n    at node (index.js:1:1)", "no disk"),
        ("Error: words: and more", "words: and more"),
        ("so it is: words", "so it is: words"),
        ("", ""),
    ],
)
def test_other_programs_may_have_written_anything(trace: str, reason: str) -> None:
    assert reason_of(trace) == reason
