"""Real BullMQ workers for tests: they take jobs and do what the test says instead of rendering."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bullmq import Job, Worker

from ethereal_gui.domain.job import RenderOutcome
from ethereal_gui.queue.connection import worker_client
from ethereal_gui.queue.render_queue import RenderQueue

Processor = Callable[[Job, str], Awaitable[Any]]


def outcome(name: str = "out.mp4") -> RenderOutcome:
    """What a finished render returns."""
    return RenderOutcome(output_path=f"/videos/{name}", duration=3.0, frames=90, size=1234, elapsed=1.5, worker="w1")


@asynccontextmanager
async def working(queue: RenderQueue, processor: Processor, **options: Any) -> AsyncIterator[Worker]:
    """A running worker on the queue; stopped, and its running jobs ended, on the way out."""
    worker = Worker(
        queue.access.keys.queue_name,
        processor,
        {"connection": worker_client(queue.address), "autorun": False, "drainDelay": 0.05, **options},
    )
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.close(force=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Look again and again until something holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)
