"""The bundled font, and which lines it can set."""

import unicodedata
from functools import cache, lru_cache
from typing import Final

import PIL
from PIL import ImageFont, features

from ethereal_gui.domain.paths import resource_path

_DROPPED: Final = ("So", "Sk", "Cf", "Co", "Cs")  # emoji, their modifiers and joiners: ornaments, not words


@cache
def typesetter() -> str:
    """What turns text into pixels: another version of it may draw other pixels."""
    parts = ("freetype2", "raqm", "harfbuzz", "fribidi")
    return " ".join([f"pillow {PIL.__version__}", *(f"{part} {features.version(part)}" for part in parts)])


@lru_cache(maxsize=64)
def font(weight: str, size: float) -> ImageFont.FreeTypeFont:
    """The bundled Inter in a weight; ``size`` in pixels per em."""
    return ImageFont.truetype(resource_path("fonts", f"Inter-{weight}.otf"), size)


def settable(text: str | None) -> str | None:
    """The line as the bundled font can set it, or None.

    Ornaments that it lacks (emoji) are left out. A line of which letters, digits or punctuation are missing is left
    out as a whole: a row of empty boxes, or half a name, is worse than none.
    """
    kept: list[str] = []
    for character in unicodedata.normalize("NFC", text or ""):
        if not _lacks(character):
            kept.append(character)
        elif unicodedata.category(character) not in _DROPPED and not _is_selector(character):
            return None
    return " ".join("".join(kept).split()) or None


@cache
def _box() -> bytes:
    return bytes(font("Regular", 24.0).getmask("\uffff"))


@cache
def _lacks(character: str) -> bool:
    """The font draws its box for missing characters in this one's place."""
    if character == " ":
        return False
    return bytes(font("Regular", 24.0).getmask(character)) == _box()


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f"
