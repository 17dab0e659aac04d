"""The queue's page: overall progress, filters, the table, details beside it."""

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QSplitter, QStackedWidget, QWidget

from ethereal_gui.ui import text
from ethereal_gui.ui.actions import Actions
from ethereal_gui.ui.detail_pane import DetailPane
from ethereal_gui.ui.filter_bar import FilterBar
from ethereal_gui.ui.parts import action_button, button, column, icon_label, label, row
from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.queue_nodes import seconds_left
from ethereal_gui.ui.queue_view import QueueView
from ethereal_gui.ui.states import GROUP_OF, DisplayState, StateGroup

_ENDED = (DisplayState.DONE, DisplayState.FAILED, DisplayState.CANCELLED)
_RUNNING = (DisplayState.RUNNING, DisplayState.STOPPING)


class QueuePage(QWidget):
    """Shows the queue.

    Signals:
        create_wanted: the person wants to build a batch.
    """

    create_wanted = Signal()

    def __init__(self, model: QueueModel, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("page")
        self._model = model
        self.view = QueueView(model)
        self.details = DetailPane()
        self.filters = FilterBar()
        self.summary = label("", "small")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the whole queue"))
        self.pause = action_button(actions["pause"], words=True)
        self._stack = QStackedWidget()
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.view)
        self.splitter.addWidget(self.details)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([960, 312])
        self._stack.addWidget(self._empty())
        self._stack.addWidget(self._no_match())
        self._stack.addWidget(self.splitter)
        self.setLayout(column(self._header(actions), self._stack, spacing=0))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(100)
        self._soon.timeout.connect(self._refresh)
        model.totals_changed.connect(self.refresh_soon)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self.refresh_soon)
        model.dataChanged.connect(self._current_may_have_changed)
        self.view.chosen.connect(self._show_current)
        self.filters.changed.connect(model.set_filter)
        self._refresh()

    def _header(self, actions: Actions) -> QWidget:
        header = QFrame()
        header.setObjectName("pageHeader")
        title = label(self.tr("Queue"), "pageTitle")
        buttons = [action_button(actions[name]) for name in ("retry_all", "clear", "details")]
        top = row(title, 8, self.summary, None, self.pause, *buttons, spacing=4)
        header.setLayout(column(top, self.bar, 2, self.filters, margins=(20, 12, 16, 12), spacing=8))
        return header

    def _empty(self) -> QWidget:
        page = QWidget()
        start = button(self.tr("New batch"), "primary", "create", on_icon="on_accent")
        start.clicked.connect(self.create_wanted)
        title = label(self.tr("The queue is empty"), "big")
        lead = label(self.tr("Drop songs anywhere in this window, or build a batch."), "muted", wrap=True)
        for words in (title, lead):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        page.setLayout(
            column(None, row(None, icon_label("queue", 48), None), 8, title, lead, 8, row(None, start, None), None)
        )
        return page

    def _no_match(self) -> QWidget:
        page = QWidget()
        words = label(self.tr("No job matches the filter"), "big")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        clear = button(self.tr("Show everything"))
        clear.clicked.connect(self.filters.clear)
        page.setLayout(column(None, row(None, icon_label("filter", 48), None), words, row(None, clear, None), None))
        return page

    def show_details(self, shown: bool) -> None:
        """Show or hide the detail pane."""
        self.details.setVisible(shown)

    # ---- inside ------------------------------------------------------------------------------------------------

    def refresh_soon(self) -> None:
        """Show sums and details anew, at most ten times a second."""
        if not self._soon.isActive():
            self._soon.start()

    def _refresh(self) -> None:
        model = self._model
        page = 0 if not model.job_count else 1 if not model.rowCount() else 2
        self._stack.setCurrentIndex(page)
        self.filters.setVisible(model.job_count > 0)
        counts = {StateGroup.ALL: model.job_count}
        for state in DisplayState:
            counts[GROUP_OF[state]] = counts.get(GROUP_OF[state], 0) + model.count(state)
        self.filters.show_counts(counts)
        self.summary.setText(summary(model))
        total = model.job_count
        done = sum(batch.fraction * batch.total for batch in model.batches)
        self.bar.setVisible(any(not batch.is_ended for batch in model.batches))
        self.bar.setValue(round(1000 * done / total) if total else 0)
        self._show_current()

    def _show_current(self) -> None:
        self.details.show_node(self.view.current_node())

    def _current_may_have_changed(self) -> None:
        if self.details.isVisible():
            self.refresh_soon()


def summary(model: QueueModel) -> str:
    """The whole queue in a line: 12 of 36 done, about 3–4 h left, done by 06:40."""
    total = model.job_count
    if not total:
        return ""
    ended = model.count(*_ENDED)
    words = text.tr("{0} of {1} done").format(text.count(ended), text.count(total))
    if ended == total:
        named = (
            (DisplayState.DONE, text.tr("{0} done")),
            (DisplayState.FAILED, text.tr("{0} failed")),
            (DisplayState.CANCELLED, text.tr("{0} cancelled")),
        )
        return " · ".join(said.format(text.count(number)) for state, said in named if (number := model.count(state)))
    open_batches = [batch for batch in model.batches if not batch.is_ended]
    left = seconds_left(open_batches, max(1, model.count(*_RUNNING)))
    if not left or not model.count(*_RUNNING) or not model.goes_on:
        return words  # when it will be done is anybody's guess
    words += " · " + text.tr("{0} left").format(text.span_range(*left))
    return words + " · " + text.tr("done by {0}").format(text.time_of_day(time.time() + left[1]))
