"""A client in a dry run reads, pauses and stops; whatever else a request could do is not sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from acted_upon import altur_campaign, koreai_campaign

from airflow_provider_campaigns.api.errors import HeldBack
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture
def dry(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set dry_run in all connections, from when it is called."""

    def switch_on() -> None:
        campaign_sandbox.set_speed(1)
        for conn_id, connection in campaign_sandbox.connections().items():
            extra = {**connection.get("extra", {}), "dry_run": True}
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({**connection, "extra": extra}))

    return switch_on


def asked_since(sandbox: Sandbox, before: int) -> list[str]:
    return [request["endpoint"] for request in sandbox.journal()["requests"][before:]]


def test_a_campaign_is_paused_but_neither_resumed_nor_changed_nor_deleted(campaign_sandbox: Sandbox, dry: Any) -> None:
    campaign_sandbox.set_speed(1)
    kinbox = KinboxHook().create_campaign(
        name="Winter", lead_type="file", leads_asset_url="https://files.example.com/leads.csv", message="Hi"
    )
    altur = altur_campaign()
    AlturHook().start_campaign(altur)
    koreai = koreai_campaign()
    KoreAIHook().start_campaign(koreai)
    dry()
    before = len(campaign_sandbox.journal()["requests"])
    assert KinboxHook().pause_campaign(kinbox.id).status.value == "paused"
    assert AlturHook().pause_campaign(altur).status.value == "paused"
    assert KoreAIHook().stop_campaign(koreai).status.value == "canceled"
    held = asked_since(campaign_sandbox, before)
    for act in (
        lambda: KinboxHook().resume_campaign(kinbox.id),
        lambda: KinboxHook().delete_campaign(kinbox.id),
        lambda: KinboxHook().update_campaign(kinbox.id, seconds_between_messages=30),
        lambda: AlturHook().resume_campaign(altur),
        lambda: AlturHook().archive_campaign(altur),
        lambda: AlturHook().get_conn().add_contacts(altur, [{"contact": "+525550000002"}]),
        lambda: KoreAIHook().start_campaign(koreai),
        lambda: KoreAIHook().delete_campaign(koreai),
    ):
        with pytest.raises(HeldBack, match=r"Dry run: .* was not sent to .*connection .* says dry_run"):
            act()
    # Altur's start looks first whether the campaign is to be activated or resumed.
    assert set(asked_since(campaign_sandbox, before)[len(held) :]) <= {"get_campaign", "get"}
