"""When everything is done: a countdown that can be called off, then what the settings want."""

from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QProgressBar, QWidget

from ethereal_gui.domain.errors import PowerError
from ethereal_gui.service import power
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import Update
from ethereal_gui.settings import WhenDone
from ethereal_gui.ui.parts import button, column, label, row
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.text import tr

SECONDS: Final = 60


def intention(wanted: WhenDone) -> str:
    """What will happen, as a sentence without its end; empty for nothing."""
    return {
        WhenDone.NOTHING: "",
        WhenDone.QUIT: tr("Ethereal quits"),
        WhenDone.SLEEP: tr("The computer goes to sleep"),
        WhenDone.SHUT_DOWN: tr("The computer shuts down"),
        WhenDone.COMMAND: tr("Your command runs"),
    }[wanted]


class Countdown(QDialog):
    """A minute to say no. ``accepted`` when it has run out, or the person does not want to wait."""

    def __init__(self, parent: QWidget, words: str, seconds: int = SECONDS) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Everything is done"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        self._words = words
        self._left = seconds
        self.message = label("", "muted", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, seconds)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Time left to call it off"))
        self.stop = button(self.tr("Call it off"), "primary")
        self.stop.setDefault(True)
        now = button(self.tr("Do it now"))
        self.stop.clicked.connect(self.reject)
        now.clicked.connect(self.accept)
        title = label(self.tr("Everything is done"), "big")
        self.setLayout(column(title, self.message, 8, self.bar, 12, row(None, now, self.stop), margins=24, spacing=8))
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        self._show()
        self.finished.connect(self._timer.stop)

    def tick(self) -> None:
        """A second has passed."""
        self._left -= 1
        self._show()
        if self._left <= 0:
            self.accept()

    def _show(self) -> None:
        self.message.setText(self.tr("{0} in {1} s.").format(self._words, max(0, self._left)))
        self.bar.setValue(self._left)


class Finale(QObject):
    """Waits for the end of the last job.

    Signals:
        begun: a countdown is shown; the window should be seen.
        quit_wanted: the program is to end.
    """

    begun = Signal()
    quit_wanted = Signal()

    def __init__(self, window: QWidget, service: RenderService, tasks: TaskOwner) -> None:
        super().__init__(window)
        self._window = window
        self._service = service
        self._tasks = tasks
        self.countdown: Countdown | None = None

    def look(self, update: Update) -> None:
        """Call after every update."""
        if self.countdown and any(not job.is_terminal for job in update.jobs):
            self.countdown.reject()
        wanted = self._service.settings.when_done
        if not update.all_done or wanted is WhenDone.NOTHING or self.countdown:
            return
        try:
            command = power.arguments(self._service.settings)
        except PowerError as error:
            if self._tasks.present:
                self._tasks.present(error, self.tr("Finishing"))
            return
        self.countdown = Countdown(self._window, intention(wanted))
        self.countdown.accepted.connect(lambda: self._do(command))
        self.countdown.finished.connect(self._over)
        self.begun.emit()
        self.countdown.open()

    def _over(self) -> None:
        self.countdown = None

    def _do(self, command: list[str]) -> None:
        if command:
            self._tasks.start(power.run(command), self.tr("Finishing"))
        else:
            self.quit_wanted.emit()
