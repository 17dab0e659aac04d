"""What is said of numbers and states."""

from dataclasses import replace

import pytest

from ethereal_gui.domain.job import LeftBy
from ethereal_gui.ui import queue_cells, text
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode
from ethereal_gui.ui.states import DisplayState, display_state
from tests.ui import samples


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (8, 20, "5–20 s"),
        (61, 125, "1–3 min"),
        (1100, 1300, "15–25 min"),
        (3600, 7200, "1–2 h"),
        (18_000, 21_000, "5–6 h"),
        (400_000, 800_000, "4–10 days"),
    ],
)
def test_ranges_of_time(low: float, high: float, said: str) -> None:
    assert text.span_range(low, high) == said


def test_a_range_never_ends_before_the_estimate() -> None:
    for high in range(1, 100_000, 97):
        words = text.span_range(high * 0.8, high)
        number, unit = words.split(" ")
        factor = {"s": 1, "min": 60, "h": 3600, "days": 86_400}[unit]
        assert float(number.split("–")[-1]) * factor >= high


@pytest.mark.parametrize(("size", "said"), [(12, "12 B"), (9_540_000, "9.5 MB"), (33e9, "33 GB"), (None, "–")])
def test_sizes(size: float | None, said: str) -> None:
    assert text.size(size) == said


def test_hundred_percent_is_only_said_when_done() -> None:
    assert text.percent(0.9999) == "99 %"
    assert text.percent(1.0) == "100 %"


def test_cancelled_is_not_failed() -> None:
    job = samples.waiting(samples.batch("b1", 1))[0]
    for made, state in (
        (samples.cancelled(job), DisplayState.CANCELLED),
        (samples.failed(job), DisplayState.FAILED),
        (samples.retrying(job), DisplayState.RETRYING),
        (samples.held(job), DisplayState.HELD),
        (samples.running(job), DisplayState.RUNNING),
        (samples.done(job), DisplayState.DONE),
        (job, DisplayState.WAITING),
    ):
        assert display_state(made) is state


def test_an_error_is_shown_in_the_row_without_its_hint() -> None:
    batch = BatchNode("b1", 1)
    job = JobNode(samples.failed(samples.waiting(samples.batch("b1", 1))[0]), batch, 0)
    assert queue_cells.lines(job, 4)[0] == "The audio in “Ember Garden.flac” cannot be decoded."


def test_a_job_that_waits_for_another_worker_says_so() -> None:
    waiting = samples.waiting(samples.batch("b1", 1))[0]
    left = LeftBy(workers={"studio-1": "“/music/a.wav” cannot be read there."}, times=2)
    job = JobNode(replace(waiting, queue_state="delayed", left_by=left), BatchNode("b1", 1), 0)
    assert queue_cells.lines(job, 3) == ("Waiting", "left to others")
    assert queue_cells.lines(job, 4)[0] == "Left by studio-1: “/music/a.wav” cannot be read there."
    assert "It waits for a worker that can read it." in queue_cells.tool_tip(job)


def test_a_batch_is_called_by_its_album() -> None:
    batch = BatchNode("b1", 1)
    batch.data = samples.batch("b1", 3, ("1080p", "4k"), album="Embers")
    assert batch.title == "Embers"
    assert queue_cells.lines(batch, 0)[1].startswith("3 songs × 2 formats")


@pytest.mark.parametrize("iso", [None, "", "yesterday", "2026-11--43T20:14:21.000+00:00"])
def test_a_moment_that_is_none_is_a_dash(iso: str | None) -> None:
    assert text.date_and_time(iso) == "–"
