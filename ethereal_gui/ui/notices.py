"""Which states the banner tells of, and the way out that it offers."""

from typing import Final

from PySide6.QtCore import QObject

from ethereal_gui.domain.worker_info import WorkerState
from ethereal_gui.service.updates import Update
from ethereal_gui.ui import text
from ethereal_gui.ui.banner import Banner, Notice
from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.states import DisplayState

LOW_DISK: Final = 5e9


class Notices(QObject):
    """Offline, no worker, paused, disk low."""

    def __init__(self, banner: Banner, model: QueueModel) -> None:
        super().__init__(banner)
        self._banner = banner
        self._model = model

    def look(self, update: Update) -> None:
        """Call after every update."""
        offline = Notice(update.server.message, "offline", "bad") if not update.server.available else None
        self._banner.put("offline", offline)
        waiting = self._model.count(DisplayState.WAITING, DisplayState.RETRYING)
        alive = any(worker.state is not WorkerState.LOST for worker in update.workers)
        lonely = update.worker_error or self.tr("No worker is running, so nothing is rendered.")
        self._banner.put("worker", Notice(lonely, "warning", "warn") if waiting and not alive else None)
        paused = Notice(
            self.tr("The queue is paused. Running renders go on, no new ones start."),
            "held",
            "calm",
            "pause",
            self.tr("Resume"),
        )
        self._banner.put("paused", paused if update.paused else None)

    def look_at_disk(self, free: int | None) -> bool:
        """Free bytes where videos go. Returns whether they are few."""
        low = free is not None and free < LOW_DISK
        words = self.tr("Only {0} are free for videos.").format(text.size(free))
        self._banner.put("disk", Notice(words, "disk", "warn") if low else None)
        return low
