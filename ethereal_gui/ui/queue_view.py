"""The queue's table: tree keys, full-row hover, selection by ids, dragging."""

import time

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ethereal_gui.ui import queue_drag, theme
from ethereal_gui.ui.queue_delegate import INDENT, PADDING, ROW_HEIGHT, QueueDelegate
from ethereal_gui.ui.queue_model import Column, QueueModel, ranges
from ethereal_gui.ui.queue_nodes import HIDDEN, BatchNode, JobNode
from ethereal_gui.ui.states import DisplayState

_WIDTHS = {
    Column.FORMAT: 92,
    Column.TEMPLATE: 92,
    Column.STATE: 138,
    Column.PROGRESS: 168,
    Column.SPEED: 120,
    Column.TIME: 122,
}
# Below these widths of the table a column makes room for the ones that matter more.
_NEEDS = {Column.TEMPLATE: 1060, Column.SPEED: 900, Column.FORMAT: 730, Column.TIME: 640}


class QueueView(QTableView):
    """Shows a ``QueueModel``.

    Signals:
        chosen: the selection changed.
        menu_wanted: a context menu is asked for at this place on the screen.
        opened: a job was double-clicked or Return was pressed on it.
        moved: waiting jobs were dragged before another one; an empty id stands for the end of the line.
    """

    chosen = Signal()
    menu_wanted = Signal(QPoint)
    opened = Signal(str)
    moved = Signal(list, str)

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.delegate = QueueDelegate(model)
        self._kept: tuple[list[str], str | None] = ([], None)
        self._drop: queue_drag.DropPlace | None = None
        self.setObjectName("queue")
        self.setAccessibleName(self.tr("Queue"))
        self.setAccessibleDescription(
            self.tr("Batches and their jobs. Left and right arrow close and open a batch, Return opens a video.")
        )
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._headers()
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._restore)
        self.customContextMenuRequested.connect(lambda place: self.menu_wanted.emit(self.viewport().mapToGlobal(place)))
        self.doubleClicked.connect(self._double_clicked)
        self._seconds = QTimer(self)
        self._seconds.setInterval(1000)
        self._seconds.timeout.connect(self._count_down)
        model.totals_changed.connect(self._watch_retries)

    def _headers(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(ROW_HEIGHT)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns = self.horizontalHeader()
        columns.setAccessibleName(self.tr("Columns of the queue"))
        columns.setHighlightSections(False)
        columns.setSectionsClickable(True)
        columns.setMinimumSectionSize(72)
        columns.setFixedHeight(32)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            columns.resizeSection(column, width)
        # To paint itself pressed, a header asks for the flags of every selected row, 10,000 rows times 7 columns.
        # With a selection of its own, which is always empty, it does not.
        columns.setSelectionModel(QItemSelectionModel(self._model, self))
        columns.setSortIndicatorShown(True)
        columns.setSortIndicatorClearable(True)
        columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        columns.sortIndicatorChanged.connect(self._model.sort)

    # ---- selection ---------------------------------------------------------------------------------------------

    def selected_ids(self) -> list[str]:
        """Jobs that an action is for: selected ones, and all shown jobs of selected batches, in the order shown."""
        found: dict[str, None] = {}
        for node in self._selected_nodes():
            if isinstance(node, JobNode):
                found[node.id] = None
            else:
                for job in node.jobs:
                    if self._model.filter.takes(job):
                        found[job.id] = None
        return list(found)

    def _selected_nodes(self) -> list[BatchNode | JobNode]:
        # By ranges: an index object for each of 10,000 selected rows would take a tenth of a second.
        selection = self.selectionModel().selection()
        parts = [selection.at(number) for number in range(selection.count())]
        ranges = sorted({(part.top(), part.bottom()) for part in parts})
        return [self._model.node(row) for first, last in ranges for row in range(first, last + 1)]

    def current_node(self) -> BatchNode | JobNode | None:
        """What the detail pane is about."""
        index = self.currentIndex()
        if index.isValid() and index.row() < self._model.rowCount():
            return self._model.node(index.row())
        return None

    def select_ids(self, ids: list[str], current: str | None = None) -> None:
        """Select these jobs and batches, as far as they are shown."""
        selection = QItemSelection()
        rows = {row for node_id in ids if (row := self._model.row_of(node_id)) != HIDDEN}
        for first, last in ranges(sorted(rows)):
            selection.select(self._model.index(first, 0), self._model.index(last, len(Column) - 1))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        row = self._model.row_of(current or (ids[0] if ids else ""))
        if row != HIDDEN:
            flags = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(self._model.index(row, 0), flags)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.chosen.emit()

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().currentChanged(current, previous)
        self.chosen.emit()

    def _remember(self) -> None:
        current = self.current_node()
        ids = [node.id for node in self._selected_nodes()]
        self._kept = ids, current.id if current else None

    def _restore(self) -> None:
        ids, current = self._kept
        self.select_ids(ids, current)

    # ---- input -------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        node = self.current_node()
        key = event.key()
        if isinstance(node, BatchNode) and key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return):
            expanded = not node.expanded if key == Qt.Key.Key_Return else key == Qt.Key.Key_Right
            self._model.set_expanded(node.id, expanded)
        elif isinstance(node, JobNode) and key == Qt.Key.Key_Left:
            self.select_ids([node.batch.id])
            self.scrollTo(self.currentIndex())
        elif isinstance(node, JobNode) and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(node.id)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and index.column() == Column.NAME and event.button() is Qt.MouseButton.LeftButton:
            node = self._model.node(index.row())
            if isinstance(node, BatchNode) and event.position().x() < PADDING + INDENT:
                self._model.set_expanded(node.id, not node.expanded)
                return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(int(event.position().y())))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def startDrag(self, supported: Qt.DropAction) -> None:  # noqa: ARG002
        data = queue_drag.mime_data([job for id_ in self.selected_ids() if (job := self._model.job(id_))])
        if data:
            drag = QDrag(self)
            drag.setMimeData(data)
            drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, Qt.DropAction.CopyAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # What is not ours, such as songs, goes on to the window.
        event.setAccepted(bool(queue_drag.dragged_jobs(event.mimeData())))

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_drop(self._place_of(event))
        event.setDropAction(Qt.DropAction.MoveAction)
        event.setAccepted(self._drop is not None)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_drop(None)
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        place, jobs = self._place_of(event), queue_drag.dragged_jobs(event.mimeData())
        self._show_drop(None)
        event.setAccepted(place is not None)
        if place:
            self.moved.emit(jobs, place.before)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._drop:
            top = self.rowViewportPosition(self._drop.row) + (self.rowHeight(self._drop.row) if self._drop.below else 0)
            painter = QPainter(self.viewport())
            painter.fillRect(0, max(0, top - 1), self.viewport().width(), 3, theme.colours().color("accent"))

    def _place_of(self, event: QDropEvent) -> queue_drag.DropPlace | None:
        y = int(event.position().y())
        row = self.rowAt(y)
        below = row >= 0 and y > self.rowViewportPosition(row) + self.rowHeight(row) // 2
        return queue_drag.drop_place(self._model, row, below=below, dragged=queue_drag.dragged_jobs(event.mimeData()))

    def _show_drop(self, place: queue_drag.DropPlace | None) -> None:
        if place != self._drop:
            self._drop = place
            self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = self.viewport().width()
        for column, needed in _NEEDS.items():
            self.setColumnHidden(column, width < needed)

    def _hover(self, row: int) -> None:
        before = self.delegate.hovered_row
        if row == before:
            return
        self.delegate.hovered_row = row
        for changed in (before, row):
            if changed >= 0:
                height = self.rowHeight(changed)
                self.viewport().update(0, self.rowViewportPosition(changed), self.viewport().width(), height)

    def _double_clicked(self, index: QModelIndex) -> None:
        node = self._model.node(index.row())
        if isinstance(node, JobNode):
            self.opened.emit(node.id)
        else:
            self._model.set_expanded(node.id, not node.expanded)

    # ---- countdowns --------------------------------------------------------------------------------------------

    def _watch_retries(self) -> None:
        wanted = self._model.count(DisplayState.RETRYING) > 0
        if wanted and not self._seconds.isActive():
            self._seconds.start()
        elif not wanted:
            self._seconds.stop()

    def _count_down(self) -> None:
        if not self.isVisible():
            return
        now = time.time()
        for job in self._model.jobs_in(DisplayState.RETRYING):
            if job.row != HIDDEN and job.snapshot.retry_at and job.snapshot.retry_at > now - 1:
                self.update(self._model.index(job.row, Column.TIME))
