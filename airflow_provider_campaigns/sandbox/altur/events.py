"""The events that the sandbox's Altur sends, as its pages print them, and how it signs them."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.sandbox.altur.campaign import AlturCampaign
from airflow_provider_campaigns.sandbox.altur.week import next_round_at


class EventLog:
    """What was told of each campaign: its status, and its last round."""

    def __init__(self) -> None:
        self._status: dict[int, str] = {}
        self._rounds: dict[int, float | None] = {}

    def news(self, campaigns: Sequence[AlturCampaign], at: float) -> list[dict[str, Any]]:
        """Return the events since the last call, oldest campaign first."""
        return [event for campaign in campaigns for event in self._news_of(campaign, at)]

    def _news_of(self, campaign: AlturCampaign, at: float) -> Iterator[dict[str, Any]]:
        before, status = self._status.get(campaign.id, "pending"), campaign.status(at)
        told = self._rounds.get(campaign.id)
        self._status[campaign.id], self._rounds[campaign.id] = status, campaign.last_iteration_at
        if campaign.cycles.get("enabled") and campaign.last_iteration_at not in (None, told):
            data = {"cycle_iteration": campaign.iteration, "next_cycle_at": _next(campaign, status)}
            yield _event("campaign.cycle_completed", campaign, status, None, at, data)
        if status != before:
            analytics = {"analytics": campaign.analytics(at)} if status == "finished" else {}
            yield _event("campaign.status_changed", campaign, status, before, at, analytics)


def _next(campaign: AlturCampaign, status: str) -> str | None:
    if status != "cooldown" or campaign.last_iteration_at is None:
        return None
    moment = next_round_at(campaign.fields, campaign.last_iteration_at)
    return None if moment is None else _moment(moment)


def _event(
    kind: str, campaign: AlturCampaign, status: str, before: str | None, at: float, more: dict[str, Any]
) -> dict[str, Any]:
    shown = {"id": campaign.id, "name": campaign.fields["name"], "status": status, "previous_status": before}
    return {
        "event_id": f"evt_{uuid.uuid4().hex}",
        "event_type": kind,
        "occurred_at": _moment(at),
        "api_version": "1.0",
        "project_id": "prj_sandbox",
        "data": {"campaign": shown, **more},
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def signature(body: bytes, secret: str, scheme: str) -> str:
    """
    Return the signature of a body.

    :param body: The body, which is compact JSON.
    :param secret: The webhook's secret; in the newer scheme it is Base64, and is taken as it is where it is not.
    :param scheme: ``newer``: Base64, by the decoded secret; ``older``: hexadecimal, by the secret as it is.
    """
    if scheme == "older":
        return hmac.new(secret.encode(), body, "sha256").hexdigest()
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        key = secret.encode()
    return base64.b64encode(hmac.digest(key, body, "sha256")).decode()
