"""Campaigns that exist at the sandbox, for tests of what can be done to them."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook

DIALING = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}


def altur_campaign() -> str:
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    client.add_contacts(campaign.id, [{"contact": "+525550000001"}])
    return campaign.id


def koreai_campaign() -> str:
    hook = KoreAIHook()
    fields: dict[str, Any] = {"contact_lists": ["Sandbox contacts"], "message": "Hi", "dialing_strategy": DIALING}
    return hook.create_campaign(name="W", description="d", **fields).id


def act(operator: Any, conn_id: str, campaign_id: str) -> dict[str, Any]:
    result: dict[str, Any] = operator(task_id="act", conn_id=conn_id, campaign_id=campaign_id).execute({})
    return result
