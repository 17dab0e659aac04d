"""What the window costs with 10,000 jobs in 50 batches: steps of its event loop, start, drops, memory, idling.

    python benchmarks/window.py [model] [start] [drop] [live] [preview]

``model``: made-up jobs, so that only the window is measured. ``start``: fresh processes, from the first instruction to
the whole queue on the screen, with the embedded server running and without. ``drop``: 5,000 files. ``live``: the
embedded server with 10,000 jobs, idle, then for a minute with a real render while somebody scrolls, sorts and filters.
``preview``: the engine's pictures while a song is played.
Runs offscreen; a step is the time between two turns of the event loop.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["ETHEREAL_DATA_DIR"] = tempfile.mkdtemp(prefix="ethereal-benchmark-")

import psutil
import qasync
import window_start
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program, make_application
from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings
from ethereal_gui.ui import preview_panel
from ethereal_gui.ui.main_window import MainWindow
from ethereal_gui.ui.states import DisplayState, StateGroup
from ethereal_gui.worker.preview import PreviewPicture
from tests import media
from tests.ui import samples
from tests.ui.stand_in import StandInService, draw

BATCHES, SONGS, FORMATS = 50, 100, ("1080p", "1080p_vertical")
JOBS = BATCHES * SONGS * len(FORMATS)
FILES = 5000
AS_THE_COMMAND = (
    "import gc, runpy, sys; gc.disable(); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)
made = [os.environ["ETHEREAL_DATA_DIR"]]
"""Folders that go at the end."""
Section = Callable[[QApplication], Awaitable[None]]


class LoopWatch(QObject):
    """Notes the longest time between two turns of the event loop, and how much of a processor's time a turn took.

    Where other programs want the processors too, the second one says what the window itself is to blame for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._longest = self._hardest = self._last = self._worked = 0.0
        self._begin_anew()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._timer.start(0)

    def _turn(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self._hardest = max(self._hardest, worked - self._worked)
        self._last, self._worked = now, worked

    def report(self, activity: str) -> None:
        """Print and begin anew."""
        own = f"ms ({self._hardest * 1000:.1f} ms of work)"
        tell(f"{activity}, longest step", self._longest * 1000, own)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._longest = self._hardest = 0.0
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def stop(self) -> None:
        """Take no more turns: they cost a processor."""
        self._timer.stop()


def tell(what: str, number: float, unit: str) -> None:
    """A line of the result."""
    print(f"{what:<52}{number:10.1f} {unit}", flush=True)


async def use(window: MainWindow, watch: LoopWatch) -> None:
    """What a person does with a queue."""
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


async def model(app: QApplication) -> None:
    """All activities on made-up jobs, one after the other."""
    service = StandInService(load_settings())
    program = Program(app, service.settings, service, draw)
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
    await use(window, watch)
    line = [job.id for job in window.model.jobs_in(DisplayState.WAITING)]
    for place in (1, 2000, 4000):
        service.show(order=[*line[place:], *line[:place]])
        await asyncio.sleep(0.3)
    watch.report("another order of the waiting jobs")
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
    tell("until a burst of 1,000 changes was shown", (time.perf_counter() - began) * 1000, "ms")
    await asyncio.sleep(0.5)
    watch.report("burst of 1,000 changes")
    tell("memory", psutil.Process().memory_info().rss / 1e6, "MB")
    watch.stop()
    program.close("stop")
    await running


async def start(app: QApplication) -> None:  # noqa: ARG001
    """The program's start as a person sees it, in fresh processes."""
    await fill_queue()
    service = window_start.WithoutWorker(load_settings())
    for words, keep in (("the server has to start", False), ("the server runs", True)):
        if keep:
            await service.start()
        for _ in range(3):
            command = [sys.executable, "-c", AS_THE_COMMAND, window_start.__file__, str(JOBS + BATCHES)]
            answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
            times = [float(number) for number in answer.stdout.split()[-6:]]
            whats = ("window", "top of the queue", f"all {JOBS:,} jobs")
            for what, seconds, work in zip(whats, times[::2], times[1::2], strict=True):
                tell(f"start, {words}: {what}", seconds, f"s ({work:.1f} s of work)")
    await service.close()


async def drop(app: QApplication) -> None:
    """5,000 songs dropped at once: answered, looked into, and another 5,000 that are called off."""
    made.append(tempfile.mkdtemp(prefix="ethereal-drop-"))
    folder = Path(made[-1])
    sound = media.write_audio(folder / "first.wav", media.tone(0.2)).read_bytes()
    for number in range(FILES - 1):
        (folder / f"song {number:04}.wav").write_bytes(sound)
    service = StandInService(load_settings())
    program = Program(app, service.settings, service, draw)
    page = program.window.create_page
    running = asyncio.get_running_loop().create_task(program.run())
    await asyncio.sleep(2)
    watch = LoopWatch()
    for called_off in (False, True):
        page.songs.clear()
        page.note.clear()
        began = time.perf_counter()
        program.window.add_paths([folder])
        while not page.note.text():
            await asyncio.sleep(0)
        tell("drop of 5,000 files: answer", (time.perf_counter() - began) * 1000, "ms")
        if called_off:
            await asyncio.sleep(0.5)
            began = time.perf_counter()
            page.stop_intake.click()
            while page.note.text() != "Stopped.":
                await asyncio.sleep(0)
            tell("drop of 5,000 files: called off within", (time.perf_counter() - began) * 1000, "ms")
        else:
            while page.songs.rowCount() < FILES:
                await asyncio.sleep(0.01)
            tell("drop of 5,000 files: all looked into", time.perf_counter() - began, "s")
            await asyncio.sleep(3)
        watch.report("drop of 5,000 files")
    watch.stop()
    program.close("stop")
    await running


async def live(app: QApplication) -> None:
    """The real queue: idle, then a minute of use while a song is rendered."""
    await fill_queue()
    service = RenderService(load_settings())
    keeper = window_start.WithoutWorker(service.settings)
    await keeper.start()
    program = Program(app, service.settings, service)
    window = program.window
    window.resize(1400, 900)
    running = asyncio.get_running_loop().create_task(program.run())
    window.show_page("queue")
    while window.model.job_count < JOBS:
        await asyncio.sleep(0.1)
    await asyncio.sleep(20)
    process = psutil.Process()
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(20)
    spent = sum(process.cpu_times()[:2]) - before
    tell("idle, of one core", 100 * spent / (time.perf_counter() - began), "%")
    tell("idle, memory", process.memory_info().rss / 1e6, "MB")
    song = media.write_audio(Path(made[0]) / "long.wav", media.tone(300.0))
    added = await service.submit([audio(song)], "flame", ["1080p"])
    await service.move(added.job_ids, "top")
    await service.resume()
    while not window.model.count(DisplayState.RUNNING):
        await asyncio.sleep(0.1)
    await asyncio.sleep(15)
    watch = LoopWatch()
    until = time.perf_counter() + 60
    while time.perf_counter() < until:
        print("-- while a song is rendered")
        await use(window, watch)
    tell("memory", process.memory_info().rss / 1e6, "MB")
    watch.stop()
    program.close("stop")
    await running
    await keeper.close()


async def preview(app: QApplication) -> None:
    """The live preview of every template, 960x540 with the sound's clock, while nothing else is done."""
    service = StandInService(load_settings())
    program = Program(app, service.settings, service)
    window = program.window
    window.resize(1920, 1080)
    running = asyncio.get_running_loop().create_task(program.run())
    page = window.create_page
    window.add_paths(sorted(resource_path("audio").glob("*.mp3")))
    while not (page.songs.rowCount() and page.gallery.chosen and window.preview.stage.has_image):
        await asyncio.sleep(0.1)
    frames = 0

    def count(picture: PreviewPicture) -> QImage:
        nonlocal frames
        frames += 1
        return image_of(picture)

    image_of, preview_panel.to_image = preview_panel.to_image, count
    for template in page.templates.all:
        page.gallery.choose(template.id)
        await asyncio.sleep(1)
        window.preview.scrub.setValue(4000)
        window.preview.toggle()
        frames = 0
        while frames < 30:  # the kernels have been compiled
            await asyncio.sleep(0.1)
        window.preview.scrub.setValue(4000)
        await asyncio.sleep(1)
        frames, began = 0, time.perf_counter()
        await asyncio.sleep(6)
        size = window.preview._request()
        assert size
        words = f"preview of {template.name}, {size.width}x{size.height}"
        tell(words, frames / (time.perf_counter() - began), "frames/s")
        window.preview.stop()
    preview_panel.to_image = image_of
    program.close("stop")
    await running


async def fill_queue() -> None:
    """10,000 waiting jobs in 50 batches on the embedded server, which is stopped again; the queue is paused."""
    service = window_start.WithoutWorker(load_settings())
    await service.start()
    await service.pause()
    if len(await service.batches()) < BATCHES:
        for number in range(BATCHES):
            songs = [samples.song(number * SONGS + place) for place in range(SONGS)]
            await service.submit(songs, "flame", FORMATS)
    await service.close()


def audio(path: Path) -> AudioFile:
    """A song for the queue."""
    return AudioFile(id="benchmark", path=str(path), original_name=path.name, duration=300.0)


SECTIONS: dict[str, Section] = {
    "model": model,
    "start": start,
    "drop": drop,
    "live": live,
    "preview": preview,
}


def main() -> None:
    """Measure in a fresh application."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), choices=list(SECTIONS))
    sections = parser.parse_args().sections
    app = make_application(["benchmark"])
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        for name in sections:
            loop.run_until_complete(SECTIONS[name](app))
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
