"""A test can order which recipients fail: a share of every campaign, or these numbers, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.failures import OrderedFailures
from airflow_provider_campaigns.sandbox.faults import Fault
from airflow_provider_campaigns.sandbox.server import Sandbox

PEOPLE = [{"contact": f"+55119999900{place:02d}", "name": "Ana"} for place in range(40)]


@pytest.fixture
def vendors(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


def altur_failures(vendors: Sandbox, clock: ManualClock) -> list[str]:
    """Return the numbers that have failed of a campaign that went through."""
    client = AlturClient("key", base_url=vendors.base_url("altur"))
    campaign = client.create_campaign(name="a", agent_id="a", integration_id="i", integration_type="phone_call")
    client.add_contacts(campaign.id, PEOPLE)
    client.activate_campaign(campaign.id)
    clock.advance(400)
    return [str(contact["contact"]) for contact in client.list_contacts(campaign.id, status="failed")]


@pytest.mark.parametrize(("share", "failed"), [(0, 0), (0.1, 4), (0.33, 13), (1, 40)])
def test_a_share_of_the_recipients_fails_and_no_one_else(
    vendors: Sandbox, clock: ManualClock, share: float, failed: int
) -> None:
    vendors.order_fault(kind="failed_recipients", vendor="altur", share=share)
    assert len(altur_failures(vendors, clock)) == failed


def test_the_chosen_recipients_fail_and_no_one_else(vendors: Sandbox, clock: ManualClock) -> None:
    chosen = [PEOPLE[3]["contact"], PEOPLE[17]["contact"]]
    vendors.order_fault(kind="failed_recipients", recipients=[chosen[0], chosen[1].lstrip("+")])
    assert altur_failures(vendors, clock) == chosen


def test_without_an_order_one_in_twenty_fails(vendors: Sandbox, clock: ManualClock) -> None:
    assert len(altur_failures(vendors, clock)) == 2


@pytest.mark.parametrize(("share", "failed"), [(0, 0), (0.25, 30)])
def test_kinbox_tells_the_failures_by_lead_and_leaves_them_out_of_what_was_sent(
    vendors: Sandbox, clock: ManualClock, share: float, failed: int
) -> None:
    vendors.order_fault(kind="failed_recipients", vendor="kinbox", share=share)
    client = KinboxClient("token", base_url=vendors.base_url("kinbox"))
    campaign = client.create_campaign(name="k", lead_type="file", leads_asset_url="https://files.example.com/l.csv")
    clock.advance(5)
    client.get_campaign(campaign.id)
    clock.advance(1000)
    done = client.get_campaign(campaign.id)
    assert done.vendor_status == "done"
    assert done.raw["resultCounts"]["sent"] == 120 - failed


def test_an_order_holds_for_campaigns_that_are_created_while_it_stands(vendors: Sandbox, clock: ManualClock) -> None:
    vendors.order_fault(kind="failed_recipients", share=1)
    client = AlturClient("key", base_url=vendors.base_url("altur"))
    campaign = client.create_campaign(name="a", agent_id="a", integration_id="i", integration_type="phone_call")
    vendors.clear_faults()
    client.add_contacts(campaign.id, PEOPLE)
    client.activate_campaign(campaign.id)
    clock.advance(400)
    assert len(list(client.list_contacts(campaign.id, status="failed"))) == 40
    assert len(altur_failures(vendors, clock)) == 2


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 1 / 3, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("people", [1, 7, 100, 1000])
def test_a_share_is_exact_to_one_recipient_on_a_list_of_any_length(share: float, people: int) -> None:
    ordered = OrderedFailures(share)
    failed = sum(ordered.fails(place, "1") for place in range(people))
    assert people * share - 1 < failed <= people * share + 1e-6


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "failed_recipients", "share": 1.1},
        {"kind": "failed_recipients", "share": "half"},
        {"kind": "failed_recipients", "recipients": "+5511999990000"},
        {"kind": "failed_recipients", "recipients": [5511999990000]},
        {"kind": "reset", "share": 0.1},
        {"kind": "reset", "recipients": ["+5511999990000"]},
    ],
    ids=json.dumps,
)
def test_a_wrong_choice_is_refused_and_the_field_is_named(order: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^(share|recipients): must be"):
        Fault.from_order(order)
