"""Brings into the detail pane what must be asked for: the log, failed attempts, moments of a finished video."""

import asyncio
import contextlib

from PySide6.QtCore import QObject, QSize, QTimer

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.ui.detail_pane import DetailPane
from ethereal_gui.ui.preview_panel import DrawPreview, to_image
from ethereal_gui.ui.queue_nodes import JobNode
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.worker.preview import VideoRequest

_EVERY_MS = 1000


class DetailFeed(QObject):
    """Asks for the log when its tab is opened, and each second while the job runs; for the rest when it is wanted."""

    def __init__(self, service: RenderService, pane: DetailPane, draw: DrawPreview, tasks: TaskOwner) -> None:
        super().__init__(pane)
        self._service = service
        self._pane = pane
        self._draw = draw
        self._tasks = tasks
        self._shown: tuple[str, str] = ("", "")
        self._moment_wanted = False
        self._looking: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        pane.tabs.currentChanged.connect(lambda _: self.look_anew())
        pane.attempts_wanted.connect(self._ask_attempts)
        pane.moment_wanted.connect(self._want_moment)

    # ---- log and attempts --------------------------------------------------------------------------------------

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

    def _ask_attempts(self, job_id: str) -> None:
        self._tasks.start(self._attempts(job_id), self.tr("Reading the attempts"), replace="attempts")

    async def _attempts(self, job_id: str) -> None:
        with contextlib.suppress(EtherealError):  # nobody asked for them; a server that is away is said elsewhere
            self._pane.show_attempts(job_id, await self._service.attempt_errors(job_id))

    # ---- moments of a finished video ---------------------------------------------------------------------------

    def _want_moment(self) -> None:
        self._moment_wanted = True
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.start(self._moments(), self.tr("Looking into the video"))

    async def _moments(self) -> None:
        """One picture at a time, and the newest wish wins: a large video shows fewer, never old ones."""
        while self._moment_wanted:
            self._moment_wanted = False
            node = self._pane.node
            outcome = node.snapshot.outcome if isinstance(node, JobNode) else None
            if node is None or outcome is None:
                return
            stage = self._pane.picture
            room = QSize(stage.size() * stage.devicePixelRatioF())
            seconds = self._pane.scrub.value() / 1000
            request = VideoRequest(
                video_path=outcome.output_path, time=seconds, width=room.width(), height=room.height()
            )
            try:
                picture = await self._draw(request)
            except EtherealError as error:
                stage.show_message(error.message)
                continue
            self._pane.show_moment(node.id, to_image(picture))
