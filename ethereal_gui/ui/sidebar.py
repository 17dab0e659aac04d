"""Navigation on the left: pages with what is going on in them; only icons when the window is narrow."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QFrame, QProgressBar, QPushButton

from ethereal_gui.ui import icons
from ethereal_gui.ui.parts import button, column, label, row
from ethereal_gui.ui.text import tr

WIDE, NARROW = 184, 60


class Sidebar(QFrame):
    """Pages to choose from.

    Signals:
        page_wanted: id of the page, ``create``, ``queue`` or ``history``.
        settings_wanted: the settings button was pressed.
    """

    page_wanted = Signal(str)
    settings_wanted = Signal()

    def __init__(self, pages: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAccessibleName(self.tr("Pages"))
        self._words: dict[str, str] = {}
        self._buttons: dict[str, QPushButton] = {}
        self._narrow = False
        self._badges: dict[str, str] = {}
        self.mark = label()
        self.mark.setPixmap(icons.app_icon().pixmap(QSize(28, 28)))
        self.brand = label("Ethereal", "brand")
        group = QButtonGroup(self)
        group.setExclusive(True)
        entries = column(spacing=4)
        for page, action in pages.items():
            entry = self._entry(page, action.text().replace("&", ""), action.toolTip())
            entry.setCheckable(True)
            group.addButton(entry)
            entry.clicked.connect(lambda _=False, name=page: self.page_wanted.emit(name))
            entries.addWidget(entry)
        settings = self._entry("settings", tr("Settings"), tr("Settings (Ctrl+,)"))
        settings.clicked.connect(self.settings_wanted)
        self.progress_text = label("", "small", wrap=True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress of the whole queue"))
        head = row(self.mark, self.brand, None, spacing=10, margins=(4, 4, 0, 12))
        foot = column(self.progress_text, self.progress, margins=(4, 0, 4, 8), spacing=6)
        self.setLayout(column(head, entries, None, foot, settings, margins=(12, 12, 12, 12), spacing=4))
        self.show_progress(0, 0)
        self.set_narrow(False)

    def _entry(self, name: str, words: str, tip: str) -> QPushButton:
        made = button(words, "nav", tip=tip)
        made.setIcon(icons.icon(name, "muted", "accent"))
        made.setIconSize(QSize(18, 18))
        self._words[name] = words
        self._buttons[name] = made
        return made

    def choose(self, page: str) -> None:
        """Mark that page as the one shown."""
        self._buttons[page].setChecked(True)

    def set_badge(self, page: str, badge: str) -> None:
        """A short word behind the page's name, such as a number."""
        self._badges[page] = badge
        self._rename(page)

    def set_narrow(self, narrow: bool) -> None:
        """Only icons."""
        self._narrow = narrow
        self.setFixedWidth(NARROW if narrow else WIDE)
        self.brand.setVisible(not narrow)
        self.progress_text.setVisible(not narrow and self.progress.maximum() > 0 and bool(self.progress_text.text()))
        for page in self._buttons:
            self._rename(page)

    def show_progress(self, done: float, total: int, words: str = "") -> None:
        """How far the whole queue is; nothing while it is idle."""
        active = total > 0 and done < total
        self.progress.setVisible(active)
        self.progress.setValue(round(1000 * done / total) if total else 0)
        self.progress_text.setText(words if active else "")
        self.progress_text.setVisible(active and not self._narrow)

    def _rename(self, page: str) -> None:
        badge = self._badges.get(page, "")
        words = self._words[page]
        self._buttons[page].setText("" if self._narrow else f"  {words}" + (f"  {badge}" if badge else ""))
        self._buttons[page].setAccessibleName(f"{words} {badge}".strip())
