"""When a render is taken for hung: not when it is silent, but when it does not get on.

Time is counted in steps that were really waited for. A machine that slept for a night, or a worker that was stopped and
continued, has waited one step and not the night; and a child that only repeats itself gains nothing by it.
"""

import time
from typing import Final

from ethereal_gui.domain.errors import RenderCrashedError
from ethereal_gui.domain.job import Progress, Stage

STEPS: Final = 60


class Patience:
    """The time without progress of one child.

    Attributes:
        step: seconds to wait for a message at a time.
    """

    def __init__(self, seconds: float) -> None:
        self.step = min(1.0, seconds / STEPS)
        self._limit = seconds
        self._without = 0.0
        self._looked_at = time.monotonic()
        self._furthest: tuple[Stage, float, int] | None = None

    def heard(self, progress: Progress) -> None:
        """The child said how far it is.

        Raises:
            RenderCrashedError: it has said the same for too long.
        """
        place = (progress.stage, progress.fraction, progress.frame or 0)
        if place != self._furthest:
            self._furthest, self._without, self._looked_at = place, 0.0, time.monotonic()
        else:
            self.waited()

    def waited(self) -> None:
        """Some time passed without progress, a step at most.

        Raises:
            RenderCrashedError: it was too much.
        """
        now = time.monotonic()
        self._without += min(now - self._looked_at, 2 * self.step)
        self._looked_at = now
        if self._without >= self._limit:
            raise RenderCrashedError(f"The render made no progress for {self._limit / 60:.3g} minutes and was stopped.")
