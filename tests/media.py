"""Audio files and signals made by code, for tests of every folder."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from ethereal_gui.domain.formats import Codec, OutputFormat, get_format

Signal = NDArray[np.float32]

CODECS: Mapping[str, tuple[str, str, str]] = {
    # suffix: (container, codec, sample format)
    "wav": ("wav", "pcm_s16le", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "flac": ("flac", "flac", "s16"),
    "ogg": ("ogg", "vorbis", "fltp"),
    "opus": ("opus", "libopus", "flt"),
    "m4a": ("ipod", "aac", "fltp"),
    "aiff": ("aiff", "pcm_s16be", "s16"),
}
"""The seven types of song that the program takes."""


def silence(seconds: float, rate: int = 44_100) -> Signal:
    """(n,) zeros."""
    return np.zeros(round(seconds * rate), np.float32)


def tone(seconds: float, hertz: float = 440.0, level: float = 0.5, rate: int = 44_100) -> Signal:
    """(n,) a sine."""
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def noise(seconds: float, level: float = 0.3, rate: int = 44_100, seed: int = 1) -> Signal:
    """(n,) white noise, the same for the same seed."""
    values = np.random.default_rng(seed).uniform(-level, level, round(seconds * rate))
    return values.astype(np.float32)


def clicks(seconds: float, times: list[float] | NDArray[np.float64], level: float = 0.9, rate: int = 44_100) -> Signal:
    """(n,) silence with short bursts (5 ms, decaying) that begin exactly at ``times``."""
    signal = silence(seconds, rate)
    burst = noise(0.005, level, rate) * np.exp(-np.arange(round(0.005 * rate)) / (0.0015 * rate))
    burst[0] = level
    for time in times:
        start = round(time * rate)
        part = signal[start : start + len(burst)]
        part += burst[: len(part)].astype(np.float32)
    return signal


def click_track(seconds: float, bpm: float, offset: float = 0.0, rate: int = 44_100) -> Signal:
    """(n,) a click at every beat."""
    return clicks(seconds, np.arange(offset, seconds, 60.0 / bpm), rate=rate)


def write_audio(
    path: Path, signal: Signal, rate: int = 44_100, *, channels: int = 2, tags: Mapping[str, str] | None = None
) -> Path:
    """Write ``signal`` as the type that the suffix of ``path`` names.

    Args:
        signal: (n,) for the same sound on every channel, or (channels, n); within -1..1.
    """
    container_name, codec, sample_format = CODECS[path.suffix.removeprefix(".").lower()]
    if codec == "libopus" and rate != 48_000:
        raise ValueError("Opus runs at 48,000 samples per second")
    data = np.broadcast_to(signal, (channels, signal.shape[-1])) if signal.ndim == 1 else signal
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[data.shape[0]]
    options = {"strict": "experimental"} if codec == "vorbis" else {}
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate, options=options, layout=layout)
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = av.AudioFormat(sample_format)
        if codec in ("libmp3lame", "aac", "libopus", "vorbis"):
            stream.bit_rate = 192_000
        container.metadata.update(dict(tags or {}))
        resampler = av.AudioResampler(sample_format, layout, rate)
        block = 1 << 16
        for start in range(0, data.shape[1], block):
            # Interleaved: PyAV counts the planes of eight channels wrongly.
            interleaved = np.ascontiguousarray(data[:, start : start + block].T, np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, "flt", layout)
            frame.sample_rate = rate
            frame.pts = start
            frame.time_base = Fraction(1, rate)
            for out in resampler.resample(frame):
                container.mux(stream.encode(out))
        for out in resampler.resample(None):
            container.mux(stream.encode(out))
        container.mux(stream.encode(None))
    return path


def write_float_wav(path: Path, signal: Signal, rate: int = 44_100) -> Path:
    """A mono wav of 32-bit floats, written byte by byte, so that NaN and infinity can be in it."""
    data = np.ascontiguousarray(signal, "<f4").tobytes()
    header = (
        b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
        + (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + rate.to_bytes(4, "little")
        + (rate * 4).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
        + b"data" + len(data).to_bytes(4, "little")
    )  # fmt: skip
    path.write_bytes(header + data)
    return path


def write_silent_video(path: Path, seconds: float = 0.5) -> Path:
    """A small video file without any audio stream."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(round(seconds * 10)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p")))
        container.mux(stream.encode(None))
    return path


def small_format(
    width: int = 192, height: int = 128, *, like: str = "1080p", codec: Codec | None = None
) -> OutputFormat:
    """An output format that renders fast and is otherwise like a real one."""
    real = get_format(like)
    return replace(real, width=width, height=height, codec=codec or real.codec)
