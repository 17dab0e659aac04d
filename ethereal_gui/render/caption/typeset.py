"""A card set as a sheet: two lines of type, a picture beside them, and a soft shadow under all of it.

Lengths are in ems of the title. The sheet is drawn once per render at twice the picture's resolution and placed by
``plate``; nothing in here knows of frames.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.caption.letters import font, settable
from ethereal_gui.render.caption.picture import decode_picture

Float32 = NDArray[np.float32]

_TITLE: Final = "SemiBold"
_ARTIST: Final = "Regular"
_ARTIST_SIZE: Final = 0.62
_ARTIST_INK: Final = 0.78
_INK: Final = 0.96
_LEADING: Final = 1.16
_SMALLEST: Final = 0.62  # of the title's size; a longer title loses its end
_SHRINK_FIRST: Final = 0.80  # down to here one line is better than two
_CAP: Final = 0.727  # height of Inter's capitals
_DESCENT: Final = 0.24
MARGIN: Final = 1.1  # round the block, room for the shadow
_GAP: Final = 0.7  # between picture and type
_SHADOWS: Final = ((0.42, 0.50), (0.09, 0.38))  # radius and strength


@dataclass(frozen=True, slots=True)
class Sheet:
    """A typeset card.

    Attributes:
        pixels: premultiplied RGBA 0..1 in display code, float32 (rows, columns, 4).
        em: pixels per em. width, height: ems of the block, which has ``MARGIN`` ems round it.
    """

    pixels: Float32
    em: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    weight: str
    size: float
    ink: float


def typeset(card: Card, em: float, *, room: float, centred: bool) -> Sheet | None:
    """Set a card: lines to the right of its picture, or alone.

    Args:
        em: pixels per em of the sheet. room: ems that the block may be wide. centred: the lines of a card without a
            picture are centred on each other.

    Returns:
        The sheet, or None when nothing of the card can be set.
    """
    picture = _fit_picture(card.picture, em, wide=min(0.4 * room, 5.0), tall=2.5)
    indent = picture.width / em + _GAP if picture else 0.0
    lines = _set_lines(card, em, room - indent)
    if not lines and picture is None:
        return None
    text_width = max((_width(line, em) for line in lines), default=0.0)
    baselines, text_height = _stack(lines)
    width = indent + text_width if lines else indent - _GAP
    height = max(text_height, picture.height / em if picture else 0.0)
    size = round((width + 2 * MARGIN) * em), round((height + 2 * MARGIN) * em)
    ink = Image.new("L", size, 0)
    draw = ImageDraw.Draw(ink)
    anchor, x = ("ms", width / 2) if centred and not picture else ("ls", indent)
    for line, baseline in zip(lines, baselines, strict=True):
        place = (MARGIN + x) * em, (MARGIN + (height - text_height) / 2 + baseline) * em
        draw.text(place, line.text, fill=round(255 * line.ink), font=font(line.weight, line.size * em), anchor=anchor)
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    if picture:
        layer.paste(picture, (round(MARGIN * em), round((MARGIN + (height - picture.height / em) / 2) * em)))
    return Sheet(_compose(ink, layer, em), em, width, height)


def _compose(ink: Image.Image, layer: Image.Image, em: float) -> Float32:
    """Picture and type over their shadow."""
    shape = ImageChops.lighter(ink, layer.getchannel("A"))
    clear = np.ones((ink.height, ink.width), np.float32)
    for radius, strength in _SHADOWS:
        blurred = shape.filter(ImageFilter.GaussianBlur(radius * em))
        clear *= 1.0 - np.float32(strength) * (np.asarray(blurred, np.float32) / 255.0)
    pixels = np.zeros((ink.height, ink.width, 4), np.float32)
    pixels[..., 3] = 1.0 - clear
    rgba = np.asarray(layer, np.float32) / 255.0
    over(pixels, rgba[..., :3], rgba[..., 3])
    over(pixels, np.full(3, _INK, np.float32), np.asarray(ink, np.float32) / 255.0)
    return pixels


def over(pixels: Float32, colour: Float32, alpha: Float32) -> None:
    """Lay a colour of an alpha over premultiplied pixels, in place."""
    pixels *= (1.0 - alpha)[..., None]
    pixels[..., :3] += colour * alpha[..., None]
    pixels[..., 3] += alpha


def _fit_picture(data: bytes | None, em: float, *, wide: float, tall: float) -> Image.Image | None:
    picture = decode_picture(data) if data else None
    if picture is None:
        return None
    scale = min(wide * em / picture.width, tall * em / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    if picture.getchannel("A").getextrema()[0] == 255:  # a cover: no shape of its own
        corners = Image.new("L", size, 0)
        ImageDraw.Draw(corners).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 0.12 * em, fill=255)
        picture.putalpha(corners)
    return picture


def _stack(lines: list[_Line]) -> tuple[list[float], float]:
    """Baselines below the block's top, and the block's height, in ems."""
    if not lines:
        return [], 0.0
    baselines = [lines[0].size * _CAP]
    for above, line in pairwise(lines):
        lead = _LEADING * line.size if above.weight == line.weight else 0.38 * above.size + 1.05 * line.size
        baselines.append(baselines[-1] + lead)
    return baselines, baselines[-1] + _DESCENT * lines[-1].size


def _set_lines(card: Card, em: float, room: float) -> list[_Line]:
    lines: list[_Line] = []
    if title := settable(card.title):
        lines += _break(title, _TITLE, 1.0, 1.0, em, room)
    if artist := settable(card.artist):
        # Alone, an artist takes the title's place.
        size = _ARTIST_SIZE if lines else 0.8
        fitted = size * min(1.0, max(_SMALLEST, room / _width(_Line(artist, _ARTIST, size, 1.0), em)))
        lines.append(_shorten(_Line(artist, _ARTIST, fitted, _ARTIST_INK if lines else 1.0), em, room))
    return lines


def _break(text: str, weight: str, size: float, ink: float, em: float, room: float) -> list[_Line]:
    """One line, smaller where that suffices; else two of about the same length; else two that lose their end."""
    whole = _Line(text, weight, size, ink)
    wanted = _width(whole, em)
    if wanted * _SHRINK_FIRST <= room:
        return [_Line(text, weight, size * min(1.0, room / wanted), ink)]
    words = text.split(" ")
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    if not splits:
        fitted = size * max(_SMALLEST, room / wanted)
        return [_shorten(_Line(text, weight, fitted, ink), em, room)]
    halves = min(splits, key=lambda pair: max(_width(_Line(part, weight, size, ink), em) for part in pair))
    longer = max(_width(_Line(part, weight, size, ink), em) for part in halves)
    fitted = size * min(1.0, max(_SMALLEST, room / longer))
    return [_shorten(_Line(part, weight, fitted, ink), em, room) for part in halves]


def _shorten(line: _Line, em: float, room: float) -> _Line:
    """The line, ending in an ellipsis where there is no room for its end."""
    text = line.text
    short = line
    while len(text) > 1 and _width(short, em) > room * 1.001:
        text = text[:-1].rstrip()
        short = _Line(text + "…", line.weight, line.size, line.ink)
    return short


def _width(line: _Line, em: float) -> float:
    return font(line.weight, line.size * em).getlength(line.text) / em
