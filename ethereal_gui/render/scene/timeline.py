"""What the music is at any moment, random-access: features now, features at a birth, and running integrals.

"Flow time" T is the integral of a speed that follows the loudness. All motion and all lives run on it, so a loud
passage moves faster, and yet nothing has to be carried from frame to frame.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.scene.jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Columns of the track (features at a birth); the same order begins the moment vector at M_LOUDNESS.
TRACK_COLUMNS: Final = 11
C_LOUDNESS = 0
C_BASS = 1
C_LOW_MID = 2
C_MID = 3
C_TREBLE = 4
C_ONSET = 5
C_BEAT = 6
C_CENTROID = 7
C_SWELL = 8  # loudness over about 3 s
C_BASS_SOFT = 9  # bass over about 0.3 s
C_LEVEL = 10  # loudness over about 0.6 s

# The moment vector: what every layer's kernel knows of now.
M_FLOW = 0
M_TIME = 1
M_LOUDNESS = 2
M_BASS = 3
M_LOW_MID = 4
M_MID = 5
M_TREBLE = 6
M_ONSET = 7
M_BEAT = 8
M_CENTROID = 9
M_SWELL = 10
M_BASS_SOFT = 11
M_LEVEL = 12
M_FLOW_BASS = 13  # integrals of one feature, in seconds
M_FLOW_MID = 14
M_FLOW_TREBLE = 15
M_HALF_WIDTH = 16  # metres that are seen at the subject's distance
M_HALF_HEIGHT = 17
M_IMMERSIVE = 18  # 1 in 360 degrees
M_ROW = 19  # row of the track
M_GROUND = 20  # 1 where hills hide what is low
M_PARAMETERS = 21  # the scene's parameters, in the order in which it names them
MOMENT_SIZE = 44

_INVERSE_RATE = 30.0  # steps of the inverse table per unit of flow


def _soften(values: Float32, seconds: float, fps: int) -> Float64:
    """Zero-phase smoothing by two running means (a song is known to its end, so nothing has to lag)."""
    half = max(1, round(seconds * fps / 2))
    smooth = values.astype(np.float64)
    for _ in range(2):
        padded = np.pad(smooth, half, mode="edge")
        total = np.concatenate(([0.0], np.cumsum(padded)))
        width = 2 * half + 1
        smooth = (total[width:] - total[:-width]) / width
    return smooth


class Timeline:
    """The music as the scenes read it.

    Attributes:
        track: float32 (frames, TRACK_COLUMNS). bands: float32 (frames, 32).
        inverse: float32, the row of the track at flow time k / 30.
    """

    def __init__(self, features: AudioFeatures, speed: float = 1.0) -> None:
        self.fps = features.fps
        self.duration = features.duration
        frames = max(1, features.frames)
        raw = (
            features.loudness,
            features.bass,
            features.low_mid,
            features.mid,
            features.treble,
            features.onset,
            features.beat,
            features.centroid,
        )
        level = _soften(features.loudness, 0.6, features.fps)
        columns: list[Float32 | Float64] = [
            *raw,
            _soften(features.loudness, 3.0, features.fps),
            _soften(features.bass, 0.3, features.fps),
            level,
        ]
        self.track = np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)
        self.bands = np.ascontiguousarray(features.bands, dtype=np.float32)
        dt = 1.0 / features.fps
        rates = np.stack([speed * (0.5 + 0.8 * level), features.bass, features.mid, features.treble], axis=1)
        self._flows = np.zeros((frames + 1, 4))
        np.cumsum(rates * dt, axis=0, out=self._flows[1:])
        flow = self._flows[:, 0]
        steps = np.arange(int(flow[-1] * _INVERSE_RATE) + 2) / _INVERSE_RATE
        self.inverse = np.interp(steps, flow, np.arange(frames + 1)).astype(np.float32)

    def moment(self, t: float) -> Float64:
        """The moment vector at ``t`` seconds, float64 (MOMENT_SIZE,), without layout and parameters."""
        row = min(max(t * self.fps, 0.0), len(self.track) - 1.0)
        a = int(row)
        b = min(a + 1, len(self.track) - 1)
        part = row - a
        moment = np.zeros(MOMENT_SIZE)
        moment[M_TIME] = t
        moment[M_LOUDNESS : M_LOUDNESS + TRACK_COLUMNS] = (1 - part) * self.track[a] + part * self.track[b]
        flows = (1 - part) * self._flows[a] + part * self._flows[a + 1]
        moment[M_FLOW] = flows[0]
        moment[M_FLOW_BASS : M_FLOW_BASS + 3] = flows[1:]
        moment[M_ROW] = row
        return moment


@kernel
def birth_row(inverse: Float32, flow: float, rows: int) -> int:
    """The row of the track at a flow time; the first row for everything born before the song."""
    k = int(max(0.0, flow) * 30.0)
    return min(rows - 1, int(inverse[min(k, inverse.shape[0] - 1)]))
