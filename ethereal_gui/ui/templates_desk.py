"""Templates in the batch builder: gallery, thumbnails, parameters, one's own versions."""

import asyncio
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import Template, TemplateLibrary, load_template
from ethereal_gui.ui import text
from ethereal_gui.ui.create_page import CreatePage
from ethereal_gui.ui.preview_panel import DrawPreview, to_image
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.toast import Toast
from ethereal_gui.worker.preview import PreviewRequest

_THUMBNAIL: Final = (272, 152)
_STILL: Final = 8.0
_STEP: Final = 0.06
_MOVES_FOR: Final = 15.0
"""Seconds of the bundled song: where a thumbnail stands still, its pause between two frames, and how long it moves."""


class TemplatesDesk(QObject):
    """Drives gallery and parameter editor.

    Signals:
        changed: another template, or other values.
    """

    changed = Signal()

    def __init__(
        self, library: TemplateLibrary, page: CreatePage, draw: DrawPreview, tasks: TaskOwner, toast: Toast
    ) -> None:
        super().__init__(page)
        self._library = library
        self._page = page
        self._draw = draw
        self._tasks = tasks
        self._toast = toast
        self._moving: asyncio.Task[None] | None = None
        editor = page.parameters
        page.gallery.template_changed.connect(self._show_parameters)
        page.templates.modelReset.connect(self._show_parameters)
        page.gallery.hovered.connect(self._hovered)
        editor.values_changed.connect(self.changed)
        editor.save_wanted.connect(self._ask_name)
        editor.import_wanted.connect(self._choose_import)
        editor.export_wanted.connect(self._choose_export)
        editor.delete_wanted.connect(lambda: self._tasks.start(self._delete(), self.tr("Deleting the template")))

    async def load(self, choose: str = "") -> None:
        """Read the templates off the loop, then draw their thumbnails."""
        templates = await asyncio.to_thread(self._library.all)
        text.learn_template_names({template.id: template.name for template in templates})
        self._page.templates.show(templates)
        if choose:
            self._page.gallery.choose(choose)
        self._tasks.start(self._draw_thumbnails(templates), self.tr("Drawing thumbnails"), replace="thumbnails")

    async def _draw_thumbnails(self, templates: list[Template]) -> None:
        for template in templates:
            await self._draw_thumbnail(template, _STILL)

    async def _draw_thumbnail(self, template: Template, moment: float) -> None:
        songs = sorted(path for path in resource_path("audio").glob("*") if path.suffix != ".txt")
        if not songs:
            return
        request = PreviewRequest(
            audio_path=str(songs[0]),
            template=template,
            output_format="1080p",
            fps=30,
            time=moment,
            width=_THUMBNAIL[0],
            height=_THUMBNAIL[1],
        )
        try:
            picture = await self._draw(request)
        except EtherealError:
            return  # the card keeps what it has; the preview says what is wrong
        self._page.templates.set_picture(template.id, to_image(picture))

    def _hovered(self, template_id: str) -> None:
        row = self._page.templates.row_of(template_id)
        if row >= 0:
            template = self._page.templates.template(row)
            self._moving = self._tasks.start(self._move(template), self.tr("Drawing a thumbnail"), replace="moving")
        elif self._moving:
            self._moving.cancel()

    async def _move(self, template: Template) -> None:
        """Show the template in motion while the pointer is on it; the playing preview has the engine to itself."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (played := loop.time() - began) < _MOVES_FOR:
            if not self._page.preview.is_playing:
                await self._draw_thumbnail(template, _STILL + played)
            await asyncio.sleep(_STEP)

    def _show_parameters(self) -> None:
        chosen = self._page.gallery.chosen
        own = chosen is not None and self._library.is_own(chosen.id)
        self._page.parameters.show_template(chosen, own=own)
        self.changed.emit()

    # ---- one's own templates -----------------------------------------------------------------------------------

    def _ask_name(self) -> None:
        template = self._page.parameters.template
        if template is None:
            return
        dialog = QInputDialog(self._page)
        dialog.setWindowTitle(self.tr("Save template"))
        dialog.setLabelText(self.tr("Name of your template"))
        dialog.setTextValue(self.tr("My {0}").format(template.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(
            lambda name: self._tasks.start(self.save(template, name), self.tr("Saving the template"))
        )
        dialog.open()

    async def save(self, template: Template, name: str) -> None:
        """Keep the current values as a template of that name."""
        named = await asyncio.to_thread(self._save, template, name.strip() or template.name)
        await self.load(named.id)
        self._toast.say(self.tr("Template “{0}” saved.").format(named.name))

    def _save(self, template: Template, name: str) -> Template:
        named = template.model_copy(update={"name": name, "id": self._library.free_id(name)})
        self._library.save(named)
        return named

    async def import_from(self, path: Path) -> None:
        """Take a template file into one's own."""
        template = await asyncio.to_thread(load_template, path)
        named = await asyncio.to_thread(self._save, template, template.name)
        await self.load(named.id)
        self._toast.say(self.tr("Template “{0}” imported.").format(named.name))

    async def export_to(self, path: Path) -> None:
        """Write the template with its current values to a file."""
        template = self._page.parameters.template
        if template:
            words = template.model_dump_json(by_alias=True, indent=2) + "\n"
            await asyncio.to_thread(path.write_text, words, "utf-8")
            self._toast.say(self.tr("Template written to “{0}”.").format(path.name))

    async def _delete(self) -> None:
        chosen = self._page.gallery.chosen
        if chosen and self._library.is_own(chosen.id):
            await asyncio.to_thread(self._library.delete, chosen.id)
            await self.load()
            self._toast.say(
                self.tr("Template “{0}” deleted.").format(chosen.name),
                button_words=self.tr("Undo"),
                act=lambda: self._tasks.start(self._restore(chosen), self.tr("Restoring the template")),
            )

    async def _restore(self, template: Template) -> None:
        await asyncio.to_thread(self._library.save, template)
        await self.load(template.id)

    def _choose_import(self) -> None:
        dialog = self._file_dialog(self.tr("Import a template"), QFileDialog.AcceptMode.AcceptOpen)
        dialog.fileSelected.connect(lambda name: self._tasks.start(self.import_from(Path(name)), self.tr("Importing")))
        dialog.open()

    def _choose_export(self) -> None:
        dialog = self._file_dialog(self.tr("Export the template"), QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda name: self._tasks.start(self.export_to(Path(name)), self.tr("Exporting")))
        dialog.open()

    def _file_dialog(self, title: str, mode: QFileDialog.AcceptMode) -> QFileDialog:
        dialog = QFileDialog(self._page, title)
        dialog.setAcceptMode(mode)
        dialog.setNameFilter(self.tr("Templates") + " (*.json)")
        dialog.setDefaultSuffix("json")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog
