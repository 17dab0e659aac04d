"""Files and folders that are dropped: what a drag carries, and the sentence on what became of it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData

from ethereal_gui.intake.inspect import IntakeResult
from ethereal_gui.ui import text
from ethereal_gui.ui.text import tr


def local_paths(mime: QMimeData) -> list[Path]:
    """Local files and folders in a drag or on the clipboard."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile() and url.toLocalFile()]


def intake_sentence(result: IntakeResult, added: int) -> str:
    """``3 added, 1 skipped: cover.jpg is not audio.``"""
    doubles = len(result.accepted) - added
    parts = [tr("1 song added") if added == 1 else tr("{0} songs added").format(text.count(added))]
    if doubles:
        parts.append(tr("{0} already in the list").format(text.count(doubles)))
    if not result.skipped:
        return ", ".join(parts) + "."
    parts.append(tr("{0} skipped").format(text.count(len(result.skipped))))
    return ", ".join(parts) + ": " + result.skipped[0].reason


def skipped_report(result: IntakeResult) -> str:
    """All skipped files with their reasons, one per line."""
    return "\n".join(skipped.reason for skipped in result.skipped)


def suffix_hint() -> str:
    """Which files are taken."""
    return tr("mp3, wav, flac, ogg, opus, m4a, aiff – or whole folders")


def name_filter(suffixes: Sequence[str] = ("mp3", "wav", "flac", "ogg", "opus", "m4a", "aiff", "aif", "aac")) -> str:
    """For the file dialog."""
    return tr("Audio files") + f" ({' '.join('*.' + suffix for suffix in suffixes)});;" + tr("All files") + " (*)"
