"""Python's cyclic garbage is collected on the window's thread only.

The collector runs in whatever thread allocates when a threshold is reached. When that is the worker's thread or a
thread of the pool, it may delete Qt objects that belong to the window's thread, which crashes. So the automatic
collector is switched off while the window lives and a timer of the window's thread takes its place.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

_EVERY_MS: Final = 1000
_FULL_AFTER: Final = 30
"""Collections of the middle generation between two full ones; a full one looks at every object there is."""


_LOADED: Final = 20_000
"""So many new objects within a second are a queue that was read, not garbage. Looking through them would take 100 ms
for 10,000 jobs; frozen, they are left out from now on. Jobs have no cycles and are freed without the collector."""


class GarbageTimer(QObject):
    """Collects while it lives; ``close`` gives the work back to Python."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.freeze()  # modules and the window live until the end
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def close(self) -> None:
        """Stop, and let Python collect by itself again."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def _look(self) -> None:
        young, middle, old = gc.get_count()
        first, second, _ = gc.get_threshold()
        if young > _LOADED:
            gc.freeze()
        elif old > _FULL_AFTER:
            gc.collect(2)
        elif middle > second or young > first * second:
            gc.collect(1)
        elif young > first:
            gc.collect(0)
