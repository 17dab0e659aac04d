"""A service that shows what it is told to: for states that a real server cannot be brought into at will."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import numpy as np

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.batch import BatchJobData, new_batch_id
from ethereal_gui.domain.job import JobSnapshot, RenderJobData, RenderOptions
from ethereal_gui.domain.worker_info import WorkerInfo
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import ActionResult, Removed, ServerState, SubmittedBatch, Update
from ethereal_gui.settings import Settings
from ethereal_gui.store.renders import HistoryTotals, RenderRecord
from ethereal_gui.worker.preview import PreviewPicture, PreviewRequest, VideoRequest
from tests.ui.samples import worker

ONLINE = ServerState("embedded", "built-in", True)


async def draw(request: PreviewRequest | VideoRequest) -> PreviewPicture:
    """A glow in the middle, brighter with time: something to look at without the engine."""
    y, x = np.mgrid[0 : request.height, 0 : request.width].astype(np.float32)
    far = np.hypot((x - request.width / 2) / request.height, (y - request.height * 0.6) / request.height * 0.8)
    light = np.exp(-far * (7 - 3 * np.sin(request.time)))
    rgb = np.stack([light * 255, light**1.6 * 170, light**2.6 * 90], 2)
    return PreviewPicture(request.width, request.height, np.clip(rgb, 0, 255).astype(np.uint8).tobytes(), 0.0)


class StandInService(RenderService):
    """Keeps jobs in memory; remembers what it was asked to do.

    Attributes:
        asked: actions and their arguments, in order.
        records: the history.
        running: what ``running_jobs`` says.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[tuple[str, object]] = []
        self.running = 0
        self.paused = False
        self.records: list[RenderRecord] = []
        self.log = ["Analysing", "Rendering 7,419 frames"]
        self._updates: asyncio.Queue[Update] = asyncio.Queue()

    async def start(self, *, worker: bool = True) -> None:
        self.asked.append(("start", worker))

    async def close(self, mode: str = "now") -> None:
        self.asked.append(("close", mode))

    def running_jobs(self) -> int:
        return self.running

    def show(
        self,
        batches: Iterable[BatchJobData] = (),
        jobs: Iterable[JobSnapshot] = (),
        *,
        workers: Sequence[WorkerInfo] = (worker(),),
        server: ServerState = ONLINE,
        paused: bool = False,
        full: bool = False,
        removed: Sequence[str] = (),
        order: Sequence[str] | None = None,
    ) -> Update:
        """Let the window see that."""
        update = Update(
            server=server,
            paused=paused,
            workers=tuple(workers),
            jobs=tuple(jobs),
            removed=tuple(removed),
            batches=tuple(batches),
            full=full,
            order=None if order is None else tuple(order),
        )
        self._updates.put_nowait(update)
        return update

    async def watch(self) -> AsyncIterator[Update]:
        while True:
            update = await self._updates.get()
            self._queued.look(update)
            yield update

    async def submit(
        self,
        audio_files: Sequence[AudioFile],
        template: str,
        output_formats: Sequence[str],
        options: RenderOptions | None = None,
        batch_id: str | None = None,
    ) -> SubmittedBatch:
        self.asked.append(("submit", (list(audio_files), template, list(output_formats), options)))
        made = batch_id or new_batch_id()
        ids = tuple(f"{made}-{audio.id}-{name}" for audio in audio_files for name in output_formats)
        return SubmittedBatch(made, ids)

    async def pause(self) -> None:
        self.asked.append(("pause", None))

    async def resume(self) -> None:
        self.asked.append(("resume", None))

    async def cancel(self, job_ids: Iterable[str]) -> ActionResult:
        return self._note("cancel", job_ids)

    async def retry(self, job_ids: Iterable[str]) -> ActionResult:
        return self._note("retry", job_ids)

    async def hold(self, job_ids: Iterable[str]) -> ActionResult:
        return self._note("hold", job_ids)

    async def release(self, job_ids: Iterable[str]) -> ActionResult:
        return self._note("release", job_ids)

    async def move(self, job_ids: Sequence[str], where: str) -> ActionResult:
        return self._note(f"move {where}", job_ids)

    async def set_priority(self, job_ids: Iterable[str], priority: int) -> ActionResult:
        return self._note(f"priority {priority}", job_ids)

    async def remove(self, job_ids: Iterable[str]) -> Removed:
        return Removed(self._note("remove", job_ids), (), "")

    async def undo_remove(self, removed: Removed) -> ActionResult:
        return self._note("undo", removed.result.done)

    async def edit(self, job_id: str, data: RenderJobData) -> ActionResult:
        self.asked.append(("edit", data))
        return ActionResult((job_id,), {})

    async def attempt_errors(self, job_id: str) -> list[str]:
        return ["The renderer ended unexpectedly.", "The disk was full."]

    async def job_log(self, job_id: str) -> list[str]:
        return list(self.log)

    async def history(self, text: str = "", *, limit: int = 200, offset: int = 0) -> list[RenderRecord]:
        found = [record for record in self.records if text.casefold() in record.audio_name.casefold()]
        return found[offset : offset + limit]

    async def history_totals(self) -> HistoryTotals:
        done = [record for record in self.records if record.status == "completed"]
        return HistoryTotals(
            len(done),
            sum(record.duration or 0 for record in done),
            sum(record.size or 0 for record in done),
            sum(record.elapsed or 0 for record in done),
        )

    def _note(self, action: str, job_ids: Iterable[str]) -> ActionResult:
        ids = list(job_ids)
        self.asked.append((action, ids))
        return ActionResult(tuple(ids), {})
