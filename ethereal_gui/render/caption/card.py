"""What a caption says and shows, and when. Drawing it is the business of ``plate``, which loads the type setter."""

from dataclasses import dataclass
from typing import Final

_APPEARS: Final = 1.5  # seconds from the beginning
_LEAVES: Final = 6.4
_RISE: Final = 1.3
_FALL: Final = 1.8
_WHOLE: Final = 24.0  # seconds; a shorter song has a shorter caption


@dataclass(frozen=True, slots=True)
class Card:
    """A title, an artist, and the bytes of a PNG or JPEG; None what there is not."""

    title: str | None = None
    artist: str | None = None
    picture: bytes | None = None


def strength(t: float, duration: float) -> float:
    """How far a caption is faded in at ``t`` seconds, 0..1; it comes and goes once, near the beginning."""
    pace = min(1.0, duration / _WHOLE)
    if pace <= 0.0:
        return 0.0
    u = min(1.0, max(0.0, min((t / pace - _APPEARS) / _RISE, (_LEAVES + _FALL - t / pace) / _FALL)))
    return u * u * (3.0 - 2.0 * u)
