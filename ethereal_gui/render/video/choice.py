"""Choosing an encoder. Hardware is believed only after it has encoded a few pictures of the real size.

A driver may not only refuse but take the process down. So a trial is noted on disk before it begins: a note that
still says "trying" is the work of an encoder that killed its process, and is not tried again for a week.
"""

import contextlib
import json
import time
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.formats import FRAME_RATES, OutputFormat, Quality, get_format
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.video.encoders import (
    AV1,
    HARDWARE,
    SOFTWARE,
    EncoderSetup,
    av1_setup,
    hardware_setup,
    software_setup,
)
from ethereal_gui.render.video.storage import write_durably

_TRIAL_FRAMES = 8
_TRUST_SECONDS = {"works": 86_400.0, "fails": 86_400.0, "trying": 7 * 86_400.0}


def choose_encoder(
    wanted: str,
    output_format: OutputFormat,
    fps: int,
    quality: Quality,
    *,
    limit: float | None,
    threads: int | None,
    cache_dir: Path,
) -> EncoderSetup:
    """The encoder for a render.

    Args:
        wanted: ``auto`` for hardware where it works, ``software``, ``av1``, or one of ``HARDWARE``.
        limit: the most megabits per second; the format's own when None. threads: None for all processors.

    Raises:
        SettingsError: ``wanted`` is unknown or does not work on this machine.
    """
    software = software_setup(output_format, fps, quality, limit=limit, processors=threads or 0)
    if wanted == "software":
        return software
    if wanted == "av1":
        return av1_setup(output_format, fps, quality, limit=limit, processors=threads or 0)
    if wanted not in ("auto", *HARDWARE):
        raise SettingsError(
            f"There is no video encoder “{wanted}”.", hint=f"Choose from: auto, software, av1, {', '.join(HARDWARE)}."
        )
    notes = _Notes(cache_dir / "encoders.json")
    for family in HARDWARE if wanted == "auto" else (wanted,):
        setup = hardware_setup(output_format, fps, quality, family, limit=limit)
        if _works(setup, notes):
            return setup
    if wanted == "auto":
        return software
    raise SettingsError(
        f"The video encoder “{wanted}” does not work on this computer for {output_format.label}.",
        hint="Choose auto or software in the settings.",
    )


def working_encoders(wanted: str, cache_dir: Path) -> list[str]:
    """FFmpeg's names of the encoders that a render may use here, the preferred ones first.

    Each is tried at the size of the smallest format of its codec.
    """
    notes = _Notes(cache_dir / "encoders.json")
    if wanted in ("software", "av1"):
        return ([AV1] if wanted == "av1" else []) + list(SOFTWARE.values())
    families = HARDWARE if wanted == "auto" else (wanted,)
    smallest = [get_format("1080p"), get_format("360stereo_6k")]
    tried = [
        hardware_setup(output_format, FRAME_RATES[0], Quality.STANDARD, family)
        for family in families
        for output_format in smallest
    ]
    return [setup.codec_name for setup in tried if _works(setup, notes)] + list(SOFTWARE.values())


def _works(setup: EncoderSetup, notes: "_Notes") -> bool:
    if setup.codec_name not in av.codecs_available:
        return False
    key = f"{setup.codec_name} {setup.width}x{setup.height} {av.__version__}"
    known = notes.get(key)
    if known is not None:
        return known == "works"
    notes.put(key, "trying")
    works = trial(setup)
    notes.put(key, "works" if works else "fails")
    return works


def trial(setup: EncoderSetup) -> bool:
    """Encode a few pictures; True when as many packets come out, the first of them a key picture."""
    try:
        context = cast(av.VideoCodecContext, av.CodecContext.create(setup.codec_name, "w"))
        setup.configure(context)
        picture = np.full((setup.height * 3 // 2, setup.width), 128, np.uint8)
        packets = []
        for n in range(_TRIAL_FRAMES):
            picture[: setup.height] = 16 + 8 * n
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts = n
            packets += context.encode(frame)
        packets += context.encode(None)
    except (av.error.FFmpegError, OSError, ValueError, RuntimeError):
        return False
    return len(packets) == _TRIAL_FRAMES and packets[0].is_keyframe


class _Notes:
    """Results of trials on this machine, each good for a limited time; a file that cannot be kept is done without."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> str | None:
        entry = self._read().get(key)
        if not isinstance(entry, list) or len(entry) != 2:
            return None
        result, at = str(entry[0]), float(entry[1])
        fresh = 0 <= time.time() - at < _TRUST_SECONDS.get(result, 0.0)
        return result if fresh else None

    def put(self, key: str, result: str) -> None:
        with contextlib.suppress(OSError):
            private_folder(self._path.parent)
            write_durably(self._path, json.dumps({**self._read(), key: [result, time.time()]}).encode())

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
