"""Hours of the day in which a computer may render, such as 22:00-07:00; they may go over midnight."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from ethereal_gui.domain.errors import SettingsError

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``start`` up to ``end``, every day, in local time."""

    start: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """That moment is within the hours."""
        now = moment.time()
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def next_change(self, moment: datetime) -> datetime:
        """When they end, or begin, after that moment."""
        wanted = self.end if self.holds(moment) else self.start
        change = moment.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
        return change if change > moment else change + timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def parse_hours(text: str) -> Hours | None:
    """Hours as people write them; None for an empty text, which stands for any time.

    Raises:
        SettingsError: it does not say two times of the day.
    """
    if not text.strip():
        return None
    found = _HOURS.fullmatch(text.strip())
    try:
        if not found:
            raise ValueError
        first, second, third, fourth = (int(part) for part in found.groups())
        hours = Hours(time(first, second), time(third % 24 if fourth == 0 else third, fourth))
    except ValueError:
        raise SettingsError(f"“{text}” are no hours of the day.", hint="Write them like 22:00-07:00.") from None
    if hours.start == hours.end:
        raise SettingsError(f"“{text}” begins and ends at the same time.", hint="Leave it empty to render at any time.")
    return hours
