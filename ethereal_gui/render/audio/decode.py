"""Streamed decoding: a song as blocks of samples, whatever its length, in bounded memory.

Time 0 is the first sample that a player would let you hear: FFmpeg drops what an encoder put in front (LAME's and
Opus' delay, the edit list of an m4a), and blocks follow each other without gaps. What the header says about the
duration is used for nothing but the progress bar and to see that a file was cut off.

A file that decodes partly is used as far as it goes when it has no more than a fifth of undecodable packets and at
least half of the length that its own header promises; otherwise it is refused as damaged, since a video of a third
of a song is not what anybody wants to find in the morning. A wav or Ogg file that breaks off promises nothing that
could be checked: its length is what is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from ethereal_gui.domain.errors import DamagedAudioError
from ethereal_gui.render.audio.source import open_audio, read_error, shown_name, undecodable

Samples = NDArray[np.float32]

MAX_BAD_PACKETS, MOSTLY_BAD = 0.2, 0.8
MIN_PART = 0.5
_BLOCK_SECONDS = 4.0
_NATIVE_RATES = range(32_000, 50_001)
_COMMON_RATE = 48_000
_TOO_MANY_PLANES = 8

# Left and right differ a little in weight, so that a song whose channels are each other's opposite is not silent.
_LEFT_WEIGHT = 0.55


@dataclass(slots=True)
class Decoded:
    """What has been decoded so far; complete when the iterator is exhausted.

    Attributes:
        rate: samples per second of the blocks.
        samples: count so far, per channel.
        expected: seconds that the header promises, or None.
    """

    rate: int = 0
    samples: int = 0
    expected: float | None = None

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.samples / self.rate if self.rate else 0.0


def decode_mono(path: Path, state: Decoded) -> Iterator[Samples]:
    """Blocks of mono samples at the song's own rate (48 kHz when that is below 32 or above 50 kHz).

    Args:
        state: is kept up to date with what has been decoded.

    Yields:
        (n,) float32, finite, within -1..1; several seconds each, the last one shorter.

    Raises:
        InputError: the file cannot be used; see the module's head for damaged ones.
    """
    with open_audio(path) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        state.rate = rate if rate in _NATIVE_RATES else _COMMON_RATE
        state.expected = _expected(container, stream)
        mixer = _MonoMixer(state.rate)
        for frame in _frames(path, container, stream):
            for block in mixer.add(frame):
                state.samples += len(block)
                yield block
        for block in mixer.flush():
            state.samples += len(block)
            yield block
    _check_length(path, state)


def decode_stereo(path: Path, rate: int = _COMMON_RATE) -> Iterator[Samples]:
    """Blocks of stereo samples at ``rate``: mono is doubled, surround is mixed down.

    Yields:
        (2, n) float32, C-contiguous, finite, within -1..1.

    Raises:
        InputError: as ``decode_mono``.
    """
    state = Decoded(rate=rate)
    with open_audio(path) as container:
        stream = container.streams.audio[0]
        state.expected = _expected(container, stream)
        resampler = _Resampler(rate)
        frames = _frames(path, container, stream)
        for frame in chain(chain.from_iterable(map(resampler.add, frames)), resampler.flush()):
            state.samples += frame.samples
            yield _as_stereo(np.float32(resampler.gain) * frame.to_ndarray().astype(np.float32, copy=False))
    _check_length(path, state)


def _frames(path: Path, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Every frame that can be decoded; counts the packets that cannot."""
    good = bad = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.EOFError:
            packet = None
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            # The container itself breaks off here, or goes on in a way that FFmpeg cannot read (an Ogg that changes its
            # rate); what came before may still be most of it.
            bad += 1
            packet = None
        except OSError as error:
            raise read_error(path, error) from error
        if packet is None:
            break
        try:
            frames = packet.decode()
        except av.error.EOFError:
            continue
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.BugError):
            bad += 1
            continue
        good += 1
        for frame in frames:
            if isinstance(frame, AudioFrame) and frame.samples:
                yield frame
    if bad > MOSTLY_BAD * (good + bad):
        raise undecodable(path)
    if bad > MAX_BAD_PACKETS * (good + bad):
        raise DamagedAudioError(f"“{shown_name(path)}” is damaged: {bad} of its {good + bad} packets do not decode.")


def _expected(container: InputContainer, stream: AudioStream) -> float | None:
    """Seconds that the header promises; None when it does not know or only guesses."""
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def _check_length(path: Path, state: Decoded) -> None:
    name = shown_name(path)
    if state.samples == 0:
        raise undecodable(path)
    if state.expected and state.seconds < MIN_PART * state.expected:
        raise DamagedAudioError(
            f"“{name}” is cut off: {state.seconds:.1f} s of {state.expected:.1f} s can be decoded.",
        )


class _Resampler:
    """FFmpeg's resampler, made anew when the song changes its format in the middle (chained Ogg does).

    Mono stays mono, anything else becomes stereo; surround at half its level, which leaves room for what its channels
    have in common. The frames are planar float32; ``gain`` is what they have still to be multiplied by.
    """

    def __init__(self, rate: int) -> None:
        self.gain = 1.0
        self._rate = rate
        self._resampler: av.AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None

    def add(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or source != self._source:
            yield from self.flush()
            self._source = source
            channels = frame.layout.nb_channels
            self.gain = 0.5 if channels > 2 else 1.0
            self._resampler = av.AudioResampler("fltp", "mono" if channels == 1 else "stereo", self._rate)
        # Broken time stamps must not make the resampler insert or drop samples.
        frame.pts = None
        yield from self._resampler.resample(frame)

    def flush(self) -> Iterator[AudioFrame]:
        if self._resampler is not None:
            yield from self._resampler.resample(None)
            self._resampler = None
            self._source = None


class _MonoMixer:
    """Frames -> mono blocks of some seconds. Mixing whole blocks costs a fraction of mixing frames."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = _Resampler(rate)
        self._fifo = av.AudioFifo()
        self._kind: tuple[str, int, float, Fraction | None] | None = None  # of what is in it

    def add(self, frame: AudioFrame) -> Iterator[Samples]:
        # PyAV counts the planes of eight and more channels wrongly, and reads past them.
        too_many = frame.format.is_planar and frame.layout.nb_channels >= _TOO_MANY_PLANES
        if frame.sample_rate != self._rate or too_many:
            for resampled in self._resampler.add(frame):
                yield from self._push(resampled, self._resampler.gain)
        else:
            yield from self._push(frame, 1.0)

    def flush(self) -> Iterator[Samples]:
        for resampled in self._resampler.flush():
            yield from self._push(resampled, self._resampler.gain)
        yield from self._emit()

    def _push(self, frame: AudioFrame, gain: float) -> Iterator[Samples]:
        # Of one time base, too, or the FIFO refuses what follows: a song of several rates is resampled in places.
        kind = (frame.format.name, frame.layout.nb_channels, gain, frame.time_base)
        if kind != self._kind:
            yield from self._emit()
            self._fifo, self._kind = av.AudioFifo(), kind
        frame.pts = None
        self._fifo.write(frame)
        if self._fifo.samples >= _BLOCK_SECONDS * self._rate:
            yield from self._emit()

    def _emit(self) -> Iterator[Samples]:
        frame = self._fifo.read()
        if frame is not None and self._kind is not None:
            data = frame.to_ndarray()
            yield _mix(data if frame.format.is_planar else data.reshape(-1, self._kind[1]).T, self._kind[2])


def _mix(data: NDArray[np.generic], gain: float) -> Samples:
    """(channels, n) of any sample type -> (n,) float32 within -1..1."""
    scale, offset = 1.0, 0.0
    if data.dtype == np.uint8:
        scale, offset = 1 / 128, -1.0
    elif np.issubdtype(data.dtype, np.signedinteger):
        scale = 0.5 ** (8 * data.dtype.itemsize - 1)
    channels = data.shape[0]
    weights = np.full(channels, gain * scale / channels, np.float32)
    if channels >= 2:
        weights[0::2] *= 2 * _LEFT_WEIGHT
        weights[1::2] *= 2 * (1 - _LEFT_WEIGHT)
    mono = weights[0] * data[0].astype(np.float32)
    for weight, channel in zip(weights[1:], data[1:], strict=True):
        mono += weight * channel.astype(np.float32)
    if offset:
        mono += np.float32(gain * offset)
    return _clean(mono)


def _as_stereo(block: Samples) -> Samples:
    return _clean(np.repeat(block, 2, axis=0) if block.shape[0] == 1 else block)


def _clean(block: Samples) -> Samples:
    """Finite and within -1..1: float files may hold anything."""
    if not np.isfinite(block).all():
        block = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(block, -1.0, 1.0)
