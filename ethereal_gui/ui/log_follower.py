"""Follows the log of the job in the detail pane while somebody looks at it."""

from PySide6.QtCore import QObject, QTimer

from ethereal_gui.service.render_service import RenderService
from ethereal_gui.ui.detail_pane import DetailPane
from ethereal_gui.ui.queue_nodes import JobNode
from ethereal_gui.ui.tasks import TaskOwner

_EVERY_MS = 1000


class LogFollower(QObject):
    """Asks for the log when the log's tab is opened, and each second while the job runs."""

    def __init__(self, service: RenderService, pane: DetailPane, tasks: TaskOwner) -> None:
        super().__init__(pane)
        self._service = service
        self._pane = pane
        self._tasks = tasks
        self._shown: tuple[str, str] = ("", "")
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        pane.tabs.currentChanged.connect(lambda _: self.look_anew())

    def look_anew(self) -> None:
        """Another job or another tab is shown."""
        visible = self._pane.tabs.currentWidget() is self._pane.log.parentWidget() and self._pane.node is not None
        if visible and not self._timer.isActive():
            self._timer.start()
        elif not visible:
            self._timer.stop()
            self._shown = ("", "")
        if visible:
            self._look()

    def _look(self) -> None:
        node = self._pane.node
        if not isinstance(node, JobNode):
            return
        state = (node.id, node.state.value)
        if state == self._shown and node.is_ended:
            return
        self._shown = state
        self._tasks.start(self._ask(node.id), self.tr("Reading the log"), replace="log")

    async def _ask(self, job_id: str) -> None:
        self._pane.show_log(job_id, await self._service.job_log(job_id))
