"""Every action of the window: its words, its shortcut, its icon, where its menu entry stands.

One table for the menus, the context menu, the tool tips and the help page, so that they cannot differ.
"""

from dataclasses import dataclass
from typing import Final

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from ethereal_gui.ui import icons
from ethereal_gui.ui.text import tr

SEPARATOR: Final = "-"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        id: its name in the program.
        words: menu entry. tip: what it does, in a sentence.
        shortcut: portable key sequence.
        checkable: it is on or off.
        for_jobs: it works on the selected jobs of the queue.
    """

    id: str
    words: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    for_jobs: bool = False


def _job(id_: str, words: str, shortcut: str, icon: str, tip: str) -> ActionSpec:
    return ActionSpec(id_, words, shortcut, icon, tip, for_jobs=True)


def menu_table() -> list[tuple[str, list[ActionSpec | str]]]:
    """Menus with their actions, in order."""
    return [
        (
            tr("&File"),
            [
                ActionSpec("add_files", tr("Add files…"), "Ctrl+O", "music", tr("Add songs to the new batch")),
                ActionSpec("add_folder", tr("Add folder…"), "Ctrl+Shift+O", "folder", tr("Add a folder of songs")),
                ActionSpec("submit", tr("Render"), "Ctrl+Return", "flame", tr("Put the batch into the queue")),
                SEPARATOR,
                ActionSpec("settings", tr("Settings…"), "Ctrl+,", "settings", tr("Change how the program works")),
                ActionSpec("quit", tr("Quit"), "Ctrl+Q", "quit", tr("Close the program")),
            ],
        ),
        (
            tr("&Queue"),
            [
                ActionSpec("pause", tr("Pause the queue"), "Ctrl+P", "pause", tr("Start no further renders"), True),
                ActionSpec(
                    "retry_all", tr("Retry all failed"), "Ctrl+Shift+R", "retry", tr("Try every failed job again")
                ),
                ActionSpec(
                    "clear", tr("Clear finished"), "Ctrl+L", "clear", tr("Take finished jobs off the list; videos stay")
                ),
                SEPARATOR,
                ActionSpec("expand", tr("Expand all"), "Ctrl+E", "", tr("Show the jobs of all batches")),
                ActionSpec("collapse", tr("Collapse all"), "Ctrl+Shift+E", "", tr("Show batches only")),
                ActionSpec("search", tr("Search"), "Ctrl+F", "search", tr("Search in the queue")),
                SEPARATOR,
                ActionSpec(
                    "workers", tr("Workers…"), "Ctrl+W", "worker", tr("See who renders, and let workers finish")
                ),
                ActionSpec(
                    "when_done",
                    tr("When everything is done…"),
                    "Ctrl+Shift+W",
                    "quit",
                    tr("Quit, sleep, shut down or run a command after the last render"),
                ),
                SEPARATOR,
                ActionSpec("undo", tr("Undo removing"), "Ctrl+Z", "undo", tr("Put removed jobs back")),
            ],
        ),
        (
            tr("&Job"),
            [
                _job("open", tr("Open video"), "Ctrl+Shift+P", "play", tr("Open the finished video")),
                _job("reveal", tr("Show in folder"), "Ctrl+Shift+F", "folder-open", tr("Show the video in its folder")),
                SEPARATOR,
                _job("cancel", tr("Cancel"), "Ctrl+.", "cancel", tr("Stop the selected jobs")),
                _job("retry", tr("Retry"), "Ctrl+R", "retry", tr("Try failed or cancelled jobs again")),
                _job(
                    "retry_batch",
                    tr("Retry failed of this batch"),
                    "Ctrl+Alt+R",
                    "retry",
                    tr("All failed of the batch"),
                ),
                _job("remove", tr("Remove"), "Delete", "remove", tr("Take jobs out of the queue; videos stay")),
                SEPARATOR,
                _job("hold", tr("Hold"), "Ctrl+H", "held", tr("Keep waiting jobs from starting")),
                _job("release", tr("Release"), "Ctrl+Shift+H", "play", tr("Let held jobs start again")),
                _job("top", tr("Move to the top"), "Alt+Home", "top", tr("Render the selected jobs next")),
                _job("up", tr("Move up"), "Alt+Up", "up", tr("One place earlier")),
                _job("down", tr("Move down"), "Alt+Down", "down", tr("One place later")),
                _job("bottom", tr("Move to the bottom"), "Alt+End", "bottom", tr("Render the selected jobs last")),
                _job("normal", tr("Normal priority"), "Ctrl+Alt+Up", "", tr("In the order of the queue")),
                _job("low", tr("Low priority"), "Ctrl+Alt+Down", "", tr("After all jobs of normal priority")),
                SEPARATOR,
                _job(
                    "edit", tr("Change…"), "F2", "sliders", tr("Other template, frame rate or quality for waiting jobs")
                ),
                _job("only_batch", tr("Show only this batch"), "Ctrl+B", "filter", tr("Hide the jobs of all others")),
                _job("clone", tr("New batch from these"), "Ctrl+D", "clone", tr("Start a new batch with these songs")),
                _job("copy", tr("Copy report"), "Ctrl+Shift+C", "copy", tr("Copy everything known of these jobs")),
            ],
        ),
        (
            tr("&View"),
            [
                ActionSpec("create", tr("New batch"), "Ctrl+1", "create", tr("Build a batch"), True),
                ActionSpec("queue", tr("Queue"), "Ctrl+2", "queue", tr("What is rendered and what waits"), True),
                ActionSpec("history", tr("History"), "Ctrl+3", "history", tr("Everything that was rendered"), True),
                SEPARATOR,
                ActionSpec("sort_queue", tr("Sort as queued"), "Ctrl+Alt+0", "", tr("In the order of the queue")),
                ActionSpec("sort_song", tr("Sort by song"), "Ctrl+Alt+1", "", tr("By title inside each batch")),
                ActionSpec("sort_state", tr("Sort by state"), "Ctrl+Alt+2", "", tr("Running first, done last")),
                ActionSpec("sort_progress", tr("Sort by progress"), "Ctrl+Alt+3", "", tr("By how far jobs are")),
                SEPARATOR,
                ActionSpec("details", tr("Details"), "Ctrl+I", "sidebar", tr("Show details of the current job"), True),
            ],
        ),
        (
            tr("&Help"),
            [
                ActionSpec("shortcuts", tr("Keyboard shortcuts"), "F1", "help", tr("All shortcuts on one page")),
                ActionSpec("about", tr("About Ethereal"), "", "info", tr("Versions and licences")),
            ],
        ),
    ]


class Actions:
    """The window's actions as Qt objects, by id."""

    def __init__(self, window: QWidget) -> None:
        self._actions: dict[str, QAction] = {}
        self._specs: dict[str, ActionSpec] = {}
        for _, entries in menu_table():
            for spec in entries:
                if isinstance(spec, ActionSpec):
                    self._actions[spec.id] = self._make(spec, window)
                    self._specs[spec.id] = spec
        window.addActions(list(self._actions.values()))

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    @property
    def for_jobs(self) -> list[str]:
        """Ids of the actions that work on selected jobs."""
        return [spec.id for spec in self._specs.values() if spec.for_jobs]

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus."""
        for title, entries in menu_table():
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)
            for spec in entries:
                if isinstance(spec, ActionSpec):
                    menu.addAction(self._actions[spec.id])
                else:
                    menu.addSeparator()

    def context_menu(self, parent: QWidget) -> QMenu:
        """What a right click on jobs offers: what can be done with them now."""
        menu = QMenu(parent)
        entries = next(entries for _, entries in menu_table() if any(getattr(e, "for_jobs", False) for e in entries))
        for spec in entries:
            if isinstance(spec, str):
                menu.addSeparator()
            elif self._actions[spec.id].isEnabled():
                menu.addAction(self._actions[spec.id])
        return menu

    @staticmethod
    def _make(spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(spec.words, window)
        action.setObjectName(spec.id)
        action.setIconText(spec.words.rstrip("…"))
        if spec.icon:
            action.setIcon(icons.icon(spec.icon))
        keys = ""
        if spec.shortcut:
            sequence = QKeySequence(spec.shortcut)
            action.setShortcut(sequence)
            keys = f" ({sequence.toString(QKeySequence.SequenceFormat.NativeText)})"
        action.setToolTip(f"{spec.tip or spec.words}{keys}")
        action.setCheckable(spec.checkable)
        return action
