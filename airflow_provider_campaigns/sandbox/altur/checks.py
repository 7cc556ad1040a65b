"""What the sandbox's Altur checks in a request that changes a campaign, and how it says that something is wrong."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import JSONResponse

from airflow_provider_campaigns.sandbox.altur.week import DAYS
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

FOREIGN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "phone_call": ("message_limit", "template", "template_alt"),
    "whatsapp": ("first_message", "cycles"),
}
TEXT_FIELDS = ("name", "description", "timezone", "first_message", "template", "template_alt")
NUMBER_RANGES = {"retries": (0, 5), "message_limit": (1, 10_000)}
SETTLED_FIELDS = ("agent_id", "integration_id", "integration_type")
DATES = ("schedule_start_date", "schedule_end_date")
MAX_NAME_LENGTH = 255

_HOUR = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


def refusal(status: int, code: str, message: str, **more: Any) -> JSONResponse:
    """Return an error as Altur's own layer words it: a code in ``error``, a sentence in ``message``."""
    return JSONResponse({"success": False, "error": code, "message": message, **more}, status_code=status)


def framework_refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error as the framework below words it: a ``detail`` alone."""
    return JSONResponse({"detail": detail}, status_code=status, headers=dict(headers or {}))


def invalid(text: str) -> RefusedRequest:
    """Return the refusal of a request that cannot be read, or breaks a rule."""
    return RefusedRequest(refusal(400, "INVALID_REQUEST", text))


def check_changeable(body: Mapping[str, Any], channel: str) -> None:
    """Refuse the fields that a campaign is created with, or changed, if one of them is not as it must be."""
    foreign = [name for name in FOREIGN_FIELDS[channel] if body.get(name) is not None]
    if foreign:
        raise invalid(f"{foreign[0]} is not for {channel} campaigns")
    for name in TEXT_FIELDS:
        if not isinstance(body.get(name, ""), str | None):
            raise invalid(f"{name} must be a string")
    if len(body.get("name") or "") > MAX_NAME_LENGTH:
        raise invalid(f"name must have at most {MAX_NAME_LENGTH} characters")
    if body.get("timezone") is not None and not _is_timezone(body["timezone"]):
        raise invalid("timezone must be an IANA time zone")
    for name, (lowest, highest) in NUMBER_RANGES.items():
        value = body.get(name)
        if value is not None and not (type(value) is int and lowest <= value <= highest):
            raise invalid(f"{name} must be an integer from {lowest} to {highest}")
    rules = body.get("cycles")
    if rules is not None and not isinstance(rules, dict):
        raise invalid("cycles must be an object")
    for name in DATES:
        if not _is_date((rules or {}).get(name)):
            raise invalid(f"cycles.{name} must be a date, YYYY-MM-DD")
    weeks = {"scheduling": body.get("scheduling"), "cycles.schedule": (rules or {}).get("schedule")}
    for name, week in weeks.items():
        if week is not None and not _is_week(week):
            raise invalid(f"{name} must hold startTime, stopTime (HH:MM) and active for days mon to sun")


def _is_timezone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _is_date(text: Any) -> bool:
    try:
        return text is None or bool(date.fromisoformat(text))
    except (TypeError, ValueError):
        return False


def _is_week(week: Any) -> bool:
    return isinstance(week, dict) and all(
        day in DAYS
        and isinstance(hours, dict)
        and all(isinstance(hours.get(name), str) and _HOUR.fullmatch(hours[name]) for name in ("startTime", "stopTime"))
        and isinstance(hours.get("active"), bool)
        for day, hours in week.items()
    )
