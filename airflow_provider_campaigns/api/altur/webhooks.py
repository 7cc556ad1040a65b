"""Altur's webhooks: whether a body was signed with a secret, and which campaign an event is about."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SIGNATURE_HEADER = "x-altur-signature"
#: The events that are about a campaign; others, such as ``on_call_end``, tell of calls and people.
CAMPAIGN_EVENTS = frozenset({"campaign.status_changed", "campaign.cycle_completed"})
#: A shorter secret could be guessed.
LEAST_SECRET_LENGTH = 16

_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """
    What an event says, without what only the API may say: the status, and what became of anybody.

    :param event_id: The vendor's id of the event, the same for each repetition.
    :param event_type: One of ``CAMPAIGN_EVENTS``.
    :param occurred_at: When it happened.
    :param campaign_id: The campaign.
    """

    event_id: str
    event_type: str
    occurred_at: datetime
    campaign_id: str


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """
    Return whether a body was signed with a secret, in either way that Altur documents.

    The newer page: Base64 of an HMAC-SHA256 over the compact JSON, the key being the secret decoded from Base64. The
    older page: the hexadecimal HMAC-SHA256 over the body, the key being the secret as it is. Whatever the answer, every
    comparison is made, each in constant time.

    https://docs.altur.io/es/api-reference/webhooks/overview

    :param body: The body as it arrived.
    :param signature: The header ``X-Altur-Signature``.
    :param secret: The webhook's secret; one of fewer than 16 characters signs nothing.
    """
    given = signature.strip().encode("utf-8", "replace")
    matches = False
    for expected in _signatures(body, secret):
        matches |= hmac.compare_digest(given, expected)
    return matches and len(secret) >= LEAST_SECRET_LENGTH


def _signatures(body: bytes, secret: str) -> Iterator[bytes]:
    yield hmac.new(secret.encode(), body, "sha256").hexdigest().encode()
    key = _decoded(secret)
    if key:
        for message in (body, *_compact_forms(body)):
            yield base64.b64encode(hmac.digest(key, message, "sha256"))


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _compact_forms(body: bytes) -> list[bytes]:
    """Return the compact JSON of a body; no page says how it writes letters that are not ASCII."""
    try:
        value = json.loads(body)
        return [
            json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode() for ascii_only in (True, False)
        ]
    except (ValueError, RecursionError):
        return []


def read_event(body: bytes) -> WebhookEvent | None:
    """
    Return the event of a body, or None for one that is not about a campaign.

    :param body: The body; its signature was checked before.
    :raises ValueError: It is no event that the vendor documents; the message repeats nothing of it.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("The body is no JSON") from None
    if not isinstance(event, dict):
        raise ValueError("The body is no JSON object")
    event_type = event.get("event_type")
    if not isinstance(event_type, str) or event_type not in CAMPAIGN_EVENTS:
        return None
    event_id = event.get("event_id")
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        raise ValueError("event_id is missing, or no id")
    return WebhookEvent(event_id, event_type, _moment(event.get("occurred_at")), _campaign_id(event.get("data")))


def _moment(text: Any) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError("occurred_at is missing, or no time") from None
    if read.tzinfo is None:
        raise ValueError("occurred_at has no time zone")
    return read


def _campaign_id(data: Any) -> str:
    campaign = data.get("campaign") if isinstance(data, dict) else None
    campaign_id = campaign.get("id") if isinstance(campaign, dict) else None
    if isinstance(campaign_id, bool) or not isinstance(campaign_id, int) or not 0 < campaign_id < 2**63:
        raise ValueError("data.campaign.id is missing, or no number")
    return str(campaign_id)
