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
    """Offline, no worker, resting, paused, disk low."""

    def __init__(self, banner: Banner, model: QueueModel) -> None:
        super().__init__(banner)
        self._banner = banner
        self._model = model
        self._recovery: str | None = None

    def recovery_seen(self) -> None:
        """The person has read what the server recovered."""
        self._banner.put("recovery", None)

    def look(self, update: Update) -> None:
        """Call after every update."""
        server = update.server
        # The built-in server is started again by itself; a shared one may have another address.
        way = ("settings/Server", self.tr("Server settings…")) if server.mode == "remote" else ("", "")
        self._banner.put("offline", None if server.available else Notice(server.message, "offline", "bad", *way))
        slow = Notice(server.message, "offline", "warn") if server.available and server.message else None
        self._banner.put("slow", slow)
        waiting = self._model.count(DisplayState.WAITING, DisplayState.RETRYING)
        alive = any(worker.state is not WorkerState.LOST for worker in update.workers)
        resting = update.rests_until
        lonely = Notice(
            update.worker_error or self.tr("No worker is running, so nothing is rendered."),
            "warning",
            "warn",
            "start_worker",
            self.tr("Render here"),
        )
        stuck = next(
            (worker for worker in update.workers if worker.trouble and worker.state is not WorkerState.LOST), None
        )
        where = f"{stuck.host}: " if stuck and len(update.workers) > 1 else ""
        waits = Notice(f"{where}{stuck.trouble}", "disk", "warn") if stuck else None
        self._banner.put("storage", waits)
        if update.recovery != self._recovery:
            self._recovery = update.recovery
            known = Notice(update.recovery or "", "info", "calm", "recovery_seen", self.tr("Understood"))
            self._banner.put("recovery", known if update.recovery else None)
        unwatched = waiting and not alive and server.available and not resting
        self._banner.put("worker", lonely if unwatched else None)
        night = Notice(
            self.tr("This computer rests; it renders again at {0}.").format(
                text.time_of_day(resting.timestamp()) if resting else ""
            ),
            "waiting",
            "calm",
            "render_now",
            self.tr("Render now"),
        )
        self._banner.put("resting", night if waiting and resting else None)
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
        notice = Notice(words, "disk", "warn", "settings/Output", self.tr("Output folder…"))
        self._banner.put("disk", notice if low else None)
        return low
