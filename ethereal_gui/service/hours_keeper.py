"""Lets the local worker take jobs only at the hours that the settings name ("render only at night")."""

from collections.abc import Callable
from datetime import datetime

from ethereal_gui.domain.hours import Hours


class HoursKeeper:
    """Knows whether this computer rests now.

    Args:
        hours: the hours as the settings have them now; None for any time.
        now: the time of day here.
    """

    def __init__(
        self, hours: Callable[[], Hours | None], now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    ) -> None:
        self._hours = hours
        self._now = now
        self._awake_until: datetime | None = None

    @property
    def rests_until(self) -> datetime | None:
        """When rendering begins; None while it may go on."""
        hours, now = self._hours(), self._now()
        if hours is None or hours.holds(now) or (self._awake_until and now < self._awake_until):
            return None
        return hours.next_change(now)

    def wake(self) -> None:
        """Render now all the same, until the hours begin anyway."""
        self._awake_until = self.rests_until or self._awake_until

    def forget_waking(self) -> None:
        """The hours are others now: what was allowed for the old ones is over."""
        self._awake_until = None
