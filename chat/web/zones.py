"""The reader's time zone, so that a page shows local times before any script has run.

The page's script keeps the zone's name in a cookie. What is broadcast is rendered in UTC and made local by the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request

from chat.core import clock


class BeyondTime(ValueError):
    """A day outside the years that can be named."""

    def __init__(self) -> None:
        super().__init__(f"Choose a day from {FIRST_YEAR} to {LAST_YEAR}.")


#: The years that a form or an address may name: each of their days, and the day after, has a moment in every zone.
FIRST_YEAR, LAST_YEAR = 1970, 2199

#: The reader's zone, and what day it is there; the same day for all of a page.
_reader: ContextVar[tuple[tzinfo, date] | None] = ContextVar("reader", default=None)
#: Counts how often somebody was told how long ago something was: what was rendered meanwhile is old in a minute.
looks_at_the_clock = 0


@contextmanager
def of_reader() -> Iterator[None]:
    """Show times in the zone of whoever sent the current request."""
    zone = _named(request.cookies.get("tz", ""))
    token = _reader.set((zone, clock.now().astimezone(zone).date()))
    try:
        yield
    finally:
        _reader.reset(token)


def current() -> tuple[tzinfo, date]:
    """Return the reader's zone, which is UTC outside a page, and what day it is there."""
    return _reader.get() or (UTC, clock.now().date())


def local(moment: datetime) -> datetime:
    """Return a moment in the reader's zone; in UTC outside a page, and where the calendar ends before it gets there."""
    try:
        return moment.astimezone(current()[0])
    except (OverflowError, ValueError):
        return moment.astimezone(UTC)


def from_reader(text: str) -> datetime:
    """Return a moment that a field of day and time sent, which is in the zone of whoever sent the current request.

    Of an hour that comes twice the first is meant; one that does not come is as long after the hour before as it says.

    :raises ValueError: it is none; ``BeyondTime``: it is not within the years that can be named.
    """
    return _moment(text, "%Y-%m-%dT%H:%M")


def day_from_reader(text: str, days: int = 0) -> datetime:
    """Return when a day began that a field sent, in the zone of whoever sent the current request.

    :param days: number of days to add, of 23, 24 or 25 hours.
    :raises ValueError: it is none; ``BeyondTime``: it is not within the years that can be named.
    """
    return _moment(text, "%Y-%m-%d", timedelta(days=days))


def _moment(text: str, form: str, later: timedelta = timedelta(0)) -> datetime:
    there = datetime.strptime(text, form).replace(tzinfo=_named(request.cookies.get("tz", "")))
    if not FIRST_YEAR <= there.year <= LAST_YEAR:
        raise BeyondTime
    return (there + later).astimezone(UTC)  # by the calendar of the zone, not by hours


def iso(moment: datetime) -> str:
    """Return a moment for ``datetime=""``, in UTC to the millisecond."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def clock_time(moment: datetime) -> str:
    """Return hours and minutes: ``09:12``."""
    return local(moment).strftime("%H:%M")


def day(moment: datetime) -> str:
    """Return the day for a day line: ``Today``, ``Yesterday``, ``Saturday 21 November``, with the year if it is another."""
    return _day_name(local(moment).date(), current()[1])


def when(moment: datetime) -> str:
    """Return a short stamp for lists: the time today, the day in the last week, the date before and after."""
    then, today = local(moment), current()[1]
    age = (today - then.date()).days
    if age == 0:
        return then.strftime("%H:%M")
    if age == 1:
        return "Yesterday"
    if 0 < age < 7:
        return then.strftime("%A")
    return f"{then.day} {then.strftime('%b')}" + ("" if then.year == today.year else f" {then.year}")


def ago(moment: datetime) -> str:
    """Return how long ago: ``now``, ``20 min ago``, ``3 h ago``, and days as lists have them."""
    global looks_at_the_clock
    looks_at_the_clock += 1
    seconds = (clock.now() - moment).total_seconds()
    if seconds < 90:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 24 * 3600:
        return f"{int(seconds // 3600)} h ago"
    return _within(moment)


def since(moment: datetime) -> str:
    """Return the time today, with the day before: ``09:12``, ``yesterday, 09:12``."""
    day = _within(moment)
    return day if ":" in day else f"{day}, {clock_time(moment)}"


def stamp(moment: datetime) -> str:
    """Return the whole of it, for a tooltip: ``Saturday 21 November 2026, 09:12``."""
    then = local(moment)
    return f"{then.strftime('%A')} {then.day} {then.strftime('%B %Y, %H:%M')}"


def _day_name(then: date, today: date) -> str:
    age = (today - then).days
    if age == 0:
        return "Today"
    if age == 1:
        return "Yesterday"
    return f"{then.strftime('%A')} {then.day} {then.strftime('%B')}" + (
        "" if then.year == today.year else f" {then.year}"
    )


def _within(moment: datetime) -> str:
    """Return ``when`` as it stands inside a sentence."""
    return when(moment).replace("Yesterday", "yesterday")


def _named(name: str) -> tzinfo:
    if len(name) > 64:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
