"""The fuzz target itself: the same files for the same seed, and what ends a child is found and kept."""

from pathlib import Path

import pytest

from ethereal_gui.worker.probing import Prober
from tests.fuzz.probe_fuzz import mutant, run, seeds


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def test_a_file_is_made_again_from_its_number(pool: list[tuple[str, bytes]]) -> None:
    made = [mutant(pool, 7, number) for number in range(50)]
    assert made == [mutant(pool, 7, number) for number in range(50)]
    assert len(set(made)) == 50
    assert not set(made) & set(pool)


def test_some_spoilt_files_end_no_child(pool: list[tuple[str, bytes]], tmp_path: Path) -> None:
    with Prober(children=1) as prober:
        tally = run(pool, 1, iter(range(150)), tmp_path / "kept", prober)
    assert (tally.tried, tally.kept) == (150, [])
    assert 0 < tally.taken < 150


def test_a_file_that_ends_its_child_is_kept(pool: list[tuple[str, bytes]], tmp_path: Path) -> None:
    with Prober(children=1, seconds=1e-6) as prober:  # no file is that quick
        tally = run(pool, 1, iter([3, 4]), tmp_path / "kept", prober)
    assert [path.read_bytes() for path in tally.kept] == [mutant(pool, 1, number)[1] for number in (3, 4)]
