"""Opens the window's dialogs and puts what they decide into effect."""

import asyncio
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import save_settings
from ethereal_gui.ui.edit_dialog import EditDialog
from ethereal_gui.ui.help_dialogs import AboutDialog, ShortcutsDialog
from ethereal_gui.ui.queue_actions import QueueActions
from ethereal_gui.ui.settings_dialog import SettingsDialog
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.text_dialog import TextDialog
from ethereal_gui.ui.theme import ThemeManager
from ethereal_gui.ui.toast import Toast
from ethereal_gui.ui.workers_dialog import WorkersDialog


class Dialogs(QObject):
    """Settings, shortcuts, about, reports."""

    def __init__(
        self, window: QMainWindow, service: RenderService, theme: ThemeManager, tasks: TaskOwner, toast: Toast
    ) -> None:
        super().__init__(window)
        self._window = window
        self._service = service
        self._theme = theme
        self._tasks = tasks
        self._toast = toast

    def settings(self, section: str = "") -> None:
        """Open the settings, at that section if one is named."""
        self._tasks.start(self._open_settings(section), self.tr("Opening the settings"), replace="settings")

    def workers(self) -> None:
        """Open the list of workers."""
        WorkersDialog(self._window, self._service, self._tasks).open()

    def edit(self, jobs: QueueActions, job_ids: list[str]) -> None:
        """Ask what waiting jobs shall do instead."""
        self._tasks.start(self._open_edit(jobs, job_ids), self.tr("Changing jobs"), replace="edit")

    async def _open_edit(self, jobs: QueueActions, job_ids: list[str]) -> None:
        templates = await asyncio.to_thread(self._service.templates.all)
        dialog = EditDialog(self._window, len(job_ids), {template.id: template.name for template in templates})
        dialog.decided.connect(lambda changes: jobs.edit(job_ids, changes))
        dialog.open()

    def shortcuts(self) -> None:
        """Open the page of shortcuts."""
        ShortcutsDialog(self._window).open()

    def about(self) -> None:
        """Open the page on the program."""
        AboutDialog(self._window).open()

    def report(self, words: str) -> None:
        """Show why files were skipped."""
        TextDialog(self._window, self.tr("What was skipped"), words).open()

    async def _open_settings(self, section: str) -> None:
        templates = await asyncio.to_thread(self._service.templates.all)
        dialog = SettingsDialog(
            self._window,
            self._service.settings,
            self._tasks,
            templates={template.id: template.name for template in templates},
            test_server=self._service.try_server,
        )
        dialog.show_section(section)
        dialog.saved.connect(lambda changes: self._tasks.start(self.apply(changes), self.tr("Saving the settings")))
        dialog.open()

    async def apply(self, changes: dict[str, Any]) -> None:
        """Save settings and use them from now on."""
        settings = await asyncio.to_thread(save_settings, changes)
        later = await self._service.apply_settings(settings)
        if "theme" in changes:
            self._theme.apply(settings.theme)
        self._toast.say(" ".join(later) or self.tr("Settings saved."))
