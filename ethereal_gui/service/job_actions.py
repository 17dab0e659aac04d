"""What can be done with jobs and workers; one answer for all jobs of an action."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from ethereal_gui.domain.errors import EtherealError, QueueError
from ethereal_gui.domain.job import JobSnapshot, RenderJobData
from ethereal_gui.domain.worker_info import WorkerInfo
from ethereal_gui.service.updates import ActionResult, Removed
from ethereal_gui.worker.workspace import remove_shared_dirs

if TYPE_CHECKING:
    from ethereal_gui.queue.control import WorkerRegistry
    from ethereal_gui.queue.render_queue import RenderQueue

ACTION_SECONDS: Final = 10.0
_PORTION: Final = 200
LOW_PRIORITY: Final = 10
"""BullMQ runs jobs without a priority before all that have one, so that a priority can only put a job behind others."""
Direction = Literal["top", "up", "down", "bottom"]


class JobActions(ABC):
    """The part of the service that changes what is in the queue."""

    @property
    @abstractmethod
    def registry(self) -> "WorkerRegistry | None":
        """The workers; None before the start."""

    @property
    @abstractmethod
    def queue(self) -> "RenderQueue":
        """The queue.

        Raises:
            ServerUnavailableError: the service was not started.
        """

    async def pause(self) -> None:
        """Let no worker start another job; running ones go on."""
        await self.queue.pause()

    async def resume(self) -> None:
        """Let workers take jobs again."""
        await self.queue.resume()

    async def is_paused(self) -> bool:
        """No worker starts another job."""
        return await self.queue.is_paused()

    async def cancel(self, job_ids: Iterable[str]) -> ActionResult:
        """Cancel waiting jobs at once and ask the workers of running ones to stop."""
        return await self._each(job_ids, self.queue.cancel, "It is finished already.")

    async def retry(self, job_ids: Iterable[str]) -> ActionResult:
        """Put failed or cancelled jobs into the line again, with all their attempts."""
        return await self._each(job_ids, self.queue.retry, "It is waiting or running already.")

    async def hold(self, job_ids: Iterable[str]) -> ActionResult:
        """Take waiting jobs out of the line until they are released."""
        return await self._each(job_ids, self.queue.hold, "Only a waiting job can be held.")

    async def release(self, job_ids: Iterable[str]) -> ActionResult:
        """Put held jobs back into the line."""
        return await self._each(job_ids, self.queue.release, "It is not held.")

    async def move(self, job_ids: Sequence[str], where: Direction) -> ActionResult:
        """Move waiting jobs in the line, keeping their order among themselves."""
        ordered = list(job_ids) if where in ("up", "bottom") else list(reversed(job_ids))
        return await self._each(ordered, lambda job_id: self.queue.move(job_id, where), "It cannot move there.")

    async def move_before(self, job_ids: Sequence[str], other_id: str) -> ActionResult:
        """Put waiting jobs right before another waiting one, keeping their order among themselves."""
        return await self._each(
            job_ids, lambda job_id: self.queue.move_before(job_id, other_id), "Only a waiting job can be moved."
        )

    async def set_priority(self, job_ids: Iterable[str], priority: int) -> ActionResult:
        """0 for none, which runs before all others; 1 is the highest of the others."""
        return await self._each(job_ids, lambda job_id: self.queue.set_priority(job_id, priority), "")

    async def remove(self, job_ids: Iterable[str]) -> Removed:
        """Remove jobs from queue and list; running ones have to be cancelled first."""
        removed: list[JobSnapshot] = []
        refused = dict.fromkeys(job_ids, "It is not there any more.")
        wanted = list(refused)
        # In portions, so that what was removed before the server went away can be put back.
        for start in range(0, len(wanted), _PORTION):
            try:
                async with asyncio.timeout(ACTION_SECONDS):
                    gone, running = await self.queue.remove_many(wanted[start : start + _PORTION])
            except (EtherealError, TimeoutError) as error:
                refused |= dict.fromkeys(wanted[start:], str(error) or "The server does not answer.")
                break
            removed += gone
            refused |= dict.fromkeys(running, "It is running. Cancel it first.")
        for snapshot in removed:
            refused.pop(snapshot.id)
        await asyncio.to_thread(remove_shared_dirs, self.queue.access.keys.queue_name, removed)
        done = tuple(snapshot.id for snapshot in removed)
        return Removed(ActionResult(done, refused), tuple(removed), self.queue.access.address.label)

    async def undo_remove(self, removed: Removed) -> ActionResult:
        """Put removed jobs back as they were.

        Raises:
            QueueError: the program has gone to another server since.
        """
        if removed.server != self.queue.access.address.label:
            raise QueueError(
                f"{removed.server} had these jobs, not this one.", hint="Choose it in the settings again, then undo."
            )
        # The last first: each is put back before the one that followed it when it was removed.
        by_id = {snapshot.id: snapshot for snapshot in reversed(removed.jobs)}
        return await self._each(by_id, lambda job_id: self.queue.restore(by_id[job_id]), "It cannot be rebuilt.")

    async def forget_batch(self, batch_id: str) -> None:
        """Remove a batch and everything that is left of its jobs from the list; videos stay.

        Raises:
            QueueError: one of its jobs is running.
        """
        await self.queue.forget_batch(batch_id)

    async def clear_finished(self, batch_id: str | None = None) -> int:
        """Remove finished jobs from the list, of one batch or of all; videos stay. Returns how many went."""
        return await self.queue.clear_finished(batch_id)

    async def edit(self, job_id: str, data: RenderJobData) -> ActionResult:
        """Change what a waiting job shall do; its batch, file and format stay."""
        return await self._each([job_id], lambda _: self.queue.edit(job_id, data), "It does not wait any more.")

    async def drain_worker(self, name: str, *, on: bool) -> None:
        """Ask a worker to take nothing new, or to take jobs again."""
        if registry := self.registry:
            await (registry.drain(name) if on else registry.undrain(name))

    async def workers(self) -> list[WorkerInfo]:
        """All workers that were heard of lately."""
        return await self.registry.workers() if self.registry else []

    async def _each(
        self, job_ids: Iterable[str], act: Callable[[str], Awaitable[bool | None]], refusal: str
    ) -> ActionResult:
        """Do it for each; an answer of False is refused with ``refusal``."""
        done: list[str] = []
        refused: dict[str, str] = {}
        for job_id in job_ids:
            try:
                async with asyncio.timeout(ACTION_SECONDS):
                    answer = await act(job_id)
                if answer is False:
                    refused[job_id] = refusal
                else:
                    done.append(job_id)
            except TimeoutError:
                refused[job_id] = "The server does not answer."
            except EtherealError as error:
                refused[job_id] = str(error)
        return ActionResult(tuple(done), refused)
