"""The invitation to drop songs: the empty state, and a veil over the window while something is dragged over it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from ethereal_gui.ui import drops, icons, theme
from ethereal_gui.ui.parts import button, column, icon_label, label, row


class DropZone(QFrame):
    """Shown while there are no songs.

    Signals:
        files_wanted, folder_wanted, sample_wanted: the person pressed that button.
    """

    files_wanted = Signal()
    folder_wanted = Signal()
    sample_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dropZone")
        self.setAccessibleName(self.tr("Drop songs here"))
        title = label(self.tr("Drop songs or folders here"), "big")
        lead = label(
            self.tr("Every song becomes a video that moves with its music, in all formats you choose."), "muted"
        )
        kinds = label(drops.suffix_hint(), "small")
        self.files = button(self.tr("Choose files…"), "primary", "music", on_icon="on_accent")
        self.folder = button(self.tr("Choose a folder…"), "", "folder")
        self.sample = button(self.tr("Try it with the sample song"), "link")
        for words in (title, lead, kinds):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setWordWrap(True)
        self.setLayout(
            column(
                None,
                row(None, icon_label("flame", 64, "accent"), None),
                12,
                title,
                lead,
                16,
                row(None, self.files, self.folder, None, spacing=12),
                row(None, self.sample, None),
                12,
                kinds,
                None,
                margins=24,
            )
        )
        self.files.clicked.connect(self.files_wanted)
        self.folder.clicked.connect(self.folder_wanted)
        self.sample.clicked.connect(self.sample_wanted)


class DropVeil(QWidget):
    """Covers the window while files are dragged over it and says what letting go does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("Let go to add the songs"))
        self.hide()

    def cover(self) -> None:
        """Lie over the whole parent."""
        parent = self.parentWidget()
        if parent:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = colours.color("window")
        veil = shade.toRgb()
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        pen = QPen(colours.color("accent"), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(self.rect().adjusted(24, 24, -24, -24), 16, 16)
        middle = self.rect().center()
        glyph = icons.pixmap("import", colours.accent, 48)
        painter.drawPixmap(middle.x() - 24, middle.y() - 56, glyph)
        painter.setPen(colours.color("text"))
        painter.setFont(theme.ui_font(20, QFont.Weight.DemiBold))
        words = self.rect().adjusted(0, 56, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.tr("Let go to add the songs"))
