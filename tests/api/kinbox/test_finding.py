"""Kinbox's client against the sandbox: campaigns by id and from the lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from at_kinbox import LOST, PROCESSING, Requests

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


class TestReads:
    @pytest.mark.parametrize("effect", [True, False])
    @pytest.mark.parametrize("kind", LOST)
    def test_a_lost_answer_to_a_read_is_asked_for_again(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, kind: str, effect: bool
    ) -> None:
        created = client.create_campaign(name="Natal")
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="get_campaign", effect=effect, **LOST[kind])
        assert client.get_campaign(created.id).id == created.id
        assert requests_of()["get_campaign"] == 2

    @pytest.mark.parametrize("kind", ["reset", "error", "cut_off", "html", "rate_limited"])
    def test_a_list_survives_a_lost_page(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, kind: str
    ) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(4)]
        order = LOST.get(kind, {"kind": kind})
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="list_campaigns", skip=1, **order)
        assert {campaign.id for campaign in client.list_campaigns(page_size=2)} == set(created)
        assert requests_of()["list_campaigns"] == 3

    def test_a_vendor_in_trouble_is_reported_after_four_attempts(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", kind="error", status=503, times=None)
        with pytest.raises(errors.Unavailable, match="trouble"):
            client.get_campaign("674c1a2be4b0a1c2d3e4f501")
        assert requests_of() == {"get_campaign": 4}

    def test_an_unknown_campaign_is_not_found(self, client: KinboxClient, requests_of: Requests) -> None:
        with pytest.raises(errors.NotFound):
            client.get_campaign("674c1a2be4b0a1c2d3e4f501")
        assert requests_of() == {"get_campaign": 1}

    def test_a_host_without_the_api_is_told_from_an_unknown_campaign(
        self, connect: Callable[..., KinboxClient], campaign_sandbox: Sandbox
    ) -> None:
        lost = connect(base_url=campaign_sandbox.base_url("kinbox") + "/nowhere")
        with pytest.raises(errors.Rejected, match="host"):
            lost.get_campaigns(["674c1a2be4b0a1c2d3e4f501"])

    @pytest.mark.parametrize("hostile", ["", " ", ".", "..", "a\nb", "a\x00b"])
    def test_what_is_no_id_is_refused_before_anything_is_sent(
        self, client: KinboxClient, requests_of: Requests, hostile: str
    ) -> None:
        for call in (client.get_campaign, client.pause_campaign, client.resume_campaign, client.delete_campaign):
            with pytest.raises(errors.InvalidRequest):
                call(hostile)
        assert requests_of() == {}


class TestLists:
    def test_a_list_comes_page_by_page_each_campaign_once(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(23)]
        assert [campaign.id for campaign in client.list_campaigns(page_size=10)] == created[::-1]
        assert requests_of()["list_campaigns"] == 3

    def test_a_list_is_lazy(self, client: KinboxClient, requests_of: Requests) -> None:
        for number in range(4):
            client.create_campaign(name=f"Natal {number}")
        listed = client.list_campaigns(page_size=2)
        assert "list_campaigns" not in requests_of()
        next(listed)
        assert requests_of()["list_campaigns"] == 1

    def test_an_empty_account_lists_nothing(self, client: KinboxClient) -> None:
        assert list(client.list_campaigns()) == []

    @pytest.mark.parametrize("page_size", [0, 101, -1, True, 2.5])
    def test_a_page_size_out_of_range_is_refused_at_once(
        self, client: KinboxClient, requests_of: Requests, page_size: Any
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match="page_size"):
            client.list_campaigns(page_size=page_size)
        assert requests_of() == {}

    def test_a_repeated_cursor_is_an_error_not_an_end(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        for number in range(5):
            client.create_campaign(name=f"Natal {number}")
        campaign_sandbox.order_fault(vendor="kinbox", kind="repeated_cursor", endpoint="list_campaigns")
        with pytest.raises(errors.ListingIncomplete):
            list(client.list_campaigns(page_size=2))

    def test_a_campaign_deleted_meanwhile_does_not_end_the_list(self, client: KinboxClient) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(6)]
        listed = client.list_campaigns(page_size=2)
        seen = [next(listed).id, next(listed).id]
        client.delete_campaign(seen[-1])
        assert seen + [campaign.id for campaign in listed] == created[::-1]

    def test_campaigns_are_found_by_name_channel_and_status(
        self, client: KinboxClient, clock: ManualClock, requests_of: Requests
    ) -> None:
        natal = client.create_campaign(name="Natal #7f3a", channel_id=1)
        pascoa = client.create_campaign(name="Páscoa", channel_ids=[1, 2])
        clock.advance(PROCESSING)
        client.pause_campaign(pascoa.id)
        assert [campaign.id for campaign in client.find_campaigns(name="#7f3a")] == [natal.id]
        assert [campaign.id for campaign in client.find_campaigns(channel_id=2)] == [pascoa.id]
        assert [campaign.id for campaign in client.find_campaigns(status="paused")] == [pascoa.id]
        assert [campaign.id for campaign in client.find_campaigns(status="paused", name="Natal")] == []
        assert [campaign.id for campaign in client.list_campaigns(status="executing")] == [natal.id]
        assert requests_of()["find_campaigns"] == 5

    def test_finding_goes_through_all_pages(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(7)]
        assert [campaign.id for campaign in client.find_campaigns(name="natal", page_size=3)] == created[::-1]
        assert requests_of()["find_campaigns"] == 3

    @pytest.mark.parametrize("filters", [{"status": "sending"}, {"page_size": 501}, {"name": ""}])
    def test_a_filter_that_cannot_match_is_refused_at_once(
        self, client: KinboxClient, requests_of: Requests, filters: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest):
            client.find_campaigns(**filters)
        assert requests_of() == {}


class TestManyAtOnce:
    def test_a_few_are_fetched_by_id(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(5)]
        assert list(client.get_campaigns(created)) == created
        assert requests_of() == {"create_campaign": 5, "get_campaign": 5}

    def test_many_take_a_page_of_the_list(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(40)]
        assert set(client.get_campaigns(created)) == set(created)
        assert requests_of() == {"create_campaign": 40, "list_campaigns": 1}

    def test_the_walk_ends_when_all_are_seen(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(210)]
        assert set(client.get_campaigns(created[-20:])) == set(created[-20:])
        assert requests_of()["list_campaigns"] == 1

    def test_the_last_few_of_many_are_fetched_by_id(self, client: KinboxClient, requests_of: Requests) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(210)]
        wanted = created[:3] + created[-20:]
        assert set(client.get_campaigns(wanted)) == set(wanted)
        assert requests_of() == {"create_campaign": 210, "list_campaigns": 1, "get_campaign": 3}

    def test_unknown_campaigns_are_left_out(self, client: KinboxClient) -> None:
        created = client.create_campaign(name="Natal").id
        assert list(client.get_campaigns([created, "674c1a2be4b0a1c2d3e4f501"])) == [created]

    def test_what_the_list_does_not_show_yet_is_seen_by_id(
        self, client: KinboxClient, campaign_sandbox: Sandbox
    ) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(8)]
        campaign_sandbox.order_fault(vendor="kinbox", kind="list_lag", seconds=60)
        assert list(client.list_campaigns()) == []
        assert set(client.get_campaigns(created)) == set(created)

    def test_a_list_that_never_ends_hides_nothing(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        created = [client.create_campaign(name=f"Natal {number}").id for number in range(120)]
        campaign_sandbox.order_fault(vendor="kinbox", kind="repeated_cursor", endpoint="list_campaigns")
        assert set(client.get_campaigns(created)) == set(created)

    def test_nothing_wanted_asks_nothing(self, client: KinboxClient, requests_of: Requests) -> None:
        assert client.get_campaigns([]) == {}
        assert requests_of() == {}
