"""The queue as a table of visible rows: batches, and under each the jobs that the filter lets through.

A tree on the screen, a flat table underneath: a tree view asks the model several times for every visible item at each
change of the layout (270 ms for 10,000 jobs in Python), a table asks only for the rows on the screen. Rows know their
place, ids lead to rows, and a change touches what changed.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from ethereal_gui.domain.batch import BatchJobData
from ethereal_gui.domain.job import JobSnapshot
from ethereal_gui.ui import queue_cells
from ethereal_gui.ui.queue_nodes import HIDDEN, BatchNode, JobNode, QueueFilter
from ethereal_gui.ui.states import SORT_RANK, DisplayState
from ethereal_gui.ui.text import tr

Node = BatchNode | JobNode
Index = QModelIndex | QPersistentModelIndex
_MAX_RANGES: Final = 24
"""Above so many separate insertions or removals the view is told to look anew; it keeps the selection by ids."""


class Column(IntEnum):
    """Columns of the queue."""

    NAME = 0
    FORMAT = 1
    TEMPLATE = 2
    STATE = 3
    PROGRESS = 4
    SPEED = 5
    TIME = 6


class QueueModel(QAbstractTableModel):
    """All jobs of all batches.

    Attributes:
        goes_on: waiting jobs will be taken: nothing is paused, and somebody is there to render.

    Signals:
        totals_changed: counts or sums are others now.
    """

    totals_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._batches: dict[str, BatchNode] = {}
        self._jobs: dict[str, JobNode] = {}
        self._rows: list[Node] = []
        self._filter = QueueFilter()
        self._sort: tuple[Column, bool] | None = None
        self._numbers = 0
        self.goes_on = True

    # ---- reading -----------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def node(self, row: int) -> Node:
        """What stands in that row."""
        return self._rows[row]

    def job(self, job_id: str) -> JobNode | None:
        """The job of that id."""
        return self._jobs.get(job_id)

    def batch(self, batch_id: str) -> BatchNode | None:
        """The batch of that id."""
        return self._batches.get(batch_id)

    @property
    def batches(self) -> list[BatchNode]:
        """All batches, shown or not."""
        return list(self._batches.values())

    @property
    def job_count(self) -> int:
        """Number of jobs, shown or not."""
        return len(self._jobs)

    def jobs_in(self, *states: DisplayState) -> list[JobNode]:
        """All jobs in one of these states."""
        wanted = set(states)
        return [
            job
            for batch in self._batches.values()
            if any(batch.counts[state] for state in wanted)
            for job in batch.jobs
            if job.state in wanted
        ]

    def count(self, *states: DisplayState) -> int:
        """How many jobs are in one of these states."""
        return sum(batch.counts[state] for batch in self._batches.values() for state in states)

    def row_of(self, node_id: str) -> int:
        """The row of a job or batch; ``HIDDEN`` when it is not shown."""
        node: Node | None = self._jobs.get(node_id) or self._batches.get(node_id)
        return node.row if node else HIDDEN

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        node, column = self._rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return queue_cells.cell_text(node, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return queue_cells.tool_tip(node)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return f"{queue_cells.heading(column)}: {queue_cells.cell_text(node, column)}"
        if role == Qt.ItemDataRole.UserRole:
            return node.id
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return queue_cells.heading(section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Sort by {0}; a third click restores the order of the queue").format(queue_cells.heading(section))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if isinstance(self._rows[index.row()], JobNode):
            return base | Qt.ItemFlag.ItemIsDragEnabled
        return base

    # ---- what changes ------------------------------------------------------------------------------------------

    def add_batches(self, batches: Iterable[BatchJobData]) -> None:
        """Learn what was submitted; rows appear with the first job."""
        for data in batches:
            node = self._batch(data.batch_id)
            node.data = data
            node.in_order = False
            if node.row != HIDDEN:
                self._touch([node.row])

    def upsert(self, jobs: Sequence[JobSnapshot], *, settle: bool = True) -> None:
        """Take over new and changed jobs.

        Args:
            settle: show new rows now; without it, call ``settle`` after the last part of a long list.
        """
        rows: list[int] = []
        structure = False
        for snapshot in jobs:
            known = self._jobs.get(snapshot.id)
            if known is None:
                batch = self._batch(snapshot.batch_id or "")
                node = JobNode(snapshot, batch, len(batch.jobs))
                self._jobs[snapshot.id] = node
                batch.add(node)
                structure = True
                continue
            before, was_ended = known.state, known.batch.is_ended
            known.batch.replace(known, snapshot)
            if known.state is not before:
                structure = structure or was_ended is not known.batch.is_ended or bool(self._filter.states)
            rows += [known.row, known.batch.row]
        self._touch(rows)
        if structure and settle:
            self.settle()
        self.totals_changed.emit()

    def settle(self) -> None:
        """Bring the rows in line with jobs, filter and order."""
        for batch in self._batches.values():
            batch.put_in_order()
        self._relayout(self._target())

    def remove(self, job_ids: Iterable[str]) -> None:
        """Jobs are gone; a batch goes with its last job."""
        by_batch: dict[BatchNode, set[JobNode]] = {}
        for job_id in job_ids:
            if node := self._jobs.pop(job_id, None):
                by_batch.setdefault(node.batch, set()).add(node)
        for batch, gone in by_batch.items():
            batch.drop(gone)
            if not batch.jobs:
                del self._batches[batch.id]
        if by_batch:
            self.settle()
            self.totals_changed.emit()

    def set_order(self, job_ids: Sequence[str]) -> None:
        """The waiting line as it is now; batches and their waiting jobs stand as they will run."""
        for place, job_id in enumerate(job_ids):
            job = self._jobs.get(job_id)
            if job and job.state is DisplayState.WAITING:
                job.place = place
        for batch in self._batches.values():
            if not batch.is_ended:
                batch.put_in_line()
        self._relayout(self._target())

    def keep_only(self, job_ids: set[str]) -> None:
        """After a full list: what is not in it is gone."""
        self.remove([job_id for job_id in self._jobs if job_id not in job_ids])

    # ---- what is shown -----------------------------------------------------------------------------------------

    @property
    def filter(self) -> QueueFilter:
        """What is let through."""
        return self._filter

    def set_filter(self, queue_filter: QueueFilter) -> None:
        """Show only what it lets through."""
        if queue_filter != self._filter:
            self._filter = queue_filter
            self.settle()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort jobs inside their batches, and the batches; column -1 is the order of the queue."""
        self._sort = (Column(column), order is Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self.settle()

    @property
    def is_sorted(self) -> bool:
        """Rows stand in the order of a column, not of the queue."""
        return self._sort is not None

    def set_expanded(self, batch_id: str, expanded: bool) -> None:
        """Show or hide the jobs of a batch."""
        batch = self._batches.get(batch_id)
        if batch and batch.expanded is not expanded:
            batch.expanded = expanded
            self.settle()
            self._touch([batch.row])

    def set_all_expanded(self, expanded: bool) -> None:
        """Show or hide the jobs of all batches."""
        for batch in self._batches.values():
            batch.expanded = expanded
        self.settle()

    # ---- inside ------------------------------------------------------------------------------------------------

    def _batch(self, batch_id: str) -> BatchNode:
        if batch_id not in self._batches:
            self._numbers += 1
            self._batches[batch_id] = BatchNode(batch_id, self._numbers)
        return self._batches[batch_id]

    def _target(self) -> list[Node]:
        """The rows as they should be."""
        batches = list(self._batches.values())
        jobs_key = None
        if self._sort is None:
            # What is still to be done stands on top in its order, below it what is done, newest first.
            active = [batch for batch in batches if not batch.is_ended]
            ended = [batch for batch in batches if batch.is_ended]
            active.sort(key=lambda batch: (batch.turn, batch.created, batch.number))
            ended.sort(key=lambda batch: (batch.created, batch.number), reverse=True)
            batches = active + ended
        else:
            column, descending = self._sort
            jobs_key = _JOB_KEYS[column]
            batches.sort(key=_BATCH_KEYS[column], reverse=descending)
        rows: list[Node] = []
        for batch in batches:
            jobs = batch.jobs
            if not self._filter.is_empty:
                jobs = [job for job in jobs if self._filter.takes(job)]
            if not jobs:
                continue
            rows.append(batch)
            if batch.expanded:
                rows += sorted(jobs, key=jobs_key, reverse=self._sort[1]) if jobs_key and self._sort else jobs
        return rows

    def _relayout(self, target: list[Node]) -> None:
        if target == self._rows:
            return
        wanted = set(target)
        present = set(self._rows)
        removals = ranges([row for row, node in enumerate(self._rows) if node not in wanted])
        insertions = ranges([row for row, node in enumerate(target) if node not in present])
        if len(removals) + len(insertions) > _MAX_RANGES:
            self.beginResetModel()
            self._place(target)
            self.endResetModel()
            return
        for first, last in reversed(removals):
            self.beginRemoveRows(QModelIndex(), first, last)
            self._place(self._rows[:first] + self._rows[last + 1 :])
            self.endRemoveRows()
        staying = [node for node in target if node in present]
        if staying != self._rows:
            self._permute(staying)
        for first, last in insertions:
            self.beginInsertRows(QModelIndex(), first, last)
            self._place(self._rows[:first] + target[first : last + 1] + self._rows[first:])
            self.endInsertRows()

    def _permute(self, rows: list[Node]) -> None:
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        nodes = [self._rows[index.row()] for index in old]
        self._place(rows)
        self.changePersistentIndexList(
            old, [self.index(node.row, index.column()) for node, index in zip(nodes, old, strict=True)]
        )
        self.layoutChanged.emit()

    def _place(self, rows: list[Node]) -> None:
        for node in self._rows:
            node.row = HIDDEN
        self._rows = rows
        for row, node in enumerate(rows):
            node.row = row

    def _touch(self, rows: Iterable[int]) -> None:
        last_column = len(Column) - 1
        for first, last in ranges(sorted({row for row in rows if row != HIDDEN}), gap=8):
            self.dataChanged.emit(self.index(first, 0), self.index(last, last_column))


def ranges(rows: list[int], gap: int = 1) -> list[tuple[int, int]]:
    """Sorted numbers as first-last pairs; neighbours up to ``gap`` apart share one."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and row - found[-1][1] <= gap:
            found[-1] = found[-1][0], row
        else:
            found.append((row, row))
    return found


def _ended_at(job: JobNode) -> float:
    snapshot = job.snapshot
    return snapshot.progress.time_left or 0.0 if snapshot.progress else snapshot.finished_at or float("inf")


_JOB_KEYS: Final[dict[Column, Any]] = {
    Column.NAME: lambda job: job.title.casefold(),
    Column.FORMAT: lambda job: job.format_id,
    Column.TEMPLATE: lambda job: job.template,
    Column.STATE: lambda job: SORT_RANK[job.state],
    Column.PROGRESS: lambda job: job.fraction,
    Column.SPEED: lambda job: job.realtime or 0.0,
    Column.TIME: _ended_at,
}
_BATCH_KEYS: Final[dict[Column, Any]] = {
    Column.NAME: lambda batch: batch.title.casefold(),
    Column.FORMAT: lambda batch: batch.formats,
    Column.TEMPLATE: lambda batch: batch.template,
    Column.STATE: lambda batch: (batch.counts[DisplayState.FAILED] == 0, batch.is_ended),
    Column.PROGRESS: lambda batch: batch.fraction,
    Column.SPEED: lambda batch: batch.done_work / batch.done_elapsed if batch.done_elapsed else 0.0,
    Column.TIME: lambda batch: batch.left_work,
}
