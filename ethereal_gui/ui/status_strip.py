"""The bottom line: server, workers, free space, paused."""

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QLabel

from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.service.updates import ServerState
from ethereal_gui.ui import icons, text, theme
from ethereal_gui.ui.parts import row


class StatusStrip(QFrame):
    """Says what the program rests on: each part with an icon, a word, and a colour when something is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self.setAccessibleName(self.tr("Status"))
        self.setFixedHeight(32)
        self._parts: dict[str, tuple[QLabel, QLabel]] = {}
        self._shown: dict[str, tuple[str, str]] = {}
        layout = row(spacing=6, margins=(16, 0, 16, 0))
        for name, icon in (
            ("server", "server"),
            ("worker", "worker"),
            ("paused", "held"),
            ("then", "quit"),
            ("disk", "disk"),
        ):
            if name == "disk":
                layout.addStretch(1)
            glyph, words = QLabel(), QLabel()
            glyph.setFixedSize(16, 16)
            glyph.setProperty("icon", icon)
            words.setObjectName("small")
            self._parts[name] = glyph, words
            layout.addWidget(glyph)
            layout.addWidget(words)
            layout.addSpacing(18)
            self._set(name, "")
        self.setLayout(layout)

    def show_server(self, server: ServerState) -> None:
        """Where the queue is kept."""
        if not server.available:
            self._set("server", self.tr("Server not reachable"), "bad")
        elif server.mode == "embedded":
            self._set("server", self.tr("Built-in server"))
        else:
            self._set("server", server.address)
        self._parts["server"][1].setToolTip(server.message or server.address)

    def show_workers(self, workers: Sequence[WorkerInfo]) -> None:
        """Who renders."""
        alive = [worker for worker in workers if worker.state is not WorkerState.LOST]
        busy = [worker for worker in alive if worker.state is WorkerState.BUSY]
        draining = [worker for worker in alive if worker.state is WorkerState.DRAINING]
        if not alive:
            self._set("worker", self.tr("No worker"), "warn")
        elif len(alive) == 1:
            resting = self.tr("Worker finishing") if alive[0].jobs else self.tr("Worker resting")
            words = resting if draining else self.tr("Worker idle")
            self._set("worker", self.tr("Worker rendering") if busy else words, "accent" if busy else "muted")
        else:
            words = self.tr("{0} workers, {1} rendering").format(len(alive), len(busy))
            self._set("worker", words, "accent" if busy else "muted")
        tips = [f"{worker.name}: {worker.state}" for worker in workers]
        self._parts["worker"][1].setToolTip("\n".join(tips))

    def show_paused(self, paused: bool) -> None:
        """The queue starts nothing."""
        self._set("paused", self.tr("Paused") if paused else "", "calm")

    def show_intention(self, words: str) -> None:
        """What will happen when everything is done; empty for nothing."""
        self._set("then", self.tr("{0} when everything is done").format(words) if words else "", "calm")

    def show_disk(self, free: int | None, *, low: bool = False) -> None:
        """Room for videos."""
        words = self.tr("{0} free").format(text.size(free)) if free is not None else ""
        self._set("disk", words, "warn" if low else "muted")

    def refresh(self) -> None:
        """The theme is another."""
        for name, (words, tone) in list(self._shown.items()):
            self._shown[name] = ("", "")
            self._set(name, words, tone)

    def words(self, part: str) -> str:
        """What a part says."""
        return self._parts[part][1].text()

    def _set(self, name: str, words: str, tone: str = "muted") -> None:
        if self._shown.get(name) == (words, tone):
            return
        self._shown[name] = words, tone
        glyph, shown = self._parts[name]
        colour = str(getattr(theme.colours(), tone))
        glyph.setPixmap(icons.pixmap(str(glyph.property("icon")), colour, 16))
        glyph.setVisible(bool(words))
        shown.setText(words)
        shown.setVisible(bool(words))
        shown.setStyleSheet(f"color: {colour};")
