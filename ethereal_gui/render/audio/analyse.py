"""A song -> its features, in two passes and bounded memory, and out of the cache the next time.

The first pass decodes and leaves raw band powers in a scratch file, counting percentiles on the way. The second pass
turns them, minutes at a time, into smoothed and normalised bands. All curves with one value a row are small enough
(a megabyte an hour) to be held in memory.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.errors import DiskFullError
from ethereal_gui.domain.private import private_folder
from ethereal_gui.render.audio import cache
from ethereal_gui.render.audio.beats import track_beats
from ethereal_gui.render.audio.decode import Decoded, decode_mono
from ethereal_gui.render.audio.envelopes import Percentiles, attack, gate, normalised, release
from ethereal_gui.render.audio.features import BAND_COUNT, AudioFeatures
from ethereal_gui.render.audio.source import content_hash
from ethereal_gui.render.audio.spectrum import FLUX_GAINS, ROW_RATE, RawRows, SpectrumAnalyser, band_centres

Array = NDArray[np.float32]

ANALYSIS_VERSION = 2
"""Goes up with every change that changes a value; older cache files are then not found any more."""

_GROUPS = {"bass": (0.0, 150.0), "low_mid": (150.0, 600.0), "mid": (600.0, 3_000.0), "treble": (3_000.0, 1e9)}
_ATTACK_SECONDS = 0.05
_RELEASE_SECONDS = {"bass": 0.22, "low_mid": 0.26, "mid": 0.24, "treble": 0.16}
_BAND_RELEASE_SECONDS = 0.2
_ONSET_RELEASE_SECONDS = 0.07
_LAW = 0.3  # of power: near to how loudness is heard
_WEAKEST_BAND_DB = 45.0
_FLUX_RANGE = 1000.0  # amplitudes 60 dB below the loud parts are where onsets begin to count
_PIECE_ROWS = 4 * 60 * ROW_RATE
_MARGIN_ROWS = 6 * ROW_RATE


def analyse(
    path: Path,
    fps: int,
    cache_dir: Path,
    *,
    on_progress: Callable[[float], None] = lambda _fraction: None,
    digest: str | None = None,
) -> AudioFeatures:
    """The song's features at ``fps`` rows a second.

    Args:
        cache_dir: folder for analyses; made when missing.
        on_progress: called with 0..1 as far as the header's duration can be trusted.
        digest: the song's ``content_hash`` when it is known already.

    Raises:
        InputError: the song cannot be used.
        DiskFullError: there is no room for the analysis.
    """
    digest = digest or content_hash(path)
    stored = cache_dir / f"features-{digest}-{ANALYSIS_VERSION}-{fps}.npz"
    features = _read(stored)
    if features is None:
        try:
            private_folder(cache_dir)
            with tempfile.TemporaryFile(dir=cache_dir) as scratch:
                cache.store(stored, _Analysis(path, fps, scratch, on_progress).arrays())
        except OSError as error:
            raise DiskFullError(
                f"The analysis of the song cannot be stored in “{cache_dir}”: {error.strerror or error}."
            ) from error
        features = _read(stored)
        if features is None:
            raise DiskFullError(f"The analysis of the song in “{cache_dir}” cannot be read back.")
    on_progress(1.0)
    return features


def _read(path: Path) -> AudioFeatures | None:
    arrays = cache.load(path)
    if arrays is None:
        return None
    names = {field.name for field in fields(AudioFeatures)} - {"fps", "duration", "frames"}
    meta = arrays.pop("meta", None)
    if meta is None or meta.shape != (4,) or set(arrays) != names:
        return None
    fps, frames = int(meta[0]), arrays["loudness"].shape[0]
    # Two floats of 24 bits each hold what one of 24 bits cannot: the duration of ten hours to the microsecond.
    duration = float(meta[1]) + float(meta[2])
    return AudioFeatures(fps=fps, duration=duration, frames=frames, **arrays)


class _Analysis:
    """One analysis from beginning to end; the steps run in the order of the methods."""

    def __init__(self, path: Path, fps: int, scratch: BinaryIO, on_progress: Callable[[float], None]) -> None:
        self._path, self._fps, self._scratch, self._on_progress = path, fps, scratch, on_progress
        self._state = Decoded()
        self._bands = Percentiles(BAND_COUNT)
        self._loud = Percentiles(1)

    def arrays(self) -> dict[str, tuple[tuple[int, ...], Iterator[Array]]]:
        """What the cache file holds, piece by piece."""
        loudness, centroid, flux = self._listen()
        self._rows = len(loudness)
        duration = self._state.seconds
        self._frames = -(-self._state.samples * self._fps // self._state.rate)
        loudest = float(self._loud.power(98.0)[0])
        self._gate = gate(loudness, loudest, ROW_RATE)
        short = np.float32(duration)
        meta = np.array([self._fps, short, duration - float(short), 0.0], np.float32)
        onset = self._onsets(_flux_for(flux, loudest))
        beats = track_beats(onset, ROW_RATE)
        phase, pulse = beats.curves(self._frames, self._fps)
        smooth = attack(loudness, 0.12, ROW_RATE)
        steady = normalised(smooth, 0.3 * float(self._loud.power(10.0)[0]), loudest, _LAW)
        scalars = {
            "loudness": self._at_frames(release(steady, 0.25, ROW_RATE) * self._gate),
            **{name: self._at_frames(values) for name, values in self._groups().items()},
            "onset": self._at_frames(release(onset, _ONSET_RELEASE_SECONDS, ROW_RATE) * self._gate),
            "beat_phase": phase,
            "beat": pulse * self._at_frames(self._gate),
            "centroid": self._at_frames(self._brightness(centroid)),
        }
        stored: dict[str, tuple[tuple[int, ...], Iterator[Array]]] = {"meta": (meta.shape, iter([meta]))}
        stored.update({name: (values.shape, iter([values])) for name, values in scalars.items()})
        stored["bands"] = ((self._frames, BAND_COUNT), self._final_bands())
        return stored

    def _listen(self) -> tuple[Array, Array, Array]:
        """The first pass: raw bands into the scratch file; loudness, centroid and flux, one value a row."""
        columns: list[tuple[Array, Array, Array]] = []

        def take(rows: Iterator[RawRows]) -> None:
            for raw in rows:
                raw.bands.tofile(self._scratch)
                self._bands.add(raw.bands)
                self._loud.add(raw.loudness[:, None])
                columns.append((raw.loudness, raw.centroid, raw.flux))

        blocks = decode_mono(self._path, self._state)
        first = next(blocks)  # there is one, or the song would have been refused
        analyser = SpectrumAnalyser(self._state.rate)
        for block in chain([first], blocks):
            take(analyser.add(block))
            if self._state.expected:
                self._on_progress(min(0.95, 0.95 * self._state.seconds / self._state.expected))
        rows = -(-self._state.samples * ROW_RATE // self._state.rate) + 1
        take(analyser.finish(self._state.samples, rows))
        loudness, centroid, flux = (np.concatenate(parts)[:rows] for parts in zip(*columns, strict=True))
        return loudness, centroid, flux

    def _raw_bands(self, start: int, stop: int) -> Array:
        """Rows of the scratch file, (stop - start, 32), in 0..1 by each band's own percentiles."""
        width = BAND_COUNT * 4
        self._scratch.seek(start * width)
        raw = np.frombuffer(self._scratch.read((stop - start) * width), np.float32).reshape(-1, BAND_COUNT)
        high = self._bands.power(98.0)
        # What is all but empty stays dark, like the top of a poor mp3. Music falls with frequency, about as 1/f.
        tilt = band_centres() / band_centres()[0]
        high = np.maximum(high, float(np.max(high * tilt)) * 10 ** (-_WEAKEST_BAND_DB / 10) / tilt)
        return normalised(raw, self._bands.power(20.0), high, _LAW)

    def _pieces(self) -> Iterator[tuple[int, int, int, int]]:
        """Stretches of rows with the margins that smoothing needs: (start with margin, start, stop, stop with)."""
        for start in range(0, self._rows, _PIECE_ROWS):
            stop = min(start + _PIECE_ROWS, self._rows)
            yield max(0, start - _MARGIN_ROWS), start, stop, min(self._rows, stop + _MARGIN_ROWS)

    def _groups(self) -> dict[str, Array]:
        """Bass, low mids, mids and treble: (rows,) each, means of their bands, again by percentiles."""
        centres = band_centres()
        means = {name: np.zeros(self._rows, np.float32) for name in _GROUPS}
        for _, start, stop, _ in self._pieces():
            bands = self._raw_bands(start, stop)
            for name, (low, high) in _GROUPS.items():
                means[name][start:stop] = bands[:, (centres >= low) & (centres < high)].mean(axis=1)
        out = {}
        for name, values in means.items():
            heard = values[self._gate > 0.5]
            low_value, high_value = np.percentile(heard, [10, 98]) if len(heard) else (0.0, 0.0)
            level = attack(normalised(values, low_value, high_value, 1.0), _ATTACK_SECONDS, ROW_RATE)
            out[name] = _soft(release(level, _RELEASE_SECONDS[name], ROW_RATE)) * self._gate
        return out

    def _final_bands(self) -> Iterator[Array]:
        """The bands at the video's rate, piece by piece."""
        done = 0
        for before, _, stop, after in self._pieces():
            bands = attack(self._raw_bands(before, after), _ATTACK_SECONDS, ROW_RATE)
            bands = _soft(release(bands, _BAND_RELEASE_SECONDS, ROW_RATE)) * self._gate[before:after, None]
            upto = self._frames if stop == self._rows else min(self._frames, -(-stop * self._fps // ROW_RATE))
            yield _interpolate(bands, np.arange(done, upto) * (ROW_RATE / self._fps) - before)
            done = upto

    def _onsets(self, flux: Array) -> Array:
        """Peaks of the flux above its surroundings, (rows,) 0..1."""
        around = attack(flux, 0.4, ROW_RATE)
        peaks = np.maximum(flux - 1.1 * around, 0.0) * self._gate
        rising = peaks[peaks > 0]
        if not len(rising):
            return np.zeros_like(flux)
        # Strong onsets are few: the scale is the mean of the strongest one in a second, not of all rows.
        seconds = peaks[: len(peaks) // ROW_RATE * ROW_RATE].reshape(-1, ROW_RATE).max(axis=1)
        heard = seconds[seconds > 0]
        scale = float(np.percentile(heard, 75)) if len(heard) else float(rising.max())
        # What a steady sound does from window to window is no onset.
        return np.asarray(np.clip(peaks / max(scale, 0.12), 0.0, 1.0), np.float32)

    def _brightness(self, octaves: Array) -> Array:
        """The centroid between its own percentiles, smoothed over a quarter of a second."""
        heard = octaves[self._gate > 0.5]
        if not len(heard):
            return np.zeros_like(octaves)
        low, high = np.percentile(heard, [5, 95])
        middle, reach = 0.5 * (low + high), max(0.5 * (high - low), 0.5)
        # Silence has no colour: it keeps that of the middle, and the gate takes it away.
        filled = np.where(self._gate > 0.2, octaves, middle)
        return (
            attack(np.clip(0.5 + 0.5 * (filled - middle) / reach, 0, 1).astype(np.float32), 0.25, ROW_RATE) * self._gate
        )

    def _at_frames(self, values: Array) -> Array:
        return _interpolate(values, np.arange(self._frames) * (ROW_RATE / self._fps))


def _flux_for(flux: Array, loudest: float) -> Array:
    """The onset curve for a song of this loudness, between the two columns whose gains are nearest."""
    wanted = np.log10(_FLUX_RANGE / max(np.sqrt(loudest), 1e-6))
    gains = np.log10(FLUX_GAINS)
    position = float(np.interp(wanted, gains, np.arange(len(gains))))
    low = min(int(position), len(gains) - 2)
    part = np.float32(position - low)
    return np.asarray(flux[:, low] * (1 - part) + flux[:, low + 1] * part)


def _soft(values: Array) -> Array:
    """Round off the corners that holding peaks leaves."""
    return attack(values, 0.03, ROW_RATE)


def _interpolate(values: Array, rows: NDArray[np.floating]) -> Array:
    """Values at fractional rows."""
    low = np.clip(rows.astype(np.int64), 0, len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    part = np.clip(rows - low, 0.0, 1.0).astype(np.float32).reshape((-1,) + (1,) * (values.ndim - 1))
    return np.asarray(values[low] * (1 - part) + values[high] * part, np.float32)
