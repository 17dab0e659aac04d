"""For everybody: names for screen readers, the way of the Tab key, menus, small windows."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QLineEdit,
    QRadioButton,
    QSlider,
    QWidget,
)

from ethereal_gui.intake.inspect import IntakeResult
from ethereal_gui.settings import WhenDone
from ethereal_gui.ui.close_dialog import CloseDialog
from ethereal_gui.ui.edit_dialog import EditDialog
from ethereal_gui.ui.finale import Countdown, intention
from ethereal_gui.ui.help_dialogs import AboutDialog, ShortcutsDialog
from ethereal_gui.ui.settings_dialog import SettingsDialog
from ethereal_gui.ui.workers_dialog import WorkersDialog
from tests.ui import samples
from tests.ui.conftest import Stage, windowed
from tests.ui.test_window import press, with_queue

INTERACTIVE = (QAbstractButton, QLineEdit, QComboBox, QSlider, QAbstractItemView, QAbstractSpinBox)


def interactive(window: QWidget) -> list[QWidget]:
    """All widgets that a person can work with, without the insides of Qt's own."""
    return [
        widget
        for kind in INTERACTIVE
        for widget in window.findChildren(kind)
        if not widget.objectName().startswith("qt_")
        and not isinstance(widget.parent(), (QComboBox, QLineEdit, QAbstractSpinBox))
        and not isinstance(getattr(widget.parent(), "parent", lambda: None)(), QComboBox)
        and not (isinstance(widget, QHeaderView) and widget.orientation() is Qt.Orientation.Vertical)
        and type(widget) is not QAbstractButton  # the corner of a table
    ]


def nameless(window: QWidget) -> list[str]:
    """Controls that a screen reader has no words for."""
    return [
        f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}"
        for widget in interactive(window)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text().strip()))
    ]


def unreachable(window: QWidget) -> list[str]:
    """Controls that the Tab key passes over; of radio buttons it takes one, the arrow keys go on."""
    return [
        widget.accessibleName()
        for widget in interactive(window)
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(widget, (QHeaderView, QRadioButton))
    ]


def walk(start: QWidget, most: int = 120) -> list[QWidget]:
    """Press Tab until the start is reached again; what had the focus on the way."""
    start.setFocus()
    seen: list[QWidget] = []
    for _ in range(most):
        focused = QApplication.focusWidget()
        assert focused
        if focused is start and seen:
            return seen
        seen.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    way = " > ".join(f"{type(widget).__name__} {widget.accessibleName()}" for widget in seen[:30])
    raise AssertionError(f"Tab does not come back: {way}")


async def with_everything(stage: Stage) -> None:
    """All pages filled."""
    stage.window.create_page.show_intake(IntakeResult(tuple(samples.song(n) for n in range(3)), ()))
    await stage.until(lambda: stage.window.create_page.gallery.chosen)
    stage.service.records = samples.records(3)
    stage.window.show_page("history")
    await stage.until(lambda: stage.window.history_page.model.rowCount() == 3)
    await with_queue(stage)


@windowed
async def test_every_control_of_the_window_has_a_name_and_is_reached_by_tab(stage: Stage) -> None:
    await with_everything(stage)
    assert len(interactive(stage.window)) > 60
    assert not nameless(stage.window)
    assert not unreachable(stage.window)


@pytest.mark.parametrize("page", ["create", "queue", "history"])
def test_tab_walks_through_the_whole_page_and_back_to_its_start(drive, page: str) -> None:  # type: ignore[no-untyped-def]
    async def scenario(stage: Stage) -> None:
        await with_everything(stage)
        stage.window.show_page(page)
        stage.window.activateWindow()
        window = stage.window
        starts: dict[str, QWidget] = {
            "create": window.create_page.song_list,
            "queue": window.queue_page.view,
            "history": window.history_page.table,
        }
        seen = walk(starts[page])
        shown = window.pages.currentWidget()
        assert shown
        wanted = [
            widget
            for widget in interactive(shown)
            if widget.isVisible() and widget.isEnabled() and not isinstance(widget, QHeaderView)
        ]
        missed = [widget.accessibleName() for widget in wanted if widget not in seen]
        # Of a group of exclusive chips Tab takes one, the arrow keys go on.
        chips = {chip.accessibleName() for chip in window.queue_page.filters._chips.values()}
        assert set(missed) <= chips

    drive(scenario)


DIALOGS: dict[str, Callable[[Stage], QDialog]] = {
    "settings": lambda stage: SettingsDialog(
        stage.window, stage.service.settings, stage.window.tasks, templates={"flame": "Flame"}, test_server=_nothing
    ),
    "close": lambda stage: CloseDialog(stage.window, 2, tray=True),
    "edit": lambda stage: EditDialog(stage.window, 2, {"flame": "Flame"}),
    "shortcuts": lambda stage: ShortcutsDialog(stage.window),
    "about": lambda stage: AboutDialog(stage.window),
    "workers": lambda stage: WorkersDialog(stage.window, stage.service, stage.window.tasks),
    "countdown": lambda stage: Countdown(stage.window, intention(WhenDone.SLEEP)),
}


async def _nothing(settings: object) -> None:
    """A server that is always right."""


@pytest.mark.parametrize("name", list(DIALOGS))
def test_every_control_of_a_dialog_has_a_name_is_reached_by_tab_and_escape_closes_it(  # type: ignore[no-untyped-def]
    drive, name: str
) -> None:
    async def scenario(stage: Stage) -> None:
        dialog = DIALOGS[name](stage)
        dialog.open()
        await stage.settle(0.05)
        if isinstance(dialog, WorkersDialog):
            dialog.show_workers([samples.worker()])
        assert interactive(dialog)
        assert not nameless(dialog)
        assert not unreachable(dialog)
        assert dialog.windowTitle()
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible()

    drive(scenario)


@windowed
async def test_the_details_key_works_in_a_small_window_and_its_choice_is_not_kept(stage: Stage) -> None:
    await with_queue(stage)
    details = stage.window.queue_page.details
    assert details.isVisible()
    stage.window.resize(900, 600)
    await stage.settle()
    assert not details.isVisible()
    assert not stage.window.actions_["details"].isChecked()
    press(stage, "details")
    assert details.isVisible()
    press(stage, "details")
    assert not details.isVisible()
    stage.window.resize(1280, 800)
    await stage.settle()
    assert details.isVisible()


@windowed
async def test_nothing_is_wider_than_the_smallest_window(stage: Stage) -> None:
    await with_everything(stage)
    stage.window.resize(stage.window.minimumSize())
    for page in ("create", "queue", "history"):
        stage.window.show_page(page)
        await stage.settle()
        assert stage.window.width() == stage.window.minimumWidth(), page
        assert stage.window.height() == stage.window.minimumHeight(), page


@windowed
async def test_menus_hold_every_action(stage: Stage) -> None:
    in_menus = {
        action.objectName()
        for menu_action in stage.window.menuBar().actions()
        if (menu := menu_action.menu())
        for action in menu.actions()  # type: ignore[attr-defined]
        if not action.isSeparator()
    }
    named = {action.objectName() for action in stage.window.findChildren(QAction) if action.objectName()}
    assert {name for name in named if name in in_menus} == in_menus
    assert len(in_menus) > 30
