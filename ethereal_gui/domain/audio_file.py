"""A checked input: one audio file as it travels in a job."""

import hashlib
import os
from pathlib import Path

from ethereal_gui.domain.locations import Place
from ethereal_gui.domain.wire import Count, Id, Label, Seconds, WireModel


class AudioFile(WireModel):
    """An audio file that was found readable.

    Attributes:
        id: hex digits that identify the file inside its batch; part of the job id, never an integer, never with ``:``.
        path: absolute path (or URL) as the submitting machine sees it.
        original_name: the file's name as the user knows it, with its extension.
        duration: length in seconds, when it was probed.
        title, artist, album: from the file's tags, when it has them.
        size: bytes, when it was probed.
    """

    id: Id
    path: Place
    original_name: Label
    duration: Seconds | None = None
    title: Label | None = None
    artist: Label | None = None
    album: Label | None = None
    size: Count | None = None

    @property
    def display_title(self) -> str:
        """The tag's title, else the file name without its extension."""
        return self.title or self.original_name.rpartition(".")[0] or self.original_name


def audio_id(path: Path) -> str:
    """Hex digits for a path, the same each time: names may hold anything, a job id may not."""
    return place_id(path)


def place_id(place: Path | str) -> str:
    """The same for a path or a URL."""
    return "a" + hashlib.sha256(os.fsencode(place)).hexdigest()[:12]


def display_name(path: Path) -> str:
    """The file's name with what cannot be shown or sent as JSON replaced."""
    return os.fsencode(path.name).decode("utf-8", "replace")
