"""From raw curves to what a picture can follow: relative to the song, smooth, and still in silence.

Everything is a power law of power divided by percentiles of the same song, so that a file played 40 dB lower gives
the same values. Attack and release are in seconds. Since the whole song is known, the attack looks ahead: a rise is
centred on the sound that causes it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_FLOOR_DB = -140.0
_CEILING_DB = 20.0
_BIN_DB = 0.1
_BINS = round((_CEILING_DB - _FLOOR_DB) / _BIN_DB)

SILENCE_BELOW_PEAK_DB = 55.0
SILENCE_DB = -85.0


class Percentiles:
    """Percentiles of powers that pass by, column by column, in memory that doesn't grow; steps of 0.1 dB.

    Powers below -140 dB don't count: digital silence says nothing about a song.
    """

    def __init__(self, columns: int) -> None:
        self._counts = np.zeros((columns, _BINS), np.int64)

    def add(self, powers: Array) -> None:
        """Count the rows of a (n, columns) array."""
        decibel = 10.0 * np.log10(np.maximum(powers, 1e-20))
        index = ((decibel - _FLOOR_DB) / _BIN_DB).astype(np.int64)
        columns = np.arange(powers.shape[1])
        flat = (np.clip(index, 0, _BINS - 1) + columns * _BINS)[index > 0]
        self._counts += np.bincount(flat.ravel(), minlength=self._counts.size).reshape(self._counts.shape)

    def power(self, percent: float) -> NDArray[np.float64]:
        """(columns,) the power below which so many per cent lie; 0 for a column of silence."""
        totals = self._counts.sum(axis=1)
        running = np.cumsum(self._counts, axis=1)
        bins = np.argmax(running >= np.maximum(1, totals * percent / 100.0)[:, None], axis=1)
        decibel = _FLOOR_DB + (bins + 0.5) * _BIN_DB
        return np.where(totals > 0, 10.0 ** (decibel / 10.0), 0.0)


def normalised(power: Array, low: float | NDArray[np.float64], high: float | NDArray[np.float64], law: float) -> Array:
    """``power ** law``, with ``low`` mapped to 0 and ``high`` to 1, clipped.

    A song that never changes has no percentiles to speak of; the range is at least 60 % of the upper one, so that a
    steady tone is steady light and its noise is not blown up.
    """
    top = np.asarray(high, np.float64) ** law
    bottom = np.minimum(np.asarray(low, np.float64) ** law, 0.4 * top)
    values = (power.astype(np.float64) ** law - bottom) / np.where(top > 0, top - bottom, 1.0)
    return np.where(top > 0, np.clip(values, 0.0, 1.0), 0.0).astype(np.float32)


def gate(loudness: Array, loudest: float, rate: float) -> Array:
    """1 in music, 0 in silence; what counts as silence is relative to the loudest part of the song.

    It opens before a sound and closes within half a second behind it, so that what rings out may do so.
    """
    decibel = 10.0 * np.log10(np.maximum(loudness, 1e-20))
    threshold = max(10.0 * np.log10(max(loudest, 1e-20)) - SILENCE_BELOW_PEAK_DB, SILENCE_DB)
    x = np.clip((decibel - threshold) / 10.0, 0.0, 1.0)
    opened = (x * x * (3.0 - 2.0 * x)).astype(np.float32)
    ahead, behind = round(0.2 * rate), round(0.4 * rate)
    padded = np.pad(opened, (behind, ahead))
    held = np.lib.stride_tricks.sliding_window_view(padded, behind + ahead + 1).max(axis=1)
    return attack(held, 0.2, rate)


def attack(values: Array, seconds: float, rate: float) -> Array:
    """Zero-phase smoothing along the first axis by a Gaussian whose rise from 10 to 90 % takes ``seconds``."""
    sigma = seconds * rate / 2.563
    reach = max(1, round(3 * sigma))
    taps = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / max(sigma, 1e-6)))
    taps = (taps / taps.sum()).astype(np.float32)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    out = np.zeros_like(values)
    for k, tap in enumerate(taps):
        out += tap * padded[k : k + len(values)]
    return out


def release(values: Array, seconds: float, rate: float) -> Array:
    """Peaks hold and decay along the first axis, to 1/e within ``seconds``.

    ``y[n] = max(x[n], y[n-1] * d)`` for all n at once: a running maximum of x[n] / d^n, in logarithms.
    """
    slope = np.arange(len(values), dtype=np.float64) / (seconds * rate)
    slope = slope.reshape((-1,) + (1,) * (values.ndim - 1))
    logs = np.log(np.maximum(values, 1e-9, dtype=np.float64)) + slope
    np.maximum.accumulate(logs, axis=0, out=logs)
    logs -= slope
    return np.where(logs > np.log(2e-9), np.exp(logs), 0.0).astype(np.float32)
