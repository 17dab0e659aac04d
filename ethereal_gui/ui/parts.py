"""Small building blocks: labels that cut their text with an ellipsis, icon buttons, lines, rows of widgets."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ethereal_gui.ui import icons, theme


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room; the whole text is its tool tip."""

    def __init__(self, words: str = "", name: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(words)
        self._mode = mode
        if name:
            self.setObjectName(name)
        self.setMinimumWidth(24)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.setToolTip(self.text() if shown != self.text() else "")
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), self.alignment() | Qt.TextFlag.TextSingleLine, shown)


def label(words: str = "", name: str = "", *, wrap: bool = False) -> QLabel:
    """A label whose look its object name chooses in the style sheet."""
    made = QLabel(words)
    if name:
        made.setObjectName(name)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


class IconLabel(QWidget):
    """An icon that is not for clicking, in the colours of whatever theme is shown."""

    def __init__(self, name: str, size: int, tone: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone
        self.setFixedSize(size, size)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        colour = str(getattr(theme.colours(), self._tone))
        painter = QPainter(self)
        painter.drawPixmap(0, 0, icons.pixmap(self._name, colour, self.width(), self.devicePixelRatioF()))


def icon_label(name: str, size: int = 16, tone: str = "muted") -> IconLabel:
    """An icon beside text."""
    return IconLabel(name, size, tone)


def button(words: str, name: str = "", icon: str = "", *, tip: str = "", on_icon: str = "muted") -> QPushButton:
    """A push button with an accessible name."""
    made = QPushButton(f" {words}" if icon else words)
    if name:
        made.setObjectName(name)
    if icon:
        made.setIcon(icons.icon(icon, on_icon))
        made.setIconSize(QSize(16, 16))
    made.setToolTip(tip)
    made.setAccessibleName(words.replace("&", "") or tip)
    # Reachable by Tab on every system; a click gives no focus, so that the ring is only seen by who uses the keyboard.
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def icon_button(icon: str, words: str) -> QToolButton:
    """A button that is only an icon; ``words`` are its tool tip and accessible name."""
    made = QToolButton()
    made.setIcon(icons.icon(icon))
    made.setIconSize(QSize(18, 18))
    made.setToolTip(words)
    made.setAccessibleName(words)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def action_button(action: QAction, *, words: bool = False) -> QToolButton:
    """A button for an action, that follows its text, icon and being enabled."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setIconSize(QSize(18, 18))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAccessibleName(action.iconText())
    if words:
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return made


def line(*, vertical: bool = False) -> QFrame:
    """A hair line."""
    made = QFrame()
    made.setObjectName("line")
    if vertical:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def fill(layout: QBoxLayout, *items: QWidget | QLayout | int | None) -> None:
    """Add widgets and layouts; a number is a distance, None takes the room that is left."""
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        elif item is None:
            layout.addStretch(1)
        else:
            layout.addSpacing(item)


def row(
    *items: QWidget | QLayout | int | None, spacing: int = 8, margins: int | tuple[int, int, int, int] = 0
) -> QHBoxLayout:
    """Items side by side."""
    made = QHBoxLayout()
    _frame(made, spacing, margins)
    fill(made, *items)
    return made


def column(
    *items: QWidget | QLayout | int | None, spacing: int = 8, margins: int | tuple[int, int, int, int] = 0
) -> QVBoxLayout:
    """Items one under the other."""
    made = QVBoxLayout()
    _frame(made, spacing, margins)
    fill(made, *items)
    return made


def _frame(layout: QBoxLayout, spacing: int, margins: int | tuple[int, int, int, int]) -> None:
    layout.setSpacing(spacing)
    around = (margins,) * 4 if isinstance(margins, int) else margins
    layout.setContentsMargins(*around)
