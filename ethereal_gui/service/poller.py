"""One loop that tells what changed since last time: the cost follows the change, not the size of the queue.

The event stream says which jobs changed; their snapshots are read together, at most ten times a second. When the
stream cannot say (trimmed, another server, first time), everything is read once, in portions, what is on top first.
Workers, the pause state and the server's own condition have no events and are asked for every two seconds, or at once
when something happened to the queue. How long one answer may take is up to the queue's client; a slow server is slow,
not away.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from ethereal_gui.domain.batch import BatchJobData
from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.job import JobSnapshot
from ethereal_gui.domain.worker_info import WorkerInfo
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.event_feed import EventFeed
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.service.updates import ServerState, Update

log = logging.getLogger(__name__)

MERGE_SECONDS: Final = 0.1
SLOW_LOOK_SECONDS: Final = 2.0
ORDER_SECONDS: Final = 1.0
ORDER_SHARE: Final = 0.05
BLOCK_MS: Final = 1_000
PORTION: Final = 200
CALL_TIMEOUT: Final = 30.0
SLOW_SECONDS: Final = 1.0
AT_ONCE: Final = 8
RETRY_SECONDS: Final = 1.0
STOP_SECONDS: Final = 3.0


class Poller:
    """Watches one queue.

    Args:
        server_state: makes the state for an update from a message ("" when all is well) and whether it can be used.
        worker_error: the local worker's trouble, if any.
        recheck_server: called after trouble; raises while the server is still not usable.
    """

    def __init__(
        self,
        queue: RenderQueue,
        feed: EventFeed,
        registry: WorkerRegistry,
        *,
        server_state: Callable[[str, bool], ServerState],
        worker_error: Callable[[], str | None],
        recheck_server: Callable[[], Awaitable[object]],
    ) -> None:
        self._queue = queue
        self._feed = feed
        self._registry = registry
        self._server_state = server_state
        self._worker_error = worker_error
        self._recheck_server = recheck_server
        self._known_batches: set[str] = set()
        self._paused = False
        self._workers: tuple[WorkerInfo, ...] = ()
        self._condition = server_state("", True)
        self._slow_look_at = 0.0
        self._order_changed = False
        self._order_due_at = 0.0
        self._stopping = False
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    async def updates(self) -> AsyncIterator[Update]:
        """Updates until ``stop``. One of the first two is full, and so again after trouble with the server."""
        self._at_rest.clear()
        try:
            async for update in self._until_stopped():
                yield update
        finally:
            self._at_rest.set()

    async def stop(self) -> None:
        """Let the updates end. They do within a second or so, later only when the server leaves a question open."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._at_rest.wait()

    async def _until_stopped(self) -> AsyncIterator[Update]:
        full_needed = True
        while not self._stopping:
            try:
                if full_needed:
                    await self._recheck_server()
                    async for update in self._everything():
                        yield update
                    full_needed = False
                    continue
                partial = await self._partial()
                if partial is None:
                    full_needed = True
                elif partial is not _NOTHING:
                    yield partial
            except (EtherealError, OSError, TimeoutError) as error:
                full_needed = True
                message = str(error) or "The server does not answer."
                yield self._update(server=self._server_state(message, False))
                await asyncio.sleep(RETRY_SECONDS)

    async def _everything(self) -> AsyncIterator[Update]:
        """What stands on top of the list, at once, so that a window has something to show; then all there is, full."""
        # The cursor is set before reading: what changes meanwhile comes again, never not at all.
        await self._feed.reset()
        batches = await self._queue.batches()
        self._known_batches = {batch.batch_id for batch in batches}
        await self._slow_look(force=True)
        yield self._update(jobs=tuple(await self._first_batch(batches)), batches=tuple(batches), news=False)
        turns = asyncio.Semaphore(AT_ONCE)

        async def read(batch_id: str) -> list[JobSnapshot]:
            # While one answer is being read, the server works on the next.
            async with turns:
                return await self._snapshots(await self._queue.batch_job_ids(batch_id))

        parts = await asyncio.gather(*(read(batch.batch_id) for batch in batches))
        jobs = [job for part in parts for job in part]
        known = {job.id for job in jobs}
        strangers = [job_id for job_id in await self._queue.live_job_ids() if job_id not in known]
        jobs.extend(await self._snapshots(strangers))
        self._order_changed = True
        yield self._update(jobs=tuple(jobs), batches=tuple(batches), full=True, news=False, order=await self._order())

    async def _first_batch(self, batches: list[BatchJobData]) -> list[JobSnapshot]:
        """All jobs of the batch that has its turn, else of the newest."""
        live = await self._snapshots((await self._queue.live_job_ids())[:1])
        batch_id = live[0].batch_id if live else batches[0].batch_id if batches else None
        return await self._snapshots(await self._queue.batch_job_ids(batch_id)) if batch_id else live

    async def _partial(self) -> Update | None:
        """The next update, ``_NOTHING`` when nothing happened, None when everything has to be read again."""
        changes = await self._feed.changes(block_ms=BLOCK_MS)
        if changes.resync:
            return None
        before = (self._paused, self._workers, self._condition)
        if changes.job_ids or changes.queue_changed or changes.order_changed:
            # Give a burst the time to arrive: one reading instead of many.
            await asyncio.sleep(MERGE_SECONDS)
            more = await self._feed.changes(block_ms=0)
            if more.resync:
                return None
            self._order_changed = self._order_changed or changes.order_changed or more.order_changed
            ids = changes.job_ids | more.job_ids
            queue_changed = changes.queue_changed or more.queue_changed
        else:
            ids, queue_changed = changes.job_ids, False
        async with asyncio.timeout(CALL_TIMEOUT + len(ids) / 100):
            await self._slow_look(force=queue_changed)
            order = await self._order()
            if not ids:
                changed = order is not None or (self._paused, self._workers, self._condition) != before
                return self._update(order=order) if changed else _NOTHING
            snapshots = await self._snapshots(sorted(ids))
            found = {snapshot.id for snapshot in snapshots}
            batches = await self._new_batches(snapshots)
        return self._update(
            jobs=tuple(snapshots),
            removed=tuple(job_id for job_id in ids if job_id not in found),
            batches=tuple(batches),
            order=order,
        )

    async def _order(self) -> tuple[str, ...] | None:
        """The waiting line, read once a second at most and in a twentieth of the time.

        Unlike a job, it costs what the whole line is long, and every job that starts changes it.
        """
        began = time.monotonic()
        if not self._order_changed or began < self._order_due_at:
            return None
        self._order_changed = False
        order = tuple(await self._queue.waiting_order())
        self._order_due_at = began + max(ORDER_SECONDS, (time.monotonic() - began) / ORDER_SHARE)
        return order

    async def _new_batches(self, snapshots: list[JobSnapshot]) -> list[BatchJobData]:
        new = {snapshot.batch_id for snapshot in snapshots if snapshot.batch_id} - self._known_batches
        if not new:
            return []
        self._known_batches |= new
        found = [await self._queue.get_batch(batch_id) for batch_id in sorted(new)]
        return [batch for batch in found if batch is not None]

    async def _snapshots(self, job_ids: list[str]) -> list[JobSnapshot]:
        found: list[JobSnapshot] = []
        for start in range(0, len(job_ids), PORTION):
            portion = await self._queue.snapshots(job_ids[start : start + PORTION])
            found.extend(snapshot for snapshot in portion if snapshot is not None)
            await asyncio.sleep(0)
        return found

    async def _slow_look(self, *, force: bool) -> None:
        if not force and time.monotonic() - self._slow_look_at < SLOW_LOOK_SECONDS:
            return
        self._paused, workers, self._condition = await asyncio.gather(
            self._queue.is_paused(), self._registry.workers(), self._look_at_server()
        )
        self._workers = tuple(sorted(workers, key=lambda worker: worker.name))
        self._slow_look_at = time.monotonic()

    async def _look_at_server(self) -> ServerState:
        """Its own words on why it takes nothing new; and whether it is slow."""
        asked = time.monotonic()
        trouble = await self._queue.server_condition()
        took = time.monotonic() - asked
        if trouble:
            return self._server_state(trouble, False)
        if took > SLOW_SECONDS:
            return self._server_state(f"The server is slow: it takes {took:.0f} s to answer. Nothing is lost.", True)
        return self._server_state("", True)

    def _update(
        self,
        *,
        jobs: tuple[JobSnapshot, ...] = (),
        removed: tuple[str, ...] = (),
        batches: tuple[BatchJobData, ...] = (),
        full: bool = False,
        news: bool = True,
        order: tuple[str, ...] | None = None,
        server: ServerState | None = None,
    ) -> Update:
        return Update(
            server=server or self._condition,
            paused=self._paused,
            workers=self._workers,
            jobs=jobs,
            removed=removed,
            batches=batches,
            full=full,
            news=news,
            order=order,
            worker_error=self._worker_error(),
        )

    async def close(self) -> None:
        """Let go of the connections of its own."""
        for closing in (self._feed.close, self._registry.close):
            with contextlib.suppress(Exception):
                await closing()


_NOTHING = Update(ServerState("embedded", "", True), False, ())
