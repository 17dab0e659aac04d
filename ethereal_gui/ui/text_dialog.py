"""A dialog with a text that can be read, selected and copied."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from ethereal_gui.ui.parts import button, column, label, row


class TextDialog(QDialog):
    """Shows a text."""

    def __init__(self, parent: QWidget, title: str, words: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 400)
        body = QPlainTextEdit(words)
        body.setObjectName("log")
        body.setReadOnly(True)
        body.setTabChangesFocus(True)
        body.setAccessibleName(title)
        copy = button(self.tr("Copy"), "", "copy")
        close = button(self.tr("Close"), "primary")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(words))
        close.clicked.connect(self.accept)
        self.setLayout(column(label(title, "heading"), body, row(None, copy, close), margins=20, spacing=12))
