"""How numbers are said to people. Pure functions; words go through Qt's translation."""

import math
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QLocale, QTime

from ethereal_gui.domain.formats import FORMATS


def tr(text: str, plural: int = -1) -> str:
    """Translate in the context of this module; for code that is no QObject."""
    return QCoreApplication.translate("ethereal", text, None, plural)


def shortened(words: str, most: int = 24) -> str:
    """The beginning of long words, with an ellipsis."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def count(number: int) -> str:
    """12345 -> 12,345 as the locale has it."""
    return QLocale().toString(number)


def clock(seconds: float | None) -> str:
    """Length of a song: 3:07, 1:02:09."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def span(seconds: float) -> str:
    """A length of time in words, no finer than it deserves: 40 s, 3 min 20 s, 2 h 5 min."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return tr("{0} s").format(max(1, round(seconds)))
    if seconds < 600:
        minutes, rest = divmod(round(seconds), 60)
        return tr("{0} min {1} s").format(minutes, rest) if rest else tr("{0} min").format(minutes)
    if seconds < 3600:
        return tr("{0} min").format(round(seconds / 60))
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 48:
        return tr("{0} days").format(round(hours / 24))
    return tr("{0} h {1} min").format(hours, minutes) if minutes and hours < 10 else tr("{0} h").format(hours)


def span_range(low: float, high: float) -> str:
    """A range of time: 5–6 h, 1.5–2 h, 3–4 min; one value when both round to the same."""
    unit, length, step = tr("s"), 1.0, 5.0
    if high >= 72 * 3600:
        unit, length, step = tr("days"), 86_400.0, 1.0
    elif high >= 100 * 60:
        unit, length, step = tr("h"), 3600.0, 0.5 if high < 5 * 3600 else 1.0
    elif high >= 90:
        unit, length, step = tr("min"), 60.0, 1.0 if high < 1200 else 5.0
    first = max(step, math.floor(low / length / step) * step)
    last = max(first, math.ceil(high / length / step) * step)
    return f"{first:g}–{last:g} {unit}" if first != last else f"{first:g} {unit}"


def size(number: float | None) -> str:
    """Bytes: 184 MB, 14 GB (powers of ten, as file managers and drives count)."""
    if number is None:
        return "–"
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            value = number / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{number:.0f} B"


def percent(fraction: float) -> str:
    """Never 100 % before it is done."""
    return f"{min(99, int(fraction * 100)) if fraction < 1 else 100} %"


def time_of_day(timestamp: float) -> str:
    """06:40 today, else with its weekday."""
    moment = datetime.fromtimestamp(timestamp).astimezone()
    now = datetime.now().astimezone()
    short = _clock_time(moment)
    days = (moment.date() - now.date()).days
    if days == 0:
        return short
    if days == 1:
        return tr("{0} tomorrow").format(short)
    return f"{moment:%a} {short}" if 0 < days < 7 else f"{moment:%d %b} {short}"


def _clock_time(moment: datetime) -> str:
    return QLocale().toString(QTime(moment.hour, moment.minute), QLocale.FormatType.ShortFormat)


def date_and_time(iso: str | None) -> str:
    """An ISO 8601 moment as the locale writes it; a dash for what is none: anybody can put jobs into the queue."""
    try:
        moment = datetime.fromisoformat(iso or "").astimezone()
    except (ValueError, OverflowError, OSError):
        return "–"
    return f"{moment:%d %b %Y} {_clock_time(moment)}"


def format_label(format_id: str) -> str:
    """The name of a format on the screen; an unknown one keeps its id."""
    known = FORMATS.get(format_id)
    return known.label if known else format_id


_template_names: dict[str, str] = {}


def learn_template_names(names: dict[str, str]) -> None:
    """Ids and names of the templates that there are."""
    _template_names.update(names)


def template_label(template_id: str) -> str:
    """The name of a template on the screen; an unknown one keeps its id."""
    return _template_names.get(template_id, template_id)
