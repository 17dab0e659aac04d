"""Which part of the window does what an action asks for."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ethereal_gui.ui.queue_model import Column

if TYPE_CHECKING:
    from ethereal_gui.ui.main_window import MainWindow


def connect_actions(window: "MainWindow") -> None:
    """Connect all actions of the menus."""
    actions, jobs, view = window.actions_, window.jobs, window.queue_page.view
    ways: dict[str, Callable[[], object]] = {
        "add_files": window.create_page.browse_files,
        "add_folder": window.create_page.browse_folder,
        "submit": window.builder.submit,
        "quit": window.close_wanted.emit,
        "retry_all": jobs.retry_all_failed,
        "clear": jobs.clear_finished,
        "expand": lambda: window.model.set_all_expanded(True),
        "collapse": lambda: window.model.set_all_expanded(False),
        "search": window.search,
        "undo": jobs.undo,
        "settings": window.dialogs.settings,
        "when_done": lambda: window.dialogs.settings("Automation"),
        "workers": window.dialogs.workers,
        "shortcuts": window.dialogs.shortcuts,
        "about": window.dialogs.about,
    }
    for name, section in (
        ("queue", -1),
        ("song", Column.NAME),
        ("state", Column.STATE),
        ("progress", Column.PROGRESS),
    ):
        sort = view.horizontalHeader().setSortIndicator
        ways[f"sort_{name}"] = partial(sort, section, Qt.SortOrder.AscendingOrder)
    for action_id, way in ways.items():
        actions[action_id].triggered.connect(lambda _=False, act=way: act())
    for action_id in actions.for_jobs:
        actions[action_id].triggered.connect(lambda _=False, act=action_id: window.run_on_selection(act))
    for name in ("create", "queue", "history"):
        actions[name].triggered.connect(lambda _=False, page=name: window.show_page(page))
    actions["pause"].triggered.connect(window.pause)
    actions["details"].setChecked(True)
    actions["details"].toggled.connect(window.queue_page.show_details)
    actions["details"].triggered.connect(window.want_details)
    actions["undo"].setEnabled(False)


def way_out(window: "MainWindow", action: str) -> None:
    """What the button of a notice does: an action of the menus, a page of the settings, or something of its own."""
    page, _, section = action.partition("/")
    if page == "settings" and section:
        window.dialogs.settings(section)
    elif action == "render_now":
        window.tasks.start(window.service.render_now(), window.tr("Starting to render"))
    elif action == "start_worker":
        window.service.start_worker()
    elif action == "recovery_seen":
        window.notices.recovery_seen()
    else:
        window.actions_[action].trigger()
