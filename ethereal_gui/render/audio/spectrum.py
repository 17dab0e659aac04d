"""Blocks of samples -> raw curves at 60 rows a second: band powers, A-weighted power, centroid, onset flux.

Two windows look at each moment. A 2,048-point window (43-46 ms) gives mids, treble and onsets; for everything below
about 500 Hz it is too coarse (22 Hz a bin), so the signal is also decimated by 8 and seen through a 512-point window
(85-93 ms, 11 Hz a bin). Row k is centred on the time k/60, so that features line up with the picture of that time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.audio.features import BAND_COUNT

Array = NDArray[np.float32]

ROW_RATE = 60
"""Rows per second of everything in this module."""

FLUX_GAINS = (1e3, 1e4, 1e5, 1e6)
"""Amplitudes are multiplied by these before 1 is added and the logarithm taken: the right one depends on the loudness
of the whole song, which is known only afterwards."""

LOWEST_HZ, HIGHEST_HZ = 35.0, 14_000.0
_SHORT, _LONG, _DECIMATION = 2048, 512, 8
_CROSSOVER_HZ = 500.0
_FLUX_BANDS_PER_OCTAVE = 12
_ROWS_PER_CHUNK = 64  # what a chunk needs stays in a processor's own cache, and in memory that is used again
_TAPS = 129
_LOG10_E = np.float32(np.log10(np.e))


@dataclass(frozen=True, slots=True)
class RawRows:
    """Consecutive rows.

    Attributes:
        bands: (rows, 32) power in each band. loudness: (rows,) A-weighted mean square.
        centroid: (rows,) spectral centroid in octaves above 35 Hz.
        flux: (rows, 4) SuperFlux onset function, one column for each of ``FLUX_GAINS``.
    """

    bands: Array
    loudness: Array
    centroid: Array
    flux: Array


def band_edges() -> NDArray[np.float64]:
    """(34,) hertz: centres of the 32 bands with one neighbour at each end, evenly spaced in octaves."""
    return np.geomspace(LOWEST_HZ, HIGHEST_HZ, BAND_COUNT + 2)


def band_centres() -> NDArray[np.float64]:
    """(32,) hertz, low to high."""
    return band_edges()[1:-1]


def a_weighting(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Power gain of the A curve (IEC 61672-1), 1 at 1 kHz."""
    f2 = np.square(hertz)
    gain = (12194.0**2 * f2**2) / ((f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2)) * (f2 + 12194.0**2))
    return np.asarray(np.square(gain * 10 ** (2.0 / 20)))


class SpectrumAnalyser:
    """Takes blocks, gives rows; holds no more than a chunk of either.

    Args:
        rate: samples per second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._low_rate = rate / _DECIMATION
        self._short_window = _window(_SHORT)
        self._long_window = _window(_LONG)
        short_hz = np.fft.rfftfreq(_SHORT, 1 / rate)
        long_hz = np.fft.rfftfreq(_LONG, 1 / self._low_rate)
        edges = band_edges()
        high = band_centres() > _CROSSOVER_HZ
        flux_edges = np.geomspace(
            LOWEST_HZ, HIGHEST_HZ, round(np.log2(HIGHEST_HZ / LOWEST_HZ) * _FLUX_BANDS_PER_OCTAVE) + 2
        )
        flux_high = flux_edges[1:-1] > _CROSSOVER_HZ
        octaves = np.log2(np.maximum(short_hz, LOWEST_HZ) / LOWEST_HZ)
        audible = np.where((short_hz > LOWEST_HZ) & (short_hz < HIGHEST_HZ), a_weighting(short_hz), 0.0)
        self._short_bank = np.concatenate(
            [
                _triangles(short_hz, edges)[:, high],
                _triangles(short_hz, flux_edges)[:, flux_high],
                np.stack([a_weighting(short_hz), audible, audible * octaves], axis=1),
            ],
            axis=1,
        ).astype(np.float32)
        self._long_bank = np.concatenate(
            [_triangles(long_hz, edges)[:, ~high], _triangles(long_hz, flux_edges)[:, ~flux_high]], axis=1
        ).astype(np.float32)
        self._counts = (int(high.sum()), int(flux_high.sum()))
        self._low_pass = _low_pass()
        # The short window of row 0 is centred on sample 0, so half of it is before the song; the long one reaches
        # further, and the decimation filter further still.
        self._margin = (_LONG // 2) * _DECIMATION + _TAPS
        self._margin += -self._margin % _DECIMATION
        self._buffer = np.zeros(self._margin, np.float32)
        self._buffer_start = -self._margin
        self._row = 0
        self._past: Array | None = None

    def add(self, block: Array) -> Iterator[RawRows]:
        """Rows that are complete with ``block``, a (n,) float32 array."""
        self._buffer = np.concatenate([self._buffer, block])
        yield from self._rows(self._buffer_start + len(self._buffer) - self._margin)

    def finish(self, samples: int, rows: int) -> Iterator[RawRows]:
        """The remaining rows up to ``rows`` in all, with silence behind the last of ``samples`` samples."""
        end = max(samples, self._centre(rows)) + 2 * self._margin
        missing = end - (self._buffer_start + len(self._buffer))
        self._buffer = np.concatenate([self._buffer, np.zeros(max(0, missing), np.float32)])
        yield from self._rows(end - self._margin, rows)

    def _centre(self, row: int) -> int:
        """The sample on which a row is centred."""
        return (2 * row * self._rate + ROW_RATE) // (2 * ROW_RATE)

    def _rows(self, complete_to: int, last: int | None = None) -> Iterator[RawRows]:
        end = (complete_to * ROW_RATE) // self._rate
        end = end if last is None else last
        while self._row < end:
            stop = min(end, self._row + _ROWS_PER_CHUNK)
            yield self._analyse(self._row, stop)
            self._row = stop
            keep_from = (self._centre(stop) - self._margin) // _DECIMATION * _DECIMATION
            drop = keep_from - self._buffer_start
            if drop > 0:
                self._buffer = self._buffer[drop:]
                self._buffer_start = keep_from
        self._buffer = self._buffer.copy()  # so that the large array behind the view is freed

    def _analyse(self, start: int, stop: int) -> RawRows:
        centres = (2 * np.arange(start, stop) * self._rate + ROW_RATE) // (2 * ROW_RATE)
        first = centres - _SHORT // 2 - self._buffer_start
        windows = np.lib.stride_tricks.sliding_window_view(self._buffer, _SHORT)
        short = _power(windows[np.maximum(first, 0)] * self._short_window) @ self._short_bank

        low, low_start = self._decimated(int(centres[0]), int(centres[-1]))
        low_first = (centres + _DECIMATION // 2) // _DECIMATION - _LONG // 2 - low_start
        low_windows = np.lib.stride_tricks.sliding_window_view(low, _LONG)
        long = _power(low_windows[low_first] * self._long_window) @ self._long_bank

        n_bands, n_flux = self._counts
        bands = np.concatenate([long[:, : BAND_COUNT - n_bands], short[:, :n_bands]], axis=1)
        weighted, audible, octaves = short[:, n_bands + n_flux :].T
        flux_input = np.concatenate([long[:, BAND_COUNT - n_bands :], short[:, n_bands : n_bands + n_flux]], axis=1)
        return RawRows(
            bands=np.maximum(bands, 0.0),
            loudness=np.maximum(weighted, 0.0).copy(),
            centroid=(octaves / np.maximum(audible, 1e-20)).astype(np.float32),
            flux=self._flux(flux_input),
        )

    def _decimated(self, first_centre: int, last_centre: int) -> tuple[Array, int]:
        """The low-passed signal at 1/8 of the rate around these samples, and the index of its first sample."""
        low_start = first_centre // _DECIMATION - _LONG // 2
        count = last_centre // _DECIMATION + _LONG // 2 + 2 - low_start
        # 32 outputs at a time from one stretch of samples, as one matrix product.
        groups = -(-count // 32)
        length = 31 * _DECIMATION + _TAPS
        begin = low_start * _DECIMATION - _TAPS // 2 - self._buffer_start
        needed = begin + (groups - 1) * 32 * _DECIMATION + length
        source = self._buffer
        if begin < 0 or needed > len(source):
            source = np.pad(source, (max(0, -begin), max(0, needed - len(source))))
            begin = max(begin, 0)
        stretches = np.lib.stride_tricks.sliding_window_view(source[begin:], length)[:: 32 * _DECIMATION][:groups]
        return (np.ascontiguousarray(stretches) @ self._low_pass).reshape(-1), low_start

    def _flux(self, powers: Array) -> Array:
        """SuperFlux (Boeck & Widmer 2013): rise of the log spectrum over the maximum of the neighbouring bands
        two rows before, so that vibrato is no onset."""
        amplitudes = np.sqrt(np.maximum(powers, 0.0))
        past = np.zeros((_LAG, powers.shape[1]), np.float32) if self._past is None else self._past
        joined = np.concatenate([past, amplitudes])
        self._past = joined[-_LAG:]
        widest = joined[:-_LAG].copy()
        widest[:, 1:] = np.maximum(widest[:, 1:], joined[:-_LAG, :-1])
        widest[:, :-1] = np.maximum(widest[:, :-1], joined[:-_LAG, 1:])
        rises = [
            np.maximum(np.log((1 + np.float32(gain) * amplitudes) / (1 + np.float32(gain) * widest)), 0.0)
            for gain in FLUX_GAINS
        ]
        # numpy's natural logarithm is vectorised, the one to base 10 is not.
        return _LOG10_E * np.stack([np.mean(rise, axis=1, dtype=np.float32) for rise in rises], axis=1)


_LAG = 2
"""Rows between the two spectra that the flux compares: 33 ms, about the length of the window."""


def _window(length: int) -> Array:
    """Periodic Hann window scaled so that a full-scale sine has a power near 0.5 whatever the length."""
    n = np.arange(length)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / length)
    return np.asarray(window * np.sqrt(2.0 / (length * np.square(window).sum())), np.float32)


def _power(windows: Array) -> Array:
    spectrum = np.fft.rfft(windows, axis=1)
    power: Array = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


def _triangles(hertz: NDArray[np.floating], edges: NDArray[np.floating]) -> NDArray[np.float64]:
    """(bins, bands) weights: triangles between neighbouring edges in octaves, at least one bin wide."""
    step = hertz[1]
    bank = np.zeros((len(hertz), len(edges) - 2))
    for band, (low, centre, high) in enumerate(zip(edges[:-2], edges[1:-1], edges[2:], strict=True)):
        low, high = min(low, centre - step), max(high, centre + step)
        rise = (hertz - low) / (centre - low)
        fall = (high - hertz) / (high - centre)
        bank[:, band] = np.clip(np.minimum(rise, fall), 0.0, None)
    return bank


def _low_pass() -> Array:
    """(31 * 8 + 129, 32): 32 decimated samples out of one stretch; windowed sinc, down by 60 dB at the new Nyquist."""
    n = np.arange(_TAPS) - _TAPS // 2
    cutoff = 0.75 / _DECIMATION
    taps = cutoff * np.sinc(cutoff * n) * np.blackman(_TAPS)
    taps /= taps.sum()
    matrix = np.zeros((31 * _DECIMATION + _TAPS, 32))
    for column in range(32):
        matrix[column * _DECIMATION : column * _DECIMATION + _TAPS, column] = taps
    return matrix.astype(np.float32)
