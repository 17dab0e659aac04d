"""What a batch will cost before it is submitted: videos, bytes, and time as a range.

Time comes from this computer's own history, per template and format; where there is none yet, from the speeds of
other formats scaled by pixels, and at the very first from a figure measured on two cores. Bytes come from history in
the same way, and at first from the bit rates that the encoder settings usually give.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import FORMATS, OutputFormat, Quality
from ethereal_gui.domain.machine import usable_cores

# Seconds of work per second of 1080p video at 30 frames per second, on one core of 2026; see benchmarks/.
_FIRST_GUESS: Final = 1.6
_QUALITY_FACTOR: Final = {Quality.DRAFT: 0.6, Quality.STANDARD: 1.0, Quality.HIGH: 2.2}
_BITS_PER_PIXEL: Final = {Quality.DRAFT: 0.06, Quality.STANDARD: 0.13, Quality.HIGH: 0.26}
_AUDIO_BITS_PER_SECOND: Final = 384_000
_SPREAD_KNOWN: Final = (0.9, 1.2)
_SPREAD_GUESSED: Final = (0.6, 1.8)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a batch. Times in seconds; ``free_bytes`` is None when the output folder's disk is unknown.

    ``measured`` says that the time rests on this computer's own renders of this template.
    """

    videos: int
    size: int
    seconds_low: float
    seconds_high: float
    free_bytes: int | None
    measured: bool

    @property
    def fits(self) -> bool:
        """The disk has room for it, as far as is known."""
        return self.free_bytes is None or self.size < self.free_bytes


def estimate(
    audio_files: Sequence[AudioFile],
    formats: Sequence[str],
    *,
    template: str,
    fps: int,
    quality: Quality,
    output_dir: Path,
    speeds: Mapping[tuple[str, str], float],
) -> Estimate:
    """The cost of ``audio_files`` x ``formats``.

    Args:
        speeds: seconds of work per second of video by (template, format), from the history.
    """
    seconds = sum(audio.duration or 240.0 for audio in audio_files)
    low = high = 0.0
    size = 0.0
    measured = True
    for output_format in (FORMATS[name] for name in formats if name in FORMATS):
        known = speeds.get((template, output_format.id))
        ratio = known if known is not None else _guess(output_format, speeds, fps, quality)
        spread = _SPREAD_KNOWN if known is not None else _SPREAD_GUESSED
        measured = measured and known is not None
        low += seconds * ratio * spread[0]
        high += seconds * ratio * spread[1]
        size += seconds * (output_format.pixels * fps * _BITS_PER_PIXEL[quality] + _AUDIO_BITS_PER_SECOND) / 8
    return Estimate(
        videos=len(audio_files) * len(formats),
        size=int(size),
        seconds_low=low,
        seconds_high=high,
        free_bytes=free_bytes(output_dir),
        measured=measured and bool(formats),
    )


def free_bytes(folder: Path) -> int | None:
    """Free bytes on the disk that holds ``folder``, which need not exist yet."""
    for candidate in (folder, *folder.parents):
        try:
            return shutil.disk_usage(candidate).free
        except OSError:
            continue
    return None


def _guess(output_format: OutputFormat, speeds: Mapping[tuple[str, str], float], fps: int, quality: Quality) -> float:
    per_pixel = [ratio / FORMATS[name].pixels for (_, name), ratio in speeds.items() if name in FORMATS]
    if per_pixel:
        return output_format.pixels * sum(per_pixel) / len(per_pixel)
    scale = output_format.pixels / FORMATS["1080p"].pixels * fps / 30
    return _FIRST_GUESS * scale * _QUALITY_FACTOR[quality] / min(usable_cores(), 8)
