"""What the pictures know of the music: one row per video frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BAND_COUNT = 32

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """Features of a whole song, at the video's frame rate; every array is float32 and read-only.

    All values lie in 0..1 unless said otherwise, normalised per track by percentiles, smoothed with attack and
    release in seconds (so that 30 and 60 fps look alike), and near 0 in silence.

    Attributes:
        fps: rows per second. duration: seconds of audio. frames: number of rows, ``ceil(duration * fps)``.
        loudness: (frames,) A-weighted loudness.
        bass, low_mid, mid, treble: (frames,) energies on a perceptual scale.
        bands: (frames, 32) logarithmically spaced bands, low to high.
        onset: (frames,) onset strength, sharp attack, decays within about 0.2 s.
        beat_phase: (frames,) 0 at a beat, rising to 1 just before the next.
        beat: (frames,) pulse, 1 at a beat and decaying, weighted by confidence in the beat.
        centroid: (frames,) spectral centroid on a logarithmic scale, 0 dark, 1 bright.
    """

    fps: int
    duration: float
    frames: int
    loudness: Float32
    bass: Float32
    low_mid: Float32
    mid: Float32
    treble: Float32
    bands: Float32
    onset: Float32
    beat_phase: Float32
    beat: Float32
    centroid: Float32
