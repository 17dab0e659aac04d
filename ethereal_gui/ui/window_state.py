"""What the window remembers between two starts: its place, its columns, the choices of the last batch."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from ethereal_gui.domain.formats import FORMATS, FRAME_RATES, Quality
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.private import private_folder
from ethereal_gui.settings import Settings
from ethereal_gui.ui.batch_options import BatchChoices

FILE_NAME = "window.ini"


class WindowState:
    """A small file in the data folder."""

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / FILE_NAME
        with suppress(OSError):
            # Qt gives a new file the usual rights, and leaves an old one those that it has.
            private_folder(data_dir)
            path.touch(mode=0o600)
        self._file = QSettings(str(path), QSettings.Format.IniFormat)

    def bytes(self, name: str) -> QByteArray | None:
        """Qt's own description of a window's or splitter's state."""
        value = self._file.value(name)
        return value if isinstance(value, QByteArray) else None

    def text(self, name: str, default: str = "") -> str:
        """A word."""
        return str(self._file.value(name, default))

    def put(self, name: str, value: Any) -> None:
        """Remember that; written when the program idles or ends."""
        self._file.setValue(name, value)

    def choices(self, settings: Settings) -> BatchChoices:
        """The choices of the last batch; where there are none, those of the settings."""
        formats = tuple(name for name in self.text("batch/formats").split(",") if name in FORMATS)
        fps = self.text("batch/fps")
        quality = self.text("batch/quality")
        folder = self.text("batch/folder")
        caption = self.text("batch/caption")
        return BatchChoices(
            formats=formats or settings.formats,
            output_dir=Path(folder) if folder else settings.output_dir,
            fps=int(fps) if fps.isdecimal() and int(fps) in FRAME_RATES else settings.fps,
            quality=Quality(quality) if quality in set(Quality) else settings.quality,
            name_pattern=self.text("batch/pattern") or settings.name_pattern,
            caption=Caption(caption) if caption in set(Caption) else Caption.NONE,
        )

    def put_choices(self, choices: BatchChoices, template: str, settings: Settings) -> None:
        """Remember choices; folder and pattern only when they are others than the settings', which may change later."""
        self.put("batch/formats", ",".join(choices.formats))
        self.put("batch/fps", str(choices.fps))
        self.put("batch/quality", choices.quality.value)
        self.put("batch/caption", choices.caption.value)
        self.put("batch/folder", "" if choices.output_dir == settings.output_dir else str(choices.output_dir))
        same = choices.name_pattern == settings.name_pattern
        self.put("batch/pattern", "" if same else choices.name_pattern)
        self.put("batch/template", template)

    def flush(self) -> None:
        """Write it now."""
        self._file.sync()
