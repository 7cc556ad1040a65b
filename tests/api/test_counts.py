"""The figures of a campaign: one vocabulary for all vendors, and each vendor's declared part of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.model import COUNTS
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox

STRATEGY = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}
VOICE = {
    "dialing_strategy": {
        **STRATEGY,
        "dialingOrder": "FIFO",
        "maxAttemptsPerRecord": 1,
        "defaultRetryPeriod": 5,
        "maxRingTime": 30,
    },
    "dialing_mode": "Agentless",
    "experience_flow_name": "Welcome",
}
KINDS: dict[str, dict[str, Any]] = {
    "kinbox": {"leads_asset_url": "https://files.example.com/leads.csv?leads=40"},
    "altur phone_call": {"agent_id": "a", "integration_id": "i", "integration_type": "phone_call"},
    "altur whatsapp": {"agent_id": "a", "integration_id": "i", "integration_type": "whatsapp", "template": "t"},
    "koreai sms": {
        "description": "d",
        "contact_lists": ["Sandbox contacts"],
        "dialing_strategy": STRATEGY,
        "message": "Hello",
        "campaign_type": "sms",
    },
    "koreai voice": {"description": "d", "contact_lists": ["Sandbox contacts"], "campaign_type": "voice", **VOICE},
}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: one on a clock that a test moves."""
    with Sandbox(clock=clock, enforce_limits=False) as server:
        yield server


def connected(sandbox: Sandbox, kind: str) -> CampaignClient:
    """Return a client for campaigns of a kind."""
    vendor, _, of_type = kind.partition(" ")
    url = sandbox.base_url(vendor)
    if vendor == "kinbox":
        return KinboxClient("token", base_url=url)
    if vendor == "altur":
        return AlturClient("key", base_url=url, rate_limit=1000)
    return KoreAIClient(
        "cs-1",
        "a secret of some length, as they are",
        app_id="st-1",
        account_id=uuid.uuid4().hex[:24],
        campaign_type=of_type,
        base_url=url,
        rate_limit=1000,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_campaign_s_counts_are_those_that_its_client_declares(
    kind: str, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connected(campaign_sandbox, kind)
    campaign_id = client.create_campaign(name="Winter", **KINDS[kind]).id
    if isinstance(client, AlturClient):
        client.add_contacts(campaign_id, [{"contact": f"+52155{number:08d}"} for number in range(40)])
    seen: set[str] = set()
    clock.advance(120)
    if client.supports("start"):
        client.start_campaign(campaign_id)
    for _ in range(6):
        clock.advance(60)
        seen |= set(client.get_campaign(campaign_id).counts)
        seen |= {name for campaign in client.list_campaigns() for name in campaign.counts}
    assert seen
    assert seen <= client.counted(**KINDS[kind])
    assert client.counted(**KINDS[kind]) <= client.counted() <= set(COUNTS)


def test_every_name_is_used_by_a_vendor_and_says_what_it_counts() -> None:
    used = KinboxClient.counted() | AlturClient.counted() | KoreAIClient.counted()
    assert used == set(COUNTS)
    assert all(COUNTS.values())


@pytest.mark.parametrize("unknown", [{}, {"campaign_type": None}, {"campaign_type": "{{ params.kind }}"}])
def test_a_kind_that_is_not_known_yet_means_all_kinds(unknown: dict[str, Any]) -> None:
    assert KoreAIClient.counted(**unknown) == KoreAIClient.counted(campaign_type="sms") | KoreAIClient.counted(
        campaign_type="voice"
    )
