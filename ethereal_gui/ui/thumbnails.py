"""Pictures in the queue: the newest frame of what is being rendered.

A frame is a pure function of time, so the picture is drawn anew by the preview's process and nothing has to be sent by
the worker. Only running jobs and the current one get pictures: analysing songs that nobody looks at would take
processor time from the render.
"""

import time
from typing import Final

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.domain.template import Template
from ethereal_gui.ui.preview_panel import DrawPreview, to_image
from ethereal_gui.ui.queue_delegate import TILE
from ethereal_gui.ui.queue_model import Column, QueueModel
from ethereal_gui.ui.queue_nodes import HIDDEN, JobNode
from ethereal_gui.ui.queue_view import QueueView
from ethereal_gui.ui.states import DisplayState
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.worker.preview import PreviewRequest

LARGE: Final = QSize(320, 180)
_EVERY_MS: Final = 2000
_AGAIN_AFTER: Final = 8.0
_USUAL_PLACE: Final = 0.4


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

    def _next(self) -> JobNode | None:
        now = time.monotonic()
        current = self._view.current_node()
        if isinstance(current, JobNode) and current.state is DisplayState.DONE and current.id not in self._drawn:
            return current
        for job in self._model.jobs_in(DisplayState.RUNNING):
            if job.row != HIDDEN and now - self._drawn.get(job.id, 0.0) > _AGAIN_AFTER:
                return job
        return None

    async def _picture(self, job: JobNode) -> None:
        data = job.snapshot.data
        template = self.templates.get(job.template)
        if data is None or template is None or data.output_format not in FORMATS:
            return
        fmt = FORMATS[data.output_format]
        ratio = self._view.devicePixelRatioF()
        size = QSize(fmt.width, fmt.height).scaled(LARGE * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        place = job.fraction if job.state is DisplayState.RUNNING and job.fraction > 0.05 else _USUAL_PLACE
        try:
            picture = await self._draw(
                PreviewRequest(
                    audio_path=data.audio_file.path,
                    template=template.with_values(data.template_values or {}),
                    output_format=fmt.id,
                    fps=data.fps or 30,
                    time=place * (data.audio_file.duration or 60.0),
                    width=size.width() // 2 * 2,
                    height=size.height() // 2 * 2,
                )
            )
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
