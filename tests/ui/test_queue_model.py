"""The queue's model: rows, ids, signals, sums."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QSignalSpy
from PySide6.QtWidgets import QApplication

from ethereal_gui.ui.queue_model import Column, QueueModel
from ethereal_gui.ui.queue_nodes import HIDDEN, BatchNode, JobNode, QueueFilter, seconds_left
from ethereal_gui.ui.states import DisplayState
from tests.ui import samples


@pytest.fixture
def model(qapp: QApplication) -> QueueModel:
    """An empty model under Qt's own checks of models."""
    made = QueueModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    assert tester
    return made


def filled(model: QueueModel) -> QueueModel:
    """That model with the mixed queue."""
    batches, jobs = samples.mixed()
    model.add_batches(batches)
    model.upsert(jobs)
    return model


def names(model: QueueModel) -> list[str]:
    """Ids of all rows."""
    return [model.node(row).id for row in range(model.rowCount())]


def test_batches_stand_above_their_jobs(model: QueueModel) -> None:
    filled(model)
    assert model.rowCount() == 20 + 3
    first = model.node(0)
    assert isinstance(first, BatchNode)
    assert [model.node(row).id for row in range(1, 13)] == [job.id for job in first.jobs]


def test_jobs_stand_in_the_order_of_the_submission_however_they_were_heard_of(model: QueueModel) -> None:
    data = samples.batch("b0000000000d4", 3, ("1080p", "4k"))
    jobs = samples.waiting(data)
    model.add_batches([data])
    model.upsert([jobs[4], jobs[1], jobs[5]])
    model.upsert([jobs[3], jobs[0], jobs[2]])
    assert names(model)[1:] == [job.id for job in jobs]


def test_unfinished_batches_come_first_in_their_order_then_finished_ones(model: QueueModel) -> None:
    filled(model)
    order = [node.id for node in (model.node(row) for row in range(model.rowCount())) if isinstance(node, BatchNode)]
    assert order == ["b0000000000a1", "b0000000000b2", "b0000000000c3"]


def test_a_change_touches_only_its_rows_and_resets_nothing(model: QueueModel) -> None:
    filled(model)
    changed, resets = QSignalSpy(model.dataChanged), QSignalSpy(model.modelReset)
    layouts = QSignalSpy(model.layoutChanged)
    job = model.job("b0000000000a1-00000001-1080p")
    assert job
    model.upsert([samples.running(job.snapshot, 0.7)])
    touched = {row for n in range(changed.count()) for row in _rows(changed.at(n))}
    assert job.row in touched
    assert job.batch.row in touched
    assert len(touched) <= job.row - job.batch.row + 1
    assert resets.count() == layouts.count() == 0


def _rows(arguments: list[object]) -> range:
    first, last = arguments[0], arguments[1]
    assert isinstance(first, QModelIndex)
    assert isinstance(last, QModelIndex)
    return range(first.row(), last.row() + 1)


def test_new_jobs_are_inserted_and_removed_ones_leave(model: QueueModel) -> None:
    filled(model)
    data = samples.batch("b0000000000d4", 2, created="2026-11-24T01:00:00.000+00:00")
    inserted, removed, resets = (
        QSignalSpy(signal) for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset)
    )
    model.add_batches([data])
    model.upsert(samples.waiting(data))
    assert inserted.count() == 1
    assert model.job_count == 22
    model.remove([job_id for job_id, _ in data.jobs()])
    assert removed.count() == 1
    assert model.batch("b0000000000d4") is None
    assert resets.count() == 0


def test_persistent_indexes_follow_their_jobs_through_sorting(model: QueueModel) -> None:
    filled(model)
    held = {job_id: QPersistentModelIndex(model.index(model.row_of(job_id), 0)) for job_id in names(model)}
    model.sort(Column.NAME, Qt.SortOrder.DescendingOrder)
    assert all(model.node(index.row()).id == job_id for job_id, index in held.items())
    model.sort(-1)
    assert all(model.node(index.row()).id == job_id for job_id, index in held.items())


def test_sorting_by_state_brings_running_jobs_up(model: QueueModel) -> None:
    filled(model)
    model.sort(Column.STATE)
    batch = model.batch("b0000000000a1")
    assert batch
    top = model.node(batch.row + 1)
    assert isinstance(top, JobNode)
    assert top.state is DisplayState.RUNNING


def test_filter_by_text_state_and_format(model: QueueModel) -> None:
    filled(model)
    model.set_filter(QueueFilter(text="kōan"))
    assert {node.title for node in map(model.node, range(model.rowCount())) if isinstance(node, JobNode)} == {"Kōan"}
    model.set_filter(QueueFilter(states=frozenset({DisplayState.FAILED})))
    assert [node.id for node in map(model.node, range(model.rowCount())) if isinstance(node, JobNode)] == [
        "b0000000000a1-00000001-1080p_vertical"
    ]
    model.set_filter(QueueFilter(format_id="4k"))
    assert model.rowCount() == 1 + 3
    model.set_filter(QueueFilter(text="nothing of the kind"))
    assert model.rowCount() == 0
    model.set_filter(QueueFilter())
    assert model.rowCount() == 23


def test_a_job_that_no_longer_fits_the_filter_leaves(model: QueueModel) -> None:
    filled(model)
    model.set_filter(QueueFilter(states=frozenset({DisplayState.RUNNING})))
    job = model.job("b0000000000a1-00000001-1080p")
    assert job
    assert job.row != HIDDEN
    model.upsert([samples.done(job.snapshot)])
    assert job.row == HIDDEN


def test_closing_a_batch_hides_its_jobs(model: QueueModel) -> None:
    filled(model)
    model.set_expanded("b0000000000a1", False)
    assert model.rowCount() == 23 - 12
    model.set_all_expanded(False)
    assert model.rowCount() == 3
    model.set_all_expanded(True)
    assert model.rowCount() == 23


def test_counts_and_progress_follow_every_change(model: QueueModel) -> None:
    data = samples.batch("b0000000000d4", 4)
    jobs = samples.waiting(data)
    model.add_batches([data])
    model.upsert(jobs)
    batch = model.batch(data.batch_id)
    assert batch
    work = batch.left_work
    assert (batch.fraction, batch.is_ended) == (0.0, False)
    model.upsert([samples.running(jobs[0], 0.5), samples.done(jobs[1]), samples.failed(jobs[2])])
    assert batch.fraction == pytest.approx(2.5 / 4)
    assert batch.left_work < work
    model.upsert([samples.done(jobs[0]), samples.cancelled(jobs[3])])
    assert batch.is_ended
    assert batch.fraction == 1.0
    assert batch.left_work == pytest.approx(0.0)
    assert model.count(DisplayState.DONE) == 2
    model.upsert([jobs[2]])
    assert not batch.is_ended
    assert batch.counts[DisplayState.FAILED] == 0


def test_time_left_comes_from_what_was_measured(model: QueueModel) -> None:
    data = samples.batch("b0000000000d4", 2)
    jobs = samples.waiting(data)
    model.upsert(jobs)
    batch = model.batch(data.batch_id)
    assert batch
    assert seconds_left([batch]) is None
    model.upsert([samples.done(jobs[0], elapsed=100.0)])
    left = seconds_left([batch])
    assert left
    ratio = samples.SONGS[1][2] / samples.SONGS[0][2]
    assert left[0] < 100.0 * ratio < left[1]
    assert left[0] > 70.0 * ratio


def test_a_full_list_replaces_what_is_gone(model: QueueModel) -> None:
    filled(model)
    keep = {"b0000000000a1-00000001-1080p"}
    model.keep_only(keep)
    assert model.job_count == 1
    assert model.rowCount() == 2


def test_a_job_whose_data_is_unreadable_still_has_a_row(model: QueueModel) -> None:
    job = samples.waiting(samples.batch("b1", 1))[0]
    model.upsert([replace(job, data=None, data_error="The job's data is not valid.")])
    assert model.job_count == 1
    for column in Column:
        index = model.index(1, column)
        assert model.data(index) is not None
        assert model.data(index, Qt.ItemDataRole.ToolTipRole)


def test_large_queue_is_filled_by_one_insertion(model: QueueModel) -> None:
    batches, jobs = samples.many(10, 100)
    inserted = QSignalSpy(model.rowsInserted)
    model.add_batches(batches)
    for first in range(0, len(jobs), 200):
        model.upsert(jobs[first : first + 200], settle=False)
    model.settle()
    assert inserted.count() == 1
    assert model.rowCount() == 1010
