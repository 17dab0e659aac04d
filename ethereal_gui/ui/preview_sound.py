"""The song's sound for the preview, and the clock that the picture follows. Imported when something is played."""

import time

from PySide6.QtCore import QObject, QUrl
from PySide6.QtMultimedia import QAudioOutput, QMediaDevices, QMediaPlayer


class PreviewSound(QObject):
    """Plays one file; without a sound device it only keeps time."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._silent = QMediaDevices.defaultAudioOutput().isNull()
        self._path = ""
        self._started = 0.0
        self._from = 0.0
        self._playing = False
        self._output = QAudioOutput(self) if not self._silent else None
        self._player = QMediaPlayer(self) if not self._silent else None
        if self._player and self._output:
            self._player.setAudioOutput(self._output)

    def play(self, path: str, seconds: float) -> None:
        """Play that file from there."""
        self._from, self._started, self._playing = seconds, time.monotonic(), True
        if self._player:
            if path != self._path:
                self._player.setSource(QUrl.fromLocalFile(path))
            self._player.setPosition(round(seconds * 1000))
            self._player.play()
        self._path = path

    def pause(self) -> None:
        """Stand still."""
        self._from, self._playing = self.position, False
        if self._player:
            self._player.pause()

    def seek(self, seconds: float) -> None:
        """Go on from there."""
        self._from, self._started = seconds, time.monotonic()
        if self._player:
            self._player.setPosition(round(seconds * 1000))

    def set_muted(self, muted: bool) -> None:
        """No sound."""
        if self._output:
            self._output.setMuted(muted)

    @property
    def position(self) -> float:
        """Seconds from the beginning: what is heard now, not what was decoded."""
        if not self._playing:
            return self._from
        if self._player and self._player.position() > 0:
            return self._player.position() / 1000
        return self._from + time.monotonic() - self._started
