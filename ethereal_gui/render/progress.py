"""How far a render is, said at most four times a second and never backwards."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ethereal_gui.domain.job import Progress, Stage

_INTERVAL = 0.25
_SPEED_SECONDS = 5.0

SHARES: Final = {
    Stage.ANALYSING: (0.0, 0.04),
    Stage.PREPARING: (0.04, 0.04),
    Stage.RENDERING: (0.04, 0.97),
    Stage.FINISHING: (0.97, 1.0),
}
"""From where to where of the whole job each stage takes the bar."""


class ProgressReporter:
    """Turns what the stages say into ``Progress``.

    Args:
        callback: receives it, on whichever thread reported.
        clock: seconds, monotonic.
    """

    def __init__(self, callback: Callable[[Progress], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._callback = callback
        self._clock = clock
        self._fraction = 0.0
        self._stage: Stage | None = None
        self._last = float("-inf")
        self._first_frame = 0
        self._recent: deque[tuple[float, int]] = deque()

    def analysing(self, part: float) -> None:
        """``part`` 0..1 of the analysis is done."""
        self._report(Stage.ANALYSING, part)

    def preparing(self) -> None:
        """The kernels are being compiled, which a computer does once and takes some fifteen seconds."""
        self._report(Stage.PREPARING, 0.0)

    def rendering(self, frame: int, frames: int) -> None:
        """``frame`` of ``frames`` are encoded, those of earlier attempts included."""
        now = self._clock()
        if self._stage is not Stage.RENDERING:
            self._recent.clear()
            self._first_frame = frame
        # The speed is counted from the first new frame on: before it stands the compilation of the kernels.
        if frame > self._first_frame:
            self._recent.append((now, frame))
        while len(self._recent) > 2 and now - self._recent[0][0] > _SPEED_SECONDS:
            self._recent.popleft()
        seconds = now - self._recent[0][0] if self._recent else 0.0
        done = frame - self._recent[0][1] if self._recent else 0
        fps = done / seconds if seconds > 0.5 and done > 0 else None
        left = (frames - frame) / fps if fps else None
        self._report(Stage.RENDERING, frame / frames if frames else 1.0, fps, left, frame, frames)

    def finishing(self, part: float) -> None:
        """``part`` 0..1 of joining, checking and naming is done."""
        self._report(Stage.FINISHING, part)

    def _report(
        self,
        stage: Stage,
        part: float,
        fps: float | None = None,
        left: float | None = None,
        frame: int | None = None,
        frames: int | None = None,
    ) -> None:
        now = self._clock()
        the_end = stage is Stage.FINISHING and part >= 1.0
        if now - self._last < _INTERVAL and stage is self._stage and not the_end:
            return
        low, high = SHARES[stage]
        self._fraction = max(self._fraction, low + (high - low) * min(1.0, max(0.0, part)))
        self._last, self._stage = now, stage
        self._callback(
            Progress(stage=stage, fraction=self._fraction, fps=fps, time_left=left, frame=frame, frames=frames)
        )
