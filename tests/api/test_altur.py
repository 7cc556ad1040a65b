"""Altur's client against the sandbox, over real HTTP."""

from __future__ import annotations

import contextlib
import datetime
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient, ContactBatch
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.altur.vendor import AlturVendor
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox

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


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Altur alone, without its rate limit, on a clock that a test moves."""
    with Sandbox(vendors=[AlturVendor], clock=clock, enforce_limits=False) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Connect]:
    clients: list[AlturClient] = []

    def open_client(api_key: str = API_KEY, **options: Any) -> AlturClient:
        given = {
            "base_url": campaign_sandbox.base_url("altur"),
            "timeout": patience,
            "rate_limit": 10_000,
            "label": LABEL,
            "sleep": lambda seconds: None,
        }
        clients.append(AlturClient(api_key, **{**given, **options}))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> AlturClient:
    return connect()


@pytest.fixture
def requests_of(campaign_sandbox: Sandbox) -> Counts:
    """How many requests have arrived so far, by endpoint."""
    return lambda: campaign_sandbox.journal("altur")["counts"].get("altur", {})


@pytest.fixture
def campaigns(campaign_sandbox: Sandbox) -> Inventory:
    """What exists at the vendor."""
    return lambda: campaign_sandbox.journal("altur")["campaigns"]


def create(client: AlturClient, channel: str = "phone_call", **fields: Any) -> Campaign:
    given = {"name": "June", "agent_id": "agent", "integration_id": "line", "integration_type": channel}
    return client.create_campaign(**{**given, **fields})


def people(number: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"contact": f"+52155{place:08d}", "name": f"Person {place}"} for place in range(start, start + number)]


def launched(client: AlturClient, channel: str = "phone_call", number: int = 120, **fields: Any) -> Campaign:
    campaign = create(client, channel, **fields)
    client.add_contacts(campaign.id, people(number))
    return client.start_campaign(campaign.id)


class TestCredential:
    def test_a_refused_key_is_named_by_its_connection_and_never_shown(self, connect: Connect) -> None:
        with pytest.raises(errors.AuthenticationFailed) as refused:
            connect("invalid").check()
        assert LABEL in str(refused.value)
        assert "'invalid'" not in str(refused.value)
        assert refused.value.status == 401

    def test_a_key_copied_together_with_its_scheme_works(self, connect: Connect) -> None:
        assert connect(f"api-key {API_KEY}\n").check()

    @pytest.mark.parametrize("key", ["", "   ", "two\nlines", "schlüssel"])
    def test_a_key_that_cannot_be_sent_is_refused_at_once(self, key: str) -> None:
        with pytest.raises(errors.InvalidRequest, match="API key"):
            AlturClient(key)

    def test_the_check_tells_what_the_account_has_in_one_request(
        self, client: AlturClient, requests_of: Counts
    ) -> None:
        create(client)
        create(client)
        assert client.check() == "Altur accepts the API key and lists 2 campaigns."
        assert requests_of()["list_campaigns"] == 1


class TestCreate:
    def test_a_new_campaign_is_a_draft_without_contacts(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = create(client, description="past due", retries=2, timezone="America/Bogota")
        assert (campaign.id, campaign.name) == ("1001", "June")
        assert (campaign.status, campaign.vendor_status, campaign.progress) == (CampaignStatus.DRAFT, "pending", 0.0)
        assert [(row["id"], row["contacts"], row["starts"]) for row in campaigns()] == [(1001, 0, 0)]

    def test_every_field_of_a_phone_campaign_arrives(self, client: AlturClient) -> None:
        hours = {"startTime": "09:00", "stopTime": "18:00"}
        cycles = {
            "enabled": True,
            "mode": "scheduled",
            "max_iterations": 3,
            "cooldown_minutes": 60,
            "filter_statuses": ["voicemail"],
            "filter_tags": ["later"],
            "schedule": {"mon": hours},
            "schedule_start_date": datetime.date(2030, 1, 1),
            "schedule_end_date": "2030-01-31",
        }
        raw = create(client, first_message="Hello", scheduling={"tue": hours}, cycles=cycles).raw
        assert raw["first_message"] == "Hello"
        assert raw["scheduling"]["tue"] == {**hours, "active": True}
        assert [day for day, row in raw["scheduling"].items() if row["active"]] == ["tue"]
        assert len(raw["scheduling"]) == 7
        assert raw["cycles"]["schedule_start_date"] == "2030-01-01"
        assert raw["cycles"]["schedule"]["mon"]["active"]
        assert not raw["cycles"]["schedule"]["tue"]["active"]

    def test_every_field_of_a_whatsapp_campaign_arrives(self, client: AlturClient) -> None:
        raw = create(client, "whatsapp", template="june", template_alt="june_b", message_limit="500").raw
        assert (raw["template"], raw["template_alt"], raw["message_limit"]) == ("june", "june_b", 500)

    @pytest.mark.parametrize("fault", LOST)
    @pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
    def test_an_answer_lost_once_is_asked_for_again_under_the_same_key(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, fault: str, effect: bool
    ) -> None:
        campaign_sandbox.order_fault(**LOST[fault], endpoint="create_campaign", effect=effect)
        campaign = create(client)
        assert [str(row["id"]) for row in campaigns()] == [campaign.id]
        keys = [entry["idempotency_key"] for entry in campaign_sandbox.journal("altur")["requests"]]
        assert len(keys) == 2
        assert len(set(keys)) == 1

    @pytest.mark.parametrize("fault", LOST)
    @pytest.mark.parametrize(("effect", "exist"), [(True, 1), (False, 0)], ids=["after the effect", "before it"])
    def test_answers_lost_for_good_leave_the_outcome_open_and_at_most_one_campaign(
        self,
        client: AlturClient,
        campaign_sandbox: Sandbox,
        campaigns: Inventory,
        fault: str,
        effect: bool,
        exist: int,
    ) -> None:
        order = {**LOST[fault], "seconds": 1.0}
        campaign_sandbox.order_fault(**order, endpoint="create_campaign", effect=effect, times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown) as unclear:
            create(client, idempotency_key="the-key")
        assert unclear.value.__notes__ == ["The Idempotency-Key was the-key."]
        if (fault, effect) != ("slow", False):  # There the vendor acts after the client has gone.
            assert len(campaigns()) == exist
        assert len(campaigns()) <= 1

    def test_a_refusal_after_a_lost_answer_does_not_pass_for_the_outcome(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        campaign_sandbox.order_fault(kind="reset", endpoint="create_campaign")
        campaign_sandbox.order_fault(kind="error", endpoint="create_campaign", status=403, effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            create(client)
        assert len(campaigns()) == 1

    def test_a_refused_create_leaves_nothing_and_is_not_repeated(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts
    ) -> None:
        campaign_sandbox.order_fault(kind="error", endpoint="create_campaign", status=402, effect=False)
        with pytest.raises(errors.BillingLimitReached):
            create(client)
        assert requests_of() == {"create_campaign": 1}
        assert campaigns() == []

    def test_one_request_too_many_is_sent_again_after_the_pause(
        self, connect: Connect, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        pauses: list[float] = []
        campaign_sandbox.order_fault(kind="rate_limited", endpoint="create_campaign", retry_after=None, seconds=7)
        create(connect(sleep=pauses.append))
        assert len(campaigns()) == 1
        assert len(pauses) == 1
        assert 7 <= pauses[0] < 8

    def test_the_same_key_never_makes_a_second_campaign(self, client: AlturClient, campaigns: Inventory) -> None:
        first = create(client, idempotency_key="once")
        assert create(client, idempotency_key="once").id == first.id
        assert len(campaigns()) == 1

    def test_another_campaign_under_a_used_key_is_a_conflict(self, client: AlturClient, campaigns: Inventory) -> None:
        create(client, idempotency_key="once")
        with pytest.raises(errors.Conflict):
            create(client, idempotency_key="once", name="July")
        assert len(campaigns()) == 1

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"name": "x" * 256}, "name"),
            ({"name": None}, "name"),
            ({"integration_type": "sms"}, "integration_type"),
            ({"retries": 6}, "retries"),
            ({"timezone": "Mexico"}, "timezone"),
            ({"template": "june"}, "template"),
            ({"message_limit": 5}, "message_limit"),
            ({"scheduling": {"monday": {}}}, "scheduling"),
            ({"scheduling": {"mon": {"startTime": "9:00", "stopTime": "18:00"}}}, "scheduling.mon.startTime"),
            ({"cycles": {"mode": "cooldown"}}, "cycles.enabled"),
            ({"extra_fields": {"name": "x"}}, "name"),
            ({"idempotency_key": "two\nlines"}, "idempotency_key"),
        ],
    )
    def test_bad_input_is_named_and_never_sent(
        self, client: AlturClient, requests_of: Counts, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            create(client, **fields)
        assert requests_of() == {}


class TestRead:
    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
    def test_a_read_survives_a_fault(
        self, client: AlturClient, campaign_sandbox: Sandbox, fault: str, effect: bool
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(**FAULTS[fault], endpoint="get_campaign", effect=effect)
        assert client.get_campaign(campaign.id).name == "June"

    def test_a_fault_that_stays_is_told_after_a_few_attempts(
        self, client: AlturClient, campaign_sandbox: Sandbox, requests_of: Counts
    ) -> None:
        campaign_sandbox.order_fault(kind="error", endpoint="list_campaigns", times=FOR_GOOD)
        with pytest.raises(errors.Unavailable):
            client.check()
        assert requests_of() == {"list_campaigns": 4}

    def test_an_unknown_campaign_is_not_found(self, client: AlturClient) -> None:
        with pytest.raises(errors.NotFound):
            client.get_campaign("999")

    @pytest.mark.parametrize(
        "campaign_id", ["1001/pause", "..", "1001?x=1", "1001\n", "", "12a", "-1", "0", "1001 ", "\uff11"]
    )
    def test_an_id_that_is_no_number_cannot_change_the_path(
        self, client: AlturClient, requests_of: Counts, campaign_id: str
    ) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: client.get_campaign(campaign_id),
            lambda: client.start_campaign(campaign_id),
            lambda: client.pause_campaign(campaign_id),
            lambda: client.archive_campaign(campaign_id),
            lambda: client.update_campaign(campaign_id, name="x"),
            lambda: client.add_contacts(campaign_id, people(1)),
            lambda: client.add_all_contacts(campaign_id, people(1)),
            lambda: client.list_contacts(campaign_id),
            lambda: client.list_calls(campaign_id),
            lambda: client.get_contact("1001", campaign_id),
            lambda: client.delete_contact("1001", campaign_id),
            lambda: client.get_campaigns([campaign_id]),
        ]
        for call in calls:
            with pytest.raises(errors.InvalidRequest, match="_id"):
                call()
        assert requests_of() == {}

    def test_an_id_may_be_a_number(self, client: AlturClient) -> None:
        assert client.get_campaign(int(create(client).id)).id == "1001"  # type: ignore[arg-type]

    def test_a_phone_campaign_tells_its_progress_in_one_request(
        self, client: AlturClient, clock: ManualClock, requests_of: Counts
    ) -> None:
        campaign = launched(client, number=200)
        clock.advance(SENDING_SECONDS / 2)
        before = requests_of().get("get_campaign", 0)
        seen = client.get_campaign(campaign.id)
        assert seen.status is CampaignStatus.RUNNING
        assert seen.progress == pytest.approx(47.5)
        assert seen.counts["contacts"] == 200
        assert seen.counts["failed"] == 5
        assert seen.counts["processed"] == 95
        assert requests_of()["get_campaign"] == before + 1
        assert "list_contacts" not in requests_of()

    def test_a_finished_campaign_is_at_100_though_its_rate_is_not(
        self, client: AlturClient, clock: ManualClock
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        seen = client.get_campaign(campaign.id)
        assert (seen.status, seen.progress) == (CampaignStatus.FINISHED, 100.0)
        assert seen.raw["analytics"]["contactsProcessedRate"] == 0.95

    def test_a_whatsapp_campaign_under_way_costs_four_counts(
        self, client: AlturClient, clock: ManualClock, requests_of: Counts
    ) -> None:
        campaign = launched(client, "whatsapp", 120)
        clock.advance(SENDING_SECONDS / 4)
        seen = client.get_campaign(campaign.id)
        assert seen.progress == 25.0
        assert (seen.counts["contacts"], seen.counts["processed"]) == (120, 30)
        assert requests_of()["list_contacts"] == 4

    def test_nobody_pays_for_progress_that_is_not_wanted(
        self, client: AlturClient, clock: ManualClock, requests_of: Counts
    ) -> None:
        campaign = launched(client, "whatsapp")
        clock.advance(SENDING_SECONDS / 4)
        before = sum(requests_of().values())
        seen = client.get_campaign(campaign.id, progress=False)
        assert (seen.status, seen.progress) == (CampaignStatus.RUNNING, None)
        assert sum(requests_of().values()) == before + 1

    @pytest.mark.parametrize("seconds", [None, SENDING_SECONDS])
    def test_a_whatsapp_campaign_that_waits_or_has_finished_costs_no_counts(
        self, client: AlturClient, clock: ManualClock, requests_of: Counts, seconds: float | None
    ) -> None:
        if seconds is None:
            campaign, expected = create(client, "whatsapp"), 0.0
        else:
            campaign, expected = launched(client, "whatsapp"), 100.0
            clock.advance(seconds)
        assert client.get_campaign(campaign.id).progress == expected
        assert "list_contacts" not in requests_of()

    def test_a_new_word_for_the_status_is_unknown_and_kept(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = launched(client)
        campaign_sandbox.order_fault(kind="unknown_status", value="dreaming")
        seen = client.get_campaign(campaign.id)
        assert (seen.status, seen.vendor_status) == (CampaignStatus.UNKNOWN, "dreaming")

    def test_a_campaign_that_stands_still_is_seen_to(
        self, client: AlturClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS / 2)
        before = client.get_campaign(campaign.id)
        campaign_sandbox.order_fault(kind="stall")
        clock.advance(SENDING_SECONDS)
        after = client.get_campaign(campaign.id)
        assert (after.status, after.progress) == (CampaignStatus.RUNNING, before.progress)


class TestList:
    def test_the_list_is_walked_lazily_and_shows_each_campaign_once(
        self, client: AlturClient, requests_of: Counts
    ) -> None:
        made = [create(client).id for _ in range(5)]
        walked = client.list_campaigns(page_size=2)
        assert "list_campaigns" not in requests_of()
        assert next(walked).id == made[-1]
        assert requests_of()["list_campaigns"] == 1
        assert [made[-1], *(campaign.id for campaign in walked)] == made[::-1]
        assert requests_of()["list_campaigns"] == 3

    def test_the_list_can_be_walked_back_from_a_cursor(self, client: AlturClient, campaign_sandbox: Sandbox) -> None:
        import requests

        made = [create(client).id for _ in range(5)]
        page = requests.get(
            f"{campaign_sandbox.base_url('altur')}/campaigns",
            params={"pageSize": "4"},
            headers={"Authorization": f"api-key {API_KEY}"},
            timeout=5,
        ).json()
        back = client.list_campaigns(cursor=page["pagination"]["next_cursor"], direction="previous", page_size=1)
        assert [campaign.id for campaign in back] == made[2:]

    def test_filters_reach_the_vendor(self, client: AlturClient, clock: ManualClock) -> None:
        phone = create(client, agent_id="a")
        whatsapp = create(client, "whatsapp", agent_id="b")
        running = launched(client, agent_id="c")
        archived = client.archive_campaign(create(client).id)

        def ids(**filters: Any) -> list[str]:
            return [campaign.id for campaign in client.list_campaigns(**filters)]

        now = clock.now()
        hour = datetime.timedelta(hours=1)
        assert ids(agent_id="a") == [phone.id]
        assert ids(integration="whatsapp") == [whatsapp.id]
        assert ids(status="active") == [running.id]
        assert archived.id not in ids()
        assert archived.id in ids(archived=True)
        assert ids(start_date=now - hour, end_date=now + hour) == [running.id, whatsapp.id, phone.id]
        assert ids(start_date=now + hour, end_date=now + 2 * hour) == []

    @pytest.mark.parametrize(
        ("filters", "named"),
        [
            ({"page_size": 0}, "page_size"),
            ({"page_size": 101}, "page_size"),
            ({"status": "running"}, "status"),
            ({"integration": "sms"}, "integration"),
            ({"direction": "back"}, "direction"),
            ({"start_date": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)}, "together"),
            ({"start_date": datetime.datetime(2030, 1, 1)}, "naive"),  # noqa: DTZ001
            ({"start_date": "2030-02-01T00:00:00Z", "end_date": "2030-01-01T00:00:00Z"}, "after end_date"),
        ],
    )
    def test_a_bad_filter_is_refused_before_the_first_step(
        self, client: AlturClient, requests_of: Counts, filters: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            client.list_campaigns(**filters)
        assert requests_of() == {}

    def test_a_list_that_runs_in_a_circle_is_an_error_not_an_end(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        for _ in range(3):
            create(client)
        campaign_sandbox.order_fault(kind="repeated_cursor", endpoint="list_campaigns")
        walked = client.list_campaigns(page_size=2)
        seen = []
        with pytest.raises(errors.ListingIncomplete):
            seen.extend(campaign.id for campaign in walked)

    def test_a_few_campaigns_are_asked_for_by_id(self, client: AlturClient, requests_of: Counts) -> None:
        made = [create(client).id for _ in range(3)]
        assert list(client.get_campaigns([*made[:2], "999"], progress=False)) == made[:2]
        assert requests_of() == {"create_campaign": 3, "get_campaign": 3}

    def test_many_campaigns_are_one_walk_that_ends_with_the_last_of_them(
        self, client: AlturClient, requests_of: Counts
    ) -> None:
        made = [create(client).id for _ in range(130)]
        client.archive_campaign(made[-2])
        wanted = made[-4:]
        found = client.get_campaigns(wanted, progress=False)
        assert list(found) == wanted
        assert requests_of()["list_campaigns"] == 1
        assert "get_campaign" not in requests_of()

    def test_a_campaign_that_the_list_does_not_show_yet_is_not_lost(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign_sandbox.order_fault(kind="list_lag", seconds=60)
        made = [create(client).id for _ in range(4)]
        assert list(client.list_campaigns()) == []
        assert list(client.get_campaigns([*made, "999"], progress=False)) == made

    def test_marked_campaigns_are_found_whatever_their_state_oldest_first(
        self, client: AlturClient, clock: ManualClock
    ) -> None:
        since = clock.now() - datetime.timedelta(hours=1)
        create(client, description="another")
        waits = create(client, description="past due [Airflow abc]")
        archived = client.archive_campaign(create(client, description="[airflow abc]").id)
        assert [campaign.id for campaign in client.find_marked("[airflow ABC", since=since)] == [waits.id, archived.id]

    def test_a_status_that_the_detail_leaves_out_is_taken_from_the_list(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        made = launched(client)
        campaign_sandbox.order_fault(kind="status_missing")
        assert client.get_campaign(made.id, progress=False).vendor_status == "active"

    def test_progress_of_many_is_asked_for_one_by_one(self, client: AlturClient, requests_of: Counts) -> None:
        made = [launched(client).id for _ in range(4)]
        before = requests_of().get("get_campaign", 0)
        found = client.get_campaigns(made)
        assert all(campaign.progress == 0.0 for campaign in found.values())
        assert requests_of()["get_campaign"] == before + 4
        assert "list_campaigns" not in requests_of()


class TestUpdate:
    def test_what_is_given_changes_and_the_rest_stays(self, client: AlturClient) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 5}
        campaign = create(client, description="old", cycles=rules)
        changed = client.update_campaign(campaign.id, name="July", cycles={"max_iterations": 4})
        assert (changed.name, changed.raw["description"]) == ("July", "old")
        assert changed.raw["cycles"] == {**rules, "max_iterations": 4}

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({}, "at least one"),
            ({"extra_fields": {"agent_id": "b"}}, "agent_id"),
            ({"extra_fields": {"integration_type": "whatsapp"}}, "integration_type"),
            ({"cycles": {"enabled": True}}, "cycles.enabled"),
            ({"cycles": {"mode": "scheduled", "max_iterations": 2}}, "cycles.mode"),
            ({"retries": -1}, "retries"),
        ],
    )
    def test_what_cannot_change_is_refused_before_it_is_sent(
        self, client: AlturClient, requests_of: Counts, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            client.update_campaign("1001", **fields)
        assert requests_of() == {}

    def test_a_finished_campaign_does_not_change(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        with pytest.raises(errors.Conflict) as refused:
            client.update_campaign(campaign.id, name="late")
        assert refused.value.code == "CAMPAIGN_FINISHED"

    def test_cycles_of_a_campaign_without_them_are_refused(self, client: AlturClient) -> None:
        with pytest.raises(errors.Rejected) as refused:
            client.update_campaign(create(client).id, cycles={"max_iterations": 2})
        assert refused.value.code == "CYCLES_NOT_ENABLED"

    def test_an_update_whose_answer_was_lost_is_made_again(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="update_campaign")
        assert client.update_campaign(campaign.id, name="July").name == "July"


class TestLifeCycle:
    def test_a_campaign_becomes_ready_with_its_contacts_and_runs_when_started(
        self, client: AlturClient, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        assert client.get_campaign(campaign.id).vendor_status == "ready"
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1

    def test_starting_what_runs_already_changes_nothing(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = launched(client)
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert client.activate_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1

    def test_starting_a_paused_campaign_resumes_it(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = launched(client)
        assert client.pause_campaign(campaign.id).status is CampaignStatus.PAUSED
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert (requests_of()["resume_campaign"], requests_of()["activate_campaign"]) == (1, 1)

    def test_starting_a_campaign_in_cooldown_begins_its_next_cycle(
        self, client: AlturClient, clock: ManualClock
    ) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 600}
        campaign = launched(client, cycles=rules)
        clock.advance(SENDING_SECONDS + 1)
        seen = client.get_campaign(campaign.id)
        assert (seen.vendor_status, seen.status) == ("cooldown", CampaignStatus.RUNNING)
        with pytest.raises(errors.Conflict):
            client.resume_campaign(campaign.id)
        assert client.start_campaign(campaign.id).vendor_status == "active"
        clock.advance(SENDING_SECONDS + 1)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_a_campaign_in_cooldown_goes_on_by_itself(self, client: AlturClient, clock: ManualClock) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 10}
        campaign = launched(client, cycles=rules)
        clock.advance(SENDING_SECONDS + 600 + 1)
        assert client.get_campaign(campaign.id).vendor_status == "active"
        assert client.count_contacts(campaign.id, "retrying") > 0

    def test_a_finished_campaign_cannot_be_started_again(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        for start in (client.start_campaign, client.activate_campaign):
            with pytest.raises(errors.Conflict):
                start(campaign.id)
        assert campaigns()[0]["starts"] == 1

    def test_a_refused_transition_tells_the_state(self, client: AlturClient) -> None:
        with pytest.raises(errors.Conflict, match=r"current_status: pending.*") as refused:
            client.pause_campaign(create(client).id)
        assert refused.value.code == "INVALID_STATUS_TRANSITION"

    @pytest.mark.parametrize("fault", LOST)
    def test_a_start_whose_answer_was_lost_is_looked_at_and_found(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts, fault: str
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(**LOST[fault], endpoint="activate_campaign")
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1
        assert requests_of()["activate_campaign"] == 1

    @pytest.mark.parametrize("fault", LOST)
    def test_a_start_that_never_took_effect_stays_open_and_is_not_repeated(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts, fault: str
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(**{**LOST[fault], "seconds": 1.5}, endpoint="activate_campaign", effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            client.start_campaign(campaign.id)
        assert campaigns()[0]["starts"] == 0
        assert requests_of()["activate_campaign"] == 1

    def test_a_look_that_fails_too_leaves_the_start_open(self, client: AlturClient, campaign_sandbox: Sandbox) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="activate_campaign")
        campaign_sandbox.order_fault(kind="error", endpoint="get_campaign", times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown):
            client.activate_campaign(campaign.id)

    @pytest.mark.parametrize("action", ["pause", "archive"])
    def test_actions_that_may_be_repeated_survive_a_lost_answer(
        self, client: AlturClient, campaign_sandbox: Sandbox, action: str
    ) -> None:
        campaign = launched(client)
        campaign_sandbox.order_fault(kind="reset", endpoint=f"{action}_campaign")
        seen = getattr(client, f"{action}_campaign")(campaign.id)
        assert seen.raw["archived"] is (action == "archive")
        assert seen.status is (CampaignStatus.RUNNING if action == "archive" else CampaignStatus.PAUSED)

    def test_a_paused_campaign_stands_still_and_goes_on_where_it_was(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS / 2)
        client.pause_campaign(campaign.id)
        sent = campaigns()[0]["messages"]
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == sent == 60
        client.resume_campaign(campaign.id)
        clock.advance(SENDING_SECONDS / 2)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_there_is_no_stop_and_the_error_says_what_to_use(self, client: AlturClient, requests_of: Counts) -> None:
        with pytest.raises(errors.UnsupportedAction, match="Altur has no stop; use pause, or archive"):
            client.stop_campaign("1001")
        assert [client.supports(action) for action in ("start", "pause", "resume", "stop")] == [True, True, True, False]
        assert requests_of() == {}


class TestContacts:
    def test_a_batch_tells_what_became_of_its_rows(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = create(client)
        rows = [*people(2), *people(1), {"contact": "not a number"}]
        assert client.add_contacts(campaign.id, rows) == ContactBatch(2, 0, 1, 1, ((3, "INVALID_PHONE_NUMBER"),))
        assert client.add_contacts(campaign.id, people(3), if_duplicate="update") == ContactBatch(1, 2, 0, 0)
        assert campaigns()[0]["contacts"] == 3
        assert campaigns()[0]["contact_rows"] == 6

    @pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
    @pytest.mark.parametrize("fault", LOST)
    def test_a_batch_whose_answer_was_lost_is_in_once(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, fault: str, effect: bool
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(**LOST[fault], endpoint="add_contacts", effect=effect)
        assert client.add_contacts(campaign.id, people(5)).created == 5
        assert campaigns()[0]["contact_rows"] == 5

    def test_a_batch_lost_for_good_leaves_the_outcome_open(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="add_contacts", times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown):
            client.add_contacts(campaign.id, people(5))

    def test_all_contacts_go_in_batches_one_for_each_step(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = create(client)
        read = 0

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal read
            for row in [*people(4), {"contact": "bad"}]:
                read += 1
                yield row

        batches = client.add_all_contacts(campaign.id, rows(), batch_size=2)
        assert read == 0
        assert next(batches) == ContactBatch(2, 0, 0, 0)
        assert (read, requests_of()["add_contacts"]) == (2, 1)
        assert list(batches)[-1] == ContactBatch(0, 0, 0, 1, ((4, "INVALID_PHONE_NUMBER"),))
        assert requests_of()["add_contacts"] == 3

    def test_the_same_batch_has_the_same_key_on_another_try_and_a_changed_one_has_not(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        list(client.add_all_contacts(campaign.id, people(4), batch_size=2, key_prefix="intent"))
        list(client.add_all_contacts(campaign.id, people(2, start=2), batch_size=2, key_prefix="intent", first_index=2))
        list(client.add_all_contacts(campaign.id, people(1, start=2), batch_size=2, key_prefix="intent"))
        requests = campaign_sandbox.journal("altur")["requests"]
        keys = [entry["idempotency_key"] for entry in requests if entry["endpoint"] == "add_contacts"]
        assert len(keys) == 4
        assert keys[1] == keys[2]
        assert len({keys[0], keys[1], keys[3]}) == 3
        assert campaigns()[0]["contact_rows"] == 5

    @pytest.mark.parametrize(
        ("rows", "named"),
        [
            ([], "from 1 to 1000"),
            (people(1001), "add_all_contacts"),
            ([{"contact": "+525512345678", "phone": "+525512345678"}], r"contacts\[0\]: it has 1 unknown field"),
            ([{"name": "No number"}], r"contacts\[0\]: contact"),
        ],
    )
    def test_rows_that_cannot_be_sent_are_refused_before_anything_is(
        self, client: AlturClient, requests_of: Counts, rows: list[dict[str, Any]], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named) as refused:
            client.add_contacts("1001", rows)
        assert "5512345678" not in str(refused.value)
        assert requests_of() == {}

    @pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": 1001}, {"if_duplicate": "replace"}])
    def test_bad_options_of_a_stream_are_refused_at_once(
        self, client: AlturClient, requests_of: Counts, options: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=next(iter(options))):
            client.add_all_contacts("1001", people(1), **options)
        assert requests_of() == {}

    def test_a_bad_row_ends_a_stream_at_its_batch_and_is_named_by_its_place_in_the_whole(
        self, client: AlturClient, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        batches = client.add_all_contacts(campaign.id, [*people(3), {"name": "x"}], batch_size=2)
        next(batches)
        with pytest.raises(errors.InvalidRequest, match=r"contacts\[3\]"):
            next(batches)
        assert campaigns()[0]["contacts"] == 2

    def test_a_finished_campaign_takes_no_more_contacts(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        with pytest.raises(errors.Conflict):
            client.add_contacts(campaign.id, people(1, start=500))

    def test_what_the_vendor_says_about_contacts_stays_out_of_the_error(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="error", endpoint="add_contacts", status=400, effect=False)
        with pytest.raises(errors.Rejected, match="may name recipients"):
            client.add_contacts(campaign.id, people(1))

    def test_contacts_are_listed_by_page_each_once(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(25))
        walked = client.list_contacts(campaign.id, page_size=10)
        assert "list_contacts" not in requests_of()
        assert [row["contact"] for row in walked] == [row["contact"] for row in people(25)]
        assert requests_of()["list_contacts"] == 3

    def test_contacts_are_listed_and_counted_by_status(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client, number=40)
        clock.advance(SENDING_SECONDS / 2)
        failed = list(client.list_contacts(campaign.id, status="failed"))
        assert [row["status"] for row in failed] == ["failed"]
        assert client.count_contacts(campaign.id, "failed") == 1
        assert client.count_contacts(campaign.id) == 40

    @pytest.mark.parametrize("filters", [{"page_size": 0}, {"page_size": 101}, {"status": "busy"}])
    def test_bad_filters_of_contacts_are_refused_before_anything_is_sent(
        self, client: AlturClient, requests_of: Counts, filters: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=next(iter(filters))):
            client.list_contacts("1001", **filters)
        assert requests_of() == {}

    def test_contacts_that_run_in_a_circle_are_an_error_not_an_end(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(kind="repeated_cursor", endpoint="list_contacts")
        with pytest.raises(errors.ListingIncomplete):
            list(client.list_contacts(campaign.id))

    def test_one_contact_is_read_and_taken_out(self, client: AlturClient) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, [{"contact": "+525512345678", "f_id": "u1", "extracted_data": {"debt": 5}}])
        (row,) = client.list_contacts(campaign.id)
        assert client.get_contact(campaign.id, row["id"])["extracted_data"] == {"debt": 5}
        client.delete_contact(campaign.id, row["id"])
        with pytest.raises(errors.NotFound):
            client.get_contact(campaign.id, row["id"])

    def test_a_contact_that_was_reached_cannot_be_taken_out(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS / 2)
        reached = next(client.list_contacts(campaign.id, status="answered"))
        with pytest.raises(errors.Conflict) as refused:
            client.delete_contact(campaign.id, reached["id"])
        assert refused.value.code == "CONTACT_NOT_DELETABLE"

    def test_a_contact_taken_out_in_time_is_never_called(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client, number=4)
        last = list(client.list_contacts(campaign.id))[-1]
        client.delete_contact(campaign.id, last["id"])
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == 3
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_calls_are_listed_by_page_and_filtered(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client, number=20)
        clock.advance(SENDING_SECONDS)
        calls = list(client.list_calls(campaign.id, page_size=7))
        assert len({call["id"] for call in calls}) == 20
        assert {call["answered_by"] for call in client.list_calls(campaign.id, answered_by="machine")} == {"machine"}
        assert len(list(client.list_calls(campaign.id, status="no-answer"))) == 1
        assert list(client.list_calls(campaign.id, start_date=clock.now() + datetime.timedelta(hours=1))) == []


class TestSandbox:
    def test_more_than_1000_contacts_take_proportionally_longer(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        list(client.add_all_contacts(campaign.id, people(2000)))
        client.start_campaign(campaign.id)
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == 1000
        clock.advance(SENDING_SECONDS)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_the_documented_limit_holds_and_the_client_keeps_below_it(self, connect: Connect) -> None:
        with Sandbox(vendors=[AlturVendor]) as limited:
            base_url = limited.base_url("altur")
            with contextlib.suppress(errors.RateLimited):
                for _ in range(14):
                    connect("rash", base_url=base_url).check()
            assert 429 in {entry["status"] for entry in limited.journal("altur")["requests"]}
            limited.reset()
            calm = connect("calm", base_url=base_url, rate_limit=None)
            for _ in range(14):
                calm.check()
            assert [entry["status"] for entry in limited.journal("altur")["requests"]] == [200] * 14


def test_the_module_is_imported_without_any_http_library() -> None:
    code = (
        "import sys, airflow_provider_campaigns.api.altur.client; "
        "print([name for name in ('airflow', 'requests', 'jwt', 'pyrate_limiter', 'starlette', 'tenacity') "
        "if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
