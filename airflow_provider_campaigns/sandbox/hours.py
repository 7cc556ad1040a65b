"""The hours in which a vendor sends: windows of the week in a time zone, within dates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Nobody looks for an opening further ahead than this: ten years.
HORIZON_SECONDS = 10 * 366 * 86400.0
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Opening:
    """
    A stretch of one day in which a vendor sends.

    :param day: The day in the hours' time zone.
    :param start: Vendor time, epoch seconds.
    :param end: Vendor time, epoch seconds.
    """

    day: date
    start: float
    end: float


@dataclass(frozen=True)
class SendingHours:
    """
    The hours in which a vendor sends.

    :param windows: By weekday, 0 for Monday: beginnings and ends in minutes since midnight. A day without a window is
        closed; a window that ends before it begins never opens.
    :param timezone: IANA name of the zone in which they are meant.
    :param first: The first day on which they hold, or None for any.
    :param last: The last day on which they hold, or None for any.
    """

    windows: Mapping[int, Sequence[tuple[int, int]]]
    timezone: str = "UTC"
    first: date | None = None
    last: date | None = None

    def openings(self, begin: float, end: float = math.inf) -> Iterator[Opening]:
        """Yield what is open within a stretch of vendor time, in order."""
        if not any(self.windows.values()):
            return
        zone, limit = ZoneInfo(self.timezone), min(end, begin + HORIZON_SECONDS)
        day = max(_day_of(begin, zone), self.first or date.min)
        while (self.last is None or day <= self.last) and _moment(day, 0, zone) < limit:
            for opens, closes in self.windows.get(day.weekday(), ()):
                start, stop = max(_moment(day, opens, zone), begin), min(_moment(day, closes, zone), end)
                if start < stop:
                    yield Opening(day, start, stop)
            day += timedelta(days=1)

    def is_open(self, at: float) -> bool:
        """Return whether the vendor sends at a moment."""
        return next(self.openings(at, at + 1e-3), None) is not None

    def next_opening(self, at: float) -> float | None:
        """Return when the next window begins after a moment, or None if none does within ten years."""
        # One that is open already began before.
        begun = next(self.openings(at, at + 1e-3), None)
        return next((one.start for one in self.openings(at) if begun is None or one.start > at), None)

    @property
    def ends_at(self) -> float:
        """When they end for good."""
        if self.last is None:
            return math.inf
        return _moment(self.last, MINUTES_A_DAY, ZoneInfo(self.timezone))


def minutes_of(text: str) -> int:
    """Return ``HH:MM`` as minutes since midnight."""
    hours, _, minutes = text.partition(":")
    return 60 * int(hours) + int(minutes)


def _day_of(at: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, zone).date()


def _moment(day: date, minutes: int, zone: ZoneInfo) -> float:
    # On the clock of the wall: nine o'clock is nine o'clock on the day of a change, too.
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC).timestamp()
