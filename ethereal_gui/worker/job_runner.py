"""One job from the moment that a worker has it to its outcome: history row, child process, log, result.

Between the queue's loop and the engine stands this file: it knows the job, its row in the history and its child, and
turns whatever happens into one of four ends: completed, failed for good, failed for now, put back.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ethereal_gui.domain.errors import (
    CancelledByUserError,
    EtherealError,
    InputError,
    OutputFolderError,
    PartFailedError,
    StorageError,
    TransferError,
)
from ethereal_gui.domain.job import JobStatus, PartJobData, Progress, RenderJobData, RenderOutcome, Stage
from ethereal_gui.queue.parts import PartsState
from ethereal_gui.render.progress import SHARES
from ethereal_gui.render.spec import SplitUp
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.delivery import DeliveredRender
from ethereal_gui.worker.messages import Done, RenderRequest
from ethereal_gui.worker.reach import UNREADABLE, LeftToOthersError, check_reach
from ethereal_gui.worker.reporter import JobReporter
from ethereal_gui.worker.requests import (
    errands_of,
    make_request,
    output_dir_of,
    read_job_data,
    seen_by_submitter,
    shared_dir_of,
)
from ethereal_gui.worker.sandbox import Interrupted
from ethereal_gui.worker.storage import WaitForStorage

_T = TypeVar("_T")


class WaitForParts(Exception):
    """Others render the parts of the video; the job is taken again when they are done."""


@dataclass(slots=True)
class JobHandle:
    """What a job runner needs of the queue's job; the worker fills it with the queue's own calls.

    Attributes:
        id, raw_data: as the queue has them.
        attempt, attempts: number of this attempt, and how many there may be.
        update_data, send_progress, send_line, record_outcome: write to the queue.
        may_wait: whether the job waits for storage after this error, instead of failing its attempt.
        unreachable: what to raise instead of an error that other workers may not meet.
        parts_state: what became of the parts of its video. add_parts: have others render them.
    """

    id: str
    raw_data: object
    attempt: int
    attempts: int
    update_data: Callable[[RenderJobData], Awaitable[None]]
    send_progress: Callable[[Progress], Awaitable[None]]
    send_line: Callable[[str], Awaitable[None]]
    record_outcome: Callable[[RenderJobData, JobStatus, RenderOutcome | None, str | None], Awaitable[None]]
    may_wait: Callable[[EtherealError], bool]
    unreachable: Callable[[EtherealError], Awaitable[LeftToOthersError | EtherealError]]
    parts_state: Callable[[], Awaitable[PartsState]]
    add_parts: Callable[[list[PartJobData]], Awaitable[None]]


@dataclass(slots=True)
class JobRunner:
    """Runs one attempt of one job. ``stop`` may be called at any time, also before the child is there."""

    config: WorkerConfig
    store: RenderStore
    job: JobHandle
    latest: Progress | None = None
    output_dir: Path = field(init=False)
    _process: DeliveredRender | None = field(default=None, init=False)
    _stop: type[CancelledByUserError | Interrupted] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.output_dir = self.config.output_dir

    @property
    def job_id(self) -> str:
        """The job that it runs."""
        return self.job.id

    def stop(self, because: type[CancelledByUserError | Interrupted]) -> None:
        """Kill the child; ``run`` raises ``because``."""
        self._stop = self._stop or because
        if self._process:
            self._process.stop(because)

    async def run(self) -> RenderOutcome:
        """Render.

        Raises:
            EtherealError: the attempt failed; ``retryable`` says whether another one can help.
            CancelledByUserError: the user cancelled it.
            Interrupted: the worker takes it back; nothing is recorded in the queue.
            WaitForStorage: it goes back until a disk is there and has room; nothing is recorded in the queue.
            LeftToOthersError: it goes back for a worker that can read its files; nothing is recorded in the queue.
            WaitForParts: others render its parts first; nothing is recorded in the queue.
        """
        data = read_job_data(self.job.raw_data)
        with contextlib.suppress(InputError):  # make_request says it
            self.output_dir = output_dir_of(self.config, data)
        reporter = JobReporter(self.job.send_progress, self.job.send_line)
        row_id: str | None = None
        try:
            await self._look_at_files(data)
            row_id = await asyncio.to_thread(self._begin, data)
            if data.render_db_id != row_id:
                data = data.model_copy(update={"render_db_id": row_id})
                await self._insist(lambda: self.job.update_data(data))
            outcome = await self._render(data, reporter)
            await asyncio.to_thread(self.store.complete, row_id, outcome)
            path = seen_by_submitter(self.config, data, outcome.output_path)
            outcome = outcome.model_copy(update={"output_path": path})
            await self._record(data, JobStatus.COMPLETED, outcome, None)
            return outcome
        except Interrupted:
            reporter.log("The worker stopped; the job goes back into the queue and keeps what is rendered.")
            await self._end(row_id, "interrupted", None)
            raise
        except WaitForParts:
            await self._end(row_id, "interrupted", None)
            raise
        except CancelledByUserError as error:
            reporter.log("Cancelled.")
            await self._end(row_id, "cancelled", None)
            await self._record(data, JobStatus.FAILED, None, str(error))
            raise
        except LeftToOthersError as leaving:
            if leaving.is_first:
                reporter.log(leaving.left.note)
            await self._end(row_id, "interrupted", None)
            raise
        except EtherealError as error:
            reporter.log(f"{error.code}: {error}")
            if self.job.may_wait(error):
                reporter.log("The job goes back into the queue, keeps what is rendered, and loses no attempt.")
                await self._end(row_id, "interrupted", str(error))
                raise WaitForStorage from error
            await self._end(row_id, "failed", str(error))
            await self._record(data, JobStatus.FAILED, None, str(error))
            raise
        finally:
            await reporter.close()

    def _begin(self, data: RenderJobData) -> str:
        return self.store.begin(self.job.id, data, attempt=self.job.attempt, worker=self.config.name)

    async def _record(
        self, data: RenderJobData, status: JobStatus, outcome: RenderOutcome | None, reason: str | None
    ) -> None:
        await self._insist(lambda: self.job.record_outcome(data, status, outcome, reason))

    async def _end(self, row_id: str | None, status: str, error: str | None) -> None:
        """Note in the history how the attempt ended; a full disk under the history must not hide the reason."""
        if row_id is not None:
            with contextlib.suppress(StorageError):
                await asyncio.to_thread(self.store.end, row_id, status, error)

    async def _insist(self, make_call: Callable[[], Awaitable[_T]]) -> _T:
        """Call until it succeeds, waiting longer between tries: a server may be away for the whole night.

        Raises:
            Interrupted: the worker stops before that; the queue finds the job stalled and has it taken up again.
        """
        pause = 0.5
        while True:
            try:
                return await make_call()
            except Exception as error:
                if self._stop is Interrupted:
                    raise Interrupted from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _look_at_files(self, data: RenderJobData) -> None:
        """Leave a job whose files are not to be seen here; whoever has nobody to leave it to goes on and fails it."""
        try:
            await asyncio.to_thread(check_reach, make_request(self.config, self.job.id, data))
        except (*UNREADABLE, OutputFolderError) as error:
            if isinstance(error, OutputFolderError) and self.output_dir == self.config.output_dir:
                return  # this worker's own drive is gone, which is its trouble with every job
            answer = await self._ask_others(error)
            if isinstance(answer, LeftToOthersError):
                raise answer from error
        except EtherealError:
            return

    async def _render(self, data: RenderJobData, reporter: JobReporter) -> RenderOutcome:
        try:
            return await self._attempt(data, reporter)
        except (*UNREADABLE, TransferError) as error:
            raise await self._ask_others(error) from error

    async def _ask_others(self, error: EtherealError) -> LeftToOthersError | EtherealError:
        return await self._insist(lambda: self.job.unreachable(error))

    async def _attempt(self, data: RenderJobData, reporter: JobReporter) -> RenderOutcome:
        started = time.monotonic()
        request = make_request(self.config, self.job.id, data)
        parts = PartsState("none")
        if data.split_minutes is not None and (shared := shared_dir_of(self.config, self.job.id, data)):
            parts = await self._insist(self.job.parts_state)
            if parts.kind == "wanted":
                raise WaitForParts
            if parts.kind == "failed":
                raise PartFailedError(f"A part of the video failed: {parts.reason}")
            # Parts that were rendered and cannot be seen here are not given to others again and again.
            over = data.split_minutes * 60 if parts.kind == "none" else None
            encoder = request.encoder if parts.elapsed is None else "software"  # as the parts were made
            request = request.model_copy(update={"shared_dir": str(shared), "split_over": over, "encoder": encoder})
        reporter.log(
            f"Attempt {self.job.attempt} of {self.job.attempts} on {self.config.name}: "
            f"“{data.audio_file.original_name}”, {request.output_format}, {request.template.name}, "
            f"{request.fps} frames per second, {request.quality} quality."
        )

        def on_progress(progress: Progress) -> None:
            if parts.kind == "done" and progress.stage is Stage.ANALYSING:
                return  # it is long past that
            self.latest = progress
            reporter.progress(progress)

        self._process = DeliveredRender(
            request,
            errands_of(self.config, self.job.id, data),
            on_progress=on_progress,
            on_log=reporter.log,
            hang_seconds=self.config.hang_seconds,
        )
        if self._stop:
            self._process.stop(self._stop)
        try:
            done = await self._process.run()
        except SplitUp as up:
            await self._split_up(data, request, up, reporter)
            raise WaitForParts from None
        outcome = self._outcome(done, parts.elapsed or time.monotonic() - started)
        speed = outcome.duration / outcome.elapsed if outcome.elapsed else 0.0
        reporter.log(
            f"Done in {outcome.elapsed:.1f} s ({speed:.2f} x real time): {outcome.output_path}, "
            f"{outcome.frames} frames, {outcome.size / 1e6:.1f} MB."
        )
        return outcome

    async def _split_up(self, data: RenderJobData, request: RenderRequest, up: SplitUp, reporter: JobReporter) -> None:
        """Have others render the parts, with what this worker has decided."""
        own_folder = self.config.own_output_only or not data.output_dir
        chosen = {
            "fps": request.fps,
            "quality": request.quality,
            "output_dir": str(self.output_dir) if own_folder else data.output_dir,
        }
        job = data.model_copy(update=chosen)
        split = up.split
        parts = [
            PartJobData(
                job_id=self.job.id, job=job, mark=split.mark, frames=split.frames, start=part.start, stop=part.stop
            )
            for part in split.parts
        ]
        await self._insist(lambda: self.job.add_parts(parts))
        done = split.frames - sum(part.frames for part in split.parts)
        low, high = SHARES[Stage.RENDERING]
        begun = low + (high - low) * done / split.frames
        reporter.progress(Progress(stage=Stage.RENDERING, fraction=begun, frame=done, frames=split.frames))
        reporter.log(f"Split up into {len(parts)} parts, which all workers render.")

    def _outcome(self, done: Done, elapsed: float) -> RenderOutcome:
        return RenderOutcome(
            output_path=done.output_path,
            duration=done.duration,
            frames=done.frames,
            size=done.size,
            elapsed=round(elapsed, 3),
            worker=self.config.name,
        )
