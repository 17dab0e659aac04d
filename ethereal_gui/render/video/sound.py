"""The song as AAC: low complexity, 48 kHz, stereo, 384 kb/s, exactly as long as the video.

An AAC encoder puts 1,024 samples in front of what it is given, and players without an edit list play them. Leaving
out the song's first 1,024 samples (21 ms) makes up for it: every later sample comes at its own time in every reader.
"""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from ethereal_gui.render.audio.decode import decode_stereo
from ethereal_gui.render.video.segments import MP4_OPTIONS
from ethereal_gui.render.video.storage import sync_file, writing

RATE = 48_000
BIT_RATE = 384_000
FRAME = 1_024

Samples = NDArray[np.float32]


def total_samples(frames: int, fps: int) -> int:
    """Samples that last as long as so many pictures."""
    return -(-frames * RATE // fps)


def encode_sound(song: Path, path: Path, samples: int) -> None:
    """Write ``path`` (mp4, one AAC stream of ``samples`` samples), unless it is there already.

    Raises:
        InputError: the song cannot be decoded. StorageError: the file cannot be written.
    """
    if _is_finished(path, samples):
        return
    partial = path.with_name(f".{path.name}.part")
    packets = -(-samples // FRAME)
    with writing(path.parent):
        container = av.open(str(partial), "w", format="mp4", options=MP4_OPTIONS)
    try:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        stream.codec_context.bit_rate = BIT_RATE
        stream.codec_context.options = {"profile": "aac_low"}
        number = 0
        for block in _framed(decode_stereo(song, RATE), (packets - 1) * FRAME):
            frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
            frame.sample_rate = RATE
            frame.pts = None
            encoded = stream.encode(frame)
            number = _mux(path, container, encoded, number, samples)
        number = _mux(path, container, stream.encode(None), number, samples)
        with writing(path.parent):
            container.close()
            sync_file(partial)
            partial.replace(path)
    except BaseException:
        with suppress(OSError):
            container.close()
        partial.unlink(missing_ok=True)
        raise


def _mux(
    path: Path,
    container: av.container.OutputContainer,
    packets: "list[av.Packet[AudioStream]]",
    number: int,
    samples: int,
) -> int:
    """Number the packets from 0 on and cut the last one to length."""
    for packet in packets:
        start = number * FRAME
        if start >= samples:
            break
        packet.time_base = Fraction(1, RATE)
        packet.pts = packet.dts = start
        packet.duration = min(FRAME, samples - start)
        with writing(path.parent):
            container.mux_one(packet)
        number += 1
    return number


def _framed(blocks: Iterator[Samples], wanted: int) -> Iterator[Samples]:
    """The stream without its first 1,024 samples, in pieces of whole AAC frames, cut or filled to ``wanted``."""
    left, skip = wanted, FRAME
    rest = np.zeros((2, 0), np.float32)
    for block in blocks:
        if skip:
            dropped = min(skip, block.shape[1])
            block, skip = block[:, dropped:], skip - dropped
        rest = np.concatenate([rest, block], axis=1)
        usable = min(rest.shape[1], left) // FRAME * FRAME
        # Handing over pieces of some thousand samples keeps the time in Python small.
        if usable >= 16 * FRAME or usable == left:
            for start in range(0, usable, FRAME):
                yield np.ascontiguousarray(rest[:, start : start + FRAME])
            rest, left = rest[:, usable:], left - usable
        if left <= 0:
            break
    missing = max(0, left - rest.shape[1])
    rest = np.concatenate([rest, np.zeros((2, missing), np.float32)], axis=1)[:, :left]
    for start in range(0, left, FRAME):
        yield np.ascontiguousarray(rest[:, start : start + FRAME])


def _is_finished(path: Path, samples: int) -> bool:
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            return stream.duration == samples and stream.sample_rate == RATE
    except (OSError, IndexError, ValueError):
        return False
