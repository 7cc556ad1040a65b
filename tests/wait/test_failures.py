"""Where a vendor tells failures only at requests of their own, gates and brake judge by them, and nobody else pays."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import connections
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.poller import shared_poller
from airflow_provider_campaigns.wait.runner import wait_here
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

PEOPLE = [{"contact": f"+55119999900{place:02d}", "name": "Ana"} for place in range(80)]


def at_kinbox() -> str:
    return KinboxHook().create_campaign(name="W").id


def at_altur() -> str:
    client = AlturHook().get_conn()
    campaign = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="whatsapp")
    client.add_contacts(campaign.id, PEOPLE)
    return client.activate_campaign(campaign.id).id


#: How a campaign is begun at each vendor, and the endpoint that tells its failures.
VENDORS = {
    "kinbox": (at_kinbox, KinboxHook, "list_lead_results"),
    "altur": (at_altur, AlturHook, "list_contacts"),
}


def watch(campaign_id: str, gates: Gates) -> WaitState:
    now = time.time()
    return WaitState(campaign_id, Terms(Goal(), 0.2, now + 60, gates=gates), now)


def waited_here(client: CampaignClient, *watches: WaitState) -> list[Outcome]:
    return [wait_here(one, client) for one in watches]


def deferred(client: CampaignClient, *watches: WaitState) -> list[Outcome]:
    async def connect() -> CampaignClient:
        return client

    async def run() -> list[Outcome]:
        poller = shared_poller("key", connect)
        return await asyncio.gather(*(poller.wait(one) for one in watches))

    return asyncio.run(run())


WAYS = {"worker": waited_here, "triggerer": deferred}


def asked(sandbox: Sandbox, vendor: str) -> Counter[str]:
    return Counter(sandbox.journal(vendor)["counts"].get(vendor, {}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("gates", "reason"),
    [
        (Gates(max_failed_ratio=0.1), Reason.GATE),
        (Gates(max_failed_ratio=0.9), Reason.MET),
        (Gates(brake=0.1, min_sample=10), Reason.BRAKE),
        (Gates(brake=0.9, min_sample=10), Reason.MET),
    ],
    ids=str,
)
def test_gates_judge_by_failures_that_cost_a_request(
    vendor: str, way: str, gates: Gates, reason: Reason, campaign_sandbox: Sandbox
) -> None:
    begin, hook, _ = VENDORS[vendor]
    if reason is Reason.BRAKE:
        # A brake decides at a look while the campaign sends: there must be some.
        campaign_sandbox.set_speed(60)
    campaign_sandbox.order_fault(kind="failed_recipients", vendor=vendor, share=0.5)
    [outcome] = WAYS[way](hook().get_conn(), watch(begin(), gates))
    assert outcome.reason is reason, outcome.message
    if outcome.reason is not Reason.MET or gates.max_failed_ratio:
        assert outcome.campaign is not None
        assert outcome.campaign["counts"]["failed"] in range(1, 61)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("gates", [Gates(), Gates(min_delivered_ratio=0.01)], ids=str)
def test_a_wait_that_asks_for_no_failures_does_not_pay_for_them(
    vendor: str, way: str, gates: Gates, campaign_sandbox: Sandbox
) -> None:
    begin, hook, endpoint = VENDORS[vendor]
    [outcome] = WAYS[way](hook().get_conn(), watch(begin(), gates))
    assert outcome.campaign is not None
    assert "failed" not in outcome.campaign["counts"]
    if vendor == "kinbox":
        assert not asked(campaign_sandbox, vendor)[endpoint]


def test_the_ratio_of_a_finished_campaign_is_asked_for_once(campaign_sandbox: Sandbox) -> None:
    [outcome] = deferred(KinboxHook().get_conn(), watch(at_kinbox(), Gates(max_failed_ratio=1)))
    assert outcome.reason is Reason.MET
    assert asked(campaign_sandbox, "kinbox")["list_lead_results"] == 1


def test_a_campaign_whose_failures_cannot_be_counted_keeps_no_other_from_being_seen(campaign_sandbox: Sandbox) -> None:
    client = KinboxHook().get_conn()
    good, bad = at_kinbox(), at_kinbox()
    count: Callable[[Campaign], Campaign] = client.with_failures
    tried = []

    def with_failures(campaign: Campaign) -> Campaign:
        tried.append(campaign.id)
        if campaign.id == bad and tried.count(bad) == 1:
            raise TypeError("a row that nobody expected")
        return count(campaign)

    client.with_failures = with_failures  # type: ignore[method-assign]
    gates = Gates(max_failed_ratio=1)
    outcomes = deferred(client, watch(good, gates), watch(bad, gates))
    assert [outcome.reason for outcome in outcomes] == [Reason.MET, Reason.MET]
    assert tried.count(bad) == 2


@pytest.mark.parametrize("vendor", VENDORS)
def test_more_never_fail_than_were_processed_however_long_the_requests_take(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox:
        for name, value in connections(sandbox).items():
            monkeypatch.setenv(name, value)
        sandbox.order_fault(kind="failed_recipients", vendor=vendor, share=1)
        begin, hook, _ = VENDORS[vendor]
        client, campaign_id = hook().get_conn(), begin()
        ask = client.transport.call

        def slowly(*args: Any, **kwargs: Any) -> Any:
            clock.advance(5)
            return ask(*args, **kwargs)

        monkeypatch.setattr(client.transport, "call", slowly)
        for _ in range(6):
            counts = client.with_failures(client.get_campaign(campaign_id)).counts
            assert counts["failed"] <= max(counts.get("processed", 0), counts.get("contacts", 0))
            assert counts["failed"] <= counts.get("processed", counts["failed"])
        assert counts["failed"] > 0


@pytest.mark.parametrize("status", CampaignStatus)
def test_failures_are_asked_for_when_they_can_decide(status: CampaignStatus) -> None:
    campaign = Campaign("7", "W", status, counts={"processed": 100})
    told = Campaign("7", "W", status, counts={"processed": 100, "failed": 3})
    assert Gates(brake=0.1).want_failures(campaign) == (status is CampaignStatus.RUNNING)
    assert Gates(max_failed_ratio=0.1).want_failures(campaign) == (status is CampaignStatus.FINISHED)
    assert not Gates(min_delivered_ratio=0.1).want_failures(campaign)
    assert not Gates(brake=0.1, max_failed_ratio=0.1).want_failures(told)
