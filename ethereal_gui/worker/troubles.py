"""What is wrong with the server, told once and not at every try: a night without one is a few lines, not a flood."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Troubles:
    """Troubles of one worker with its server.

    Attributes:
        current: the newest trouble, a sentence; None while all is well.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.current: str | None = None
        self._say = say
        self._told: set[str] = set()
        self._quiet = True

    def report(self, text: str) -> None:
        """Something failed; told when it was not told since all was well."""
        self.current, self._quiet = text, False
        if text not in self._told:
            self._told.add(text)
            log.warning("%s", text)
            self._say(text)

    def went_well(self) -> None:
        """A call succeeded. When nothing failed since the one before, the trouble is over."""
        if self._told and self._quiet:
            self._told.clear()
            self.current = None
            self._say("The server answers again.")
        self._quiet = True
