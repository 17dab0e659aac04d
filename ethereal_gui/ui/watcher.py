"""Brings what the service sees into the model, in portions that leave the event loop free."""

import asyncio
from typing import Final

from PySide6.QtCore import QObject, Signal

from ethereal_gui.domain.worker_info import WorkerState
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import Update
from ethereal_gui.ui.queue_model import QueueModel

_PORTION: Final = 200
"""Jobs per step of the loop; a step takes a few milliseconds."""


class QueueWatcher(QObject):
    """Follows the queue until it is cancelled.

    Signals:
        updated: an ``Update`` was brought into the model.
    """

    updated = Signal(object)

    def __init__(self, service: RenderService, model: QueueModel) -> None:
        super().__init__(model)
        self._service = service
        self._model = model

    async def follow(self) -> None:
        """Watch until the program moves to another server."""
        async for update in self._service.watch():
            await self.take(update)

    async def take(self, update: Update) -> None:
        """Bring one update into the model."""
        model = self._model
        alive = any(worker.state is not WorkerState.LOST for worker in update.workers)
        model.goes_on = update.server.available and not update.paused and alive and update.rests_until is None
        model.add_batches(update.batches)
        many = len(update.jobs) > _PORTION
        for first in range(0, len(update.jobs), _PORTION):
            model.upsert(update.jobs[first : first + _PORTION], settle=not many)
            await asyncio.sleep(0)
        if many:
            for batch in model.batches:
                batch.put_in_order()
                await asyncio.sleep(0)
            model.settle()
            await asyncio.sleep(0)
        if update.full:
            model.keep_only({job.id for job in update.jobs})
        elif update.removed:
            model.remove(update.removed)
        if update.order is not None:
            model.set_order(update.order)
            await asyncio.sleep(0)
        self.updated.emit(update)
