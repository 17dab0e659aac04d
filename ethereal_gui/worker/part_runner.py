"""One part of a video that was split up: its child process, its progress, and when to leave it to another worker."""

import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import (
    CancelledByUserError,
    EtherealError,
    InputError,
    JobDataError,
    OutputFolderError,
    PartRefusedError,
)
from ethereal_gui.domain.job import PartJobData, Progress
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.reporter import JobReporter
from ethereal_gui.worker.requests import make_part_request, output_dir_of, work_dir_of
from ethereal_gui.worker.sandbox import Interrupted, RenderProcess
from ethereal_gui.worker.storage import WaitForStorage
from ethereal_gui.worker.workspace import remove_work_dir

REPORT_SECONDS: Final = 1.0
"""How often one part has the progress of its whole video summed up."""


class PartLeft(Exception):
    """This worker cannot render the part; the text says why."""


@dataclass(slots=True)
class PartHandle:
    """What a part runner needs of the queue.

    Attributes:
        id, data: of the part.
        send_progress: of the part. report: sums up the progress of the whole video.
        send_line: to the log of the job whose video it is.
        may_wait: whether the part waits for storage after this error, instead of failing its attempt.
    """

    id: str
    data: PartJobData
    send_progress: Callable[[Progress], Awaitable[None]]
    report: Callable[[], Awaitable[None]]
    send_line: Callable[[str], Awaitable[None]]
    may_wait: Callable[[EtherealError], bool]


@dataclass(slots=True)
class PartRunner:
    """Runs one attempt at one part. ``stop`` may be called at any time, also before the child is there."""

    config: WorkerConfig
    part: PartHandle
    latest: Progress | None = None
    output_dir: Path = field(init=False)
    _process: RenderProcess | None = field(default=None, init=False)
    _stop: type[CancelledByUserError | Interrupted] | None = field(default=None, init=False)
    _reported: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.output_dir = self.config.output_dir
        with contextlib.suppress(JobDataError):  # make_part_request says it
            self.output_dir = output_dir_of(self.config, self.part.data.job)

    @property
    def job_id(self) -> str:
        """The job whose video it is."""
        return self.part.data.job_id

    def stop(self, because: type[CancelledByUserError | Interrupted]) -> None:
        """Kill the child; ``run`` raises ``because``."""
        self._stop = self._stop or because
        if self._process:
            self._process.stop(because)

    async def run(self) -> None:
        """Render.

        Raises:
            PartLeft: another worker may be able to.
            EtherealError: the attempt failed; ``retryable`` says whether another one can help.
            CancelledByUserError: nobody wants it any more. Interrupted: the worker takes it back.
            WaitForStorage: it goes back until a disk has room.
        """
        data = self.part.data
        reporter = JobReporter(self._send_progress, self.part.send_line)
        name = f"Frames {data.start} to {data.stop - 1}"
        started = time.monotonic()
        try:
            await self._render(reporter)
            reporter.log(f"{name}: done in {time.monotonic() - started:.1f} s on {self.config.name}.")
        except (InputError, OutputFolderError, PartRefusedError) as error:
            reporter.log(f"{name}: left to others by {self.config.name}. {error}")
            raise PartLeft(str(error)) from error
        except EtherealError as error:
            if isinstance(error, CancelledByUserError):
                raise
            reporter.log(f"{name}: {error.code} on {self.config.name}: {error}")
            if self.part.may_wait(error):
                raise WaitForStorage from error
            raise
        finally:
            remove_work_dir(work_dir_of(self.config, self.part.id))
            await reporter.close()

    async def _render(self, reporter: JobReporter) -> None:
        def on_progress(progress: Progress) -> None:
            self.latest = progress
            reporter.progress(progress)

        request = make_part_request(self.config, self.part.id, self.part.data)
        self._process = RenderProcess(
            request, on_progress=on_progress, on_log=reporter.log, hang_seconds=self.config.hang_seconds
        )
        if self._stop:
            self._process.stop(self._stop)
        await self._process.run_part()

    async def _send_progress(self, progress: Progress) -> None:
        await self.part.send_progress(progress)
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            await self.part.report()
            self._reported = time.monotonic()
