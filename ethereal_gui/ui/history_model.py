"""The history as a table."""

from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from ethereal_gui.store.renders import RenderRecord
from ethereal_gui.ui import icons, text, theme
from ethereal_gui.ui.states import LOOKS, DisplayState
from ethereal_gui.ui.text import tr

Index = QModelIndex | QPersistentModelIndex
_STATES: Final = {
    "processing": DisplayState.RUNNING,
    "completed": DisplayState.DONE,
    "failed": DisplayState.FAILED,
    "cancelled": DisplayState.CANCELLED,
    "interrupted": DisplayState.WAITING,
}


class HistoryColumn(IntEnum):
    """Columns of the history."""

    SONG = 0
    FORMAT = 1
    TEMPLATE = 2
    STATE = 3
    LENGTH = 4
    SIZE = 5
    TOOK = 6
    WHEN = 7


def headings() -> list[str]:
    """Headings of the columns."""
    return [
        tr("Song"),
        tr("Format"),
        tr("Template"),
        tr("Result"),
        tr("Length"),
        tr("Size"),
        tr("Took"),
        tr("When"),
    ]


def result_word(status: str) -> str:
    """What became of a render."""
    return {
        "processing": tr("Rendering"),
        "completed": tr("Done"),
        "failed": tr("Failed"),
        "cancelled": tr("Cancelled"),
        "interrupted": tr("Interrupted"),
    }.get(status, status)


class HistoryModel(QAbstractTableModel):
    """Pages of records, appended as the person scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[RenderRecord] = []

    def show(self, records: list[RenderRecord]) -> None:
        """Replace everything."""
        self.beginResetModel()
        self._records = list(records)
        self.endResetModel()

    def append(self, records: list[RenderRecord]) -> None:
        """Another page."""
        if records:
            first = len(self._records)
            self.beginInsertRows(QModelIndex(), first, first + len(records) - 1)
            self._records += records
            self.endInsertRows()

    def record(self, row: int) -> RenderRecord:
        """The record in that row."""
        return self._records[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HistoryColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return headings()[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        record, column = self._records[index.row()], HistoryColumn(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(record, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return record.error or record.output_path or record.audio_path
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{headings()[column]}: {_cell(record, column)}"
        look = LOOKS[_STATES.get(record.status, DisplayState.WAITING)]
        if role == Qt.ItemDataRole.DecorationRole and column is HistoryColumn.STATE:
            return icons.icon(look.icon, look.tone)
        if role == Qt.ItemDataRole.ForegroundRole:
            if column is HistoryColumn.STATE:
                return theme.colours().color(look.tone)
            return theme.colours().color("text" if column is HistoryColumn.SONG else "muted")
        return None


def _cell(record: RenderRecord, column: HistoryColumn) -> str:
    match column:
        case HistoryColumn.SONG:
            return record.audio_name.rpartition(".")[0] or record.audio_name
        case HistoryColumn.FORMAT:
            return text.format_label(record.output_format)
        case HistoryColumn.TEMPLATE:
            return text.template_label(record.template)
        case HistoryColumn.STATE:
            return result_word(record.status)
        case HistoryColumn.LENGTH:
            return text.clock(record.duration)
        case HistoryColumn.SIZE:
            return text.size(record.size)
        case HistoryColumn.TOOK:
            return text.span(record.elapsed) if record.elapsed else "–"
        case HistoryColumn.WHEN:
            return text.date_and_time(record.completed or record.started)
