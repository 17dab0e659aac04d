"""Pictures in the queue: the newest frame of what is being rendered, and a frame of each finished video.

A frame is a pure function of time, so a running job's is drawn anew by the preview's process and nothing has to be sent
by the worker; the song was analysed for the render. A finished job's comes out of its video. Waiting jobs have none:
analysing their songs would take processor time from the render.
"""

import time
from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.domain.template import Template
from ethereal_gui.ui.detail_pane import USUAL_PLACE
from ethereal_gui.ui.preview_panel import DrawPreview, to_image
from ethereal_gui.ui.queue_delegate import TILE
from ethereal_gui.ui.queue_model import Column, QueueModel
from ethereal_gui.ui.queue_nodes import HIDDEN, JobNode
from ethereal_gui.ui.queue_view import QueueView
from ethereal_gui.ui.states import DisplayState
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.worker.preview import PreviewRequest, VideoRequest

LARGE: Final = QSize(320, 180)
_EVERY_MS: Final = 2000
_IDLE_EVERY_MS: Final = 250
_AGAIN_AFTER: Final = 8.0


class QueueThumbnails(QObject):
    """Draws one picture at a time for the rows that need one.

    Attributes:
        templates: ids and templates, as far as they are known.

    Signals:
        drawn: a job's id and its picture, larger than the row needs it.
    """

    drawn = Signal(str, QImage)

    def __init__(self, view: QueueView, model: QueueModel, draw: DrawPreview, tasks: TaskOwner) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._draw = draw
        self._tasks = tasks
        self._drawn: dict[str, float] = {}
        self.templates: dict[str, Template] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        if self._view.isVisible() and (job := self._next()):
            self._drawn[job.id] = time.monotonic()
            self._tasks.start(self._picture(job), self.tr("Drawing a thumbnail"), replace="queue thumbnail")
            self._timer.setInterval(_EVERY_MS if self._model.count(DisplayState.RUNNING) else _IDLE_EVERY_MS)
        else:
            self._timer.setInterval(_EVERY_MS)

    def _next(self) -> JobNode | None:
        now = time.monotonic()
        current = self._view.current_node()
        if isinstance(current, JobNode) and self._lacks(current):
            return current
        for job in self._model.jobs_in(DisplayState.RUNNING):
            if job.row != HIDDEN and now - self._drawn.get(job.id, 0.0) > _AGAIN_AFTER:
                return job
        return next((job for job in self._on_screen() if self._lacks(job)), None)

    def _lacks(self, job: JobNode) -> bool:
        return job.state is DisplayState.DONE and job.id not in self._drawn

    def _on_screen(self) -> Iterator[JobNode]:
        view = self._view
        last = view.rowAt(view.viewport().height() - 1)
        for row in range(max(0, view.rowAt(0)), (last if last >= 0 else self._model.rowCount() - 1) + 1):
            node = self._model.node(row)
            if isinstance(node, JobNode):
                yield node

    async def _picture(self, job: JobNode) -> None:
        ratio = self._view.devicePixelRatioF()
        request = self._request(job, LARGE * ratio)
        if request is None:
            return
        try:
            picture = await self._draw(request)
        except EtherealError:
            return  # the row keeps its symbol; a render that fails says why itself
        image = to_image(picture)
        self.drawn.emit(job.id, image)
        fitted = image.scaled(
            TILE * ratio,
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        pixmap = QPixmap.fromImage(fitted)
        pixmap.setDevicePixelRatio(ratio)
        self._view.delegate.thumbnails[job.id] = pixmap
        if job.row != HIDDEN:
            self._view.update(self._model.index(job.row, Column.NAME))

    def _request(self, job: JobNode, room: QSize) -> PreviewRequest | VideoRequest | None:
        outcome, data = job.snapshot.outcome, job.snapshot.data
        if outcome:
            moment = USUAL_PLACE * outcome.duration
            return VideoRequest(video_path=outcome.output_path, time=moment, width=room.width(), height=room.height())
        template = self.templates.get(job.template)
        if data is None or template is None or data.output_format not in FORMATS:
            return None
        fmt = FORMATS[data.output_format]
        size = QSize(fmt.width, fmt.height).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        place = job.fraction if job.fraction > 0.05 else USUAL_PLACE
        return PreviewRequest(
            audio_path=data.audio_file.path,
            template=template.with_values(data.template_values or {}),
            output_format=fmt.id,
            fps=data.fps or 30,
            time=place * (data.audio_file.duration or 60.0),
            width=size.width() // 2 * 2,
            height=size.height() // 2 * 2,
        )
