"""The window's own worker: a ``RenderWorker`` on a thread with an event loop of its own."""

import asyncio
import logging
import threading
from collections.abc import Callable

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.render_worker import RenderWorker

log = logging.getLogger(__name__)


class WorkerThread:
    """Starts, watches and stops a worker from another thread.

    Attributes:
        error: why the worker ended by itself, a sentence for people; None while it runs.
    """

    def __init__(self, config: WorkerConfig, *, on_event: Callable[[str], None] = lambda _: None) -> None:
        self.config = config
        self.error: str | None = None
        self._on_event = on_event
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: RenderWorker | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="render-worker", daemon=True)

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """The worker runs."""
        return self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Why it ended, or what it cannot do with the server at present, a sentence; None while all is well."""
        return self.error or (self._worker.trouble if self._worker else None)

    @property
    def running_jobs(self) -> int:
        """Jobs that are being rendered at this moment."""
        return self._worker.running_jobs if self._worker and self.is_alive else 0

    def request_stop(self, finish_within: float) -> None:
        """Take nothing new; put back what has not finished within so many seconds. Returns at once."""
        self._ready.wait(timeout=5)
        if self._loop and self._worker and self.is_alive:
            try:
                self._loop.call_soon_threadsafe(self._worker.request_stop, finish_within)
            except RuntimeError:
                log.debug("the worker's loop was closed already")

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; True when the worker has ended. Blocking: not for an event loop."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except EtherealError as error:
            self.error = str(error)
            self._on_event(self.error)
        except Exception as error:
            log.exception("the worker ended")
            self.error = f"The worker stopped with an unexpected error: {error}."
            self._on_event(self.error)
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._worker = RenderWorker(self.config, on_event=self._on_event)
        self._ready.set()
        await self._worker.run()
