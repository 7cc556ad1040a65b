"""Events of Altur as its pages print them, and their signatures in the two ways that the pages tell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

SECRET = base64.b64encode(b"a secret that nobody knows, really").decode()
_numbers = itertools.count(1)


def event(campaign_id: int = 1234, *, age: timedelta = timedelta(), **more: Any) -> dict[str, Any]:
    """Return an event of a campaign, each with an id of its own."""
    return {
        "event_id": f"evt_example{next(_numbers)}",
        "event_type": "campaign.status_changed",
        "occurred_at": (datetime.now(UTC) - age).isoformat(),
        "api_version": "1.0",
        "project_id": "prj_example",
        "data": {"campaign": {"id": campaign_id, "name": "Q2", "status": "finished", "previous_status": "active"}},
        **more,
    }


def compact(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def newer(message: bytes, secret: str = SECRET) -> str:
    """Return the signature that the newer page tells: Base64, with the decoded secret as the key."""
    return base64.b64encode(hmac.new(base64.b64decode(secret), message, hashlib.sha256).digest()).decode()


def older(message: bytes, secret: str = SECRET) -> str:
    """Return the signature that the older page tells: hexadecimal, with the secret as it is."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
