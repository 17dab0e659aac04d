"""One start of the window, in a process that does nothing else; ``window.py`` runs it.

    python benchmarks/window_start.py ROWS

Prints seconds since the process was born and seconds of a processor's time: when the window is there, when it shows
the rows on top of the queue, and when it has so many rows.
"""

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import qasync
from PySide6.QtWidgets import QApplication

from ethereal_gui.app import Program, make_application
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings


class WithoutWorker(RenderService):
    """For a window that only looks: jobs stay where they are."""

    async def start(self, *, worker: bool = True) -> None:  # noqa: ARG002
        await super().start(worker=False)


async def start_once(app: QApplication, rows: int) -> None:
    """Start, print, end."""
    born = psutil.Process().create_time()
    service = WithoutWorker(load_settings())
    program = Program(app, service.settings, service)
    running = asyncio.get_running_loop().create_task(program.run())
    program.window.show_page("queue")
    while not program.window.isVisible():
        await asyncio.sleep(0.005)
    await asyncio.sleep(0)
    shown = time.time() - born, time.process_time()
    times = [*shown]
    for wanted in (1, rows):
        while program.window.model.rowCount() < wanted:
            await asyncio.sleep(0.005)
        program.window.queue_page.view.viewport().repaint()
        times += [time.time() - born, time.process_time()]
    print(*times)
    program.close("stop")
    await running


def main() -> None:
    """In an application of its own."""
    app = make_application(["benchmark"])
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(start_once(app, int(sys.argv[1])))


if __name__ == "__main__":
    main()
