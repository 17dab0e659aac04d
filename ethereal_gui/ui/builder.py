"""The batch builder at work: looks into drops, keeps the cost line right, submits."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from ethereal_gui.domain.audio_file import AudioFile, audio_id
from ethereal_gui.domain.batch import new_batch_id
from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.ui import text
from ethereal_gui.ui.create_page import CreatePage
from ethereal_gui.ui.draft import Draft
from ethereal_gui.ui.songs import COVER
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.ui.toast import Toast
from ethereal_gui.ui.window_state import WindowState

_PROGRESS_EVERY: Final = 0.1
_ESTIMATE_PAUSE_MS: Final = 120


class Builder(QObject):
    """Drives the ``CreatePage``.

    Signals:
        submitted: id of the batch that went into the queue.
    """

    submitted = Signal(str)

    def __init__(
        self, service: RenderService, page: CreatePage, tasks: TaskOwner, toast: Toast, state: WindowState
    ) -> None:
        super().__init__(page)
        self._service = service
        self._page = page
        self._tasks = tasks
        self._toast = toast
        self._state = state
        self._intake: asyncio.Task[None] | None = None
        self._queue: list[Path] = []
        self._batch_id = new_batch_id()
        self._wanted: set[str] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_ESTIMATE_PAUSE_MS)
        self._soon.timeout.connect(self._estimate_now)
        page.options.show_choices(state.choices(service.settings))
        page.gallery.choose(state.text("batch/template", service.settings.template))
        page.paths_wanted.connect(self.take_in)
        page.intake_cancelled.connect(self._stop_intake)
        page.songs.songs_changed.connect(self._changed)
        page.options.changed.connect(self._changed)
        page.gallery.template_changed.connect(self._changed)
        page.options.submitted.connect(self.submit)
        page.options.leave_out_wanted.connect(self._leave_out)
        self._changed()

    # ---- intake ------------------------------------------------------------------------------------------------

    def take_in(self, paths: Sequence[Path]) -> None:
        """Look into files and folders; a second drop waits for the first."""
        self._queue += paths
        self._page.show_intake_progress(0, 0)
        if self._queue and (self._intake is None or self._intake.done()):
            self._intake = self._tasks.start(self._look_into(), self.tr("Looking into files"))

    async def _look_into(self) -> None:
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last > _PROGRESS_EVERY:
                last = time.monotonic()
                self._page.show_intake_progress(done, total)

        while self._queue:
            paths, self._queue = self._queue, []
            try:
                result = await self._service.inspect(paths, progress)
            except asyncio.CancelledError:
                self._page.show_intake_stopped()
                raise
            self._page.show_intake(result)
        self._tasks.start(self._covers(), self.tr("Reading covers"), replace="covers")

    async def _covers(self) -> None:
        for song in self._page.songs.without_cover():
            found = await self._service.cover(song)
            image = await asyncio.to_thread(_scaled, found) if found else None
            self._page.songs.set_cover(song, image)

    def _stop_intake(self) -> None:
        self._queue.clear()
        if self._intake:
            self._intake.cancel()

    # ---- cost --------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        # What is built now is another batch than the one that a failed submission may have half added.
        self._batch_id = new_batch_id()
        self._page.options.show_cost(self._page.songs.rowCount(), None)
        self._soon.start()

    def _estimate_now(self) -> None:
        if self._page.songs.rowCount() and self._page.options.formats.chosen:
            self._tasks.start(self._estimate(), self.tr("Estimating"), replace="estimate")

    async def _estimate(self) -> None:
        page = self._page
        songs, choices = page.songs.songs, page.options.choices
        template = page.gallery.chosen
        try:
            found = await self._service.preflight(
                songs, choices.formats, template.id if template else "", choices.options()
            )
        except SettingsError as error:
            page.options.show_problem(str(error))
        else:
            page.options.show_preflight(len(songs), found)
            if self._service.settings.repeats == "leave_out":
                self._leave_out_by_itself(found.repeated)

    # ---- submitting --------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Put the batch into the queue."""
        if self._page.songs.rowCount() and self._page.options.formats.chosen:
            self._tasks.start(self._submit(), self.tr("Submitting"), replace="submit")

    async def _submit(self) -> None:
        page = self._page
        template, choices = page.gallery.chosen, page.options.choices
        if template is None:
            self._toast.complain(self.tr("Choose a template first."))
            return
        self._state.put_choices(choices, template.id, self._service.settings)
        page.options.submit.setEnabled(False)
        options = choices.options(page.parameters.values)
        try:
            added = await self._service.submit(
                page.songs.songs, template.id, choices.formats, options, batch_id=self._batch_id
            )
        finally:
            page.options.submit.setEnabled(True)
        page.songs.clear()
        self._wanted.clear()
        number = len(added.job_ids)
        words = self.tr("1 video is in the queue.") if number == 1 else self.tr("{0} videos are in the queue.")
        self._toast.say(words.format(text.count(number)))
        self.submitted.emit(added.batch_id)

    def clone(self, draft: Draft) -> None:
        """Start a new batch like an older one; its songs may have to be looked into first."""
        page = self._page
        page.songs.clear()
        # Who asks for it again wants it again, whatever the settings say of repetitions.
        self._wanted = {song.id for song in draft.songs} | {audio_id(path) for path in draft.paths}
        page.songs.add(draft.songs)
        page.gallery.choose(draft.template)
        page.parameters.put_values(draft.options.template_values or {})
        page.options.show_choices(draft.choices(page.options.choices))
        if draft.paths:
            self.take_in(draft.paths)

    def _leave_out_by_itself(self, repeated: frozenset[str]) -> None:
        gone = [song for song in self._page.songs.songs if song.id in repeated - self._wanted]
        if gone:
            self._leave_out([song.id for song in gone])
            left = self.tr("1 song was rendered before and is left out.")
            more = self.tr("{0} songs were rendered before and are left out.")
            words = left if len(gone) == 1 else more.format(text.count(len(gone)))
            self._toast.say(words, button_words=self.tr("Undo"), act=lambda: self._take_back(gone))

    def _take_back(self, songs: list[AudioFile]) -> None:
        self._wanted.update(song.id for song in songs)
        self._page.songs.add(songs)

    def _leave_out(self, song_ids: list[str]) -> None:
        songs = self._page.songs
        songs.take_away([row for row, song in enumerate(songs.songs) if song.id in song_ids])


def _scaled(picture: bytes) -> QImage:
    """A cover at twice the size of its place in the list; empty when it is no picture."""
    image = QImage.fromData(picture)
    if image.isNull():
        return image
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    return image.scaled(COVER * 2, COVER * 2, keep, smooth)
