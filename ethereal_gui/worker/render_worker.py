"""The BullMQ worker: takes jobs, has each rendered in a child process, and keeps the loop free for the lock.

Lock and stall times are chosen so that the job of a killed worker is taken up again within 30 seconds: the lock runs
out after 15 s at most, and the stall check, every 5 s, needs two looks.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from bullmq import DelayedError, Job, UnrecoverableError, WaitingChildrenError

from ethereal_gui.domain.errors import CancelledByUserError, EtherealError, OutputFolderError, QueueError
from ethereal_gui.domain.job import JobStatus, PartJobData, Progress, RenderJobData, RenderOutcome
from ethereal_gui.domain.worker_info import HEARTBEAT_SECONDS, WorkerInfo
from ethereal_gui.queue.claims import PartsFirstWorker, SteadyWorker, left_by, note_left, put_back, reclaim
from ethereal_gui.queue.connection import check_server, sentence, worker_client
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.keys import bullmq_client_name
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.job_runner import JobHandle, JobRunner, WaitForParts
from ethereal_gui.worker.part_runner import PartHandle, PartLeft, PartRunner
from ethereal_gui.worker.presence import Presence
from ethereal_gui.worker.reach import OFFER_SECONDS, LeftToOthersError, left_or_failed
from ethereal_gui.worker.requests import read_part_data, work_dir_of
from ethereal_gui.worker.sandbox import Interrupted
from ethereal_gui.worker.storage import StorageTrouble, StorageWaits, WaitForStorage, is_storage_trouble, trouble_of
from ethereal_gui.worker.troubles import Troubles
from ethereal_gui.worker.workspace import make_output_dir, remove_work_dir

log = logging.getLogger(__name__)

LOCK_MS: Final = 15_000
STALL_CHECK_MS: Final = 5_000
MAX_STALLED_COUNT: Final = 3
WISH_POLL_SECONDS: Final = 0.4
IDLE_POLL_SECONDS: Final = 1.0
DRAIN_POLL_SECONDS: Final = 0.5
RETRY_CONNECT_SECONDS: Final = 3.0
STORAGE_POLL_SECONDS: Final = 5.0
LEFT_TO_OTHERS_MS: Final = 5_000
MOST_STARTS_OF_PART: Final = 10
"""So often workers may leave a part to each other; then the worker that joins the video renders it."""


class RenderWorker:
    """Takes jobs until it is stopped. Made and run on one event loop; ``request_stop`` belongs to that loop too.

    Args:
        drain: end by itself once nothing is waiting any more.
        on_event: called with a line for the person at a terminal, for each job and for trouble with the server.
    """

    def __init__(
        self, config: WorkerConfig, *, drain: bool = False, on_event: Callable[[str], None] = lambda _: None
    ) -> None:
        self.config = config
        self.failed_jobs = 0
        self._drain = drain
        self._on_event = on_event
        self._runners: dict[str, JobRunner | PartRunner] = {}
        self._claims: dict[str, tuple[SteadyWorker, str]] = {}
        self._lost: set[str] = set()
        self._stop = asyncio.Event()
        self._finish_by: float | None = None
        self._deadline_changed = asyncio.Event()
        self._draining = False
        self._blocked: StorageTrouble | None = None
        self._presence = Presence(config, self._runners)
        self._waits = StorageWaits()
        self._troubles = Troubles(on_event)
        self._background: set[asyncio.Task[None]] = set()

    @property
    def running_jobs(self) -> int:
        """Jobs that are being rendered."""
        return len(self._runners)

    @property
    def trouble(self) -> str | None:
        """What does not work with the server at present, a sentence; None while all is well."""
        return self._troubles.current

    def request_stop(self, finish_within: float) -> None:
        """Take nothing new; running renders may finish within so many seconds, then they are put back.

        May be called again with a shorter time.
        """
        deadline = time.monotonic() + finish_within
        self._finish_by = deadline if self._finish_by is None else min(self._finish_by, deadline)
        self._stop.set()
        self._deadline_changed.set()

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            QueueError: the server refuses us (password, eviction policy). One that is away is waited for.
        """
        if not await self._wait_for_server():
            return
        with contextlib.suppress(OutputFolderError):  # jobs may name other folders; those that do not will say it
            await asyncio.to_thread(make_output_dir, self.config.output_dir)
        self._store = await asyncio.to_thread(RenderStore, self.config.history_path)
        self._queue = RenderQueue(self.config.address, queue_name=self.config.queue_name)
        self._registry = WorkerRegistry(self.config.address, queue_name=self.config.queue_name)
        self._worker = self._make_worker()
        running = asyncio.create_task(self._take_jobs(), name="bullmq-worker")
        helpers = [
            asyncio.create_task(self._heartbeats(), name="heartbeats"),
            asyncio.create_task(self._watch_wishes(), name="wishes"),
            asyncio.create_task(self._presence.find_encoders(), name="encoders"),
        ]
        if self._drain:
            helpers.append(asyncio.create_task(self._stop_when_empty(), name="drain"))
        try:
            await self._stop.wait()
            await self._finish(running)
        finally:
            await _end(helpers)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(3):
                    await self._registry.forget(self.config.name)
            for close in (self._registry.close, self._queue.close_queue):
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(3):
                        await close()

    async def _wait_for_server(self) -> bool:
        while not self._stop.is_set():
            try:
                await check_server(self.config.address)
                return True
            except QueueError as error:
                if not error.retryable:
                    raise
                self._troubles.report(str(error))
            await self._rest(RETRY_CONNECT_SECONDS)
        return False

    async def _take_jobs(self) -> None:
        """Run BullMQ's worker; it gives up when its very first word to the server fails, and is started again."""
        while not self._stop.is_set():
            try:
                await self._worker.run()
                return
            except Exception as error:
                self._troubles.report(sentence(self.config.address, error))
            await self._rest(RETRY_CONNECT_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Wait for so long, or until the worker is stopped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _make_worker(self) -> PartsFirstWorker:
        queue_name, parts_name = self.config.queue_name, self._queue.access.keys.parts
        parts = SteadyWorker(parts_name, self._process_part, self._worker_options())
        worker = PartsFirstWorker(queue_name, self._process, self._worker_options(), parts=parts)
        worker.on("completed", self._job_completed)
        for one, name in ((worker, queue_name), (parts, parts_name)):
            # Node writes the queue's name in base64 into its client name; only so do both kinds see each other.
            one.clientName = bullmq_client_name(self.config.name, queue_name=name)
            one.on("error", self._worker_error)
            one.on("lockRenewalFailed", self._locks_lost)
        return worker

    def _worker_options(self) -> dict[str, Any]:
        return {
            "connection": worker_client(self.config.address),
            "concurrency": self.config.concurrency,
            "lockDuration": LOCK_MS,
            "stalledInterval": STALL_CHECK_MS,
            "maxStalledCount": MAX_STALLED_COUNT,
            "runRetryDelay": 2_000,
            "name": self.config.name,
            "autorun": False,
        }

    async def _finish(self, running: asyncio.Task[None]) -> None:
        """Close BullMQ's worker; at the deadline stop the renders that still run."""
        self._draining = True
        closing = asyncio.create_task(self._worker.close(), name="close-worker")
        while not closing.done():
            self._deadline_changed.clear()
            left = max(0.0, (self._finish_by or 0.0) - time.monotonic())
            changed = asyncio.create_task(self._deadline_changed.wait())
            await asyncio.wait({closing, changed}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            if time.monotonic() >= (self._finish_by or 0.0):
                break
        for runner in list(self._runners.values()):
            runner.stop(Interrupted)
        done, _ = await asyncio.wait({closing}, timeout=10)
        if not done:
            # The server is away: what is active is found stalled and taken up again when it is back.
            await asyncio.wait({asyncio.create_task(self._worker.close(force=True))}, timeout=5)
            running.cancel()
        await asyncio.wait({closing, running}, timeout=5)

    async def _process(self, job: Job, token: str) -> dict[str, Any]:
        """BullMQ's processor: returns the outcome as plain JSON, or raises what BullMQ understands."""
        runner = JobRunner(self.config, self._store, self._handle(job, token))
        return await self._attempt(job, token, self._worker, runner)

    async def _process_part(self, job: Job, token: str) -> dict[str, Any]:
        """The same for a part of a video that was split up."""
        try:
            data = read_part_data(job.data)
        except EtherealError as error:
            raise UnrecoverableError(str(error)) from error
        if not await self._queue.parts.is_wanted(data.job_id, job.id):
            return {}
        return await self._attempt(
            job, token, self._worker.parts, PartRunner(self.config, self._part_handle(job, data))
        )

    async def _attempt(
        self, job: Job, token: str, worker: SteadyWorker, runner: JobRunner | PartRunner
    ) -> dict[str, Any]:
        self._runners[job.id], self._claims[job.id] = runner, (worker, token)
        self._on_event(f"{job.id}: started")
        try:
            if self._finish_by is not None and time.monotonic() >= self._finish_by:
                raise Interrupted
            with contextlib.suppress(QueueError):  # worth no attempt
                await self._queue.note_worker(job.id, self.config.name)
            outcome = await runner.run()
        except Interrupted:
            if job.id not in self._lost:
                await put_back(worker, job, token)
            self._on_event(f"{job.id}: put back")
            raise DelayedError from None
        except WaitForStorage as wait:
            self._block(job.id, runner, wait.__cause__)
            await put_back(worker, job, token)
            self._on_event(f"{job.id}: put back until there is storage. {wait.__cause__}")
            raise DelayedError from None
        except LeftToOthersError as leaving:
            await self._leave(job, token, leaving)
            raise DelayedError from None
        except WaitForParts:
            if not await self._queue.parts.is_waited_for(job.id) and not await job.moveToWaitingChildren(token, {}):
                await put_back(worker, job, token)  # they are done already
            self._on_event(f"{job.id}: waits for its parts")
            raise WaitingChildrenError from None
        except PartLeft as why:
            self._on_event(f"{job.id}: left to others. {why}")
            if job.attemptsStarted >= MOST_STARTS_OF_PART:
                return {}
            await job.moveToDelayed(round(time.time() * 1000) + LEFT_TO_OTHERS_MS, token)
            raise DelayedError from None
        except CancelledByUserError as error:
            await self._forget_cancel(job.id)
            self._on_event(f"{job.id}: cancelled")
            raise UnrecoverableError(str(error)) from error
        except EtherealError as error:
            self._job_failed(job, str(error), final=not error.retryable)
            self._block(job.id, runner, error)
            if error.retryable:
                raise
            raise UnrecoverableError(str(error)) from error
        except Exception as error:
            log.exception("job %s", job.id)
            self._job_failed(job, f"{type(error).__name__}: {error}", final=False)
            raise
        finally:
            if self._runners.get(job.id) is runner:  # a job that was left may be with another slot by now
                self._forget(job.id)
        self._on_event(f"{job.id}: done{f', {outcome.output_path}' if outcome else ''}")
        return outcome.to_wire() if outcome else {}

    async def _leave(self, job: Job, token: str, leaving: LeftToOthersError) -> None:
        """Offer a job to other workers; when none is free, put it aside for a while.

        Meanwhile this slot takes nothing: whoever has just given a job back would be the first to get it again.
        """
        if job.id in self._lost:
            return
        await note_left(self._worker, job, leaving.left)
        if leaving.is_first:
            self._on_event(f"{job.id}: left to other workers. {leaving.__cause__}")
        if not leaving.is_offered:
            await job.moveToDelayed(round((time.time() + leaving.seconds) * 1000), token)
            return
        self._forget(job.id)
        await put_back(self._worker, job, token)
        await asyncio.sleep(OFFER_SECONDS)
        with contextlib.suppress(QueueError):
            await self._queue.set_aside(job.id, leaving.seconds)

    def _forget(self, job_id: str) -> None:
        self._runners.pop(job_id, None)
        self._claims.pop(job_id, None)
        self._lost.discard(job_id)

    def _block(self, job_id: str, runner: JobRunner | PartRunner, error: BaseException | None) -> None:
        """After a trouble with a disk take nothing more until it is over."""
        if self._blocked or not isinstance(error, EtherealError) or not is_storage_trouble(error, runner.output_dir):
            return
        self._blocked = trouble_of(
            error,
            job_id,
            output_dir=runner.output_dir,
            data_dir=self.config.data_dir,
            work_dir=work_dir_of(self.config, job_id),
        )
        self._on_event(f"Taking no more jobs for now. {error}")
        self._spawn(self._worker.pause(do_not_wait_active=True))
        self._spawn(self._wait_for_storage())

    async def _wait_for_storage(self) -> None:
        while self._blocked and not self._stop.is_set():
            await asyncio.sleep(STORAGE_POLL_SECONDS)
            if await asyncio.to_thread(self._blocked.is_over) or not await self._still_waits(self._blocked.job_id):
                self._blocked = None
                self._on_event("Taking jobs again.")
                if not self._draining:
                    self._worker.resume()

    async def _still_waits(self, job_id: str) -> bool:
        """Whether the job that met the trouble is still to be done here: not cancelled, held, or taken elsewhere."""
        try:
            (job,) = await self._queue.snapshots([job_id])
        except QueueError:
            return True
        if job is None:
            return await self._queue.parts.exists(job_id)
        return job.status is JobStatus.PENDING and not job.held

    def _part_handle(self, job: Job, data: PartJobData) -> PartHandle:
        async def send_progress(progress: Progress) -> None:
            await job.updateProgress(progress.to_wire())

        async def report() -> None:
            await self._queue.parts.report(data.job_id, data.frames)

        async def send_line(line: str) -> None:
            await self._queue.add_log(data.job_id, line)

        return PartHandle(
            id=job.id,
            data=data,
            send_progress=send_progress,
            report=report,
            send_line=send_line,
            may_wait=lambda error: self._waits.may_wait(job.id, error, self._runners[job.id].output_dir),
        )

    def _handle(self, job: Job, token: str) -> JobHandle:
        split_name = secrets.token_hex(3)

        async def update_data(data: RenderJobData) -> None:
            await job.updateData(data.to_wire())

        async def send_progress(progress: Progress) -> None:
            await job.updateProgress(progress.to_wire())

        async def send_line(line: str) -> None:
            await job.log(line)

        async def record(
            data: RenderJobData, status: JobStatus, outcome: RenderOutcome | None, reason: str | None
        ) -> None:
            await self._queue.record_outcome(job.id, data.batch_id, status, outcome, reason)

        async def unreachable(error: EtherealError) -> LeftToOthersError | EtherealError:
            left, workers = await left_by(self._worker, job), await self._registry.workers()
            return left_or_failed(error, left, self.config.name, workers)

        return JobHandle(
            id=job.id,
            raw_data=job.data,
            attempt=job.attemptsMade + 1,
            attempts=int(job.opts.get("attempts") or 1),
            update_data=update_data,
            send_progress=send_progress,
            send_line=send_line,
            record_outcome=record,
            may_wait=lambda error: self._waits.may_wait(job.id, error, self._runners[job.id].output_dir),
            unreachable=unreachable,
            parts_state=lambda: self._queue.parts.state(job.id),
            add_parts=lambda parts: self._queue.parts.hand_out(parts, split_name, token),
        )

    def _job_failed(self, job: Job, reason: str, *, final: bool) -> None:
        if final or job.attemptsMade + 1 >= int(job.opts.get("attempts") or 1):
            self.failed_jobs += 1
            self._on_event(f"{job.id}: failed. {reason}")
        else:
            self._on_event(f"{job.id}: attempt {job.attemptsMade + 1} failed, will be tried again. {reason}")

    def _job_completed(self, job: Job, _result: object) -> None:
        # Kept until the queue knows: a crash before would have found the published file by it.
        remove_work_dir(work_dir_of(self.config, job.id))

    async def _forget_cancel(self, job_id: str) -> None:
        with contextlib.suppress(Exception):
            await self._queue.clear_cancel(job_id)

    async def _watch_wishes(self) -> None:
        """Somebody may want a job of ours cancelled, or this worker drained; both stand in the queue."""
        while True:
            await asyncio.sleep(WISH_POLL_SECONDS if self._runners else IDLE_POLL_SECONDS)
            try:
                self._set_draining(await self._registry.drain_requested(self.config.name))
                for job_id in await self._queue.cancel_requests(list(self._runners)):
                    if job_id in self._runners:
                        self._runners[job_id].stop(CancelledByUserError)
                for part_id, runner in list(self._runners.items()):
                    if isinstance(runner, PartRunner) and not await self._queue.parts.is_wanted(runner.job_id, part_id):
                        runner.stop(CancelledByUserError)
            except Exception as error:
                self._troubles.report(sentence(self.config.address, error))

    def _locks_lost(self, job_ids: list[str]) -> None:
        for job_id in job_ids:
            self._spawn(self._reclaim(job_id))

    async def _reclaim(self, job_id: str) -> None:
        claim, runner = self._claims.get(job_id), self._runners.get(job_id)
        if claim is None or runner is None:
            return
        worker, token = claim
        with contextlib.suppress(Exception):
            if await reclaim(worker, job_id, token, LOCK_MS):
                return
            self._lost.add(job_id)
            self._on_event(f"{job_id}: was taken over by another worker")
            runner.stop(Interrupted)

    async def _heartbeats(self) -> None:
        while True:
            try:
                await self._registry.heartbeat(self._info())
                self._troubles.went_well()
            except Exception as error:
                self._troubles.report(sentence(self.config.address, error))
            await asyncio.sleep(HEARTBEAT_SECONDS if self._troubles.current or not self._runners else 1.0)

    def _set_draining(self, wanted: bool) -> None:
        if self._stop.is_set() or wanted == self._draining:
            return
        self._draining = wanted
        if wanted:
            self._spawn(self._worker.pause(do_not_wait_active=True))
        elif self._blocked is None:
            self._worker.resume()

    def _info(self) -> WorkerInfo:
        trouble = self._blocked.message if self._blocked else None
        return self._presence.info(draining=self._draining, trouble=trouble)

    async def _stop_when_empty(self) -> None:
        while True:
            await asyncio.sleep(DRAIN_POLL_SECONDS)
            try:
                if not self._runners and await self._queue.open_count() == 0:
                    self.request_stop(finish_within=3600)
                    return
            except Exception as error:
                self._troubles.report(sentence(self.config.address, error))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _worker_error(self, error: Exception, _job: object = None) -> None:
        if not str(error).startswith("could not renew lock"):  # _locks_lost has the last word on those
            self._troubles.report(sentence(self.config.address, error))


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they end: a call to the server that is answered just then swallows the first time."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
    await asyncio.gather(*tasks, return_exceptions=True)
