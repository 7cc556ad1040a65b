"""Altur's client against the sandbox: campaigns by id, their figures, and the list."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from at_altur import API_KEY, FAULTS, FOR_GOOD, Counts, create, launched, people

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


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

    def test_many_old_campaigns_do_not_make_a_look_walk_all_of_them(
        self, client: AlturClient, requests_of: Counts, campaign_sandbox: Sandbox
    ) -> None:
        running = [launched(client, number=3).id for _ in range(5)]
        for _ in range(310):
            create(client)
        before = requests_of().get("list_campaigns", 0)
        assert list(client.get_campaigns(running, progress=False)) == running
        # The first page, and the list of those that are active.
        assert requests_of()["list_campaigns"] - before == 2

    def test_campaigns_that_are_over_among_many_are_asked_for_by_id_when_that_is_cheaper(
        self, client: AlturClient, requests_of: Counts
    ) -> None:
        wanted = [create(client).id for _ in range(5)]
        for one in wanted:
            client.archive_campaign(one)
        for _ in range(150):
            create(client)
        looked = requests_of().get("get_campaign", 0)
        assert list(client.get_campaigns(wanted, progress=False)) == wanted
        assert requests_of().get("get_campaign", 0) - looked <= 5
        assert requests_of()["list_campaigns"] <= 1 + 5 + 2

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
