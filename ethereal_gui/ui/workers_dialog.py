"""Who renders: every worker of the queue with its state, and a way to let it finish and take nothing new."""

import asyncio
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from ethereal_gui.domain.worker_info import WorkerInfo, WorkerState
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.ui import text
from ethereal_gui.ui.parts import ElidedLabel, button, column, icon_label, label, row
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.text import tr

_EVERY: Final = 1.0


def state_words(worker: WorkerInfo) -> str:
    """What a worker does."""
    words = {
        WorkerState.IDLE: tr("Idle"),
        WorkerState.BUSY: tr("Rendering"),
        WorkerState.DRAINING: tr("Takes nothing new"),
        WorkerState.LOST: tr("Not heard of any more"),
    }[worker.state]
    parts = [words]
    if worker.fps and worker.jobs:
        parts.append(tr("{0:.0f} fps").format(worker.fps))
    if worker.trouble:
        parts.append(worker.trouble)
    return " · ".join(parts)


class WorkersDialog(QDialog):
    """Follows the workers while it is open."""

    def __init__(self, parent: QWidget, service: RenderService, tasks: TaskOwner) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Workers"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 320)
        self._service = service
        self._tasks = tasks
        self._names: list[str] = []
        self.rows: dict[str, tuple[QLabel, QPushButton]] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self._none = label(self.tr("No worker is running, so nothing is rendered."), "muted", wrap=True)
        shared = self.tr("More computers can help: run “ethereal worker” on them, with the address {0} in REDIS_URL.")
        own = self.tr("More computers can help when the queue is on a shared Redis server: see Settings, Server.")
        remote = service.server.mode == "remote"
        hint = label(shared.format(service.server.address) if remote else own, "small", wrap=True)
        close = button(self.tr("Close"), "primary")
        close.clicked.connect(self.accept)
        self.setLayout(
            column(
                label(self.tr("Workers"), "big"), 8, self._none, self._list, None, hint, row(None, close), margins=24
            )
        )
        following = tasks.start(self._follow(), self.tr("Looking for workers"), replace="workers")
        if following:
            self.finished.connect(lambda _: following.cancel())

    async def _follow(self) -> None:
        while True:
            self.show_workers(await self._service.workers())
            await asyncio.sleep(_EVERY)

    def show_workers(self, workers: Sequence[WorkerInfo]) -> None:
        """Show these."""
        workers = sorted(workers, key=lambda worker: worker.name)
        names = [worker.name for worker in workers]
        if names != self._names:
            self._rebuild(workers)
            self._names = names
        self._none.setVisible(not workers)
        for worker in workers:
            state, drain = self.rows[worker.name]
            state.setText(state_words(worker))
            if line := state.parentWidget():
                line.setToolTip("\n".join([worker.name, *worker.jobs, ", ".join(worker.encoders)]).strip())
            draining = worker.state is WorkerState.DRAINING
            words = self.tr("Take jobs again") if draining else self.tr("Finish, then rest")
            drain.setText(words)
            drain.setAccessibleName(f"{words}: {worker.host}")
            drain.setProperty("draining", draining)
            drain.setVisible(worker.state is not WorkerState.LOST)

    def _rebuild(self, workers: Sequence[WorkerInfo]) -> None:
        while item := self._list.takeAt(0):
            if old := item.widget():
                old.deleteLater()
        self.rows.clear()
        for worker in workers:
            cores = self.tr("1 core") if worker.cores == 1 else self.tr("{0} cores").format(text.count(worker.cores))
            name = label(worker.host, "heading")
            state = ElidedLabel("", "small")
            drain = button("", tip=self.tr("Running renders are finished in any case"))
            drain.clicked.connect(lambda _=False, who=worker.name: self._switch(who))
            line = QWidget()
            words = column(row(name, label(cores, "small"), None), state, spacing=2)
            inner = row(icon_label("worker", 24), words, drain, spacing=16)
            inner.setStretch(1, 1)
            line.setLayout(inner)
            self._list.addWidget(line)
            self.rows[worker.name] = state, drain

    def _switch(self, name: str) -> None:
        wanted = not self.rows[name][1].property("draining")
        self._tasks.start(self._service.drain_worker(name, on=wanted), self.tr("Telling the worker"))
