"""When a contact of the sandbox's Kore.ai may be messaged: by the campaign's calling hours, in the contact's zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_campaigns.sandbox.hours import SendingHours

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_HOUR = "%I:%M %p"


class CallingHours:
    """
    The hours of a dialing strategy.

    :param hours: ``callingHours``: its zone, and days with a start and an end such as ``9:00 AM``. A day without a
        name, which only frequencies other than ``WEEKLY`` have, means each day.
    """

    def __init__(self, hours: Mapping[str, Any]) -> None:
        self._windows: dict[int, list[tuple[int, int]]] = {}
        for day in hours["days"]:
            window = (_minutes(day["start"]), _minutes(day["end"]))
            for place in [DAYS.index(day["day"])] if day.get("day") else range(len(DAYS)):
                self._windows.setdefault(place, []).append(window)
        self._timezone = str(hours["timezone"])

    def allow(self, contact: Mapping[str, Any], at: float) -> bool:
        """Return whether a contact may be messaged at a moment; its own time zone beats the campaign's."""
        own = str(contact.get("timeZone") or "")
        return SendingHours(self._windows, own if is_timezone(own) else self._timezone).is_open(at)


def are_calling_hours(hours: Mapping[str, Any]) -> bool:
    """Return whether calling hours can be read."""
    try:
        CallingHours(hours)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return is_timezone(str(hours["timezone"]))


def is_timezone(name: str) -> bool:
    """Return whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _minutes(text: str) -> int:
    read = datetime.strptime(text, _HOUR).replace(tzinfo=UTC)
    return 60 * read.hour + read.minute
