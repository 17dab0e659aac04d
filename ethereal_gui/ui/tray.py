"""The tray icon with the queue's progress, and one notification when a batch is done."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from ethereal_gui.ui import icons, queue_cells, theme
from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.queue_nodes import BatchNode
from ethereal_gui.ui.states import DisplayState

_SIZE = 64


class Tray(QObject):
    """Shows how far the queue is; nothing on systems without a tray.

    Signals:
        show_wanted: the person clicked on the icon.
    """

    show_wanted = Signal()

    def __init__(self, parent: QWidget, pause: QAction, quit_: QAction) -> None:
        super().__init__(parent)
        self._icon = QSystemTrayIcon(icons.app_icon(), self)
        self._step = -1
        self._menu = QMenu(parent)
        show = self._menu.addAction(self.tr("Show the window"))
        show.triggered.connect(self.show_wanted)
        self._menu.addAction(pause)
        self._menu.addSeparator()
        self._menu.addAction(quit_)
        self._icon.setContextMenu(self._menu)
        self._icon.setToolTip("Ethereal")
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.show_wanted)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._icon.show()

    @property
    def is_there(self) -> bool:
        """The system has a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_progress(self, fraction: float, words: str) -> None:
        """A ring around the icon; redrawn only when it looks different."""
        step = round(fraction * 40) if 0 < fraction < 1 else 0
        self._icon.setToolTip(f"Ethereal – {words}" if words else "Ethereal")
        if step != self._step:
            self._step = step
            self._icon.setIcon(ring_icon(step / 40) if step else icons.app_icon())

    @staticmethod
    def show_badge(number: int) -> None:
        """How many jobs are left, on the program's icon where the system shows such numbers; 0 for none."""
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.setBadgeNumber(number)

    def notify(self, title: str, words: str) -> None:
        """Tell the person through the system."""
        if self.is_there:
            self._icon.showMessage(title, words, icons.app_icon())

    def hide(self) -> None:
        """The program ends."""
        self._icon.hide()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.show_wanted.emit()


def ring_icon(fraction: float) -> QIcon:
    """The program's icon inside a ring that closes with the progress."""
    picture = QPixmap(_SIZE, _SIZE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPixmap(10, 10, icons.app_icon().pixmap(44, 44))
    ring = QRectF(4, 4, _SIZE - 8, _SIZE - 8)
    painter.setPen(QPen(theme.DARK.color("track"), 6))
    painter.drawArc(ring, 0, 360 * 16)
    painter.setPen(QPen(theme.DARK.color("accent"), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawArc(ring, 90 * 16, -round(fraction * 360 * 16))
    painter.end()
    return QIcon(picture)


class BatchBell(QObject):
    """Rings once when a batch that was under way has ended.

    The batches of an earlier run that are done already when they are first seen don't ring.
    """

    def __init__(self, model: QueueModel, ring: Callable[[str, str], None]) -> None:
        super().__init__(model)
        self._model = model
        self._ring = ring
        self._under_way: set[str] = set()

    def look(self) -> None:
        """Call after every update."""
        for batch in self._model.batches:
            if not batch.is_ended:
                self._under_way.add(batch.id)
            elif batch.id in self._under_way:
                self._under_way.discard(batch.id)
                self._tell(batch)

    def _tell(self, batch: BatchNode) -> None:
        failed = batch.counts[DisplayState.FAILED]
        if not batch.counts[DisplayState.DONE] and not failed:
            return  # cancelled by the person who would be told
        title = self.tr("“{0}” is done") if not failed else self.tr("“{0}” is done, with failures")
        self._ring(title.format(batch.title), queue_cells.batch_counts(batch))
