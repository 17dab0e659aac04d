"""Everything that was ever rendered on this computer: search, sums, render again, export."""

import asyncio
import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QFrame,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from ethereal_gui.service.render_service import RenderService
from ethereal_gui.store.renders import HistoryTotals, RenderRecord
from ethereal_gui.ui import icons, text
from ethereal_gui.ui.draft import draft_of_records
from ethereal_gui.ui.history_model import HistoryColumn, HistoryModel
from ethereal_gui.ui.parts import ElidedLabel, button, column, icon_label, label, row
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.toast import Toast
from ethereal_gui.ui.videos import show_videos

_PAGE: Final = 200
_WIDTHS: Final = {
    HistoryColumn.FORMAT: 104,
    HistoryColumn.TEMPLATE: 96,
    HistoryColumn.STATE: 128,
    HistoryColumn.LENGTH: 80,
    HistoryColumn.SIZE: 88,
    HistoryColumn.TOOK: 112,
    HistoryColumn.WHEN: 172,
}
_NEEDS: Final = {
    HistoryColumn.TEMPLATE: 1020,
    HistoryColumn.LENGTH: 940,
    HistoryColumn.TOOK: 860,
    HistoryColumn.SIZE: 760,
}


class HistoryPage(QWidget):
    """Shows the history.

    Signals:
        again_wanted: a ``Draft`` of what is to be rendered again.
        chosen: the selection changed.
        menu_wanted: a context menu is asked for at this place on the screen.
    """

    again_wanted = Signal(object)
    chosen = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, service: RenderService, tasks: TaskOwner, toast: Toast) -> None:
        super().__init__()
        self.setObjectName("page")
        self._service = service
        self._tasks = tasks
        self._toast = toast
        self._complete = False
        self.model = HistoryModel()
        self.table = _Table(self.model)
        self.totals = ElidedLabel("", "small")
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search in the history"))
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.setMinimumWidth(120)
        self.search.setMaximumWidth(240)
        self.again = button(self.tr("Render again"), "", "retry", tip=self.tr("A new batch with the selected songs"))
        self.export = button(self.tr("Export…"), "", "export", tip=self.tr("Save the history as CSV"))
        self._stack = QStackedWidget()
        self._lay_out()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(150)
        self._typing.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.again.clicked.connect(self._again)
        self.export.clicked.connect(self._choose_export)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._selection_changed())
        self.model.modelReset.connect(self._selection_changed)
        self.table.verticalScrollBar().valueChanged.connect(self._maybe_more)
        self.table.activated.connect(lambda _: self.run("open"))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(
            lambda place: self.menu_wanted.emit(self.table.viewport().mapToGlobal(place))
        )
        self._selection_changed()

    def _lay_out(self) -> None:
        header = QFrame()
        header.setObjectName("pageHeader")
        top = row(label(self.tr("History"), "pageTitle"), 8, self.totals, self.again, self.export, self.search)
        top.setStretchFactor(self.totals, 1)
        header.setLayout(column(top, margins=(20, 12, 16, 12)))
        empty = QWidget()
        words = label(self.tr("Nothing was rendered yet"), "big")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty_words = words
        empty.setLayout(column(None, row(None, icon_label("history", 48), None), 8, words, None))
        self._stack.addWidget(empty)
        self._stack.addWidget(self.table)
        self.setLayout(column(header, self._stack, spacing=0))

    def reload(self) -> None:
        """Look anew."""
        self._tasks.start(self._load(), self.tr("Reading the history"), replace="history")

    async def _load(self) -> None:
        words = self.search.text().strip()
        records = await self._service.history(words, limit=_PAGE)
        totals = await self._service.history_totals()
        self._complete = len(records) < _PAGE
        self.model.show(records)
        self.totals.setText(totals_line(totals))
        self._empty_words.setText(self.tr("Nothing matches") if words else self.tr("Nothing was rendered yet"))
        self._stack.setCurrentIndex(1 if records else 0)

    def _maybe_more(self, value: int) -> None:
        if not self._complete and value >= self.table.verticalScrollBar().maximum() - 200:
            self._complete = True  # until the page is there; scrolling on asks only once
            self._tasks.start(self._more(), self.tr("Reading the history"), replace="history")

    async def _more(self) -> None:
        words = self.search.text().strip()
        records = await self._service.history(words, limit=_PAGE, offset=self.model.rowCount())
        self.model.append(records)
        self._complete = len(records) < _PAGE

    @property
    def selected(self) -> list[RenderRecord]:
        """Selected records."""
        return [self.model.record(index.row()) for index in self.table.selectionModel().selectedRows()]

    def _selection_changed(self) -> None:
        self.again.setEnabled(bool(self.table.selectionModel().selectedRows()))
        self.chosen.emit()

    def _again(self) -> None:
        if records := self.selected:
            self.again_wanted.emit(draft_of_records(records))

    def possible(self) -> set[str]:
        """Which actions can do something with the selected records."""
        records = self.selected
        found = {"clone", "copy"} if records else set()
        return found | {"open", "reveal"} if any(record.output_path for record in records) else found

    def run(self, action: str) -> None:
        """Do that with the selected records."""
        if action == "clone":
            self._again()
        elif action == "copy":
            QGuiApplication.clipboard().setText("\n\n".join(report(record) for record in self.selected))
            self._toast.say(self.tr("Report copied."))
        else:
            paths = [record.output_path for record in self.selected if record.output_path]
            show_videos(paths, self._toast, folder=action == "reveal")

    def _choose_export(self) -> None:
        dialog = QFileDialog(self, self.tr("Export the history"), "ethereal-history.csv")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(lambda name: self._tasks.start(self.export_to(Path(name)), self.tr("Exporting")))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    async def export_to(self, path: Path) -> None:
        """Write what the search finds, all of it, as CSV."""
        records: list[RenderRecord] = []
        words = self.search.text().strip()
        while page := await self._service.history(words, limit=1000, offset=len(records)):
            records += page
        await asyncio.to_thread(write_csv, path, records)
        self._toast.say(self.tr("{0} rows written to “{1}”.").format(text.count(len(records)), path.name))


def write_csv(path: Path, records: list[RenderRecord]) -> None:
    """The history as a spreadsheet reads it: a header, one row per render, UTF-8 with its mark."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(RenderRecord)])
        writer.writeheader()
        writer.writerows(asdict(record) for record in records)


def report(record: RenderRecord) -> str:
    """Everything that is known of a render, for a bug report or a message."""
    names = {field.name: getattr(record, field.name) for field in fields(record)}
    return "\n".join(f"{name}: {value}" for name, value in names.items() if value is not None)


def totals_line(totals: HistoryTotals) -> str:
    """128 videos · 9 h of video · 140 GB · 1.7× real time."""
    if not totals.videos:
        return ""
    parts = [
        text.tr("1 video") if totals.videos == 1 else text.tr("{0} videos").format(text.count(totals.videos)),
        text.tr("{0} of video").format(text.span(totals.seconds)),
        text.size(totals.size),
    ]
    if totals.elapsed:
        parts.append(text.tr("{0:.1f}× real time").format(totals.seconds / totals.elapsed))
    return " · ".join(parts)


class _Cells(QStyledItemDelegate):
    """Keeps the colours of the words also in selected rows: they say what became of a render."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        words = index.data(Qt.ItemDataRole.ForegroundRole)
        if words is not None:
            option.palette.setColor(QPalette.ColorRole.HighlightedText, words)


class _Table(QTableView):
    def __init__(self, model: HistoryModel) -> None:
        super().__init__()
        self.setObjectName("history")
        self.setAccessibleName(self.tr("History"))
        self.setModel(model)
        self._cells = _Cells()
        self.setItemDelegate(self._cells)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(16, 16))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(40)
        header = self.horizontalHeader()
        header.setFixedHeight(32)
        header.setHighlightSections(False)
        header.setAccessibleName(self.tr("Columns of the history"))
        header.setSectionResizeMode(HistoryColumn.SONG, QHeaderView.ResizeMode.Stretch)
        for section, width in _WIDTHS.items():
            header.resizeSection(section, width)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        for section, needed in _NEEDS.items():
            self.setColumnHidden(section, self.viewport().width() < needed)
