"""What the song says about itself: title, artist, cover."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import mutagen.flac

MAX_TAG_LENGTH = 300
MAX_COVER_BYTES = 8_000_000

_FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB"}
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Tags:
    """Title and artist, and the cover as the bytes of a JPEG or PNG; None what there is not."""

    title: str | None = None
    artist: str | None = None
    cover: bytes | None = None


def read_tags(song: Path) -> Tags:
    """The song's tags. Damaged ones count as none: they are no reason not to make a video."""
    words = read_words(song)
    return Tags(words.get("title"), words.get("artist"), read_cover(song))


def chosen_tags(song: Path, title: str | None, artist: str | None) -> Tags:
    """The song's tags, with what somebody typed in their place."""
    own = read_tags(song)
    return Tags(
        cleaned(title) if title is not None else own.title,
        cleaned(artist) if artist is not None else own.artist,
        own.cover,
    )


def cover_kind(data: bytes) -> int | None:
    """The type that an MP4 cover atom gives the picture (13 JPEG, 14 PNG), or None for anything else."""
    return 13 if data.startswith(_JPEG) else 14 if data.startswith(_PNG) else None


def cleaned(text: str) -> str | None:
    """One line of bounded length, or None when nothing is left."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").split())
    return line[:MAX_TAG_LENGTH] or None


def read_words(song: Path) -> dict[str, str]:
    """Title, artist and album, as far as the song's tags say them."""
    try:
        file: Any = mutagen.File(song, easy=True)
        tags: Any = file.tags if file is not None else None
    except Exception:
        return {}
    found: dict[str, str] = {}
    for name, frame in _FRAMES.items() if tags is not None else ():
        try:
            # wav and aiff have no easy form
            values = tags.getall(frame) if hasattr(tags, "getall") else tags.get(name)
            text = cleaned(str(values[0])) if values else None
        except Exception:  # noqa: S112 - one damaged tag is no reason to leave out the others
            continue
        if text:
            found[name] = text
    return found


def read_cover(song: Path) -> bytes | None:
    """The first picture in the song's tags that is a JPEG or PNG of a sensible size."""
    try:
        file: Any = mutagen.File(song)
        pictures = _pictures(file)
    except Exception:
        return None
    return next((data for data in pictures if len(data) <= MAX_COVER_BYTES and cover_kind(data)), None)


def _pictures(file: Any) -> list[bytes]:
    if file is None:
        return []
    if getattr(file, "pictures", None):
        return [bytes(picture.data) for picture in file.pictures]
    tags = file.tags or {}
    if "covr" in tags:
        return [bytes(data) for data in tags["covr"]]
    if "metadata_block_picture" in tags:
        read: Any = mutagen.flac.Picture
        return [bytes(read(base64.b64decode(text)).data) for text in tags["metadata_block_picture"]]
    return [bytes(tags[key].data) for key in tags if key.startswith("APIC")]
