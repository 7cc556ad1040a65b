"""Kore.ai's client against the sandbox: campaigns of every form, from the list and by id."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from at_koreai import (
    DAY,
    SMS,
    VOICE,
    Connect,
    campaigns_in,
    numbers,
    requests_of,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.koreai import contact_lists
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    "fields",
    [
        SMS,
        {**SMS, "template_name": "Welcome"},
        {**SMS, "message": None, "experience_flow_name": "Support", "priority": 3},
        {**SMS, "schedule": {"isSchedulingEnabled": False}},
    ],
    ids=["simple", "template", "advanced", "with a schedule object"],
)
def test_an_sms_campaign_of_every_form_is_ready_at_once(
    connect: Connect, campaign_sandbox: Sandbox, version: str, fields: dict[str, Any]
) -> None:
    created = connect(api_version=version).create_campaign(**fields)
    assert (created.name, created.status, created.vendor_status) == (fields["name"], CampaignStatus.DRAFT, "Ready")
    assert [campaign["id"] for campaign in campaigns_in(campaign_sandbox)] == [created.id]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    "mode",
    [
        {"dialing_mode": "Agentless", "experience_flow_name": "Renewal flow"},
        {"dialing_mode": "Progressive", "experience_flow_name": None, "queue_name": "Renewals"},
        {"dialing_mode": "Preview", "experience_flow_name": None, "queue_name": "Renewals", "max_skips": 2},
    ],
    ids=lambda mode: mode["dialing_mode"],
)
def test_a_voice_campaign_of_every_mode_is_prepared_and_then_ready(
    connect: Connect, clock: ManualClock, version: str, mode: dict[str, Any]
) -> None:
    client = connect(campaign_type="voice", api_version=version)
    created = client.create_campaign(**{**VOICE, **mode}, dnc_list="Opt-outs" if version == "v2" else None)
    assert (created.name, created.status) == ("Renewals", CampaignStatus.DRAFT)
    assert created.vendor_status == "Preparing"
    assert client.get_status(created.id).vendor_status == "Preparing"
    with pytest.raises(errors.Conflict, match="Preparing"):
        client.start_campaign(created.id)
    clock.advance(6)
    assert client.get_status(created.id).vendor_status == "Ready"
    assert client.get_campaign(created.id, progress=False).raw["dialingMode"] == mode["dialing_mode"]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_campaign_runs_from_ready_to_completed_and_its_progress_is_told(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox, version: str
) -> None:
    client = connect(api_version=version)
    campaign_id = client.create_campaign(**SMS).id
    assert client.get_campaign(campaign_id).progress == 0.0
    started = client.start_campaign(campaign_id)
    assert (started.id, started.status) == (campaign_id, CampaignStatus.RUNNING)
    clock.advance(150)
    half = client.get_campaign(campaign_id)
    assert (half.status, half.progress) == (CampaignStatus.RUNNING, 50.0)
    assert half.counts == {"sent": 60, "contacts": 120}
    clock.advance(151)
    over = client.get_campaign(campaign_id)
    assert (over.status, over.vendor_status, over.progress) == (CampaignStatus.FINISHED, "Completed", 100.0)
    assert [(row["messages"], row["starts"]) for row in campaigns_in(campaign_sandbox)] == [(120, 1)]


def test_a_voice_campaigns_progress_is_counted_from_its_contacts(connect: Connect, clock: ManualClock) -> None:
    client = connect(campaign_type="voice")
    campaign_id = client.create_campaign(**VOICE).id
    clock.advance(6)
    assert client.start_campaign(campaign_id).counts == {"calls_completed": 0}
    clock.advance(75)
    running = client.get_campaign(campaign_id)
    assert running.progress == 25.0
    assert running.counts == {"contacts": 120, "attempted": 30, "done": 30}


def test_a_voice_campaign_too_large_to_count_costs_one_page_and_tells_no_progress(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect(campaign_type="voice")
    client.create_contact_list("Large")
    client.add_all_contacts("Large", numbers(301))
    clock.advance(2)
    campaign_id = client.create_campaign(**{**VOICE, "contact_lists": ["Large"]}).id
    clock.advance(6)
    client.start_campaign(campaign_id)
    running = client.get_campaign(campaign_id)
    assert (running.progress, running.counts) == (None, {"contacts": 301})
    assert len(requests_of(campaign_sandbox, "list_contact_results")) == 1


def test_results_refused_while_active_leave_the_progress_unknown(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect(campaign_type="voice")
    campaign_id = client.create_campaign(**VOICE).id
    clock.advance(6)
    client.start_campaign(campaign_id)
    campaign_sandbox.order_fault(kind="error", status=400, endpoint="list_contact_results", times=None)
    running = client.get_campaign(campaign_id)
    assert (running.status, running.progress) == (CampaignStatus.RUNNING, None)


def test_a_look_without_progress_is_one_request(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    client.start_campaign(campaign_id)
    before = len(requests_of(campaign_sandbox))
    assert client.get_campaign(campaign_id, progress=False).status is CampaignStatus.RUNNING
    assert len(requests_of(campaign_sandbox)) == before + 1


def test_the_lists_totals_are_asked_for_once_in_five_minutes(
    connect: Connect, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    client.start_campaign(campaign_id)
    for _ in range(3):
        client.get_campaign(campaign_id)
    assert len(requests_of(campaign_sandbox, "list_contact_lists")) == 1
    monkeypatch.setattr(contact_lists, "TOTALS_SECONDS", 0.0)
    client.get_campaign(campaign_id)
    assert len(requests_of(campaign_sandbox, "list_contact_lists")) == 2


def test_many_campaigns_cost_one_page_of_the_list(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    ids = [client.create_campaign(**{**SMS, "name": f"Campaign {place}"}).id for place in range(5)]
    for campaign_id in ids:
        client.start_campaign(campaign_id)
    before = len(requests_of(campaign_sandbox))
    assert set(client.get_campaigns([*ids, *ids], progress=False)) == set(ids)
    assert len(requests_of(campaign_sandbox)) == before + 1
    assert all(campaign.counts["contacts"] == 120 for campaign in client.get_campaigns(ids).values())
    assert len(requests_of(campaign_sandbox)) == before + 3
    assert client.get_campaigns([]) == {}
    assert len(requests_of(campaign_sandbox)) == before + 3


def test_campaigns_that_the_list_lacks_are_asked_for_by_id_and_unknown_ones_left_out(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    ids = [client.create_campaign(**SMS).id for _ in range(2)]
    campaign_sandbox.order_fault(kind="list_lag", seconds=60)
    assert set(client.get_campaigns([*ids, "cd-nowhere"])) == set(ids)
    assert client.get_campaign(ids[0]).id == ids[0]
    with pytest.raises(errors.NotFound):
        client.get_campaign("cd-nowhere")


def test_a_list_that_goes_round_in_circles_does_not_hide_a_campaign(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    ids = [client.create_campaign(**SMS).id for _ in range(3)]
    campaign_sandbox.order_fault(kind="repeated_cursor")
    with pytest.raises(errors.ListingIncomplete, match="tells of 3 entries but handed out 1"):
        list(client.list_campaigns(page_size=1))
    assert set(client.get_campaigns(ids)) == set(ids)


def test_a_stopped_campaign_is_canceled_and_a_later_start_is_a_new_run(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect(campaign_type="voice")
    campaign_id = client.create_campaign(**VOICE).id
    clock.advance(6)
    first = client.start_campaign(campaign_id)
    with pytest.raises(errors.Conflict, match="Active"):
        client.start_campaign(campaign_id)
    clock.advance(30)
    stopped = client.stop_campaign(campaign_id)
    assert (stopped.status, stopped.vendor_status) == (CampaignStatus.CANCELED, "Stopped")
    with pytest.raises(errors.Conflict, match="Stopped"):
        client.stop_campaign(campaign_id)
    again = client.start_campaign(campaign_id)
    assert again.raw["campaignInstanceId"] != first.raw["campaignInstanceId"]
    assert campaigns_in(campaign_sandbox)[0]["starts"] == 2


def test_actions_that_the_vendor_lacks_say_what_to_use(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    with pytest.raises(errors.UnsupportedAction, match=r"Kore\.ai has no pause; use stop"):
        client.pause_campaign("cd-1")
    with pytest.raises(errors.UnsupportedAction, match=r"Kore\.ai has no resume; use start"):
        client.resume_campaign("cd-1")
    assert [action for action in ("start", "pause", "resume", "stop") if client.supports(action)] == ["start", "stop"]
    assert requests_of(campaign_sandbox) == []


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_campaign_can_be_updated_and_deleted(connect: Connect, campaign_sandbox: Sandbox, version: str) -> None:
    client = connect(api_version=version)
    campaign_id = client.create_campaign(**SMS).id
    updated = client.update_campaign(campaign_id, **{**SMS, "name": "Flu shots in April"})
    assert (updated.id, updated.name) == (campaign_id, "Flu shots in April")
    client.start_campaign(campaign_id)
    with pytest.raises(errors.Rejected, match="active"):
        client.update_campaign(campaign_id, **SMS)
    client.stop_campaign(campaign_id)
    client.delete_campaign(campaign_id)
    assert campaigns_in(campaign_sandbox) == []
    with pytest.raises(errors.NotFound):
        client.delete_campaign(campaign_id)


def test_the_list_is_newest_first_filtered_and_lazy(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    created = []
    for place in range(7):
        created.append(client.create_campaign(**{**SMS, "name": f"Campaign {place}", "priority": str(1 + place % 2)}))
        clock.advance(60)
    newest_first = [campaign.id for campaign in reversed(created)]
    assert [campaign.id for campaign in client.list_campaigns(page_size=2)] == newest_first
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 4
    assert next(client.list_campaigns(page_size=2)).id == newest_first[0]
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 5
    client.start_campaign(newest_first[3])
    assert [campaign.id for campaign in client.list_campaigns(status="Active")] == [newest_first[3]]
    assert len(list(client.list_campaigns(status=["Ready", "Stopped"], priority=2))) == 2
    end = clock.now() - datetime.timedelta(minutes=5, seconds=30)
    assert [campaign.id for campaign in client.list_campaigns(end_date=end)] == newest_first[-2:]
    assert list(client.list_campaigns(start_date=clock.now())) == []
    assert list(client.list_campaigns(campaign_type="voice", dialing_mode="Preview")) == []


def test_a_word_for_a_status_that_is_new_is_unknown_and_kept(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    campaign_sandbox.order_fault(kind="unknown_status", value="Hibernating")
    for campaign in (client.get_status(campaign_id), next(client.list_campaigns())):
        assert (campaign.status, campaign.vendor_status) == (CampaignStatus.UNKNOWN, "Hibernating")


def test_a_vendor_that_stands_still_sends_nothing(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    client.start_campaign(campaign_id)
    clock.advance(60)
    campaign_sandbox.order_fault(kind="stall")
    clock.advance(600)
    assert client.get_campaign(campaign_id).counts["sent"] == 24


def test_what_became_of_each_contact_comes_page_by_page(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect(campaign_type="voice")
    campaign_id = client.create_campaign(**VOICE).id
    assert list(client.list_contact_results(campaign_id)) == []
    clock.advance(6)
    client.start_campaign(campaign_id)
    clock.advance(301)
    results = list(client.list_contact_results(campaign_id, page_size=50))
    assert len(results) == 120
    assert {result.outcome for result in results} == {"completed", "No Answer", "Busy", "Failed"}
    assert all(result.is_done() and result.attempts == 1 for result in results)
    assert len(requests_of(campaign_sandbox, "list_contact_results")) == 4
    assert results[0].phone_number
    assert results[0].phone_number not in repr(results)


def test_a_schedule_is_switched_on_and_off_by_name(connect: Connect, clock: ManualClock) -> None:
    client = connect()
    campaign_id = client.create_campaign(**{**SMS, "name": "Flu | March & April"}).id
    # The vendor's clock of this test and the real one are apart: the schedule lies ahead of both.
    start = max(clock.now(), datetime.datetime.now(datetime.UTC)) + DAY
    assert client.enable_schedule("Flu | March & April", start=start, end=start + 9 * DAY, every_days=2) == campaign_id
    assert client.get_status(campaign_id).status is CampaignStatus.SCHEDULED
    with pytest.raises(errors.Conflict, match="Scheduled"):
        client.start_campaign(campaign_id)
    assert client.disable_schedule("Flu | March & April") == campaign_id
    assert client.get_status(campaign_id).vendor_status == "Ready"
    client.enable_schedule(
        "Flu | March & April", start=start, end=start + 30 * DAY, every_weeks=1, weekdays=["Mon", "Fri"]
    )
    clock.advance((start - clock.now()).total_seconds() + 60)
    assert client.get_status(campaign_id).vendor_status == "Active"
    clock.advance(300)
    assert client.get_status(campaign_id).vendor_status == "Rescheduled"
    with pytest.raises(errors.NotFound):
        client.disable_schedule("Some other")
