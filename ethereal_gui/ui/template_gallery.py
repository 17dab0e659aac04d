"""The templates as cards with a picture that the engine drew."""

from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter, QPainterPath, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ethereal_gui.domain.template import Template
from ethereal_gui.ui import icons, theme

Index = QModelIndex | QPersistentModelIndex
_CARD_WIDTH: Final = 148
_CAPTION: Final = 36


class TemplateModel(QAbstractListModel):
    """All templates and their pictures."""

    def __init__(self) -> None:
        super().__init__()
        self._templates: list[Template] = []
        self._pictures: dict[str, QPixmap] = {}

    def show(self, templates: list[Template]) -> None:
        """Replace the list."""
        self.beginResetModel()
        self._templates = templates
        self.endResetModel()

    def set_picture(self, template_id: str, image: QImage) -> None:
        """Give a template its thumbnail."""
        self._pictures[template_id] = QPixmap.fromImage(image)
        row = self.row_of(template_id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    @property
    def all(self) -> list[Template]:
        """Every template, in the order shown."""
        return list(self._templates)

    def template(self, row: int) -> Template:
        """The template in that row."""
        return self._templates[row]

    def row_of(self, template_id: str) -> int:
        """Row of a template, -1 when there is none."""
        return next((row for row, template in enumerate(self._templates) if template.id == template_id), -1)

    def picture(self, template_id: str) -> QPixmap | None:
        """The thumbnail, when it was drawn."""
        return self._pictures.get(template_id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._templates)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        template = self._templates[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return template.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return template.description
        return None


class _CardDelegate(QStyledItemDelegate):
    def __init__(self) -> None:
        super().__init__()
        self._font = theme.ui_font(13, QFont.Weight.Medium)
        self.card = QSize(_CARD_WIDTH, 120)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return self.card

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colours = theme.colours()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        model: TemplateModel = index.model()  # type: ignore[assignment]
        template = model.template(index.row())
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(rect).adjusted(1, 1, -9, -9)
        path = QPainterPath()
        path.addRoundedRect(card, 10, 10)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.fillPath(path, colours.color("selection" if selected else "hover" if hovered else "raised"))
        painter.setPen(QPen(colours.color("accent" if selected else "line"), 1.5 if selected else 1.0))
        painter.drawPath(path)
        frame = QRectF(card.left() + 4, card.top() + 4, card.width() - 8, card.width() * 9 / 16 - 4)
        clip = QPainterPath()
        clip.addRoundedRect(frame, 7, 7)
        painter.fillPath(clip, colours.color("stage"))
        painter.setClipPath(clip)
        picture = model.picture(template.id)
        if picture is None:
            glyph = icons.pixmap("flame", "#ff9257", 28)
            painter.drawPixmap(frame.center().toPoint() - glyph.rect().center() / glyph.devicePixelRatio(), glyph)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(frame, picture, QRectF(picture.rect()))
        painter.setClipping(False)
        words = QRectF(card.left() + 10, frame.bottom(), card.width() - 20, card.bottom() - frame.bottom())
        painter.setFont(self._font)
        painter.setPen(colours.color("accent" if selected else "text"))
        shown = QFontMetrics(self._font).elidedText(template.name, Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class TemplateGallery(QListView):
    """Cards side by side; one is chosen.

    Signals:
        template_changed: another template was chosen.
        hovered: id of the template under the pointer, empty when there is none.
    """

    template_changed = Signal()
    hovered = Signal(str)

    def __init__(self, model: TemplateModel) -> None:
        super().__init__()
        self._templates = model
        self._wanted = ""
        self.setModel(model)
        self._cards = _CardDelegate()
        self.setItemDelegate(self._cards)
        self.setAccessibleName(self.tr("Templates"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        model.modelReset.connect(self._restore)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.entered.connect(lambda index: self.hovered.emit(model.template(index.row()).id))
        self.viewportEntered.connect(lambda: self.hovered.emit(""))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        # Room for the scroll bar is always kept, or the cards would change their number when it comes and goes.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 6
        card = width // max(2, round(width / _CARD_WIDTH))
        self._cards.card = QSize(card, (card - 18) * 9 // 16 + _CAPTION + 14)
        self.setGridSize(self._cards.card)
        super().resizeEvent(event)

    @property
    def chosen(self) -> Template | None:
        """The chosen template."""
        index = self.currentIndex()
        return self._templates.template(index.row()) if index.isValid() else None

    def choose(self, template_id: str) -> None:
        """Choose a template, now or when the list has it."""
        self._wanted = template_id
        self._restore()

    def _restore(self) -> None:
        row = max(0, self._templates.row_of(self._wanted))
        if self._templates.rowCount():
            self.setCurrentIndex(self._templates.index(row))

    def _current_changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self._wanted = self._templates.template(current.row()).id
            self.template_changed.emit()
