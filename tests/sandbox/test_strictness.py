"""The sandbox refuses, shows and forgets what the vendors' pages say it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from at_koreai import DIALING, SECRET, SMS, VOICE
from wire import Server

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: one on a clock that a test moves."""
    with Sandbox(clock=clock, enforce_limits=False) as server:
        yield server


@pytest.fixture
def kinbox(campaign_sandbox: Sandbox) -> Iterator[KinboxClient]:
    with KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox")) as client:
        yield client


def koreai(sandbox: Sandbox, campaign_type: str = "sms", api_version: str = "v1") -> KoreAIClient:
    return KoreAIClient(
        "cs-1",
        SECRET,
        app_id="st-1",
        account_id="a1",
        campaign_type=campaign_type,
        api_version=api_version,
        base_url=sandbox.base_url("koreai"),
        rate_limit=1000,
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_kore_ai_shows_whether_a_list_takes_numbers_twice_where_its_pages_do(
    campaign_sandbox: Sandbox, version: str
) -> None:
    with koreai(campaign_sandbox, api_version=version) as client:
        created = client.create_contact_list("Clinic", allow_duplicates=True)
        assert created.raw["allowDuplicates"] is True
        shown = [client.get_contact_list(created.id), *client.list_contact_lists()]
    assert all("allowDuplicates" not in one.raw for one in shown)
    told = {one.name: (one.raw["apiConfigurations"]["dataSyncMode"], one.allow_duplicates) for one in shown}
    assert told == {"Clinic": ("allowDuplicates", True), "Sandbox contacts": ("dontAllowDuplicates", False)}


@pytest.mark.parametrize(
    ("campaign", "missing"),
    [
        ({**SMS, "message": None, "experience_flow_name": "Unknown flow"}, "Experience flow Unknown flow not found"),
        ({**VOICE, "dnc_list": "Opt-outs", "experience_flow_name": "unknown"}, "Experience flow unknown not found"),
        ({**SMS, "dnc_list": "Unknown list"}, "DNC list Unknown list not found"),
        ({**SMS, "contact_lists": ["Nowhere"]}, "Contact list Nowhere not found"),
        (
            {
                **{name: VOICE[name] for name in ("name", "description", "contact_lists")},
                "dialing_strategy": DIALING,
                "dialing_mode": "Progressive",
                "queue_name": "Unknown queue",
                "dnc_list": "Opt-outs",
            },
            "Queue Unknown queue not found",
        ),
    ],
)
def test_kore_ai_refuses_what_names_something_unknown(
    campaign_sandbox: Sandbox, campaign: dict[str, Any], missing: str
) -> None:
    kind = "voice" if "dialing_mode" in campaign else "sms"
    with koreai(campaign_sandbox, kind, "v2") as client, pytest.raises(errors.NotFound, match=missing):
        client.create_campaign(**campaign)
    assert campaign_sandbox.journal("koreai")["campaigns"] == []


def test_a_stop_resets_what_kore_ai_counts_and_no_message_is_taken_back(
    campaign_sandbox: Sandbox, clock: ManualClock
) -> None:
    with koreai(campaign_sandbox) as client:
        campaign_id = client.create_campaign(**SMS).id
        client.start_campaign(campaign_id)
        clock.advance(150)
        assert client.get_campaign(campaign_id).counts["sent"] == 60
        client.stop_campaign(campaign_id)
        assert client.get_campaign(campaign_id).counts["sent"] == 0
        assert campaign_sandbox.journal("koreai")["campaigns"][0]["messages"] == 60
        client.start_campaign(campaign_id)
        clock.advance(15)
        assert client.get_campaign(campaign_id).counts["sent"] == 6
        assert campaign_sandbox.journal("koreai")["campaigns"][0]["messages"] == 66


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"channel_id": "unknown"}, "Channel not found"),
        ({"channel_ids": ["103", "unknown-2"]}, "Channel not found"),
        ({"business_hours_id": "unknown"}, "Business hours not found"),
    ],
)
def test_kinbox_refuses_a_channel_and_hours_that_it_does_not_know(
    kinbox: KinboxClient, campaign_sandbox: Sandbox, fields: dict[str, Any], missing: str
) -> None:
    with pytest.raises(errors.Rejected, match=missing):
        kinbox.create_campaign(name="Natal", **fields)
    assert campaign_sandbox.journal("kinbox")["campaigns"] == []


def test_kinbox_fails_a_campaign_whose_recipients_come_from_a_file_that_there_is_not(
    kinbox: KinboxClient, campaign_sandbox: Sandbox, clock: ManualClock
) -> None:
    campaign_id = kinbox.create_campaign(name="Natal", lead_type="file").id
    assert kinbox.get_campaign(campaign_id).vendor_status == "processing"
    clock.advance(600)
    assert kinbox.get_campaign(campaign_id).vendor_status == "failed"
    assert campaign_sandbox.journal("kinbox")["campaigns"][0]["messages"] == 0


LEADS = "+55 (85) 98877-0001,Ana,10%\n\n85 98877-0002,Lia,5%\nnumero,nome,desconto\n+1 202 555 0100,Joe,5%\n"


def test_kinbox_reads_a_file_that_the_sandbox_serves_and_plays_its_audience_to_the_end(
    kinbox: KinboxClient, campaign_sandbox: Sandbox, clock: ManualClock
) -> None:
    url = campaign_sandbox.serve_file("leads of today.csv", LEADS)
    assert requests.get(url, timeout=10).text == LEADS
    campaign_id = kinbox.create_campaign(name="Natal", lead_type="file", leads_asset_url=url).id
    clock.advance(600)
    campaign = kinbox.get_campaign(campaign_id)
    assert (campaign.vendor_status, campaign.counts["leads"], campaign.counts["processed"]) == ("done", 3, 3)
    told = [(result.number, result.placeholders) for result in kinbox.list_lead_results(campaign_id)]
    assert told == [
        ("5585988770001", ("Ana", "10%")),
        ("5585988770002", ("Lia", "5%")),
        ("12025550100", ("Joe", "5%")),
    ]
    assert campaign_sandbox.journal("kinbox")["campaigns"][0]["contacts"] == 3


def test_kinbox_counts_people_and_rows_of_a_file(kinbox: KinboxClient, campaign_sandbox: Sandbox) -> None:
    url = campaign_sandbox.serve_file("leads.csv", "12025550100\n12025550100\n12025550101\n")
    kinbox.create_campaign(name="Natal", leads_asset_url=url, normalize_brazil_phone_numbers=False)
    campaign = campaign_sandbox.journal("kinbox")["campaigns"][0]
    assert (campaign["contacts"], campaign["contact_rows"]) == (2, 3)


def test_chosen_recipients_of_a_file_fail(kinbox: KinboxClient, campaign_sandbox: Sandbox, clock: ManualClock) -> None:
    campaign_sandbox.order_fault(kind="failed_recipients", recipients=["+12025550101"])
    url = campaign_sandbox.serve_file("leads.csv", "12025550100\n12025550101\n")
    campaign_id = kinbox.create_campaign(name="Natal", leads_asset_url=url, normalize_brazil_phone_numbers=False).id
    clock.advance(600)
    assert [result.status == "failed" for result in kinbox.list_lead_results(campaign_id)] == [False, True]


@pytest.mark.parametrize("content", [None, "", "number\n"])
def test_kinbox_fails_a_campaign_whose_file_is_missing_or_holds_nobody(
    kinbox: KinboxClient, campaign_sandbox: Sandbox, clock: ManualClock, content: str | None
) -> None:
    url = campaign_sandbox.serve_file("leads.csv", content or "")
    if content is None:
        campaign_sandbox.reset()
    campaign_id = kinbox.create_campaign(name="Natal", leads_asset_url=url).id
    clock.advance(600)
    assert kinbox.get_campaign(campaign_id).vendor_status == "failed"


def test_a_file_elsewhere_is_never_fetched(
    kinbox: KinboxClient, serve: Callable[..., Server], clock: ManualClock
) -> None:
    elsewhere = serve()
    campaign_id = kinbox.create_campaign(
        name="Natal", leads_asset_url=f"{elsewhere.url}/_sandbox/files/leads.csv?leads=7"
    ).id
    clock.advance(600)
    assert kinbox.get_campaign(campaign_id).counts["leads"] == 7
    assert elsewhere.requests == []
