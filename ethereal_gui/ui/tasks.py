"""One owner for every task of the window.

asyncio keeps only weak references to tasks, and an exception of a task that nobody awaits is never shown. So all
background work of the window is started here: it is held, its failure is logged and presented, and it ends when the
window does.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ethereal_gui.domain.errors import EtherealError

log = logging.getLogger(__name__)

Presenter = Callable[[BaseException, str], None]
_CANCEL_AGAIN_SECONDS: Final = 2.0


class TaskOwner:
    """Starts, holds and ends tasks.

    Attributes:
        present: called with an exception and what was being done; shows it to the person.
    """

    def __init__(self, present: Presenter | None = None) -> None:
        self.present = present
        self._tasks: set[asyncio.Task[Any]] = set()
        self._named: dict[str, asyncio.Task[Any]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any], doing: str, *, replace: str = "") -> asyncio.Task[Any] | None:
        """Run ``work``; None when the owner is closed already.

        Args:
            doing: what is being done, for the log and the message when it fails.
            replace: an older task of the same key is cancelled first (a search that was typed over).
        """
        if self._closed:
            work.close()
            return None
        if replace and (older := self._named.pop(replace, None)):
            older.cancel()
        task = asyncio.get_running_loop().create_task(work, name=doing)
        self._tasks.add(task)
        if replace:
            self._named[replace] = task
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Cancel everything and wait until it has ended."""
        self._closed = True
        current = asyncio.current_task()
        waiting = [task for task in self._tasks if task is not current]
        pending = set(waiting)
        while pending:
            # A call to the server that is answered just then may swallow the first time.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        for key, named in list(self._named.items()):
            if named is task:
                del self._named[key]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if isinstance(error, EtherealError):
            log.warning("%s: %s", task.get_name(), error)
        else:
            log.error("%s failed", task.get_name(), exc_info=error)
        if self.present and not self._closed:
            self.present(error, task.get_name())
