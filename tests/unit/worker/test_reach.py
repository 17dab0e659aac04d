"""Who gets a job whose files one worker cannot read."""

from ethereal_gui.domain.errors import FileMissingError, TransferError
from ethereal_gui.domain.job import LeftBy
from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.worker.reach import LONGEST_WAIT_FOR_SERVER, LONGEST_WAIT_SECONDS, LeftToOthersError, left_or_failed

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
    assert first.left.note.startswith("Left by one: “/music/a.wav” cannot be read there.")
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


def test_a_server_that_does_not_answer_is_waited_for_by_one_worker_alone_but_not_for_ever() -> None:
    gone = TransferError("“sftp://nas/a.wav” could not be transferred.")
    left, waited = NOBODY, 0.0
    while isinstance(answer := left_or_failed(gone, left, "one", [worker("one")]), LeftToOthersError):
        assert not answer.is_offered, "all would meet the same"
        assert answer.seconds <= LONGEST_WAIT_FOR_SERVER
        left, waited = answer.left, waited + answer.seconds
    assert answer is gone
    assert 4 * 3600 < waited < 5 * 3600
