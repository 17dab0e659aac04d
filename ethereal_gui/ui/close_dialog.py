"""What to do with a running render when the window is closed."""

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QDialog, QRadioButton, QVBoxLayout, QWidget

from ethereal_gui.settings import CloseBehaviour
from ethereal_gui.ui.parts import button, column, label, row

CloseChoice = Literal["finish", "stop", "tray"]


class CloseDialog(QDialog):
    """Asks once.

    Signals:
        decided: a choice and whether to remember it.
    """

    decided = Signal(str, bool)

    def __init__(self, parent: QWidget, running: int, *, tray: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("A render is running"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(True)
        self.setMinimumWidth(440)
        one = self.tr("A render is running")
        title = label(one if running == 1 else self.tr("{0} renders are running").format(running), "big")
        self.choices: dict[str, QRadioButton] = {}
        options = QVBoxLayout()
        options.setSpacing(2)
        group = QButtonGroup(self)
        entries = [
            (
                CloseBehaviour.TRAY,
                self.tr("Keep rendering in the background"),
                self.tr("The window hides in the tray."),
            ),
            (
                CloseBehaviour.FINISH,
                self.tr("Finish this one, then quit"),
                self.tr("What waits is rendered at the next start."),
            ),
            (
                CloseBehaviour.STOP,
                self.tr("Stop now and quit"),
                self.tr("It resumes where it was at the next start."),
            ),
        ]
        for behaviour, words, explanation in entries:
            if behaviour is CloseBehaviour.TRAY and not tray:
                continue
            choice = QRadioButton(words)
            choice.setAccessibleName(words)
            choice.setAccessibleDescription(explanation)
            group.addButton(choice)
            self.choices[behaviour.value] = choice
            detail = label(explanation, "small")
            detail.setContentsMargins(26, 0, 0, 8)
            options.addWidget(choice)
            options.addWidget(detail)
        next(iter(self.choices.values())).setChecked(True)
        self.remember = QCheckBox(self.tr("Do this every time"))
        self.remember.setAccessibleName(self.tr("Do this every time"))
        self.confirm = button(self.tr("Continue"), "primary")
        self.confirm.setDefault(True)
        cancel = button(self.tr("Don’t close"))
        self.confirm.clicked.connect(self._decide)
        cancel.clicked.connect(self.reject)
        buttons = row(self.remember, None, cancel, self.confirm)
        self.setLayout(column(title, 8, options, 8, buttons, margins=24))

    def _decide(self) -> None:
        choice = next(name for name, box in self.choices.items() if box.isChecked())
        self.decided.emit(choice, self.remember.isChecked())
        self.accept()
