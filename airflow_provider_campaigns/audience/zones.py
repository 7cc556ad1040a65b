"""The time zone that a person lives in: as the list says, or as the number does where it belongs to one place."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from functools import cache
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.numbers import time_zones

#: Of a number that may be in several places with hours of their own, such as any mobile of Russia.
UNKNOWN = "unknown"
#: The column that says it, in whatever case.
COLUMN = "timezone"
_A_YEAR = [datetime(2026, month, 15, 12) for month in range(1, 13)]  # noqa: DTZ001


def zone_of(e164: str, told: Any) -> str:
    """
    Return the zone of a person, as IANA names it, or :data:`UNKNOWN`.

    :param e164: The number.
    :param told: What the list says, or None.
    :raises InvalidRequest: The list says something that is no zone.
    """
    if told is None or told == "":
        return _one_of(time_zones(e164))
    name = told.strip() if isinstance(told, str) else ""
    if name not in _known():
        raise InvalidRequest("it must be an IANA name of a time zone such as America/Sao_Paulo, or empty.")
    return name


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def _one_of(zones: tuple[str, ...]) -> str:
    """Return the zone that zones are, where their clocks show the same all the year."""
    if not zones or not all(zone in _known() for zone in zones):
        return UNKNOWN
    hours = {tuple(zoneinfo.ZoneInfo(zone).utcoffset(day) for day in _A_YEAR) for zone in zones}
    return zones[-1] if len(hours) == 1 else UNKNOWN
