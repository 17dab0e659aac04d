"""What a running job says to the queue, without ever making the render wait for the server.

Progress is merged: only the newest is sent, at most four times a second. Log lines keep their order. When the server
is away both wait; a bounded number of log lines is kept.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from ethereal_gui.domain.job import Progress

PROGRESS_INTERVAL = 0.25
MAX_WAITING_LINES = 200
MAX_LINE_LENGTH = 8_000


class JobReporter:
    """Sends one job's progress and log lines.

    Args:
        send_progress, send_line: coroutines that write to the queue; their failures are retried with the next value.
    """

    def __init__(
        self,
        send_progress: Callable[[Progress], Awaitable[None]],
        send_line: Callable[[str], Awaitable[None]],
    ) -> None:
        self._send_progress = send_progress
        self._send_line = send_line
        self._progress: Progress | None = None
        self._lines: deque[str] = deque(maxlen=MAX_WAITING_LINES)
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="job-reporter")

    def progress(self, progress: Progress) -> None:
        """Take note of the newest progress."""
        self._progress = progress
        self._wake.set()

    def log(self, text: str) -> None:
        """Queue text for the job's log, line by line."""
        self._lines.extend(line[:MAX_LINE_LENGTH] for line in text.rstrip().splitlines())
        self._wake.set()

    async def close(self, within: float = 2.0) -> None:
        """Send what is left, for at most ``within`` seconds."""
        self._closing = True
        self._wake.set()
        done, _ = await asyncio.wait({self._task}, timeout=within)
        if not done:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except Exception:
                # The server is away; what is newest by the next try is what counts.
                self._wake.set()
                if self._closing:
                    return
                await asyncio.sleep(1.0)
            if self._closing and not self._lines and self._progress is None:
                return
            await asyncio.sleep(0 if self._closing else PROGRESS_INTERVAL)

    async def _flush(self) -> None:
        while self._lines:
            await self._send_line(self._lines[0])
            self._lines.popleft()
        progress = self._progress
        if progress is not None:
            await self._send_progress(progress)
            if self._progress is progress:
                self._progress = None
            else:
                self._wake.set()
