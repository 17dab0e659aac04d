"""A line above the page for states that need attention, each with its way out."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy

from ethereal_gui.ui import icons, theme
from ethereal_gui.ui.parts import ElidedLabel, button, row


@dataclass(frozen=True, slots=True)
class Notice:
    """What a banner says.

    Attributes:
        tone: colour of its icon and left edge.
        action: id of what its button does, empty for no button. button: its words.
    """

    words: str
    icon: str
    tone: str
    action: str = ""
    button: str = ""


class Banner(QFrame):
    """Shows the most important of the current notices.

    Signals:
        action_wanted: the button was pressed; carries the notice's action.
    """

    action_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._notices: dict[str, Notice] = {}
        self._shown: Notice | None = None
        self._icon = QLabel()
        self._icon.setFixedSize(18, 18)
        self._words = ElidedLabel()
        self._button = button("", tip=self.tr("What can be done about it"))
        self.setLayout(row(self._icon, self._words, self._button, spacing=12, margins=(20, 6, 16, 6)))
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._button.clicked.connect(lambda: self.action_wanted.emit(self._shown.action if self._shown else ""))
        self.hide()

    def put(self, kind: str, notice: Notice | None) -> None:
        """State of one kind; None when it is over. The kind that was put first in a window wins in order of weight."""
        if self._notices.get(kind) == notice:
            return
        if notice is None:
            self._notices.pop(kind, None)
        else:
            self._notices[kind] = notice
        self.refresh()

    @property
    def words(self) -> str:
        """What is shown, empty when nothing is."""
        return self._shown.words if self._shown else ""

    def refresh(self) -> None:
        """Show the weightiest notice in the colours of the theme."""
        order = ("offline", "storage", "disk", "worker", "slow", "paused", "resting")
        kinds = sorted(self._notices, key=lambda kind: order.index(kind) if kind in order else len(order))
        self._shown = self._notices[kinds[0]] if kinds else None
        self.setVisible(self._shown is not None)
        if self._shown is None:
            return
        colour = str(getattr(theme.colours(), self._shown.tone))
        self._icon.setPixmap(icons.pixmap(self._shown.icon, colour, 18))
        self._words.setText(self._shown.words)
        self.setAccessibleName(self._shown.words)
        self.setStyleSheet(f"#banner {{ border-left: 3px solid {colour}; }}")
        self._button.setText(self._shown.button)
        self._button.setAccessibleName(self._shown.button)
        self._button.setVisible(bool(self._shown.action))
