"""How long the window's event loop is held with 10,000 jobs: loading, scrolling, sorting, filtering, progress, bursts.

    python benchmarks/window.py

Prints the longest step of the loop for each activity, in milliseconds, and the memory at the end. Runs offscreen with
made-up jobs, so that only the window is measured.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["ETHEREAL_DATA_DIR"] = tempfile.mkdtemp(prefix="ethereal-benchmark-")

import psutil
import qasync
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program, make_application
from ethereal_gui.settings import load_settings
from ethereal_gui.ui.states import DisplayState, StateGroup
from tests.ui import samples
from tests.ui.stand_in import StandInService, draw


class LoopWatch(QObject):
    """Notes the longest time between two turns of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._timer.start(0)

    def _turn(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last)
        self._last = now

    def report(self, activity: str) -> None:
        """Print and begin anew."""
        print(f"{activity:<28}{self._longest * 1000:8.1f} ms")
        self._longest = 0.0
        self._last = time.perf_counter()


async def measure(app: QApplication) -> None:
    """All activities, one after the other."""
    settings = load_settings()
    service = StandInService(settings)
    program = Program(app, settings, service, draw)
    window = program.window
    window.resize(1400, 900)
    running = asyncio.get_running_loop().create_task(program.run())
    batches, jobs = samples.many()
    window.show_page("queue")
    await asyncio.sleep(2)
    watch = LoopWatch()
    service.show(batches, jobs, full=True)
    while window.model.rowCount() < len(batches) + len(jobs):
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.5)
    watch.report("load 10,000 jobs")
    view, filters = window.queue_page.view, window.queue_page.filters
    for step in range(60):
        view.verticalScrollBar().setValue(step * 9000)
        await asyncio.sleep(0.01)
    watch.report("scroll")
    for section in (0, 1, 3, 4, 5, 6, -1):
        view.horizontalHeader().setSortIndicator(section, Qt.SortOrder.AscendingOrder)
        await asyncio.sleep(0.15)
    watch.report("sort by every column")
    for group in (*StateGroup, StateGroup.ALL):
        filters.choose(group)
        await asyncio.sleep(0.15)
    watch.report("filter by every state")
    for words in ("a", "au", "aurora", ""):
        filters.search.setText(words)
        await asyncio.sleep(0.3)
    watch.report("search")
    view.selectAll()
    await asyncio.sleep(0.3)
    view.clearSelection()
    watch.report("select all")
    current = window.model.jobs_in(DisplayState.RUNNING)[0].snapshot
    for step in range(60):
        service.show(jobs=[samples.running(current, 0.4 + step / 200)])
        await asyncio.sleep(0.05)
    watch.report("progress, 20 times a second")
    waiting = window.model.jobs_in(DisplayState.WAITING)[:1000]
    changed = [samples.done(job.snapshot) for job in waiting]
    done = window.model.count(DisplayState.DONE) + len(changed)
    began = time.perf_counter()
    service.show(jobs=changed)
    while window.model.count(DisplayState.DONE) < done:
        await asyncio.sleep(0)
    shown = time.perf_counter() - began
    await asyncio.sleep(0.5)
    watch.report("burst of 1,000 changes")
    print(f"{'until the burst was shown':<28}{shown * 1000:8.1f} ms")
    print(f"{'memory':<28}{psutil.Process().memory_info().rss / 1e6:8.0f} MB")
    program.close("stop")
    await running


def main() -> None:
    """Measure in a fresh application."""
    app = make_application(["benchmark"])
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(measure(app))


if __name__ == "__main__":
    main()
