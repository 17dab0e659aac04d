"""Paints the rows of the queue: two lines of text, a state with icon and word, a progress bar. No widget per row."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ethereal_gui.domain.formats import FORMATS, FormatGroup
from ethereal_gui.ui import icons, queue_cells, theme
from ethereal_gui.ui.queue_model import Column, QueueModel
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode
from ethereal_gui.ui.states import LOOKS, DisplayState
from ethereal_gui.ui.theme import Colours

ROW_HEIGHT: Final = 56
PADDING: Final = 12
INDENT: Final = 24
JOB_INDENT: Final = 12
TILE: Final = QSize(48, 32)
_BAR: Final = 4
_GROUP_ICONS: Final = {FormatGroup.FLAT: "screen", FormatGroup.VERTICAL: "phone", FormatGroup.VR: "globe"}
_STATE_TOKENS: Final = {DisplayState.DONE: "good", DisplayState.FAILED: "bad", DisplayState.CANCELLED: "muted"}


class QueueDelegate(QStyledItemDelegate):
    """Paints cells of a ``QueueModel``.

    Attributes:
        hovered_row: the row under the pointer, -1 for none.
        thumbnails: newest picture per job id, already of the tile's size.
    """

    def __init__(self, model: QueueModel) -> None:
        super().__init__()
        self._model = model
        self.hovered_row = -1
        self.thumbnails: dict[str, QPixmap] = {}
        self._title = theme.ui_font(13, QFont.Weight.Medium)
        self._batch_title = theme.ui_font(14, QFont.Weight.DemiBold)
        self._plain = theme.ui_font(13, tabular=True)
        self._small = theme.ui_font(12, tabular=True)
        self._metrics = {id(font): QFontMetrics(font) for font in self._fonts()}

    def _fonts(self) -> tuple[QFont, ...]:
        return self._title, self._batch_title, self._plain, self._small

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002
        return QSize(120, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colours = theme.colours()
        node = self._model.node(index.row())
        column = Column(index.column())
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        self._background(painter, rect, node, index.row(), selected, colours)
        if state & QStyle.StateFlag.State_HasFocus and column is Column.NAME:
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), colours.color("accent"))
        cell = rect.adjusted(PADDING, 0, -PADDING, 0)
        if column is Column.NAME:
            self._name(painter, cell, node, colours)
        elif column is Column.STATE:
            self._state(painter, cell, node, colours)
        elif column is Column.PROGRESS:
            self._progress(painter, cell, node, colours)
        else:
            first, second = queue_cells.lines(node, column)
            self._two_lines(painter, cell, first, second, self._plain, colours, faint=column is not Column.FORMAT)
        painter.restore()

    # ---- parts -------------------------------------------------------------------------------------------------

    def _background(
        self, painter: QPainter, rect: QRect, node: BatchNode | JobNode, row: int, selected: bool, colours: Colours
    ) -> None:
        if selected:
            tone = "selection"
        elif row == self.hovered_row:
            tone = "hover"
        else:
            tone = "raised" if isinstance(node, BatchNode) else "surface"
        painter.fillRect(rect, colours.color(tone))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colours.color("line"))

    def _name(self, painter: QPainter, cell: QRect, node: BatchNode | JobNode, colours: Colours) -> None:
        first, second = queue_cells.lines(node, Column.NAME)
        if isinstance(node, BatchNode):
            chevron = icons.pixmap("chevron-down" if node.expanded else "chevron-right", colours.muted, 16)
            painter.drawPixmap(cell.left(), cell.center().y() - 8, chevron)
            self._two_lines(painter, cell.adjusted(INDENT, 0, 0, 0), first, second, self._batch_title, colours)
            return
        tile = QRect(cell.left() + JOB_INDENT, cell.center().y() - TILE.height() // 2, TILE.width(), TILE.height())
        self._tile(painter, tile, node, colours)
        tone = "bad" if node.snapshot.data_error else "muted"
        beside = cell.adjusted(JOB_INDENT + TILE.width() + PADDING, 0, 0, 0)
        self._two_lines(painter, beside, first, second, self._title, colours, second_tone=tone)

    def _tile(self, painter: QPainter, rect: QRect, job: JobNode, colours: Colours) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRoundedRect(QRectF(rect), 4, 4)
        picture = self.thumbnails.get(job.id)
        if picture is None:
            painter.fillPath(path, colours.color("pressed" if colours.name == "dark" else "hover"))
            known = FORMATS.get(job.format_id)
            glyph = icons.pixmap(_GROUP_ICONS[known.group] if known else "file", colours.muted, 18)
            painter.drawPixmap(rect.center() - QPointF(8.5, 8.5).toPoint(), glyph)
            return
        painter.fillPath(path, colours.color("stage"))
        painter.setClipPath(path)
        ratio = picture.devicePixelRatio()
        size = QSize(round(picture.width() / ratio), round(picture.height() / ratio))
        target = QRect(0, 0, size.width(), size.height())
        target.moveCenter(rect.center())
        painter.drawPixmap(target, picture)
        painter.setClipping(False)

    def _state(self, painter: QPainter, cell: QRect, node: BatchNode | JobNode, colours: Colours) -> None:
        state = node.state if isinstance(node, JobNode) else batch_state(node)
        look = LOOKS[state]
        colour = str(getattr(colours, look.tone))
        painter.drawPixmap(cell.left(), cell.center().y() - 8, icons.pixmap(look.icon, colour, 18))
        first, second = queue_cells.lines(node, Column.STATE)
        bad_second = isinstance(node, BatchNode) and second
        self._two_lines(
            painter,
            cell.adjusted(26, 0, 0, 0),
            first,
            second,
            self._plain,
            colours,
            first_tone=look.tone,
            second_tone="bad" if bad_second else "muted",
        )

    def _progress(self, painter: QPainter, cell: QRect, node: BatchNode | JobNode, colours: Colours) -> None:
        first, second = queue_cells.lines(node, Column.PROGRESS)
        if isinstance(node, JobNode) and node.state in (DisplayState.FAILED, DisplayState.RETRYING):
            self._reason(painter, cell, first, colours.color(LOOKS[node.state].tone))
            return
        if isinstance(node, JobNode) and node.state not in (DisplayState.RUNNING, DisplayState.STOPPING):
            self._two_lines(painter, cell, first, second, self._plain, colours, first_tone="muted")
            return
        top = cell.top() + 10
        line = QRect(cell.left(), top, cell.width(), 18)
        self._text(painter, line, first, self._plain, colours.color("text"))
        self._text(painter, line, second, self._small, colours.color("muted"), Qt.AlignmentFlag.AlignRight)
        bar = QRectF(cell.left(), top + 25, cell.width(), _BAR)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.color("track"))
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        if isinstance(node, BatchNode):
            self._batch_bar(painter, bar, node, colours)
        else:
            tone = "warn" if node.state is DisplayState.STOPPING else "accent"
            self._bar_part(painter, bar, 0.0, node.fraction, colours.color(tone))

    def _reason(self, painter: QPainter, cell: QRect, words: str, colour: QColor) -> None:
        """Why it failed, on two lines; what does not fit is in the tool tip and the details."""
        metrics = self._metrics[id(self._small)]
        first, rest = words, ""
        if metrics.horizontalAdvance(words) > cell.width():
            parts = words.split(" ")
            first = parts.pop(0)
            while parts and metrics.horizontalAdvance(f"{first} {parts[0]}") <= cell.width():
                first = f"{first} {parts.pop(0)}"
            rest = " ".join(parts)
        half = cell.height() // 2
        if not rest:
            self._text(painter, cell, first, self._small, colour)
            return
        self._text(painter, QRect(cell.left(), cell.top() + half - 18, cell.width(), 18), first, self._small, colour)
        self._text(painter, QRect(cell.left(), cell.top() + half, cell.width(), 18), rest, self._small, colour)

    def _batch_bar(self, painter: QPainter, bar: QRectF, batch: BatchNode, colours: Colours) -> None:
        # Done, failed and cancelled stand beside each other, the running part follows them.
        start = 0.0
        for state, tone in _STATE_TOKENS.items():
            width = batch.counts[state] / batch.total if batch.total else 0.0
            self._bar_part(painter, bar, start, start + width, colours.color(tone))
            start += width
        self._bar_part(painter, bar, start, batch.fraction, colours.color("accent"))

    @staticmethod
    def _bar_part(painter: QPainter, bar: QRectF, start: float, end: float, colour: QColor) -> None:
        if end <= start:
            return
        part = QRectF(bar.left() + bar.width() * start, bar.top(), bar.width() * (end - start), bar.height())
        painter.setBrush(colour)
        painter.drawRoundedRect(part, _BAR / 2, _BAR / 2)

    def _two_lines(
        self,
        painter: QPainter,
        cell: QRect,
        first: str,
        second: str,
        font: QFont,
        colours: Colours,
        *,
        first_tone: str = "text",
        second_tone: str = "muted",
        faint: bool = False,
    ) -> None:
        if faint and first_tone == "text":
            first_tone = "muted"
        if not second:
            self._text(painter, cell, first, font, colours.color(first_tone))
            return
        half = cell.height() // 2
        upper = QRect(cell.left(), cell.top() + half - 20, cell.width(), 20)
        lower = QRect(cell.left(), cell.top() + half, cell.width(), 18)
        self._text(painter, upper, first, font, colours.color(first_tone))
        self._text(painter, lower, second, self._small, colours.color(second_tone))

    def _text(
        self,
        painter: QPainter,
        rect: QRect,
        words: str,
        font: QFont,
        colour: QColor,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        if not words or rect.width() < 8:
            return
        painter.setFont(font)
        painter.setPen(colour)
        shown = self._metrics[id(font)].elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)


def batch_state(batch: BatchNode) -> DisplayState:
    """The state whose icon a batch shows."""
    counts = batch.counts
    if batch.is_ended:
        if counts[DisplayState.FAILED]:
            return DisplayState.FAILED
        return DisplayState.DONE if counts[DisplayState.DONE] else DisplayState.CANCELLED
    if counts[DisplayState.RUNNING] or counts[DisplayState.STOPPING]:
        return DisplayState.RUNNING
    if counts[DisplayState.HELD] and not counts[DisplayState.WAITING] and not counts[DisplayState.RETRYING]:
        return DisplayState.HELD
    return DisplayState.WAITING
