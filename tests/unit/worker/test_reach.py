"""Who gets a job whose files one worker cannot read."""

from ethereal_gui.domain.errors import FileMissingError
from ethereal_gui.domain.job import LeftBy
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.worker.reach import LONGEST_WAIT_SECONDS, LeftToOthersError, left_or_failed

ERROR = FileMissingError("“/music/a.wav” cannot be read there.")
NOBODY = LeftBy(workers={}, times=0)


def worker(name: str, state: WorkerState = WorkerState.IDLE) -> WorkerInfo:
    return WorkerInfo(name=name, host="box", pid=1, cores=1, concurrency=1, state=state)


def test_alone_it_fails_with_its_own_error() -> None:
    assert left_or_failed(ERROR, NOBODY, "one", [worker("one")]) is ERROR
    assert left_or_failed(ERROR, NOBODY, "one", []) is ERROR
    lost = [worker("one"), worker("two", WorkerState.LOST)]
    assert left_or_failed(ERROR, NOBODY, "one", lost) is ERROR


def test_it_is_left_while_somebody_has_not_said_the_same() -> None:
    workers = [worker("one"), worker("two", WorkerState.DRAINING)]
    first = left_or_failed(ERROR, NOBODY, "one", workers)
    assert isinstance(first, LeftToOthersError)
    assert (first.is_first, first.seconds, first.left.times) == (True, 1.0, 1)
    assert "Left by one." in first.left.note
    assert "/music/a.wav" in first.left.note
    second = left_or_failed(ERROR, first.left, "one", workers)
    assert isinstance(second, LeftToOthersError)
    assert (second.is_first, second.seconds) == (False, 2.0)
    late = left_or_failed(ERROR, second.left.model_copy(update={"times": 50}), "one", workers)
    assert isinstance(late, LeftToOthersError)
    assert late.seconds == LONGEST_WAIT_SECONDS


def test_when_all_have_left_it_the_last_one_fails_it_and_names_the_others() -> None:
    workers = [worker("one"), worker("two"), worker("three", WorkerState.LOST)]
    first = left_or_failed(ERROR, NOBODY, "one", workers)
    assert isinstance(first, LeftToOthersError)
    last = left_or_failed(ERROR, first.left, "two", workers)
    assert isinstance(last, FileMissingError)
    assert str(last).startswith(ERROR.message)
    assert "Neither can it be read by one." in str(last)
    assert not last.retryable
