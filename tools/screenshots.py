"""Drive the real window offscreen through its states and write a PNG of each.

    python tools/screenshots.py OUT_FOLDER [NAME...] [--scale 2]
    python tools/screenshots.py --readme

The pictures are for looking at: open every one after a change of the window. Batches and jobs are made up, previews
and thumbnails are drawn by the engine, all from the bundled song. ``--readme`` writes the four of the README into
docs/screenshots.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from palette import save_small

if TYPE_CHECKING:
    from ethereal_gui.worker.preview import PreviewPicture, PreviewRequest, VideoRequest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

Shot = Callable[["Stage"], Awaitable[None]]
SHOTS: dict[str, Shot] = {}
README = {"built": "new-batch", "parameters": "adjust", "mixed": "queue", "history": "history"}
"""Shots that the README shows, and their names there."""


def shot(function: Shot) -> Shot:
    """Register a state of the window under the function's name."""
    SHOTS[function.__name__.replace("_", "-")] = function
    return function


class Studio:
    """Draws with the engine; the made-up songs all sound like the bundled one."""

    def __init__(self, cache: Path) -> None:
        from ethereal_gui.domain.paths import resource_path
        from ethereal_gui.worker.preview import PreviewProcess

        self._process = PreviewProcess(cache)
        self._song = str(next(resource_path("audio").glob("*.mp3")))
        self.drawing = 0

    async def draw(self, request: "PreviewRequest | VideoRequest") -> "PreviewPicture":
        """One picture, at a moment that the bundled song has."""
        from ethereal_gui.worker.preview import VideoRequest

        self.drawing += 1
        if isinstance(request, VideoRequest):
            request = self._as_if_rendered(request)
        moment = 6.0 + request.time % 20.0
        asked = request.model_copy(update={"audio_path": self._song, "time": moment})
        try:
            picture = await self._process.picture(asked)
        finally:
            self.drawing -= 1
        return replace(picture, duration=0.0)

    @staticmethod
    def _as_if_rendered(request: "VideoRequest") -> "PreviewRequest":
        """What that video would show, had the made-up job been rendered."""
        from PySide6.QtCore import QSize, Qt

        from ethereal_gui.domain.formats import FORMATS
        from ethereal_gui.domain.paths import resource_path
        from ethereal_gui.domain.template import load_template
        from ethereal_gui.worker.preview import PreviewRequest

        name = Path(request.video_path).stem
        format_id = max((fmt for fmt in FORMATS if f"_{fmt}_" in name), key=len)
        fmt = FORMATS[format_id]
        size = QSize(fmt.width, fmt.height).scaled(request.width, request.height, Qt.AspectRatioMode.KeepAspectRatio)
        template = load_template(resource_path("templates", "flame.json"))
        return PreviewRequest(
            audio_path=name,
            template=template,
            output_format=format_id,
            fps=30,
            time=request.time,
            width=size.width(),
            height=size.height(),
        )

    def close(self) -> None:
        """End the engine's process."""
        self._process.close()


class Stage:
    """The window of one picture."""

    def __init__(self, out: Path, data: Path, studio: Studio) -> None:
        from PySide6.QtWidgets import QApplication

        from ethereal_gui.app import Program
        from ethereal_gui.settings import Theme, load_settings
        from tests.ui.stand_in import StandInService

        app = QApplication.instance()
        assert isinstance(app, QApplication)
        os.environ["ETHEREAL_DATA_DIR"] = str(data)
        settings = load_settings().with_changes({"theme": Theme.DARK, "output_dir": Path("/home/ada/Videos/Ethereal")})
        self.out = out
        self.for_readme = False
        self.studio = studio
        self.service = StandInService(settings)
        self.program = Program(app, settings, self.service, studio.draw)
        self.window = self.program.window
        self.window.resize(1280, 800)
        self.name = ""
        self._run = asyncio.get_running_loop().create_task(self.program.run())

    async def settle(self, seconds: float = 0.35) -> None:
        """Let timers and tasks do their work, and the engine draw."""
        await asyncio.sleep(seconds)
        while self.studio.drawing:
            await asyncio.sleep(0.05)

    async def thumbnails(self) -> None:
        """Wait until every row on the screen that can have a picture has one."""
        thumbnails = self.window.thumbnails
        while thumbnails._next():
            thumbnails._look()
            await self.settle(0.05)

    async def update(self, *args: object, **kwargs: object) -> None:
        """Show an update and wait until it is in the model."""
        self.service.show(*args, **kwargs)  # type: ignore[arg-type]
        await self.settle()

    def save(self, suffix: str = "", widget: object = None) -> None:
        """Write the picture."""
        target = widget or self.window
        name = self.name + (f"-{suffix}" if suffix else "")
        picture = target.grab()  # type: ignore[attr-defined]
        if self.for_readme and name in README:
            save_small(picture.toImage(), self.out / f"{README[name]}.png")
        elif not self.for_readme:
            picture.save(str(self.out / f"{name}.png"))
            print(name)

    def light(self) -> None:
        """Change to the light theme."""
        from ethereal_gui.settings import Theme

        self.program.theme.apply(Theme.LIGHT)

    async def end(self) -> None:
        """Close everything."""
        self.program.close("stop")
        await self._run
        self.window.deleteLater()


@shot
async def empty(stage: Stage) -> None:
    from ethereal_gui.domain.worker_info import WorkerState
    from tests.ui import samples

    await stage.update(workers=[samples.worker(WorkerState.IDLE)])
    stage.save()
    stage.light()
    await stage.settle()
    stage.save("light")


@shot
async def queue_empty(stage: Stage) -> None:
    from ethereal_gui.domain.worker_info import WorkerState
    from tests.ui import samples

    await stage.update(workers=[samples.worker(WorkerState.IDLE)])
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


async def _built(stage: Stage, songs: int = 12) -> None:
    from ethereal_gui.intake.inspect import IntakeResult, Skipped
    from tests.ui.samples import song

    skipped = Skipped(Path("/home/ada/Music/cover.jpg"), "“cover.jpg” is not audio.")
    stage.window.create_page.show_intake(IntakeResult(tuple(song(n) for n in range(songs)), (skipped,)))
    stage.window.create_page.options.formats.choose(["1080p", "1080p_vertical", "360mono"])
    await stage.update()
    await stage.settle()


@shot
async def built(stage: Stage) -> None:
    await _built(stage)
    stage.save()
    stage.light()
    await stage.settle()
    stage.save("light")
    stage.program.theme.apply(stage.service.settings.theme)
    stage.window.resize(900, 600)
    await stage.settle()
    stage.save("900x600")


@shot
async def parameters(stage: Stage) -> None:
    await _built(stage)
    page = stage.window.create_page
    page.adjust.setChecked(True)
    page.parameters.row("height").put(1.3)
    page.options.formats.choose(["1080p_vertical"])
    await stage.settle()
    stage.save()


@shot
async def mixed(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    stage.window.show_page("queue")
    stage.window.queue_page.view.select_ids([jobs[3].id])
    await stage.thumbnails()
    stage.save()
    stage.light()
    await stage.settle()
    stage.save("light")
    stage.program.theme.apply(stage.service.settings.theme)
    stage.window.resize(900, 600)
    await stage.settle()
    stage.save("900x600")
    stage.window.resize(1680, 1000)
    await stage.settle()
    stage.save("1680x1000")


@shot
async def failed(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    stage.window.show_page("queue")
    stage.window.queue_page.view.select_ids([jobs[4].id])
    await stage.settle()
    stage.save()
    stage.window.queue_page.details.tabs.setCurrentIndex(1)
    await stage.settle(0.6)
    stage.save("log")


@shot
async def done(stage: Stage) -> None:
    from ethereal_gui.domain.worker_info import WorkerState
    from tests.ui import samples

    data = samples.batch("b0000000000c3", 3, ("1080p", "1080p_vertical"))
    jobs = [samples.done(job) for job in samples.waiting(data)]
    await stage.update([data], jobs, full=True, workers=[samples.worker(WorkerState.IDLE)])
    stage.window.show_page("queue")
    stage.window.queue_page.view.select_ids([jobs[0].id])
    await stage.thumbnails()
    stage.save()
    await stage.update([], [replace(jobs[0], attempts_made=3)])
    await stage.settle()
    stage.save("third-attempt")


@shot
async def offline(stage: Stage) -> None:
    from ethereal_gui.service.updates import ServerState
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    gone = ServerState("remote", "redis://studio.local:6379", False, "The Redis server does not answer. Trying again…")
    await stage.update(server=gone, workers=[])
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def paused(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True, paused=True)
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def no_worker(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True, workers=[])
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def resting(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    update = stage.service.show(batches, jobs, full=True)
    evening = datetime.now().astimezone().replace(hour=22, minute=0)
    await stage.settle()
    await stage.window.watcher.take(replace(update, rests_until=evening))
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def disk_low(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    stage.window.show_disk(2_400_000_000)
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def repeated(stage: Stage) -> None:
    from ethereal_gui.store.renders import RenderStore
    from tests.ui import samples

    store = RenderStore(stage.service.settings.data_dir / "history.sqlite3")
    stage.service._store = store
    for job in samples.waiting(samples.batch("b1", 3, ("1080p", "1080p_vertical", "360mono"))):
        outcome = samples.done(job).outcome
        assert job.data
        assert outcome
        store.complete(store.begin(job.id, job.data, attempt=1, worker="studio"), outcome)
    await _built(stage)
    stage.save()


@shot
async def workers(stage: Stage) -> None:
    from ethereal_gui.domain.worker_info import WorkerState
    from ethereal_gui.ui.workers_dialog import WorkersDialog
    from tests.ui import samples

    await stage.update()
    stage.window.dialogs.workers()
    dialog = stage.window.findChild(WorkersDialog)
    assert dialog
    await stage.settle()
    mine = samples.worker()
    other = mine.model_copy(update={"name": "attic-1-b", "host": "attic", "state": WorkerState.DRAINING, "cores": 32})
    third = mine.model_copy(update={"name": "old-1-c", "host": "old-laptop", "state": WorkerState.LOST, "cores": 2})
    dialog.show_workers([mine.model_copy(update={"jobs": ("b1-x-1080p",)}), other, third])
    await stage.settle(0.1)
    stage.save("", dialog)
    dialog.reject()


@shot
async def countdown(stage: Stage) -> None:
    from ethereal_gui.settings import WhenDone
    from ethereal_gui.ui.finale import Countdown, intention

    await stage.update()
    dialog = Countdown(stage.window, intention(WhenDone.SHUT_DOWN))
    dialog.open()
    for _ in range(18):
        dialog.tick()
    await stage.settle(0.1)
    stage.save("", dialog)
    dialog.reject()


@shot
async def many(stage: Stage) -> None:
    from tests.ui.samples import many as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    await stage.settle(1.5)
    stage.window.show_page("queue")
    await stage.settle()
    stage.save()


@shot
async def closing(stage: Stage) -> None:
    from ethereal_gui.ui.close_dialog import CloseDialog
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    stage.window.show_page("queue")
    dialog = CloseDialog(stage.window, 1, tray=True)
    dialog.open()
    await stage.settle()
    stage.save("", dialog)
    dialog.reject()


@shot
async def change(stage: Stage) -> None:
    from ethereal_gui.ui.edit_dialog import EditDialog

    await stage.update()
    dialog = EditDialog(stage.window, 3, {"flame": "Flame", "aurora": "Aurora"})
    dialog.open()
    await stage.settle()
    stage.save("", dialog)
    dialog.reject()


@shot
async def toast(stage: Stage) -> None:
    from tests.ui.samples import mixed as queue

    batches, jobs = queue()
    await stage.update(batches, jobs, full=True)
    stage.window.show_page("queue")
    stage.window.queue_page.view.select_ids([jobs[0].id])
    stage.window.jobs.run("remove", [jobs[0].id, jobs[1].id])
    await stage.settle()
    stage.save()


@shot
async def settings(stage: Stage) -> None:
    from ethereal_gui.ui.settings_dialog import SettingsDialog

    await stage.update()
    stage.window.actions_["settings"].trigger()
    await stage.settle()
    dialog = stage.window.findChild(SettingsDialog)
    assert dialog
    for number in range(dialog.sections.count()):
        dialog.sections.setCurrentRow(number)
        await stage.settle(0.1)
        stage.save(dialog.sections.item(number).text().lower(), dialog)
    stage.light()
    await stage.settle()
    dialog.sections.setCurrentRow(0)
    stage.save("light", dialog)
    dialog.reject()


@shot
async def help_pages(stage: Stage) -> None:
    from ethereal_gui.ui.help_dialogs import AboutDialog, ShortcutsDialog

    for kind, name in ((ShortcutsDialog, "shortcuts"), (AboutDialog, "about")):
        dialog = kind(stage.window)
        dialog.open()
        await stage.settle(0.1)
        stage.save(name, dialog)
        dialog.reject()


@shot
async def history(stage: Stage) -> None:
    from tests.ui.samples import records

    stage.service.records = records(60)
    stage.window.show_page("history")
    await stage.settle()
    stage.window.history_page.table.selectRow(2)
    await stage.settle()
    stage.save()
    stage.window.resize(900, 600)
    await stage.settle()
    stage.save("900x600")


async def _all(out: Path, names: list[str], *, for_readme: bool) -> None:
    with tempfile.TemporaryDirectory() as cache:
        studio = Studio(Path(cache))
        for name in names:
            with tempfile.TemporaryDirectory() as data:
                stage = Stage(out, Path(data), studio)
                stage.name, stage.for_readme = name, for_readme
                try:
                    await SHOTS[name](stage)
                finally:
                    await stage.end()
        studio.close()


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "screenshots")
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(SHOTS)}")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--readme", action="store_true", help="only the pictures of the README")
    chosen = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_SCALE_FACTOR"] = chosen.scale
    import qasync

    from ethereal_gui.app import make_application

    app = make_application(["screenshots"])
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    chosen.out.mkdir(parents=True, exist_ok=True)
    with loop:
        names = list(README) if chosen.readme else chosen.names or list(SHOTS)
        loop.run_until_complete(_all(chosen.out, names, for_readme=chosen.readme))


if __name__ == "__main__":
    main()
