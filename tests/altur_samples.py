"""Altur's documented samples: what its pages show of campaigns, and the least of what it asks for."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.api.altur.client import (
    AlturClient,
)
from airflow_provider_campaigns.api.altur.lists import GET_CAMPAIGN
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.model import CampaignStatus

WORDS = {
    "pending": CampaignStatus.DRAFT,
    "ready": CampaignStatus.DRAFT,
    "active": CampaignStatus.RUNNING,
    "cooldown": CampaignStatus.RUNNING,
    "inactive": CampaignStatus.PAUSED,
    "finished": CampaignStatus.FINISHED,
}
#: The phone example of the webhook page, which says that the detail's block is the same.
PHONE_ANALYTICS: dict[str, Any] = {
    "calls": 1820,
    "callsAnsweredByHuman": 945,
    "callsAnsweredByMachine": 612,
    "callsAnsweredByUnknown": 263,
    "callsAnsweredByHumanRate": 0.519,
    "callsAnsweredByMachineRate": 0.336,
    "callsAnsweredByUnknownRate": 0.144,
    "contacts": 2000,
    "contactsProcessed": 1820,
    "contactsProcessedRate": 0.91,
    "contactsFailed": 80,
    "contactsFailedRate": 0.04,
    "contactsVoicemail": 612,
    "contactsVoicemailRate": 0.306,
    "contactsAnswered": 945,
    "contactsAnsweredRate": 0.4725,
    "contactsConverted": 312,
    "contactsConvertedRate": 0.156,
}
DETAIL: dict[str, Any] = {
    "id": 1234,
    "name": "Q2 Reactivation",
    "status": "active",
    "integration": {"id": "int_public_id", "type": "phone_call"},
    "agent": {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "name": "Diana Arroyo"},
    "created_at": "2026-06-01T15:04:05Z",
    "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}},
    "cycles": {"enabled": True, "mode": "cooldown", "max_iterations": 7, "cooldown_minutes": 720},
    "analytics": PHONE_ANALYTICS,
}
WHATSAPP: dict[str, Any] = {
    "id": 1300,
    "name": "Promo",
    "status": "active",
    "integration": {"id": "wa_public_id", "type": "whatsapp"},
    "agent": {"id": "a2", "name": "Wa Bot"},
    "created_at": "2026-06-02T15:04:05Z",
    "scheduling": {},
    "cycles": {"enabled": False},
    "analytics": {"sent": 900, "delivered": 850, "read": 500, "convertedRate": 0.05},
}
#: A row of the list under today's names, and one under those of the first copy of the page.
NEW_ROW: dict[str, Any] = {
    "id": 1234,
    "name": "Q2 Reactivation",
    "description": "Past-due 30 days",
    "status": "active",
    "created_at": "2026-06-01T15:04:05Z",
    "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}},
    "concurrency_limit": 10,
    "cycle_enabled": True,
    "cycle_cooldown_minutes": 720,
    "cycle_filter_statuses": ["voicemail", "failed"],
    "cycle_last_iteration_at": "2026-06-08T18:00:00Z",
    "started_at": "2026-06-02T15:04:05Z",
    "ended_at": None,
}
OLD_ROW: dict[str, Any] = {
    "id": 77,
    "name": "Old",
    "description": "",
    "status": "cooldown",
    "created_at": "2025-08-01T10:00:00Z",
    "scheduling": {"mon": {"startTime": "09:00", "endTime": "18:00", "active": True}},
    "concurrency": 5,
    "cycle_enabled": True,
    "cycle_cooldown": 60,
    "cycle_status_filters": ["failed"],
    "cycle_tag_filters": [],
    "last_iteration_at": "2025-08-02T10:00:00Z",
}
WINDOW = {"startTime": "09:00", "stopTime": "18:00"}
PHONE_CALL = {"name": "Q2", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
MESSAGES = {**PHONE_CALL, "integration_type": "whatsapp"}


def answer(data: Any, status: int = 200, endpoint: Endpoint = GET_CAMPAIGN, text: str = "") -> Answer:
    return Answer("Altur", endpoint, status, {}, data, text)


def with_(item: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(dict(item)), **changes}


def create_body(fields: Mapping[str, Any], **extra: Any) -> Mapping[str, Any]:
    """Return the JSON that creates a campaign of these fields."""
    return AlturClient("key").prepare(**fields, **extra).body
