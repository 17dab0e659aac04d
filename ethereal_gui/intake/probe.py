"""A file -> a checked audio file: can it be read, is there sound in it, how long is it, what do its tags say.

Probing reads headers and decodes the first few packets; the engine decodes everything later and has the last word.
"""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import av
import av.error
import mutagen
import mutagen.flac

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import (
    DamagedAudioError,
    EmptyFileError,
    FileMissingError,
    FileUnreadableError,
    NoAudioStreamError,
    NotAudioError,
)

MAX_TAG_LENGTH = 300
MAX_COVER_BYTES = 20_000_000


def probe(path: Path) -> AudioFile:
    """Look into one file.

    Raises:
        InputError: the file cannot become a video; the message names it and says why.
    """
    name = display_name(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise FileMissingError(f"“{name}” is not there any more.") from error
    except PermissionError as error:
        raise FileUnreadableError(f"“{name}” cannot be read: no permission.") from error
    except OSError as error:
        raise FileUnreadableError(f"“{name}” cannot be read: {error.strerror}.") from error
    if size == 0:
        raise EmptyFileError(f"“{name}” is empty.")
    duration, container_tags = _open_audio(path, name)
    tags = _tags(path, container_tags)
    return AudioFile(
        id=audio_id(path),
        path=str(path),
        original_name=name,
        duration=duration,
        size=size,
        **tags,
    )


def audio_id(path: Path) -> str:
    """Hex digits for a path, the same each time: names may hold anything, a job id may not."""
    return "a" + hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def display_name(path: Path) -> str:
    """The file's name with what cannot be shown or sent as JSON replaced."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def cover_art(path: Path) -> bytes | None:
    """The cover picture in the file's tags as PNG or JPEG bytes, or None."""
    try:
        file: Any = mutagen.File(path)
        pictures = _pictures(file)
    except Exception:
        return None
    return next((data for data in pictures if 0 < len(data) <= MAX_COVER_BYTES), None)


def _open_audio(path: Path, name: str) -> tuple[float | None, dict[str, str]]:
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                if any(not _is_cover(video) for video in container.streams.video):
                    raise NoAudioStreamError(f"“{name}” has no sound in it.")
                raise NotAudioError(f"“{name}” is not audio.")
            tags = {key.lower(): value for key, value in {**container.metadata, **stream.metadata}.items()}
            duration = None
            if stream.duration is not None and stream.time_base is not None:
                duration = float(stream.duration * stream.time_base)
            elif container.duration is not None:
                duration = container.duration / av.time_base
            if next(container.decode(stream), None) is None:
                raise DamagedAudioError(f"“{name}” has no sound that can be decoded.")
            return (duration if duration and duration > 0 else None), tags
    except av.error.InvalidDataError as error:
        raise NotAudioError(f"“{name}” is not audio, or it is damaged.") from error
    except av.error.PermissionError as error:
        raise FileUnreadableError(f"“{name}” cannot be read: no permission.") from error
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        raise DamagedAudioError(f"“{name}” cannot be decoded: {error}.") from error


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


_picture: Any = mutagen.flac.Picture


def _tags(path: Path, container_tags: dict[str, str]) -> dict[str, str]:
    """Title, artist and album: mutagen knows more tag formats, the container's own are what is left."""
    found: dict[str, str] = {}
    try:
        file: Any = mutagen.File(path, easy=True)
        easy = file.tags if file is not None and file.tags is not None else {}
    except Exception:
        # A damaged tag is no reason to refuse the song.
        easy = {}
    for name in ("title", "artist", "album"):
        try:
            values = easy.get(name)
        except (ValueError, KeyError):
            values = None
        value = str(values[0]) if isinstance(values, list) and values else container_tags.get(name, "")
        cleaned = " ".join(value.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ").split())
        if cleaned:
            found[name] = cleaned[:MAX_TAG_LENGTH]
    return found


def _pictures(file: Any) -> list[bytes]:
    if file is None:
        return []
    if getattr(file, "pictures", None):
        return [bytes(picture.data) for picture in file.pictures]
    tags = file.tags or {}
    if "covr" in tags:
        return [bytes(data) for data in tags["covr"]]
    if "metadata_block_picture" in tags:
        return [bytes(_picture(base64.b64decode(text)).data) for text in tags["metadata_block_picture"]]
    return [bytes(frame.data) for key, frame in tags.items() if key.startswith("APIC")]
