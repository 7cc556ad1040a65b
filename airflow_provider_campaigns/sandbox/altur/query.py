"""How the sandbox's Altur reads a query: words, numbers, moments, and the cursor of a list."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from starlette.requests import Request

from airflow_provider_campaigns.sandbox.altur.checks import invalid


def choice(request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
    """Return a word of the query, None when it is missing; one that is not allowed ends the request."""
    given = request.query_params.get(name)
    if given is not None and given not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}")
    return given


def whole(request: Request, name: str, *, default: int, lowest: int, highest: int) -> int:
    """Return a whole number of the query within its bounds, or its default; anything else ends the request."""
    given = request.query_params.get(name)
    value = default if given is None else int(given) if given.isdecimal() else -1
    if not lowest <= value <= highest:
        raise invalid(f"{name} must be a whole number from {lowest} to {highest}")
    return value


def instant(request: Request, name: str) -> float | None:
    """Return a moment of the query as epoch seconds (UTC where it names no zone), None when it is missing."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(f"{name} must be in ISO 8601") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def cursor_text(campaign_id: int) -> str:
    """Return the cursor that follows a campaign."""
    return base64.urlsafe_b64encode(json.dumps({"id": campaign_id}).encode()).decode()


def cursor_id(text: str) -> int | None:
    """Return the id of the campaign that a cursor follows, or None when it is not one of ours."""
    try:
        return int(json.loads(base64.urlsafe_b64decode(text.encode()))["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
