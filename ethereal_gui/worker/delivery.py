"""A render whose song comes from a server, or whose video goes to one: fetch, render, send.

Whatever comes over the network lies in the job's own folder, so that the rendering child sees nothing but local files;
each transfer is a child process of its own. Where nothing is fetched or sent this is the render alone.
"""

import asyncio
import contextlib
import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from ethereal_gui.domain.errors import CancelledByUserError, TransferError
from ethereal_gui.domain.job import Progress
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.video.storage import writing
from ethereal_gui.worker.messages import (
    Done,
    FetchRequest,
    FolderRequest,
    RenderRequest,
    SendRequest,
    Transferred,
    TransferRequest,
)
from ethereal_gui.worker.sandbox import Interrupted, RenderProcess, TransferProcess

TRANSFER_SHARE: Final = 0.05
"""How much of the bar fetching takes, and sending."""

SEND_AGAIN_SECONDS: Final = (2, 5, 15, 60, 120, 300)

_Process = TypeVar("_Process", RenderProcess, TransferProcess)


@dataclass(frozen=True, slots=True)
class Errands:
    """What has to be brought for a render.

    Attributes:
        fetch: URLs, and the local paths at which the render expects them.
        send_to: URL of the folder for the video; None when the render itself puts it into its place.
    """

    fetch: tuple[tuple[str, Path], ...] = ()
    send_to: str | None = None


class DeliveredRender:
    """One render with everything that is to be brought for it.

    Args:
        request: what to render, with local paths.
        on_progress, on_log, hang_seconds: as for ``ChildProcess``.
    """

    def __init__(
        self,
        request: RenderRequest,
        errands: Errands,
        *,
        on_progress: Callable[[Progress], None],
        on_log: Callable[[str], None],
        hang_seconds: float,
    ) -> None:
        self._request = request
        self._errands = errands
        self._on_progress = on_progress
        self._on_log = on_log
        self._hang_seconds = hang_seconds
        self._work_dir = Path(request.work_dir)
        self._stopped = asyncio.Event()
        self._process: RenderProcess | TransferProcess | None = None
        self._stopped_because: type[CancelledByUserError | Interrupted] | None = None
        self._low = TRANSFER_SHARE if errands.fetch else 0.0
        self._high = 1.0 - TRANSFER_SHARE if errands.send_to else 1.0

    def stop(self, because: type[CancelledByUserError | Interrupted]) -> None:
        """Kill whatever runs; ``run`` then raises ``because``."""
        self._stopped_because = self._stopped_because or because
        self._stopped.set()
        if self._process:
            self._process.stop(because)

    async def run(self) -> Done:
        """Fetch, render, send. What an earlier attempt has done of it is not done again.

        Raises:
            EtherealError: what a child reported, or ``RenderCrashedError``.
            CancelledByUserError, Interrupted: ``stop`` was called.
        """
        errands = self._errands
        if errands.send_to:
            with writing(self._work_dir):
                private_folder(Path(self._request.output_dir))
            await self._transfer(FolderRequest(url=errands.send_to), 0.0, 0.0)
        for number, (url, path) in enumerate(errands.fetch):
            with writing(self._work_dir):
                private_folder(path.parent)
            share = self._low / len(errands.fetch)
            await self._transfer(FetchRequest(url=url, path=str(path)), number * share, (number + 1) * share)
        process = RenderProcess(
            self._request,
            on_progress=self._scaled(self._low, self._high),
            on_log=self._on_log,
            hang_seconds=self._hang_seconds,
        )
        done = await self._started(process).run()
        if not errands.send_to:
            return done
        sent = await self._send(self._send_request(done, errands.send_to))
        self._on_log(f"Sent {sent.size / 1e6:.1f} MB.")
        return done.model_copy(update={"output_path": sent.place})

    async def _send(self, request: SendRequest) -> Transferred:
        """Send, again and again for some minutes: what was rendered for hours lies only here."""
        for pause in SEND_AGAIN_SECONDS:
            try:
                return await self._transfer(request, self._high, 1.0)
            except TransferError as error:
                self._on_log(f"{error.message} Sending again in {pause} s.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopped.wait()
        return await self._transfer(request, self._high, 1.0)

    def _send_request(self, done: Done, folder: str) -> SendRequest:
        # Two machines may send into one folder, and have job folders of the same name.
        key = hashlib.sha256(f"{platform.node()}\0{self._work_dir}".encode("utf-8", "surrogatepass")).hexdigest()
        return SendRequest(
            path=done.output_path,
            folder=folder,
            name_pattern=self._request.name_pattern,
            name_fields=self._request.name_fields,
            key=key[:16],
            record=str(self._work_dir / "sent.json"),
        )

    async def _transfer(self, request: TransferRequest, low: float, high: float) -> Transferred:
        process = TransferProcess(
            request,
            work_dir=self._work_dir,
            on_progress=self._scaled(low, high),
            on_log=self._on_log,
            hang_seconds=self._hang_seconds,
        )
        return await self._started(process).run()

    def _started(self, process: _Process) -> _Process:
        self._process = process
        if self._stopped_because:
            process.stop(self._stopped_because)
        return process

    def _scaled(self, low: float, high: float) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            fraction = low + (high - low) * progress.fraction
            self._on_progress(progress.model_copy(update={"fraction": fraction}))

        return report
