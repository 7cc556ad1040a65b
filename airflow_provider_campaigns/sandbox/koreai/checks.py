"""What the sandbox's Kore.ai checks in a request, and how it says that something is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse

from airflow_provider_campaigns.sandbox.koreai.calling_hours import are_calling_hours
from airflow_provider_campaigns.sandbox.koreai.campaign import Schedule
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, is_known

DAY_SECONDS = 86400.0
DIALING_MODES = ("Agentless", "Progressive", "Preview")


def errors(message: str, code: int, status: int) -> JSONResponse:
    """Return an error as the vendor's gateway writes it; the code is not always the status."""
    return JSONResponse({"errors": [{"msg": message, "code": code}]}, status_code=status)


def invalid(what: str) -> RefusedRequest:
    """Return the refusal of a body that breaks a rule."""
    return RefusedRequest(errors(f"Validation errors/ Invalid arguments: {what}", 412, 412))


def missing(what: str) -> RefusedRequest:
    """Return the refusal of what does not exist: a 400, not a 404."""
    return RefusedRequest(errors(f"{what} not found", 400, 400))


def number(source: Mapping[str, Any], name: str) -> int:
    """Return a number that may also be missing or an empty text, which count as 0."""
    value = source.get(name, "")
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid(f"{name} must be a number")
    return value


def check_campaign(body: Mapping[str, Any], query_type: str | None, lists: Collection[str], *, v2: bool) -> str:
    """
    Refuse a create or update that breaks a rule; return the campaign's type.

    :param query_type: The ``campaignType`` of the query.
    :param lists: The names of the contact lists that exist.
    """
    kind = body.get("campaignType")
    if not isinstance(kind, str) or kind not in ("sms", "voice") or query_type != kind:
        raise invalid("campaignType must be sms or voice, in query and body")
    check_text(body, "name", 48)
    check_text(body, "description", 256)
    if body.get("priority") not in ("1", "2", "3", "4", "5"):
        raise invalid('priority must be "1" to "5"')
    _check_strategy(body.get("dialingStrategy"), kind)
    if kind == "sms":
        _check_sms(body)
    else:
        _check_voice(body, v2=v2)
    names = body.get("contactLists")
    if not isinstance(names, list) or not 1 <= len(names) <= 10:
        raise invalid("contactLists must hold 1 to 10 names")
    for name in names:
        if name not in lists:
            raise missing(f"Contact list {name}")
    named = {
        "Experience flow": body.get("experienceFlowName"),
        "Queue": body.get("queue_name"),
        "DNC list": (body.get("dncLists") or {}).get("name"),
    }
    for what, name in named.items():
        if name is not None and not is_known(name):
            raise missing(f"{what} {name}")
    return kind


def check_text(body: Mapping[str, Any], name: str, limit: int) -> None:
    """Refuse a text that is missing, empty or too long."""
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > limit:
        raise invalid(f"{name} must be a text of 1 to {limit} characters")


def _check_strategy(strategy: Any, kind: str) -> None:
    strategy = strategy if isinstance(strategy, dict) else {}
    hours = strategy.get("callingHours") or {}
    if not (strategy.get("callerId") or {}).get("phoneNumber"):
        raise invalid("dialingStrategy.callerId.phoneNumber is required")
    if (
        hours.get("frequency") not in ("WEEKLY", "DAILY", "CUSTOM")
        or not hours.get("timezone")
        or not hours.get("days")
    ):
        raise invalid("dialingStrategy.callingHours is incomplete")
    if not are_calling_hours(hours):
        raise invalid("dialingStrategy.callingHours must have an IANA timezone, and days with hours such as 9:00 AM")
    numbers = {"maxAttemptsPerRecord": (1, 100), "defaultRetryPeriod": (1, 1440), "maxRingTime": (5, 120)}
    if kind == "voice":
        if strategy.get("dialingOrder") not in ("FIFO", "LIFO"):
            raise invalid("dialingStrategy.dialingOrder must be FIFO or LIFO")
        for name, (lowest, highest) in numbers.items():
            value = strategy.get(name)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise invalid(f"dialingStrategy.{name} must be {lowest} to {highest}")


def _check_sms(body: Mapping[str, Any]) -> None:
    message = body.get("message")
    if body.get("format") == "advanced":
        if not body.get("experienceFlowName"):
            raise invalid("experienceFlowName is required")
    elif body.get("format") != "simple" or not isinstance(message, dict) or not message.get("message"):
        raise invalid("format must be simple with a message, or advanced")


def _check_voice(body: Mapping[str, Any], *, v2: bool) -> None:
    mode = body.get("dialingMode")
    if mode not in DIALING_MODES:
        raise invalid(f"dialingMode must be one of {', '.join(DIALING_MODES)}")
    needed = {
        "Agentless": ("experienceFlowName",),
        "Progressive": ("queue_name",),
        "Preview": ("queue_name", "maxSkips"),
    }
    for name in needed[mode]:
        if body.get(name) is None:
            raise invalid(f"{name} is required")
    detection = body.get("enableMachineDetect")
    if not v2 and not isinstance(detection, bool):
        raise invalid("enableMachineDetect must be a boolean")
    if v2 and detection not in (("no", "detect", "disconnect") if mode == "Agentless" else (None,)):
        raise invalid("enableMachineDetect must be no, detect or disconnect, for Agentless campaigns")
    if v2 and not (isinstance(body.get("dncLists"), dict) and body["dncLists"].get("name")):
        raise invalid("dncLists is required")


def read_schedule(body: Mapping[str, Any], now: float) -> Schedule:
    """Return the schedule that a body asks for."""
    try:
        start, end = (
            datetime.strptime(body[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
            for name in ("startDateTime", "endDateTime")
        )
        recurrence = body["recurrenceObject"]
        if recurrence["recurType"] == "Daily":
            days = recurrence["dailyDetails"]["onceEveryNdays"]
        else:
            days = 7 * recurrence["weeklyDetails"]["onceEveryNweeks"]
            if recurrence["recurType"] != "Weekly" or not recurrence["weeklyDetails"]["whichDays"]:
                raise KeyError("whichDays")
    except (KeyError, TypeError, ValueError):
        raise invalid("startDateTime, endDateTime and recurrenceObject are required") from None
    if end <= now or end <= start or days < 1:
        raise invalid("endDateTime must be after startDateTime and in the future")
    return Schedule(start, end, days * DAY_SECONDS)
