"""Live preview: the chosen template on the chosen song, with sound and a scrub bar.

A frame is a pure function of time, so scrubbing is only drawing another one. One picture is asked for at a time and
the newest wish wins: a slow computer shows fewer frames, never old ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent
from PySide6.QtWidgets import QSlider, QWidget

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.formats import FORMATS
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.template import Template
from ethereal_gui.ui import icons, text
from ethereal_gui.ui.parts import column, icon_button, label, row
from ethereal_gui.ui.preview_stage import PreviewStage
from ethereal_gui.ui.tasks import TaskOwner
from ethereal_gui.worker.preview import PreviewPicture, PreviewRequest, VideoRequest

if TYPE_CHECKING:
    from ethereal_gui.ui.preview_sound import PreviewSound

DrawPreview = Callable[[PreviewRequest | VideoRequest], Awaitable[PreviewPicture]]
LARGEST: Final = QSize(960, 540)
_FRAME: Final = 1 / 30
_FIRST_LOOK: Final = 0.3
"""Where a song is shown first: at its beginning there is often nothing to see yet."""


class PreviewPanel(QWidget):
    """Stage, play button, scrub bar, sound.

    Signals:
        played: playing began or ended.
    """

    played = Signal(bool)

    def __init__(self, draw: DrawPreview, tasks: TaskOwner) -> None:
        super().__init__()
        self._draw = draw
        self._tasks = tasks
        self._song: AudioFile | None = None
        self._template: Template | None = None
        self._format = "1080p"
        self._fps = 30
        self._caption = Caption.NONE
        self._time = 0.0
        self._duration = 0.0
        self._playing = False
        self._wanted = False
        self._working: asyncio.Task[None] | None = None
        self._sound: PreviewSound | None = None
        self.stage = PreviewStage()
        self.play = icon_button("play", self.tr("Play or pause the preview"))
        self.mute = icon_button("volume", self.tr("Sound on or off"))
        self.mute.setCheckable(True)
        self.clock = label("0:00", "small")
        self.clock.setMinimumWidth(88)
        self.clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.scrub = QSlider(Qt.Orientation.Horizontal)
        self.scrub.setRange(0, 0)
        self.scrub.setSingleStep(1000)
        self.scrub.setPageStep(10_000)
        self.scrub.setAccessibleName(self.tr("Place in the song"))
        self.setLayout(column(self.stage, row(self.play, self.scrub, self.clock, self.mute, spacing=8), spacing=4))
        self.play.clicked.connect(self.toggle)
        self.scrub.valueChanged.connect(self._scrubbed)
        self.mute.toggled.connect(self._muted)
        self._enable()

    # ---- what is shown -----------------------------------------------------------------------------------------

    def show_song(self, song: AudioFile | None) -> None:
        """Preview another song."""
        if song == self._song:
            return
        self.stop()
        self.stage.show_message("")
        self._song = song
        self._duration = (song.duration or 0.0) if song else 0.0
        self._time = self._duration * _FIRST_LOOK
        with QSignalBlocker(self.scrub):
            self.scrub.setRange(0, round(self._duration * 1000))
            self.scrub.setValue(round(self._time * 1000))
        self._show_clock()
        self._enable()
        self.refresh()

    def show_template(self, template: Template | None) -> None:
        """Preview with another template, or other values of it."""
        if template != self._template:
            self._template = template
            self._enable()
            self.refresh()

    def show_format(self, format_id: str, fps: int, caption: Caption) -> None:
        """Preview the frame of another format, or with another caption."""
        if (format_id, fps, caption) != (self._format, self._fps, self._caption) and format_id in FORMATS:
            self._format, self._fps, self._caption = format_id, fps, caption
            self.refresh()

    def refresh(self) -> None:
        """Draw the current moment again."""
        if self._song is None or self._template is None:
            self.stage.show_message("")
            return
        self._wanted = True
        if not self.stage.has_image:
            self.stage.show_message(self.tr("Listening to the song…"))
        if self._working is None or self._working.done():
            self._working = self._tasks.start(self._work(), self.tr("Drawing the preview"))

    @property
    def is_playing(self) -> bool:
        """The song is heard."""
        return self._playing

    # ---- playing -----------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Play or pause."""
        if self._playing:
            self.stop()
        elif self._song and self._template:
            if self._time >= self._duration - 0.05:
                self._time = 0.0
            self._playing = True
            self._player().play(self._song.path, self._time)
            self.play.setIcon(icons.icon("pause"))
            self.played.emit(True)
            self.refresh()

    def stop(self) -> None:
        """Pause."""
        if self._playing:
            self._playing = False
            self._player().pause()
            self.play.setIcon(icons.icon("play"))
            self.played.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.toggle()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)

    # ---- inside ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted or self._playing:
            self._wanted = False
            began = loop.time()
            request = self._request()
            if request is None:
                return
            try:
                picture = await self._draw(request)
            except EtherealError as error:
                self.stop()
                self.stage.show_message(error.message)
                continue
            self._show(picture)
            if self._playing:
                await asyncio.sleep(max(0.0, _FRAME - (loop.time() - began)))
                self._advance()

    def _request(self) -> PreviewRequest | None:
        if self._song is None or self._template is None:
            return None
        fmt = FORMATS[self._format]
        room = LARGEST.boundedTo(self.stage.size() * self.stage.devicePixelRatioF())
        size = QSize(fmt.width, fmt.height).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        return PreviewRequest(
            audio_path=self._song.path,
            template=self._template,
            output_format=self._format,
            fps=self._fps,
            caption=self._caption,
            time=self._time,
            width=max(16, size.width() // 2 * 2),
            height=max(16, size.height() // 2 * 2),
        )

    def _show(self, picture: PreviewPicture) -> None:
        self.stage.show_image(to_image(picture))
        if picture.duration and abs(picture.duration - self._duration) > 0.5:
            self._duration = picture.duration
            with QSignalBlocker(self.scrub):
                self.scrub.setRange(0, round(self._duration * 1000))
            self._show_clock()

    def _advance(self) -> None:
        self._time = min(self._player().position, self._duration)
        if self._time >= self._duration:
            self.stop()
        if not self.scrub.isSliderDown():
            with QSignalBlocker(self.scrub):
                self.scrub.setValue(round(self._time * 1000))
        self._show_clock()

    def _scrubbed(self, milliseconds: int) -> None:
        self._time = milliseconds / 1000
        if self._playing:
            self._player().seek(self._time)
        self._show_clock()
        self.refresh()

    def _show_clock(self) -> None:
        self.clock.setText(f"{text.clock(self._time)} / {text.clock(self._duration)}")

    def _muted(self, muted: bool) -> None:
        self.mute.setIcon(icons.icon("mute" if muted else "volume"))
        self._player().set_muted(muted)

    def _enable(self) -> None:
        possible = self._song is not None and self._template is not None
        for control in (self.play, self.scrub, self.mute):
            control.setEnabled(possible)

    def _player(self) -> "PreviewSound":
        if self._sound is None:
            # Loading the multimedia libraries takes a tenth of a second, which the start of the window need not pay.
            from ethereal_gui.ui.preview_sound import PreviewSound

            self._sound = PreviewSound(self)
            self._sound.set_muted(self.mute.isChecked())
        return self._sound


def to_image(picture: PreviewPicture) -> QImage:
    """RGB pixels as an image that owns them."""
    rgb = QImage.Format.Format_RGB888
    return QImage(picture.pixels, picture.width, picture.height, picture.width * 3, rgb).copy()
