"""The processes of ``benchmarks/farm.py``: workers that take jobs and render nothing, and a window's poller."""

import asyncio
import os
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from ethereal_gui.domain.job import Progress, Stage
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.queue.connection import address_from_url
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings
from ethereal_gui.worker import delivery
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.messages import Done
from ethereal_gui.worker.presence import Presence
from ethereal_gui.worker.render_worker import RenderWorker

PROGRESS_SECONDS = 0.25


class PretendedRender:
    """In place of ``RenderProcess``: as long, as talkative, and no work."""

    seconds = 2.0

    def __init__(self, request: Any, *, on_progress: Callable[[Progress], None], **_: Any) -> None:
        self._request = request
        self._on_progress = on_progress
        self._stopped: type[Exception] | None = None

    def stop(self, because: type[Exception]) -> None:
        """End soon."""
        self._stopped = self._stopped or because

    async def run(self) -> Done:
        """Wait and report."""
        steps = max(1, round(self.seconds / PROGRESS_SECONDS))
        for step in range(steps):
            await asyncio.sleep(self.seconds / steps)
            if self._stopped:
                raise self._stopped
            at = (step + 1) / steps
            self._on_progress(
                Progress(
                    stage=Stage.RENDERING, fraction=at, fps=21.5, time_left=9.5, frame=round(7200 * at), frames=7200
                )
            )
        path = f"{self._request.output_dir}/2026-11-25_{self._request.name_fields['song']}_1080p_v1.mp4"
        return Done(output_path=path, duration=240.0, frames=7200, size=214_748_364)


def run_workers(url: str, number: int, work: float, folder: str, order: Connection) -> None:
    """A process with some workers, until it is told to end."""

    async def nothing(_: Presence) -> None:
        return

    PretendedRender.seconds = work

    async def main() -> None:
        address = address_from_url(url)
        workers = [
            RenderWorker(
                WorkerConfig(
                    address=address,
                    data_dir=Path(folder) / f"{os.getpid()}-{n}",
                    output_dir=Path(folder) / "out",
                    name_pattern="{date}_{song}_{format}_v{n}",
                    template_dirs=(resource_path("templates"),),
                )
            )
            for n in range(number)
        ]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        while not order.poll():
            await asyncio.sleep(0.2)
        for worker in workers:
            worker.request_stop(0.0)
        await asyncio.gather(*running)

    with patch.object(delivery, "RenderProcess", PretendedRender), patch.object(Presence, "find_encoders", nothing):
        asyncio.run(main())


def run_window(url: str, folder: str, order: Connection) -> None:
    """A window's eyes without the window: reads everything once, says so, and follows until it is told to end."""
    os.environ.update(REDIS_URL=url, ETHEREAL_DATA_DIR=folder)

    async def main() -> None:
        service = RenderService(load_settings())
        await service.start(worker=False)
        began, before = time.monotonic(), _memory()
        jobs, updates = 0, 0

        async def follow() -> None:
            nonlocal jobs, updates
            async for update in service.watch():
                updates += 1
                jobs += len(update.jobs)
                if update.full:
                    order.send((time.monotonic() - began, len(update.jobs), _memory() - before))

        following = asyncio.create_task(follow())
        while True:
            while not order.poll():
                await asyncio.sleep(0.1)
            if order.recv() is None:
                break
            order.send((jobs, updates, sum(psutil.Process().cpu_times()[:2])))
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await service.close()

    asyncio.run(main())


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
