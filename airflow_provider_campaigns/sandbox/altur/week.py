"""When a campaign of the sandbox's Altur sends: the week of its ``scheduling``, or that of its scheduled cycles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow_provider_campaigns.sandbox.hours import SendingHours, minutes_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: The week of a campaign that is given none.
ALL_WEEK = {day: {"startTime": "09:00", "stopTime": "18:00", "active": True} for day in DAYS}


def sending_hours(fields: Mapping[str, Any]) -> SendingHours:
    """
    Return the hours in which a campaign sends; a day that is left out is off.

    :param fields: What it was created with.
    """
    rules = fields["cycles"]
    scheduled = rules if rules.get("enabled") and rules.get("mode") == "scheduled" else {}
    week = scheduled.get("schedule") or fields["scheduling"]
    windows = {
        place: [(minutes_of(week[day]["startTime"]), minutes_of(week[day]["stopTime"]))]
        for place, day in enumerate(DAYS)
        if day in week and week[day]["active"]
    }
    first, last = (
        date.fromisoformat(scheduled[name]) if scheduled.get(name) else None
        for name in ("schedule_start_date", "schedule_end_date")
    )
    return SendingHours(windows, fields["timezone"], first, last)


def limits(fields: Mapping[str, Any], at: float, *, keep: bool) -> tuple[SendingHours | None, int | None]:
    """
    Return the hours in which a campaign sends, None for any, and how many messages go out a day, None for any number.

    :param fields: What it was created with.
    :param at: Vendor time.
    :param keep: Whether the vendor's pace is kept to; else the hours of a campaign that never sends hold alone.
    """
    hours = sending_hours(fields)
    if not keep and next(hours.openings(at), None) is not None:
        return None, None
    return hours, fields["message_limit"] if fields["integration_type"] == "whatsapp" else None


def over_at(fields: Mapping[str, Any]) -> float:
    """Return when scheduled cycles are over for good; inf for a campaign without them, or without an end."""
    # Asked for each campaign of each list.
    return sending_hours(fields).ends_at if fields["cycles"].get("schedule_end_date") else math.inf


def next_round_at(fields: Mapping[str, Any], last: float) -> float | None:
    """Return when the round after one that ended at a moment begins, or None if there is none."""
    rules = fields["cycles"]
    if rules.get("mode") == "scheduled":
        return sending_hours(fields).next_opening(last)
    return last + 60.0 * float(rules.get("cooldown_minutes", 720))
