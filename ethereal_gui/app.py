"""Composition root of the window: application, event loop, service, window, and the order in which they end."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import qasync
from PySide6.QtCore import QCoreApplication, QLocale, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from ethereal_gui import __version__
from ethereal_gui.domain.errors import EtherealError, ServerUnavailableError
from ethereal_gui.service.attendant import Attendant
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import Update
from ethereal_gui.settings import CloseBehaviour, Settings, load_settings, save_settings
from ethereal_gui.ui import icons
from ethereal_gui.ui.banner import Notice
from ethereal_gui.ui.close_dialog import CloseDialog
from ethereal_gui.ui.garbage import GarbageTimer
from ethereal_gui.ui.main_window import MainWindow
from ethereal_gui.ui.preview_panel import DrawPreview
from ethereal_gui.ui.theme import ThemeManager
from ethereal_gui.worker.preview import PreviewProcess

log = logging.getLogger(__name__)
_DISK_EVERY: Final = 10.0
_START_AGAIN_AFTER: Final = 3.0


def run(files: Sequence[Path] = ()) -> int:
    """Open the window and stay until it is closed. Returns the process's exit code."""
    app = make_application(sys.argv[:1])
    loop = qasync.QEventLoop(app)
    loop.set_exception_handler(_loop_error)
    asyncio.set_event_loop(loop)
    with loop:
        program = Program(app, load_settings())
        return int(loop.run_until_complete(program.run(files)))


def make_application(argv: list[str]) -> QApplication:
    """The one QApplication, with name, version and scale policy set."""
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(argv)
    QCoreApplication.setApplicationName("Ethereal")
    QCoreApplication.setOrganizationName("Ethereal")
    QCoreApplication.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("ethereal")
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(icons.app_icon())
    if QLocale().language() is QLocale.Language.C:
        QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    return app


class Program:
    """Owns service and window from start to end.

    Attributes:
        window: the one window.
        service: the door to queue, worker and history.
    """

    def __init__(
        self,
        app: QApplication,
        settings: Settings,
        service: RenderService | None = None,
        draw: DrawPreview | None = None,
    ) -> None:
        self.service = service or RenderService(settings)
        self.theme = ThemeManager(app, settings.theme)
        self._previews = PreviewProcess(settings.data_dir / "cache")
        self.window = MainWindow(self.service, self.theme, draw or self._previews.picture)
        self._garbage = GarbageTimer(self.window)
        self._attendant = Attendant(self.service, self.window.toast.say)
        self._ended = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self.window.close_wanted.connect(self.ask_to_close)

    async def run(self, files: Sequence[Path] = ()) -> int:
        """Show the window, work until it is closed, end everything."""
        self._listen_to_signals()
        self.window.show()
        tasks = self.window.tasks
        tasks.start(self.window.templates.load(), "Reading templates")
        tasks.start(self._serve(), "Connecting")
        tasks.start(self._watch_disk(), "Looking at the disk")
        if files:
            self.window.add_paths(list(files))
        await self._ended.wait()
        if self._closing:
            await self._closing
        return 0

    # ---- living ------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        await self._connect()
        self.window.tasks.start(self._attendant.attend(), "Looking after hours and folders")
        while True:
            # Unavailable: the settings named another server before this one was looked at.
            with contextlib.suppress(ServerUnavailableError):
                await self.window.watcher.follow()
            self.window.model.keep_only(set())  # what was on the server before
            await self._connect()

    async def _connect(self) -> None:
        while True:
            try:
                await self.service.start()
                break
            except EtherealError as error:
                log.warning("starting: %s", error)
                await self.window.watcher.take(Update(self.service.server, paused=False, workers=()))
                await asyncio.sleep(_START_AGAIN_AFTER)

    async def _watch_disk(self) -> None:
        while True:
            self.window.show_disk(await asyncio.to_thread(self.window.look_at_disk))
            await asyncio.sleep(_DISK_EVERY)

    # ---- ending ------------------------------------------------------------------------------------------------

    def ask_to_close(self) -> None:
        """The person wants to close the window; a second time while the last render finishes, at once."""
        if self._closing:
            self.window.tasks.start(self.service.stop_worker(finish_within=0.0), "Stopping", replace="stopping")
            return
        running = self.service.running_jobs()
        behaviour = self.service.settings.close_behaviour
        tray = QSystemTrayIcon.isSystemTrayAvailable()
        if not running:
            self.close("stop")
        elif behaviour is CloseBehaviour.ASK or (behaviour is CloseBehaviour.TRAY and not tray):
            dialog = CloseDialog(self.window, running, tray=tray)
            dialog.decided.connect(self._decided)
            dialog.open()
        else:
            self.close(behaviour.value)

    def _decided(self, choice: str, remember: bool) -> None:
        if remember:
            self.window.tasks.start(
                asyncio.to_thread(save_settings, {"close_behaviour": CloseBehaviour(choice)}), "Remembering"
            )
        self.close(choice)

    def close(self, choice: str) -> None:
        """``tray`` hides the window, ``finish`` waits for the running render, ``stop`` does not."""
        if choice == CloseBehaviour.TRAY:
            self.window.hide()
        elif self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(finish=choice == CloseBehaviour.FINISH))

    async def _close(self, *, finish: bool) -> None:
        try:
            if finish:
                words = self.window.tr(
                    "Finishing the current render, then the program ends. Close the window again to stop now."
                )
                self.window.banner.put("closing", Notice(words, "info", "calm"))
                await self.service.close("finish")
            else:
                self.window.hide()
                await self.service.close("now")
        except Exception:
            log.exception("closing the service")
        finally:
            await asyncio.to_thread(self._previews.close)
            await self.window.tasks.close()
            self._garbage.close()
            self.window.close_for_good()
            self._ended.set()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.close, "stop")
            except (NotImplementedError, RuntimeError, ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.close, "stop"))


def _loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    log.error("%s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)
