"""The one door for the window and the command line: submit, watch, act, look back.

Everything is async and runs on the caller's loop without blocking it; what blocks (SQLite, the disk, waiting for the
children that look into files) runs on threads.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, BatchStatus
from ethereal_gui.domain.errors import EtherealError, ServerUnavailableError
from ethereal_gui.domain.formats import get_format
from ethereal_gui.domain.hours import parse_hours
from ethereal_gui.domain.job import JobSnapshot, JobStatus, RenderOptions
from ethereal_gui.domain.locations import is_url
from ethereal_gui.domain.naming import check_pattern
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.intake.inspect import IntakeResult
from ethereal_gui.render.video.workspace import clean_stale
from ethereal_gui.service.estimate import Estimate, estimate
from ethereal_gui.service.hours_keeper import HoursKeeper
from ethereal_gui.service.job_actions import JobActions
from ethereal_gui.service.preflight import Preflight, QueuedVideos, examine_batch
from ethereal_gui.service.updates import ServerState, SubmittedBatch, Update
from ethereal_gui.settings import Settings
from ethereal_gui.store.renders import HistoryTotals, RenderRecord, RenderStore
from ethereal_gui.worker.probing import Prober, inspect
from ethereal_gui.worker.workspace import make_output_dir

if TYPE_CHECKING:
    from ethereal_gui.queue.connection import ServerAddress
    from ethereal_gui.queue.control import WorkerRegistry
    from ethereal_gui.queue.render_queue import RenderQueue
    from ethereal_gui.service.link import ServerLink
    from ethereal_gui.service.poller import Poller
    from ethereal_gui.worker.thread import WorkerThread

log = logging.getLogger(__name__)

FINISH_FOR_EVER = 30 * 86_400.0
STALE_AFTER_SECONDS = 14 * 86_400.0
_ASK_SECONDS = 2.0


class RenderService(JobActions):
    """Submits, watches and controls renders; owns the server, the connection and the local worker.

    Attributes:
        settings: as they are now; ``apply_settings`` changes them.
        templates: bundled templates and the user's own.
        server: state of the queue's server, as of the last look.
    """

    def __init__(self, settings: Settings, *, queue_name: str = "render-queue") -> None:
        self.settings = settings
        self.templates = TemplateLibrary(*settings.template_dirs)
        self._queue_name = queue_name
        self._link: ServerLink | None = None
        self._poller: Poller | None = None
        self.server = ServerState("embedded" if settings.uses_embedded_server else "remote", "", False)
        self._worker: WorkerThread | None = None
        self._store: RenderStore | None = None
        self._speeds: dict[tuple[str, str], float] = {}
        self._hours = HoursKeeper(lambda: parse_hours(self.settings.hours))
        self._rests = False
        self._renewal: asyncio.Task[None] | None = None
        self._closing = False
        self._worked = False
        self._queued = QueuedVideos()
        self._prober = Prober()

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self, *, worker: bool = True) -> None:
        """Start or adopt the server, connect, and start the local worker if wanted.

        Raises:
            QueueError: there is no server to be had; the message says what to do.
        """
        try:
            link = await self._connect()
        except EtherealError as error:
            if self._link:
                self.server = self._link.state(str(error), False)
            raise
        self.server = link.state("", True)
        if self._store is None:
            self._store = await asyncio.to_thread(RenderStore, self.settings.data_dir / "history.sqlite3")
        self._speeds = await asyncio.to_thread(self._store.speeds)
        await link.queue.finish_submissions()
        if worker:
            await asyncio.to_thread(clean_stale, self.settings.data_dir / "work", STALE_AFTER_SECONDS)
            self._rests = self.rests_until is not None
            if not self._rests:
                self.start_worker()

    async def _connect(self) -> "ServerLink":
        """Connect to the server that the settings name, also when they come to name another one meanwhile."""
        while True:
            link = await self._open_link()
            await link.connect()
            if link.serves(self.settings):
                return link

    async def _open_link(self) -> "ServerLink":
        """The link to the server that the settings name; nothing has been asked of it yet."""
        if self._link and not self._link.serves(self.settings):
            await self._link.close()
            self._link = None
        if self._link is None:
            link: ServerLink = (await _load_link()).ServerLink(self.settings, self._queue_name)
            self._link = link
        return self._link

    async def try_server(self, settings: Settings) -> None:
        """Look whether the shared server that some settings name will do.

        Raises:
            QueueError: it will not; the message says what to do.
        """
        if not settings.uses_embedded_server:
            await (await _load_link()).check(settings)

    async def find_address(self) -> "ServerAddress":
        """Start or adopt the embedded server, or take the shared one's address without asking whether it is there.

        Raises:
            QueueError: there is no embedded server to be had.
        """
        return await (await self._open_link()).find()

    @property
    def recovery(self) -> str | None:
        """What the built-in server had to leave out of its data when it was last started here, a sentence."""
        return self._link.recovery if self._link else None

    @property
    def last_recovery(self) -> str | None:
        """When and what the built-in server ever left out last, whoever started it."""
        return self._link.last_recovery if self._link else None

    def redis_cli_command(self) -> str:
        """A command line that reaches the server, without secrets on it."""
        return self._linked.redis_cli_command()

    def start_worker(self) -> None:
        """Start the local worker unless it runs."""
        if self._worker is None or not self._worker.is_alive:
            self._worker = self._linked.worker(self.settings)
            self._worker.start()

    @property
    def rests_until(self) -> datetime | None:
        """When this computer renders again, outside the hours that the settings name; None while it may render."""
        return self._hours.rests_until

    async def render_now(self) -> None:
        """Render although it is not the hour for it."""
        self._hours.wake()
        await self.keep_hours()

    async def keep_hours(self) -> None:
        """Let the local worker take jobs or none, as the hours are; what it has it finishes."""
        rests = self.rests_until is not None
        if rests is self._rests or self.registry is None:
            return
        worker = self._worker
        if worker and worker.is_alive:
            await self.drain_worker(worker.config.name, on=rests)
        elif not rests:
            self.start_worker()
        self._rests = rests

    async def stop_worker(self, *, finish_within: float) -> bool:
        """Stop the local worker; what has not finished in time is put back. True when it has ended."""
        worker = self._worker
        if worker is None:
            return True
        worker.request_stop(finish_within)
        ended = await asyncio.to_thread(worker.join, finish_within + 20.0)
        if ended:
            self._worker = None
        return ended

    async def close(self, mode: Literal["finish", "now"] = "now") -> None:
        """Stop the worker, let go of the server, and stop it when nobody else uses it."""
        self._closing = True
        await self.stop_worker(finish_within=FINISH_FOR_EVER if mode == "finish" else 0.0)
        if self._renewal:
            await self._renewal
        if self._link:
            await self._link.close()
        await asyncio.to_thread(self._prober.close)

    async def apply_settings(self, settings: Settings) -> list[str]:
        """Use new settings from now on. Returns what takes effect only later, or is left behind, in words."""
        old, self.settings = self.settings, settings
        later = []
        moves = self._link is not None and not self._link.serves(settings)
        worker_fields = (
            "parallel_renders",
            "threads",
            "encoder",
            "hang_minutes",
            "memory_limit",
            "fps",
            "quality",
            "name_pattern",
            "path_maps",
        )
        changed = any(getattr(old, name) != getattr(settings, name) for name in worker_fields)
        running = self.running_jobs()
        if moves:
            later += await self._words_about_moving(running)
        elif changed and running:
            later.append("Rendering settings are used from the next job on.")
        if moves or (changed and self._worker and self._worker.is_alive):
            if self._renewal is None or self._renewal.done():
                finish_within = FINISH_FOR_EVER if running else 0.0
                self._renewal = asyncio.create_task(self._renew(finish_within), name="renew the worker")
            if not running:
                await self._renewal
        if old.hours != settings.hours:
            self._hours.forget_waking()
            await self.keep_hours()
        return later

    async def _words_about_moving(self, running: int) -> list[str]:
        words = ["The other server is used when the running render has finished."] if running else []
        left = 0
        with contextlib.suppress(EtherealError, TimeoutError):
            async with asyncio.timeout(_ASK_SECONDS):
                left = await self.queue.open_count() - running
        if left > 0:
            jobs = "1 job stays" if left == 1 else f"{left:,} jobs stay"
            words.append(f"{jobs} in the queue of the server that was used until now.")
        return words

    async def _renew(self, finish_within: float) -> None:
        """When the worker has finished what it has: another one with the settings of now, or away to their server."""
        if not await self.stop_worker(finish_within=finish_within) or self._closing:
            return
        if self._link and not self._link.serves(self.settings):
            if self._poller:
                await self._poller.stop()
            await self._link.close()
        elif not self._rests:
            self.start_worker()

    @property
    def _linked(self) -> "ServerLink":
        if self._link is None:
            raise ServerUnavailableError("There is no connection to the queue yet.")
        return self._link

    @property
    def address(self) -> "ServerAddress":
        """The server's address.

        Raises:
            ServerUnavailableError: the service was not started.
        """
        return self._linked.address

    @property
    def queue(self) -> "RenderQueue":
        """The queue.

        Raises:
            ServerUnavailableError: the service was not started.
        """
        return self._linked.queue

    @property
    def registry(self) -> "WorkerRegistry | None":
        """The workers; None before the start."""
        return self._link.registry if self._link else None

    def running_jobs(self) -> int:
        """Renders that run in the local worker."""
        return self._worker.running_jobs if self._worker else 0

    # -- intake -------------------------------------------------------------------------------------------------

    async def inspect(
        self, paths: Sequence[Path], on_progress: Callable[[int, int], None] | None = None
    ) -> IntakeResult:
        """Look into dropped files and folders, in children off the loop; cancel the task to stop."""
        return await inspect(self._prober, paths, on_progress)

    def expect_files(self) -> None:
        """Something may be dropped soon: have a child ready that looks into it."""
        self._prober.warm_up()

    async def cover(self, audio: AudioFile) -> bytes | None:
        """The cover picture in the song's tags as a small PNG."""
        return await asyncio.to_thread(self._prober.cover, Path(audio.path))

    def estimate(
        self,
        audio_files: Sequence[AudioFile],
        formats: Sequence[str],
        template: str,
        options: RenderOptions | None = None,
    ) -> Estimate:
        """What a batch would cost, from its options, else the settings, and this computer's history."""
        options = options or RenderOptions()
        return estimate(
            audio_files,
            formats,
            template=template,
            fps=options.fps or self.settings.fps,
            quality=options.quality or self.settings.quality,
            output_dir=self._local_folder(options),
            speeds=self._speeds,
        )

    async def preflight(
        self, audio_files: Sequence[AudioFile], formats: Sequence[str], template: str, options: RenderOptions
    ) -> Preflight:
        """Cost, names, repetitions and clashes of a batch before it is submitted.

        Raises:
            SettingsError: the name pattern is not valid.
        """

        def examine() -> Preflight:
            pattern = check_pattern(options.name_pattern or self.settings.name_pattern)
            rendered = self._store.rendered(template, (audio.path for audio in audio_files)) if self._store else set()
            return examine_batch(
                self.estimate(audio_files, formats, template, options),
                audio_files,
                formats,
                template,
                pattern=pattern,
                folder=self._local_folder(options),
                queued=self._queued,
                rendered=rendered,
            )

        return await asyncio.to_thread(examine)

    def _local_folder(self, options: RenderOptions) -> Path:
        """The folder of a batch's videos on this computer; its default one when they go to a server."""
        place = options.output_dir
        return Path(place) if place and not is_url(place) else self.settings.output_dir

    # -- batches ------------------------------------------------------------------------------------------------

    async def submit(
        self,
        audio_files: Sequence[AudioFile],
        template: str,
        output_formats: Sequence[str],
        options: RenderOptions | None = None,
        batch_id: str | None = None,
    ) -> SubmittedBatch:
        """Queue a batch: one job per file and format. The same batch id again adds nothing.

        Raises:
            EtherealError: unknown template or format, bad values or picture, no output folder, or the queue is not
                available.
        """
        for name in output_formats:
            get_format(name)
        found = self.templates.get(template)
        options = options or RenderOptions()
        if options.template_values:
            found.with_values(options.template_values)
        if options.picture and not is_url(options.picture):
            await asyncio.to_thread(self._prober.check_picture, Path(options.picture))
        filled = options.model_copy(
            update={
                "output_dir": options.output_dir or str(self.settings.output_dir),
                "name_pattern": options.name_pattern or self.settings.name_pattern,
                "fps": options.fps or self.settings.fps,
                "quality": options.quality or self.settings.quality,
                "max_bit_rate": options.max_bit_rate or self.settings.max_bit_rate or None,
                "split_minutes": (self.settings.split_minutes or None)
                if options.split_minutes is None
                else options.split_minutes,
            }
        )
        await asyncio.to_thread(make_output_dir, str(filled.output_dir))
        added = await self.queue.add_batch_job(
            list(audio_files), template, list(output_formats), options=filled, batch_id=batch_id
        )
        return SubmittedBatch(added.batch_id, tuple(added.job_ids))

    async def batches(self) -> list[BatchJobData]:
        """All batches that the queue knows, newest first."""
        return await self.queue.batches()

    async def batch_status(self, batch_id: str) -> BatchStatus | None:
        """Counts of one batch, None when there is no such batch."""
        return await self.queue.get_batch_status(batch_id)

    async def batch_jobs(self, batch_id: str) -> list[JobSnapshot]:
        """All jobs of a batch, in the order of its files and formats."""
        ids = await self.queue.batch_job_ids(batch_id)
        return [snapshot for snapshot in await self.queue.snapshots(ids) if snapshot]

    async def watch(self) -> AsyncIterator[Update]:
        """Changes, merged, at most about ten times a second. Goes on when the server comes back; ends when the settings
        name another server: ``start`` goes there."""
        self._poller = poller = self._linked.poller(lambda: self._worker.trouble if self._worker else None)
        try:
            async for update in poller.updates():
                self.server = update.server
                self._queued.look(update)
                done = await self._all_done(update)
                update = replace(update, rests_until=self.rests_until, all_done=done, recovery=self.recovery)
                if any(job.status is JobStatus.COMPLETED for job in update.jobs) and self._store:
                    self._speeds = await asyncio.to_thread(self._store.speeds)
                yield update
        finally:
            self._poller = None
            self._worked = False
            await poller.close()

    async def _all_done(self, update: Update) -> bool:
        """The last job has just ended; not when there was nothing to do, or when everything was only cancelled."""
        if update.news and any(job.is_terminal and not job.is_cancelled for job in update.jobs):
            self._worked = True
        if not self._worked or not (update.jobs or update.removed) or not update.server.available:
            return False
        try:
            done = await self.queue.open_count() == 0
        except EtherealError:
            return False  # the next update will tell
        self._worked = not done
        return done

    # -- looking back -------------------------------------------------------------------------------------------

    async def job_log(self, job_id: str) -> list[str]:
        """The job's log, oldest line first."""
        return await self.queue.job_log(job_id)

    async def attempt_errors(self, job_id: str) -> list[str]:
        """Why each failed attempt of the job failed, oldest first."""
        return [reason_of(trace) for trace in await self.queue.stacktraces(job_id)]

    async def history(self, text: str = "", *, limit: int = 200, offset: int = 0) -> list[RenderRecord]:
        """Renders that ran on this computer, newest first."""
        return await asyncio.to_thread(self._store.search, text, limit=limit, offset=offset) if self._store else []

    async def history_totals(self) -> HistoryTotals:
        """Sums over all completed renders on this computer."""
        return await asyncio.to_thread(self._store.totals) if self._store else HistoryTotals(0, 0.0, 0, 0.0)


async def _load_link() -> ModuleType:
    """Loading Redis and BullMQ takes a third of a second: the window is on the screen meanwhile."""
    return await asyncio.to_thread(import_module, "ethereal_gui.service.link")


def reason_of(trace: str) -> str:
    """The message of the error whose stack trace that is: Python's stands at its end, Node's at its beginning."""
    lines = trace.strip().splitlines() or [""]
    said = lines[0] if lines[-1].startswith(" ") else lines[-1]
    name, separator, message = said.partition(": ")
    return message if separator and " " not in name else said
