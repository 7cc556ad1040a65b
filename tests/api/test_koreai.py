"""Kore.ai's client against the sandbox, over real HTTP."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.koreai import contact_lists
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.koreai.vendor import KoreAIVendor
from airflow_provider_campaigns.sandbox.server import Sandbox

SECRET = "kS0meVeryLongClientSecretThatNobodyMaySee="
LABEL = "connection 'koreai_default'"
HOURS = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}
DIALING = {**HOURS, "dialingOrder": "FIFO", "maxAttemptsPerRecord": 3, "defaultRetryPeriod": 60, "maxRingTime": 30}
SMS: dict[str, Any] = {
    "name": "Flu shots in March",
    "description": "Reminder for the walk-in clinic",
    "contact_lists": ["Sandbox contacts"],
    "dialing_strategy": HOURS,
    "message": "Hello, your flu shot is due! ñ €",
}
VOICE: dict[str, Any] = {
    "name": "Renewals",
    "description": "Calls about renewals",
    "contact_lists": ["Sandbox contacts"],
    "dialing_strategy": DIALING,
    "dialing_mode": "Agentless",
    "experience_flow_name": "Renewal flow",
}
#: Ways for an answer to get lost; ``slow`` is slower than the client's patience.
LOST = {
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "error": {"kind": "error", "status": 503},
    "cut_off": {"kind": "cut_off"},
    "html": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 1.0},
}
DAY = datetime.timedelta(days=1)
Connect = Callable[..., KoreAIClient]


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Kore.ai alone, on a clock that a test moves."""
    with Sandbox(vendors=[KoreAIVendor], clock=clock) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Connect]:
    clients: list[KoreAIClient] = []

    def open_client(client_id: str = "cs-1", secret: str = SECRET, **options: Any) -> KoreAIClient:
        given = {
            "base_url": campaign_sandbox.base_url("koreai"),
            "app_id": "st-0603182c-7ffb-53c3-b307-47ca14b90000",
            # An account of its own: the limiter is one for all clients of an account in the process.
            "account_id": uuid.uuid4().hex[:24],
            "timeout": patience,
            "rate_limit": 1000,
            "label": LABEL,
            "sleep": lambda seconds: None,
        }
        clients.append(KoreAIClient(client_id, secret, **(given | options)))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


def requests_of(sandbox: Sandbox, endpoint: str | None = None) -> list[dict[str, Any]]:
    """Return what arrived, at one endpoint or at all."""
    return [entry for entry in sandbox.journal("koreai")["requests"] if endpoint in (None, entry["endpoint"])]


def campaigns_in(sandbox: Sandbox) -> list[dict[str, Any]]:
    campaigns: list[dict[str, Any]] = sandbox.journal("koreai")["campaigns"]
    return campaigns


def numbers(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"phoneNumber": f"+1202555{place:04d}"} for place in range(first, first + count)]


# Campaigns


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
    assert {result.outcome for result in results} == {"completed", "noAnswer", "busy", "failed"}
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


# Finding a launch again

MARK = "[airflow 3f2a-77c1]"


def test_a_marked_campaign_is_found_whatever_the_case_oldest_first(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    plain = client.prepare(**SMS)
    marked = plain.marked(MARK)
    assert client.find_marked(MARK, since=clock.now()) == []
    ids = []
    for request in (plain, marked, plain, marked):
        clock.advance(1)
        ids.append(client.create(request).id)
    before = len(requests_of(campaign_sandbox))
    found = client.find_marked(MARK.upper(), since=clock.now() - DAY)
    assert [campaign.id for campaign in found] == [ids[1], ids[3]]
    assert client.marked_text(found[0]) == f"{SMS['description']} {MARK}"
    assert len(requests_of(campaign_sandbox)) == before + 1


def test_a_look_for_a_mark_does_not_read_what_is_older(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    begin = clock.now()
    for _ in range(5):
        client = connect()
        for _ in range(50):
            clock.advance(1)
            client.create_campaign(**SMS)
    looking = connect()
    assert looking.find_marked(MARK, since=begin + datetime.timedelta(seconds=100)) == []
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 2
    assert looking.find_marked(MARK, since=begin) == []
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 5


def test_a_mark_keeps_to_the_vendors_limit_on_descriptions(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    room = 256 - len(MARK) - 1
    client.create(client.prepare(**{**SMS, "description": "x" * room}).marked(MARK))
    with pytest.raises(errors.InvalidRequest, match=f"at most {room} characters"):
        client.prepare(**{**SMS, "description": "x" * (room + 1)}).marked(MARK)
    assert campaigns_in(campaign_sandbox)[0]["description"].endswith(MARK)


# Contact lists


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_contact_list_is_made_filled_read_changed_and_deleted(
    connect: Connect, clock: ManualClock, version: str
) -> None:
    client = connect(api_version=version)
    made = client.create_contact_list("Clinic North", description="Patients")
    assert (made.name, made.status, made.contacts) == ("Clinic North", "Ready", 0)
    assert client.add_contacts("Clinic North", numbers(30)) == 30
    assert client.get_contact_list(made.id).contacts == 0
    clock.advance(1)
    assert client.get_contact_list(made.id).contacts == 30
    contacts = list(client.list_contacts(made.id, page_size=20))
    assert [contact.phone_number for contact in contacts] == [row["phoneNumber"][1:] for row in numbers(30)]
    assert "1202555" not in repr(contacts)
    client.update_contact_list(made.id, name="Clinic South")
    assert {known.name for known in client.list_contact_lists()} == {"Sandbox contacts", "Clinic South"}
    client.delete_contact_list(made.id)
    with pytest.raises(errors.NotFound):
        client.get_contact_list(made.id)


def test_a_list_in_use_and_a_second_one_of_its_name_are_refused(connect: Connect) -> None:
    client = connect()
    made = client.create_contact_list("Clinic North")
    with pytest.raises(errors.Conflict, match="already exists"):
        client.create_contact_list("Clinic North")
    client.create_campaign(**{**SMS, "contact_lists": ["Clinic North"]})
    with pytest.raises(errors.Rejected, match="associated with a campaign"):
        client.delete_contact_list(made.id)
    with pytest.raises(errors.NotFound, match="Contact list Clinic West not found"):
        client.create_campaign(**{**SMS, "contact_lists": ["Clinic West"]})


def test_any_number_of_contacts_goes_out_in_batches_of_a_hundred(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    made = client.create_contact_list("Clinic North")
    told: list[int] = []
    assert client.add_all_contacts("Clinic North", iter(numbers(250)), after_batch=told.append) == 250
    assert told == [100, 200, 250]
    assert len(requests_of(campaign_sandbox, "add_contacts")) == 3
    clock.advance(1)
    assert client.get_contact_list(made.id).contacts == 250


def test_a_list_of_a_running_campaign_is_busy(connect: Connect, clock: ManualClock) -> None:
    client = connect()
    client.create_contact_list("Clinic North")
    client.add_contacts("Clinic North", numbers(10))
    clock.advance(1)
    ids = [client.create_campaign(**{**SMS, "contact_lists": ["Clinic North"]}).id for _ in range(2)]
    client.start_campaign(ids[0])
    with pytest.raises(errors.Conflict, match="in use by a running campaign"):
        client.start_campaign(ids[1])


@pytest.mark.parametrize("kind", LOST)
def test_a_batch_whose_answer_is_lost_is_never_sent_again(
    connect: Connect, campaign_sandbox: Sandbox, kind: str
) -> None:
    client = connect()
    client.create_contact_list("Clinic North", allow_duplicates=True)
    campaign_sandbox.order_fault(endpoint="add_contacts", **LOST[kind])
    with pytest.raises(errors.OutcomeUnknown):
        client.add_all_contacts("Clinic North", numbers(150))
    assert len(requests_of(campaign_sandbox, "add_contacts")) == 1


# Lost answers


@pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
@pytest.mark.parametrize("kind", [*LOST, "rate_limited"])
def test_a_read_survives_a_lost_answer(connect: Connect, campaign_sandbox: Sandbox, kind: str, effect: bool) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    order = LOST.get(kind, {"kind": kind})
    campaign_sandbox.order_fault(endpoint="list_campaigns", effect=effect, **order)
    assert [campaign.id for campaign in client.list_campaigns()] == [campaign_id]
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 2


@pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
@pytest.mark.parametrize("kind", LOST)
def test_a_create_whose_answer_is_lost_is_never_sent_again(
    connect: Connect, campaign_sandbox: Sandbox, kind: str, effect: bool
) -> None:
    campaign_sandbox.order_fault(endpoint="create_campaign", effect=effect, **LOST[kind])
    with pytest.raises(errors.OutcomeUnknown) as caught:
        connect().create_campaign(**SMS)
    assert LABEL in str(caught.value)
    assert len(requests_of(campaign_sandbox, "create_campaign")) == 1
    expected = 1 if effect else 0
    if kind == "slow" and not effect:
        # It takes effect after the delay, when nobody waits for the answer any more.
        expected = 1
        give_up = time.monotonic() + 5
        while not campaigns_in(campaign_sandbox) and time.monotonic() < give_up:
            time.sleep(0.05)
    assert len(campaigns_in(campaign_sandbox)) == expected


def test_a_create_refused_for_too_many_requests_is_sent_again_and_creates_one(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    campaign_sandbox.order_fault(kind="rate_limited", endpoint="create_campaign", retry_after=None)
    connect().create_campaign(**SMS)
    assert len(requests_of(campaign_sandbox, "create_campaign")) == 2
    assert len(campaigns_in(campaign_sandbox)) == 1


@pytest.mark.parametrize("kind", LOST)
def test_a_start_whose_answer_is_lost_is_concluded_from_the_status(
    connect: Connect, campaign_sandbox: Sandbox, kind: str
) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    campaign_sandbox.order_fault(endpoint="start_campaign", **LOST[kind])
    assert client.start_campaign(campaign_id).status is CampaignStatus.RUNNING
    campaign_sandbox.order_fault(endpoint="stop_campaign", **LOST[kind])
    assert client.stop_campaign(campaign_id).status is CampaignStatus.CANCELED
    assert len(requests_of(campaign_sandbox, "start_campaign")) == 1
    assert campaigns_in(campaign_sandbox)[0]["starts"] == 1


def test_a_start_that_never_took_effect_is_not_called_a_success(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    campaign_sandbox.order_fault(kind="reset", endpoint="start_campaign", effect=False, times=None)
    with pytest.raises(errors.OutcomeUnknown):
        client.start_campaign(campaign_id)
    campaign_sandbox.order_fault(kind="error", endpoint="get_status", times=None)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client.start_campaign(campaign_id)
    assert "trigger" not in str(caught.value)
    assert caught.value.endpoint.startswith("POST /campaign/api/v1/")
    assert campaigns_in(campaign_sandbox)[0]["starts"] == 0


# Credentials, limits, input


@pytest.mark.filterwarnings("ignore:The HMAC key is 7 bytes long")
@pytest.mark.parametrize(("client_id", "secret"), [("invalid", SECRET), ("cs-1", "invalid")])
def test_a_wrong_credential_is_told_without_being_shown(
    connect: Connect, campaign_sandbox: Sandbox, client_id: str, secret: str
) -> None:
    client = connect(client_id, secret)
    with pytest.raises(errors.AuthenticationFailed) as caught:
        client.check()
    assert LABEL in str(caught.value)
    assert "Invalid SDK credentials" in str(caught.value)
    assert SECRET not in f"{caught.value!r} {client!r} {client.transport!r} {vars(client)!r}"
    assert len(requests_of(campaign_sandbox)) == 1


def test_the_check_says_what_was_found(connect: Connect) -> None:
    client = connect()
    client.create_campaign(**SMS)
    assert client.check() == f"Kore.ai accepts {LABEL}. The app's sms campaigns: 1."


def test_every_attempt_carries_a_token_of_its_own(connect: Connect, campaign_sandbox: Sandbox) -> None:
    # The sandbox refuses a token that it has seen: a retried read would fail.
    campaign_sandbox.order_fault(kind="cut_off", endpoint="list_campaigns", times=3)
    assert connect().check()
    assert connect(use_jti=False).check()


def test_the_vendors_limit_is_for_the_account(connect: Connect) -> None:
    client = connect(account_id="the-same-account")
    for _ in range(60):
        client.check()
    with pytest.raises(errors.RateLimited, match="per-minute rate limit"):
        connect(account_id="the-same-account").check()
    assert connect().check()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda client: client.create_campaign(**{**SMS, "name": "x" * 49}), "name"),
        (lambda client: client.create_campaign(**{**SMS, "message": None}), "message"),
        (lambda client: client.list_campaigns(page_size=101), "page_size"),
        (lambda client: client.list_campaigns(status="Running"), "status"),
        (lambda client: client.list_campaigns(start_date=datetime.datetime(2026, 1, 1)), "start_date"),  # noqa: DTZ001
        (lambda client: client.list_campaigns(dialing_mode="Preview"), "dialing_mode"),
        (lambda client: client.list_contact_results("cd-1", page_size=0), "page_size"),
        (lambda client: client.list_contacts("cl-1", page_size=101), "page_size"),
        (lambda client: client.create_contact_list("x" * 49), "name"),
        (lambda client: client.create_contact_list("x", description="y" * 257), "description"),
        (lambda client: client.add_contacts("List", numbers(101)), "contacts"),
        (lambda client: client.add_contacts("List", []), "contacts"),
        (lambda client: client.add_contacts("", numbers(1)), "list_name"),
        (lambda client: client.update_contact_list("cl-1"), "at least one"),
        (lambda client: client.disable_schedule(" "), "campaign_name"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_request(
    connect: Connect, campaign_sandbox: Sandbox, call: Callable[[KoreAIClient], Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequest, match=named):
        call(connect())
    assert requests_of(campaign_sandbox) == []


def test_a_bad_contact_is_told_by_its_place_and_never_by_its_number(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    bad = [*numbers(2), {"phoneNumber": "555-12-secret"}]
    with pytest.raises(errors.InvalidRequest, match=r"contacts\[2\]: phoneNumber") as caught:
        connect().add_contacts("List", bad)
    assert "secret" not in str(caught.value)
    assert requests_of(campaign_sandbox) == []


@pytest.mark.parametrize(
    "options",
    [
        {"app_id": ""},
        {"account_id": "one two"},
        {"account_id": "one\ntwo"},
        {"api_version": "v3"},
        {"campaign_type": "fax"},
        {"base_url": "http://platform.kore.ai"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(connect: Connect, options: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest):
        connect(**options)


def test_the_module_loads_no_http_library() -> None:
    code = (
        "import sys, airflow_provider_campaigns.api.koreai.client;"
        "print([name for name in ('requests', 'jwt', 'airflow', 'pyrate_limiter', 'starlette') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
