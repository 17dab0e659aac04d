"""Names of output files: a pattern with the fields ``{date} {song} {format} {template} {artist}`` and the version
``{n}``. Whatever a song is called, the result is one plain file name inside the output folder."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count
from pathlib import PurePath
from string import Formatter
from typing import Final

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.formats import OutputFormat

DEFAULT_PATTERN: Final = "{date}_{song}_{format}_v{n}"
FIELDS: Final = ("date", "song", "format", "template", "artist", "n")
MAX_NAME_BYTES: Final = 200
"""Of the name without its extension; file systems end at 255 bytes, and temporary names need room."""

MAX_PATTERN_BYTES: Final = 120
MAX_FIELDS: Final = 12
"""Of a pattern: every field still gets some letters."""

_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)


def safe_component(text: str, *, max_bytes: int = 120, fallback: str = "untitled") -> str:
    """``text`` as a part of a file name that every file system takes and no path can hide in."""
    cleaned = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", text))
    cleaned = re.sub(r"\s+", " ", cleaned).strip(" .-_")
    cleaned = truncate_bytes(cleaned, max_bytes).rstrip(" .")
    if not cleaned or _RESERVED.match(cleaned):
        return fallback if not cleaned else f"{fallback} {cleaned}"
    return cleaned


def truncate_bytes(text: str, max_bytes: int) -> str:
    """The longest beginning of ``text`` that fits into ``max_bytes`` of UTF-8 and breaks no character."""
    return text.encode("utf-8", "ignore")[:max_bytes].decode("utf-8", "ignore")


def check_pattern(pattern: str) -> str:
    """``pattern`` itself when it can name files.

    Raises:
        SettingsError: an unknown field, a path separator, or no ``{n}`` to tell versions apart.
    """
    try:
        names = {name for _, name, spec, conversion in Formatter().parse(pattern) if name is not None}
        plain = all(not spec and not conversion for _, _, spec, conversion in Formatter().parse(pattern))
    except ValueError as error:
        raise SettingsError(f"The name pattern “{pattern}” is not valid: {error}.") from error
    unknown = names - set(FIELDS)
    if unknown or not plain:
        raise SettingsError(
            f"The name pattern “{pattern}” has an unknown field.",
            hint=f"Fields are {', '.join('{' + name + '}' for name in FIELDS)}.",
        )
    if "n" not in names:
        raise SettingsError(
            f"The name pattern “{pattern}” lacks {{n}}.", hint="Without it a second video could not be named."
        )
    if "/" in pattern or "\\" in pattern:
        raise SettingsError(f"The name pattern “{pattern}” must not contain a folder.")
    if len(pattern.encode("utf-8", "ignore")) > MAX_PATTERN_BYTES or pattern.count("{") > MAX_FIELDS:
        raise SettingsError(f"The name pattern “{truncate_bytes(pattern, 80)}…” is too long.", hint="Leave words out.")
    return pattern


def name_fields(audio: AudioFile, output_format: OutputFormat, template: str, day: date) -> dict[str, str]:
    """Values for the pattern's fields but ``n``."""
    return {
        "date": day.isoformat(),
        "song": PurePath(audio.original_name).stem or audio.display_title,
        "format": output_format.suffix,
        "template": template,
        "artist": audio.artist or "",
    }


def candidate_names(pattern: str, fields: Mapping[str, str], extension: str = ".mp4") -> Iterator[str]:
    """File names for versions 1, 2, 3, ... without end; the first that does not exist yet is taken.

    Args:
        pattern: see ``check_pattern``.
        fields: values for the pattern's fields but ``n``.
    """
    cleaned = {name: safe_component(str(fields.get(name, ""))) for name in FIELDS if name != "n"}
    for n in count(1):
        name = _FORBIDDEN.sub("_", _fitted(pattern, cleaned, n)).strip(" .")
        yield (f"_{name}" if _RESERVED.match(name) else name) + extension


def _fitted(pattern: str, cleaned: Mapping[str, str], n: int) -> str:
    """The name of that version, cut to its length. The version survives, or two videos could get one name."""
    rendered = pattern.format(**cleaned, n=n)
    excess = len(rendered.encode()) - MAX_NAME_BYTES
    if excess <= 0:
        return rendered
    song = truncate_bytes(cleaned["song"], max(8, len(cleaned["song"].encode()) - excess)).rstrip(" .")
    parts = {**cleaned, "song": song}
    for longest in (60, 30, 15, 6):
        rendered = pattern.format(**parts, n=n)
        if len(rendered.encode()) <= MAX_NAME_BYTES:
            break
        parts = {name: truncate_bytes(text, longest).rstrip(" .") for name, text in parts.items()}
    return pattern.format(**parts, n=n)
