"""Short messages at the bottom that go away by themselves; one may offer something to do, such as Undo."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QWidget

from ethereal_gui.ui.parts import button, icon_button, label, row

SHOWN_MS = 6000
SHOWN_ERROR_MS = 12_000
_WIDEST = 560


class Toast(QFrame):
    """The one message that is shown; a newer one takes its place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self._act: Callable[[], object] | None = None
        self._words = label("", wrap=True)
        self._button = button("", "link", tip=self.tr("Undo"))
        self._close = icon_button("close", self.tr("Close the message"))
        self.setLayout(row(self._words, self._button, self._close, spacing=8, margins=(16, 6, 6, 6)))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._close.clicked.connect(self.hide)
        self._button.clicked.connect(self._pressed)
        parent.installEventFilter(self)
        self.hide()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def say(self, words: str, *, button_words: str = "", act: Callable[[], object] | None = None) -> None:
        """Show a message for some seconds."""
        self._show(words, button_words, act, error=False)

    def complain(self, words: str) -> None:
        """Show what went wrong, for longer."""
        self._show(words, "", None, error=True)

    def _show(self, words: str, button_words: str, act: Callable[[], object] | None, *, error: bool) -> None:
        self._act = act
        self._words.setText(words)
        self._words.setObjectName("error" if error else "")
        self._words.style().polish(self._words)
        self._button.setText(button_words)
        self._button.setAccessibleName(button_words)
        self._button.setVisible(act is not None)
        self.setAccessibleName(words)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(SHOWN_ERROR_MS if error or act else SHOWN_MS)

    def _pressed(self) -> None:
        act, self._act = self._act, None
        self.hide()
        if act:
            act()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        width = min(_WIDEST, parent.width() - 48)
        one_line = self._words.fontMetrics().horizontalAdvance(self._words.text()) + 120
        one_line += self._button.sizeHint().width() if self._act else 0
        width = min(width, max(240, one_line))
        layout = self.layout()
        height = max(44, layout.heightForWidth(width) if layout else 44)
        self.setGeometry((parent.width() - width) // 2, parent.height() - height - 48, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)
