"""A round of random kills in every test run; `make soak` plays a hundred."""

from pathlib import Path

import pytest

from tests.faults.kill_rounds import play


@pytest.mark.parametrize("seed", [4])
def test_everything_ends_completed_exactly_once_whatever_was_killed(seed: int, tmp_path: Path) -> None:
    result = play(seed, tmp_path)
    assert result.faults == []
    assert (result.lost, result.duplicates, result.invalid) == (0, 0, 0)
    assert result.kills
