"""An account at the sandbox's Kore.ai: its campaigns and numbers."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.server import Sandbox

SECRET = "kS0meVeryLongClientSecretThatNobodyMaySee="
LABEL = "connection 'koreai_default'"
HOURS = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}
DIALING = {**HOURS, "dialingOrder": "FIFO", "maxAttemptsPerRecord": 3, "defaultRetryPeriod": 60, "maxRingTime": 30}
SMS: dict[str, Any] = {
    "name": "Flu shots in March",
    "description": "Reminder for the walk-in clinic",
    "contact_lists": ["Sandbox contacts"],
    "dialing_strategy": HOURS,
    "message": "Hello, your flu shot is due! ñ €",
}
VOICE: dict[str, Any] = {
    "name": "Renewals",
    "description": "Calls about renewals",
    "contact_lists": ["Sandbox contacts"],
    "dialing_strategy": DIALING,
    "dialing_mode": "Agentless",
    "experience_flow_name": "Renewal flow",
}
#: Ways for an answer to get lost; ``slow`` is slower than the client's patience.
LOST = {
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "error": {"kind": "error", "status": 503},
    "cut_off": {"kind": "cut_off"},
    "html": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 1.0},
}
DAY = datetime.timedelta(days=1)
Connect = Callable[..., KoreAIClient]


def requests_of(sandbox: Sandbox, endpoint: str | None = None) -> list[dict[str, Any]]:
    """Return what arrived, at one endpoint or at all."""
    return [entry for entry in sandbox.journal("koreai")["requests"] if endpoint in (None, entry["endpoint"])]


def campaigns_in(sandbox: Sandbox) -> list[dict[str, Any]]:
    campaigns: list[dict[str, Any]] = sandbox.journal("koreai")["campaigns"]
    return campaigns


def numbers(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"phoneNumber": f"+1202555{place:04d}"} for place in range(first, first + count)]


MARK = "[airflow 3f2a-77c1]"
