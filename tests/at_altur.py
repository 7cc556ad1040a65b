"""An account at the sandbox's Altur: its campaigns and people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.model import Campaign

API_KEY = "alt_live_very-secret"
LABEL = "connection 'altur_default'"
FAULTS = {
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "error": {"kind": "error", "status": 503},
    "cut_off": {"kind": "cut_off"},
    "html": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 1.0},
    "rate_limited": {"kind": "rate_limited"},
}
LOST = {name: order for name, order in FAULTS.items() if name != "rate_limited"}
#: More than the attempts that one call makes.
FOR_GOOD = 10
Connect = Callable[..., AlturClient]
Counts = Callable[[], dict[str, int]]
Inventory = Callable[[], list[dict[str, Any]]]


def create(client: AlturClient, channel: str = "phone_call", **fields: Any) -> Campaign:
    given = {"name": "June", "agent_id": "agent", "integration_id": "line", "integration_type": channel}
    return client.create_campaign(**{**given, **fields})


def people(number: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"contact": f"+52155{place:08d}", "name": f"Person {place}"} for place in range(start, start + number)]


def launched(client: AlturClient, channel: str = "phone_call", number: int = 120, **fields: Any) -> Campaign:
    campaign = create(client, channel, **fields)
    client.add_contacts(campaign.id, people(number))
    return client.start_campaign(campaign.id)
