"""Progress of several renders on a terminal: bars on a screen, a line now and then in a log file."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from ethereal_gui.domain import job

LINE_EVERY_SECONDS = 5.0


def describe(progress: job.Progress) -> str:
    """What a running render is busy with, its speed and the time left."""
    if progress.stage is job.Stage.PREPARING:
        return "preparing the drawing code for this computer: about 15 s, only this once"
    parts = [progress.stage.value]
    if progress.fps:
        parts.append(f"{progress.fps:.1f} fps")
    if progress.time_left is not None:
        parts.append(f"{progress.time_left:.0f} s left")
    return ", ".join(parts)


class ProgressView:
    """One bar per render, by a key of the caller's. Writes to standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._live,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> "ProgressView":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, key: str, label: str, fraction: float, note: str, *, always: bool = False) -> None:
        """Set a render's bar; in a log file at most one line in five seconds, or at once with ``always``."""
        if self._live:
            if key not in self._tasks:
                self._tasks[key] = self._bars.add_task(label, total=1.0, note=note)
            self._bars.update(self._tasks[key], completed=fraction, note=note)
            return
        now = time.monotonic()
        if always or now - self._said.get(key, 0.0) >= LINE_EVERY_SECONDS:
            self._said[key] = now
            print(f"{label}: {fraction:.0%} {note}", file=sys.stderr, flush=True)
