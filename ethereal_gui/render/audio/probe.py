"""What a song is like at a glance: is there sound in it, how long is it, what do its tags say.

Only headers and the first packets are read; decoding everything later has the last word.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer

from ethereal_gui.render.audio.source import open_audio, undecodable
from ethereal_gui.render.video.tags import cleaned, read_words

_PACKETS: Final = 64
"""One of so many has to decode."""


_LONGEST: Final = 1e7
"""Seconds; a header that promises more months lies, and no job could carry it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; ``duration`` in seconds as the header says it, ``size`` in bytes."""

    duration: float | None
    size: int
    title: str | None
    artist: str | None
    album: str | None


def probe(path: Path) -> Findings:
    """Look into one file.

    Raises:
        InputError: the file cannot become a video; the message names it and says why.
    """
    with open_audio(path, glance=True) as container:
        stream = container.streams.audio[0]
        duration = _duration(container, stream)
        # The container knows the tags of more types, mutagen reads more kinds of tags.
        words = {name.lower(): value for name, value in {**container.metadata, **stream.metadata}.items()}
        if not _decodes(container, stream):
            raise undecodable(path)
    words.update(read_words(path))
    title, artist, album = (cleaned(words.get(name, "")) for name in ("title", "artist", "album"))
    return Findings(duration, path.stat().st_size, title, artist, album)


def _duration(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    return seconds if 0 < seconds <= _LONGEST else None


def _decodes(container: InputContainer, stream: AudioStream) -> bool:
    for packet in islice(container.demux(stream), _PACKETS):
        try:
            if packet.decode():
                return True
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.BugError, av.error.EOFError):
            continue
    return False
