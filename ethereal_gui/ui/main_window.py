"""The window: lays out its parts and connects them; what they do is theirs."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.service.estimate import free_bytes
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.updates import Update
from ethereal_gui.ui import drops, finale, icons, text
from ethereal_gui.ui.action_wiring import connect_actions, way_out
from ethereal_gui.ui.actions import Actions
from ethereal_gui.ui.banner import Banner
from ethereal_gui.ui.builder import Builder
from ethereal_gui.ui.create_page import CreatePage
from ethereal_gui.ui.detail_feed import DetailFeed
from ethereal_gui.ui.dialogs import Dialogs
from ethereal_gui.ui.draft import Draft
from ethereal_gui.ui.drop_zone import DropVeil
from ethereal_gui.ui.finale import Finale
from ethereal_gui.ui.history_page import HistoryPage
from ethereal_gui.ui.notices import Notices
from ethereal_gui.ui.parts import column, row
from ethereal_gui.ui.preview_panel import DrawPreview, PreviewPanel
from ethereal_gui.ui.queue_actions import QueueActions
from ethereal_gui.ui.queue_model import QueueModel
from ethereal_gui.ui.queue_page import QueuePage, summary
from ethereal_gui.ui.sidebar import Sidebar
from ethereal_gui.ui.states import DisplayState
from ethereal_gui.ui.status_strip import StatusStrip
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.templates_desk import TemplatesDesk
from ethereal_gui.ui.theme import ThemeManager
from ethereal_gui.ui.thumbnails import QueueThumbnails
from ethereal_gui.ui.toast import Toast
from ethereal_gui.ui.tray import BatchBell, Tray
from ethereal_gui.ui.watcher import QueueWatcher
from ethereal_gui.ui.window_state import WindowState

_NARROW_BELOW: Final = 1100
_SMALL_BELOW: Final = 1000


class MainWindow(QMainWindow):
    """The whole window.

    Attributes:
        tasks: owner of everything that runs in the background.
        model: the queue.

    Signals:
        close_wanted: the person wants to close; whoever owns the program decides what happens.
    """

    close_wanted = Signal()

    def __init__(self, service: RenderService, theme: ThemeManager, draw: DrawPreview) -> None:
        super().__init__()
        self.setWindowTitle("Ethereal")
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(860, 560)
        self.service = service
        self.theme = theme
        self._may_close = False
        self._details_wanted = True
        self.state = WindowState(service.settings.data_dir)
        self.tasks = TaskOwner(self.present)
        self.model = QueueModel()
        self.actions_ = Actions(self)
        self.preview = PreviewPanel(draw, self.tasks)
        self.create_page = CreatePage(self.preview)
        self.queue_page = QueuePage(self.model, self.actions_)
        self.sidebar = Sidebar({name: self.actions_[name] for name in ("create", "queue", "history")})
        self.banner = Banner()
        self.status = StatusStrip()
        self.pages = QStackedWidget()
        self._page_ids: dict[str, int] = {}
        self.toast = Toast(self)
        self.history_page = HistoryPage(service, self.tasks, self.toast)
        self._lay_out()
        self.veil = DropVeil(self)
        self.builder = Builder(service, self.create_page, self.tasks, self.toast, self.state)
        self.templates = TemplatesDesk(service.templates, self.create_page, draw, self.tasks, self.toast)
        self.jobs = QueueActions(service, self.model, self.tasks, self.toast)
        self.watcher = QueueWatcher(service, self.model)
        self.thumbnails = QueueThumbnails(self.queue_page.view, self.model, draw, self.tasks)
        self.dialogs = Dialogs(self, service, theme, self.tasks, self.toast)
        self.thumbnails.drawn.connect(self.queue_page.details.show_picture)
        self.detail_feed = DetailFeed(service, self.queue_page.details, draw, self.tasks)
        self.tray = Tray(self, self.actions_["pause"], self.actions_["quit"])
        self.notices = Notices(self.banner, self.model)
        self.bell = BatchBell(self.model, self._ring)
        self.finale = Finale(self, service, self.tasks)
        self._connect()
        connect_actions(self)
        self._enable_actions()
        self._restore()

    # ---- making ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.add_page("create", self.create_page)
        self.add_page("queue", self.queue_page)
        self.add_page("history", self.history_page)
        self.actions_.fill(self.menuBar())
        right = column(self.banner, self.pages, spacing=0)
        body = column(row(self.sidebar, right, spacing=0), self.status, spacing=0)
        middle = QWidget()
        middle.setLayout(body)
        self.setCentralWidget(middle)

    def add_page(self, name: str, page: QWidget) -> None:
        """Another page of the window."""
        self._page_ids[name] = self.pages.addWidget(page)

    def _connect(self) -> None:
        self.sidebar.page_wanted.connect(self.show_page)
        self.sidebar.settings_wanted.connect(self.actions_["settings"].trigger)
        self.builder.submitted.connect(self._show_batch)
        self.create_page.report_wanted.connect(self.dialogs.report)
        self.queue_page.create_wanted.connect(lambda: self.show_page("create"))
        self.queue_page.view.chosen.connect(self._enable_actions)
        self.queue_page.view.chosen.connect(self.detail_feed.look_anew)
        self.history_page.again_wanted.connect(self._clone)
        self.history_page.chosen.connect(self._enable_actions)
        self.history_page.menu_wanted.connect(
            lambda place: self.actions_.context_menu(self.history_page.table).popup(place)
        )
        self.tray.show_wanted.connect(self.come_back)
        self.queue_page.view.moved.connect(self.jobs.move_before)
        self.queue_page.view.opened.connect(lambda job_id: self.jobs.run("open", [job_id]))
        self.queue_page.view.menu_wanted.connect(
            lambda place: self.actions_.context_menu(self.queue_page.view).popup(place)
        )
        self.queue_page.details.action_wanted.connect(self._detail_action)
        self.model.totals_changed.connect(self._totals_changed)
        self.watcher.updated.connect(self._updated)
        self.jobs.clone_wanted.connect(self._clone)
        self.jobs.edit_wanted.connect(lambda ids: self.dialogs.edit(self.jobs, ids))
        self.jobs.batch_wanted.connect(self.queue_page.filters.only_batch)
        self.jobs.undo_possible.connect(self.actions_["undo"].setEnabled)
        self.banner.action_wanted.connect(lambda action: way_out(self, action))
        self.finale.begun.connect(self.come_back)
        self.finale.quit_wanted.connect(self.close_wanted)
        self.theme.changed.connect(self._theme_changed)
        self.create_page.songs.songs_changed.connect(self._songs_changed)
        self.create_page.song_list.current_song_changed.connect(self._preview)
        self.create_page.options.changed.connect(self._preview)
        self.create_page.options.formats.pointed.connect(self._preview)
        self.templates.changed.connect(self._preview)
        self.create_page.templates.modelReset.connect(self._learn_templates)

    # ---- pages -------------------------------------------------------------------------------------------------

    @property
    def page(self) -> str:
        """Name of the page that is shown."""
        return next(name for name, place in self._page_ids.items() if place == self.pages.currentIndex())

    def show_page(self, name: str) -> None:
        """Show that page."""
        self.pages.setCurrentIndex(self._page_ids[name])
        self.sidebar.choose(name)
        view = self.queue_page.view
        (view if name == "queue" and view.isVisible() else self.pages).setFocus()
        for page in self._page_ids:
            self.actions_[page].setChecked(page == name)
        if name == "history":
            self.history_page.reload()
        self._enable_actions()

    def come_back(self) -> None:
        """Out of the tray, to the front."""
        self.show()
        self.raise_()
        self.activateWindow()

    def _show_batch(self, batch_id: str) -> None:
        self.show_page("queue")
        self.queue_page.filters.clear()
        self.queue_page.view.select_ids([batch_id])

    def search(self) -> None:
        """Go to the queue's search field."""
        self.show_page("queue")
        self.queue_page.filters.search.setFocus()
        self.queue_page.filters.search.selectAll()

    def _clone(self, draft: Draft) -> None:
        self.builder.clone(draft)
        self.show_page("create")

    # ---- the queue ---------------------------------------------------------------------------------------------

    def _updated(self, update: Update) -> None:
        self.status.show_server(update.server)
        self.status.show_workers(update.workers)
        self.status.show_paused(update.paused)
        self.status.show_intention(finale.intention(self.service.settings.when_done))
        pause = self.actions_["pause"]
        pause.setChecked(update.paused)
        pause.setText(self.tr("Resume the queue") if update.paused else self.tr("Pause the queue"))
        pause.setIconText(self.tr("Resume") if update.paused else self.tr("Pause"))
        pause.setIcon(icons.icon("play" if update.paused else "pause"))
        self.queue_page.refresh_soon()
        self.notices.look(update)
        self.bell.look()
        self.finale.look(update)

    def _ring(self, title: str, words: str) -> None:
        if self.isActiveWindow():
            self.toast.say(f"{title}: {words}")
        elif self.service.settings.notifications:
            self.tray.notify(title, words)

    def show_disk(self, free: int | None) -> None:
        """Free space on the output folder's disk."""
        self.status.show_disk(free, low=self.notices.look_at_disk(free))

    def look_at_disk(self) -> int | None:
        """Free bytes where videos go; blocks, so not for the event loop."""
        return free_bytes(self.create_page.options.choices.output_dir)

    def want_details(self, wanted: bool) -> None:
        """Keep the choice; what a person chooses in a small window is for that window only."""
        if self.width() >= _SMALL_BELOW:
            self._details_wanted = wanted

    def pause(self, checked: bool) -> None:
        """Pause the queue, or let it go on."""
        work = self.service.pause() if checked else self.service.resume()
        self.tasks.start(work, self.tr("Pausing") if checked else self.tr("Resuming"), replace="pause")

    def _totals_changed(self) -> None:
        total = self.model.job_count
        done = sum(batch.fraction * batch.total for batch in self.model.batches)
        if all(batch.is_ended for batch in self.model.batches):
            done = float(total)
        words = summary(self.model)
        self.sidebar.show_progress(done, total, words)
        self.tray.show_progress(done / total if total else 0.0, words)
        busy = self.model.count(DisplayState.RUNNING, DisplayState.STOPPING)
        waiting = self.model.count(DisplayState.WAITING, DisplayState.RETRYING, DisplayState.HELD)
        self.sidebar.set_badge("queue", text.count(busy + waiting) if busy + waiting else "")
        self.tray.show_badge(busy + waiting)
        self._enable_actions()

    def _songs_changed(self) -> None:
        number = self.create_page.songs.rowCount()
        self.sidebar.set_badge("create", text.count(number) if number else "")
        self._preview()
        self._enable_actions()

    def _learn_templates(self) -> None:
        self.thumbnails.templates = {template.id: template for template in self.create_page.templates.all}

    def _preview(self) -> None:
        page = self.create_page
        formats = page.options.formats.chosen
        # Also what is not chosen yet can be looked at.
        shown = page.options.formats.under_pointer or (formats[0] if formats else "1080p")
        choices = page.options.choices
        self.preview.show_format(shown, choices.fps, choices.caption)
        self.preview.show_template(page.parameters.template)
        self.preview.show_song(page.song_list.current_song)

    def _enable_actions(self) -> None:
        possible: set[str] = set()
        if self.page == "queue":
            possible = self.jobs.possible(self.queue_page.view.selected_ids())
        elif self.page == "history":
            possible = self.history_page.possible()
        for action_id in self.actions_.for_jobs:
            self.actions_[action_id].setEnabled(action_id in possible)
        self.actions_["submit"].setEnabled(self.page == "create" and self.create_page.songs.rowCount() > 0)
        self.actions_["retry_all"].setEnabled(self.model.count(DisplayState.FAILED) > 0)
        self.actions_["clear"].setEnabled(self.model.count(DisplayState.DONE, DisplayState.CANCELLED) > 0)

    def run_on_selection(self, action: str) -> None:
        """Do that with what is selected on the page."""
        if self.page == "history":
            self.history_page.run(action)
        else:
            self.jobs.run(action, self.queue_page.view.selected_ids())

    def _detail_action(self, action: str) -> None:
        node = self.queue_page.details.node
        if node is not None:
            ids = [node.id] if self.model.job(node.id) else [job.id for job in self.model.batch(node.id).jobs]  # type: ignore[union-attr]
            self.jobs.run(action, ids)

    # ---- drops -------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # A finished video that is dragged out of the queue passes over this window too.
        if event.source() is None and drops.local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.veil.cover()
            self.service.expect_files()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.veil.hide()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        self.veil.hide()
        paths = drops.local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.add_paths(paths)

    def add_paths(self, paths: list[Path]) -> None:
        """Look into files and folders for a new batch."""
        self.show_page("create")
        self.builder.take_in(paths)

    # ---- telling -----------------------------------------------------------------------------------------------

    def present(self, error: BaseException, doing: str) -> None:
        """Show what went wrong in the background."""
        if isinstance(error, EtherealError):
            self.toast.complain(str(error))
        else:
            self.toast.complain(self.tr("{0} failed unexpectedly: {1}").format(doing, error or type(error).__name__))

    # ---- the window itself -------------------------------------------------------------------------------------

    def close_for_good(self) -> None:
        """Close without asking; the program ends."""
        self._may_close = True
        self.tray.hide()
        self._remember()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            event.accept()
            return
        event.ignore()
        self.close_wanted.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Without this Qt gives the focus, and its ring, to the first button of the window.
        self.pages.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sidebar.set_narrow(self.width() < _NARROW_BELOW)
        was, now = event.oldSize().width() < _SMALL_BELOW, self.width() < _SMALL_BELOW
        if was is not now or event.oldSize().width() < 0:
            # A small window belongs to the table; the shortcut still brings the details.
            self.actions_["details"].setChecked(not now and self._details_wanted)

    def _theme_changed(self) -> None:
        self.status.refresh()
        self.banner.refresh()
        self.queue_page.details.show_node(self.queue_page.details.node)
        self.update()

    def _remember(self) -> None:
        self.state.put("window/geometry", self.saveGeometry())
        self.state.put("window/page", self.page)
        self.state.put("queue/splitter", self.queue_page.splitter.saveState())
        self.state.put("window/details", "1" if self._details_wanted else "0")
        self.state.flush()

    def _restore(self) -> None:
        geometry = self.state.bytes("window/geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)
        self._details_wanted = self.state.text("window/details", "1") == "1"
        self.actions_["details"].setChecked(self._details_wanted and self.width() >= _SMALL_BELOW)
        if splitter := self.state.bytes("queue/splitter"):
            self.queue_page.splitter.restoreState(splitter)
        page = self.state.text("window/page", "create")
        self.show_page(page if page in self._page_ids else "create")
