"""Tempo and beats from an onset curve.

Tempo by autocorrelation in windows of twelve seconds, weighted towards 120 a minute, and a path through the windows
that doesn't jump without reason (Viterbi); then beats by dynamic programming (Ellis, "Beat Tracking by Dynamic
Programming", 2007) with the local tempo. Confidence says how much stronger the onsets on the beats are than
between them: music without a beat has none, and the picture doesn't pulse to it.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float32]
Float64 = NDArray[np.float64]

_SLOWEST, _FASTEST = 50.0, 210.0
_PREFERRED, _SPREAD_OCTAVES = 120.0, 0.9
_WINDOW_SECONDS, _HOP_SECONDS = 12.0, 3.0
_TIGHTNESS = 120.0
_PULSE_SECONDS = 0.16


@dataclass(frozen=True, slots=True)
class Beats:
    """Where the beats are.

    Attributes:
        times: (n,) seconds, ascending.
        confidence: (n,) 0..1, how clearly each is heard.
    """

    times: Float64
    confidence: Float64

    def curves(self, rows: int, rate: float) -> tuple[Array, Array]:
        """Phase and pulse at ``rows`` rows of ``rate`` a second, see ``AudioFeatures``."""
        if len(self.times) < 2:
            return np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        # The grid goes on at both ends with the nearest period.
        first, last = self.times[1] - self.times[0], self.times[-1] - self.times[-2]
        before = max(1, int(np.ceil(self.times[0] / first)))
        after = max(1, int(np.ceil((rows / rate - self.times[-1]) / last)) + 1)
        grid = np.concatenate(
            [
                self.times[0] - first * np.arange(before, 0, -1),
                self.times,
                self.times[-1] + last * np.arange(1, after + 1),
            ]
        )
        weights = np.concatenate([np.zeros(before), self.confidence, np.zeros(after)])
        now = np.arange(rows) / rate
        # Half a microsecond of tolerance: a beat exactly on a row begins there.
        index = np.clip(np.searchsorted(grid, now + 5e-7, side="right") - 1, 0, len(grid) - 2)
        since = np.maximum(now - grid[index], 0.0)
        phase = np.clip(since / (grid[index + 1] - grid[index]), 0.0, np.float32(1.0) - np.float32(1e-6))
        pulse = weights[index] * np.exp(-since / _PULSE_SECONDS)
        return phase.astype(np.float32), pulse.astype(np.float32)


def track_beats(onset: Array, rate: float) -> Beats:
    """Beats of an onset curve.

    Args:
        onset: (rows,) onset strength, any scale. rate: rows per second.
    """
    nothing = Beats(np.zeros(0), np.zeros(0))
    if len(onset) < 3 * rate or not np.any(onset > 0):
        return nothing
    curve = _flattened(onset, rate)
    periods = _local_periods(curve, rate)
    if periods is None:
        return nothing
    rows = np.array(_best_path(curve, periods, _TIGHTNESS))
    if len(rows) < 4:
        return nothing
    refined = _steadied(rows + _peak_offset(curve, rows), rate)
    confidence = _confidence(curve, rows, rate)
    inside = (refined >= 0) & (refined < len(onset))
    return Beats(refined[inside] / rate, confidence[inside])


def _flattened(onset: Array, rate: float) -> Float64:
    """Onsets relative to the loudness of the onsets around them, so that quiet parts count as much."""
    curve = np.convolve(onset.astype(np.float64), [0.25, 0.5, 0.25], "same")
    width = round(8 * rate) | 1
    kernel_sum = np.cumsum(np.concatenate([[0.0], np.square(curve)]))
    index = np.arange(len(curve))
    low, high = np.maximum(index - width // 2, 0), np.minimum(index + width // 2 + 1, len(curve))
    local = np.sqrt((kernel_sum[high] - kernel_sum[low]) / (high - low))
    floor = 0.1 * np.sqrt(np.mean(np.square(curve)))
    return np.asarray(curve / np.maximum(local, floor))


def _local_periods(curve: Float64, rate: float) -> Float64 | None:
    """(rows,) rows per beat around each row."""
    shortest, longest = int(rate * 60 / _FASTEST), int(np.ceil(rate * 60 / _SLOWEST))
    lags = np.arange(shortest, longest + 1)
    window, hop = round(_WINDOW_SECONDS * rate), round(_HOP_SECONDS * rate)
    starts = np.arange(0, max(1, len(curve) - window + hop), hop)
    taper = np.hanning(window)
    size = 1 << int(np.ceil(np.log2(2 * window)))
    prior = np.exp(-0.5 * np.square(np.log2(60 * rate / lags / _PREFERRED) / _SPREAD_OCTAVES))
    scores = np.zeros((len(starts), len(lags)))
    for row, start in enumerate(starts):
        part = curve[start : start + window]
        part = (part - part.mean()) * taper[: len(part)]
        spectrum = np.fft.rfft(part, size)
        correlation = np.fft.irfft(np.square(np.abs(spectrum)), size)
        if correlation[0] <= 0:
            continue
        # A beat repeats after two and four beats too; a half beat does so less often.
        combined = sum(
            weight * np.interp(multiple * lags, np.arange(size // 2), correlation[: size // 2])
            for multiple, weight in ((1, 1.0), (2, 0.6), (4, 0.4))
        )
        scores[row] = np.maximum(combined / correlation[0], 0.0) * prior
    if not scores.any():
        return None
    chosen = _smoothest(scores, lags)
    centres = starts + window / 2
    periods = np.interp(np.arange(len(curve)), centres, _parabolic(scores, chosen) + shortest)
    return np.asarray(periods)


def _smoothest(scores: Float64, lags: NDArray[np.int64]) -> NDArray[np.int64]:
    """The best sequence of lags when every change costs by its size in octaves (Viterbi)."""
    cost = 6.0 * np.abs(np.log2(lags[:, None] / lags[None, :]))
    cost = np.minimum(cost, 1.5)
    level = scores / (scores.max(axis=1, keepdims=True) + 1e-9)
    best = level[0]
    back = np.zeros(scores.shape, np.int64)
    for row in range(1, len(scores)):
        options = best[:, None] - cost
        back[row] = np.argmax(options, axis=0)
        best = options[back[row], np.arange(len(lags))] + level[row]
    path = np.zeros(len(scores), np.int64)
    path[-1] = int(np.argmax(best))
    for row in range(len(scores) - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path


def _parabolic(scores: Float64, chosen: NDArray[np.int64]) -> Float64:
    """The chosen lags with the fraction of the peak of a parabola through them and their neighbours."""
    rows = np.arange(len(scores))
    inner = np.clip(chosen, 1, scores.shape[1] - 2)
    left, middle, right = scores[rows, inner - 1], scores[rows, inner], scores[rows, inner + 1]
    bend = left - 2 * middle + right
    offset = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1.0), 0.0)
    return np.where(inner == chosen, chosen + np.clip(offset, -0.5, 0.5), chosen)


@njit(nogil=True, cache=True)
def _best_path(curve: Float64, periods: Float64, tightness: float) -> list[int]:
    """Ellis 2007: score(t) = onset(t) + max over earlier beats of score - tightness * log(interval / period)^2."""
    n = len(curve)
    score = np.zeros(n)
    back = np.full(n, -1, np.int64)
    for t in range(n):
        period = periods[t]
        first = round(0.5 * period)
        last = round(2.0 * period)
        best = 0.0
        found = -1
        for gap in range(first, last + 1):
            before = t - gap
            if before < 0:
                break
            ratio = np.log(gap / period)
            value = score[before] - tightness * ratio * ratio
            if value > best:
                best = value
                found = before
        score[t] = curve[t] + best
        back[t] = found
    begin = max(0, n - int(2 * periods[n - 1]))
    t = begin + int(np.argmax(score[begin:]))
    path = [t]
    while back[t] >= 0:
        t = back[t]
        path.append(t)
    return path[::-1]


def _peak_offset(curve: Float64, rows: NDArray[np.int64]) -> Float64:
    """Fractions of a row from the beats to the centre of the onset around them."""
    inner = np.clip(rows, 1, len(curve) - 2)
    left, middle, right = curve[inner - 1], curve[inner], curve[inner + 1]
    total = left + middle + right
    return np.where(total > 0, (right - left) / np.where(total > 0, total, 1.0), 0.0)


def _steadied(beats: Float64, rate: float) -> Float64:
    """Beats at even distances where they are nearly so: the mean of nine neighbours, unless that moves them far.

    The mean over a symmetrical stretch of an evenly spaced sequence is its middle.
    """
    reach = 4
    if len(beats) < 2 * reach + 1:
        return beats
    head = 2 * beats[0] - beats[reach:0:-1]
    tail = 2 * beats[-1] - beats[-2 : -reach - 2 : -1]
    mean = np.convolve(np.concatenate([head, beats, tail]), np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid")
    return np.where(np.abs(mean - beats) < 0.03 * rate, mean, beats)


def _confidence(curve: Float64, rows: NDArray[np.int64], rate: float) -> Float64:
    """How much more happens on the beats than between them, over sixteen beats around each."""
    reach = max(1, round(0.035 * rate))
    padded = np.pad(curve, reach)
    near = np.max(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    on = near[np.clip(rows, 0, len(curve) - 1)]
    gaps = np.diff(rows, append=2 * rows[-1] - rows[-2])
    off = np.mean([near[np.clip(rows + (gaps * part).astype(np.int64), 0, len(curve) - 1)] for part in (0.3, 0.7)], 0)
    kernel = np.ones(min(16, len(rows)))
    weight = np.convolve(np.ones(len(rows)), kernel, "same")
    on_mean = np.convolve(on, kernel, "same") / weight
    off_mean = np.convolve(off, kernel, "same") / weight
    contrast = (on_mean - off_mean) / np.maximum(on_mean + off_mean, 1e-9)
    here = np.clip(on / np.maximum(on_mean, 1e-9), 0.35, 1.0)
    # Onsets of noise reach a contrast of 0.2 to 0.4 by chance, since the path looks for them.
    return np.asarray(np.clip((contrast - 0.4) / 0.25, 0.0, 1.0) * here)
