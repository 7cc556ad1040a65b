"""Kinbox's client against the sandbox, over real HTTP."""

from __future__ import annotations

import datetime
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.kinbox.fields import CREATE_FIELDS
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor
from airflow_provider_campaigns.sandbox.server import Sandbox

TOKEN = "kb_live_very-secret"
LABEL = "connection 'kinbox_default'"

#: Ways for an answer to get lost; ``slow`` is slower than the client's patience.
LOST = {
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "error": {"kind": "error", "status": 503},
    "cut_off": {"kind": "cut_off"},
    "html": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 1.0},
}
PROCESSING, CHUNK, CHUNK_PAUSE, TRACKING = 5, 80, 30, 30


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Kinbox alone, on a clock that a test moves."""
    with Sandbox(vendors=[KinboxVendor], clock=clock) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Callable[..., KinboxClient]]:
    clients: list[KinboxClient] = []

    def open_client(token: str = TOKEN, **options: Any) -> KinboxClient:
        given = {"base_url": campaign_sandbox.base_url("kinbox"), "timeout": patience, "label": LABEL} | options
        clients.append(KinboxClient(token, sleep=lambda seconds: None, **given))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., KinboxClient]) -> KinboxClient:
    return connect()


@pytest.fixture
def requests_of(campaign_sandbox: Sandbox) -> Callable[[], dict[str, int]]:
    """How many requests have arrived so far, by endpoint."""
    return lambda: campaign_sandbox.journal("kinbox")["counts"].get("kinbox", {})


@pytest.fixture
def campaigns(campaign_sandbox: Sandbox) -> Callable[[], list[dict[str, Any]]]:
    """What exists at the vendor."""
    return lambda: campaign_sandbox.journal("kinbox")["campaigns"]


Requests = Callable[[], dict[str, int]]
Campaigns = Callable[[], list[dict[str, Any]]]


class TestCreate:
    def test_a_campaign_is_created_with_one_request_and_is_scheduled(
        self, client: KinboxClient, requests_of: Requests, campaigns: Campaigns
    ) -> None:
        created = client.create_campaign(name="Natal", channel_id=103, chunk_size=50)
        assert created.status is CampaignStatus.SCHEDULED
        assert created.name == "Natal"
        assert [campaign["id"] for campaign in campaigns()] == [created.id]
        assert requests_of() == {"create_campaign": 1}

    @pytest.mark.parametrize("version", ["v1", "v3"])
    def test_the_version_that_creates_is_an_option(
        self, connect: Callable[..., KinboxClient], campaign_sandbox: Sandbox, version: str
    ) -> None:
        connect(create_api_version=version).create_campaign(name="Natal")
        assert campaign_sandbox.journal("kinbox")["requests"][-1]["path"] == f"/kinbox/{version}/campaigns"

    def test_v3_creates_unless_told_otherwise(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        client.create_campaign(name="Natal")
        assert campaign_sandbox.journal("kinbox")["requests"][-1]["path"] == "/kinbox/v3/campaigns"

    @pytest.mark.parametrize("version", ["v1", "v3"])
    def test_every_field_arrives_under_the_vendors_name(
        self, connect: Callable[..., KinboxClient], version: str
    ) -> None:
        start = datetime.datetime(2030, 12, 1, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=-3)))
        created = connect(create_api_version=version).create_campaign(
            name="Natal",
            channel_id=103,
            channel_ids=[103, "104"],
            operator_name="Maria",
            business_hours_id="66e2f1c9a1b2c3d4e5f60001",
            channel_type=1,
            lead_type="file",
            normalize_brazil_phone_numbers=False,
            scheduled_to=start,
            original_scheduled_to="2030-12-01T12:00:00Z",
            finished_at_prediction="2030-12-01T13:00:00+00:00",
            leads_asset_url="https://files.example.com/leads.csv",
            message="Olá",
            text_raw="Olá",
            assets_urls=["https://files.example.com/a.png"],
            chunks_count=3,
            seconds_between_messages=0,
            seconds_between_chunks=60,
            chunk_size=50,
            template={"id": "7", "name": "aviso"},
        )
        sent = {
            "name": "Natal",
            "channelId": "103",
            "channelIds": ["103", "104"],
            "operatorName": "Maria",
            "businessHoursId": "66e2f1c9a1b2c3d4e5f60001",
            "channelType": "1",
            "leadType": "file",
            "normalizeBrazilPhoneNumbers": False,
            "scheduledTo": "2030-12-01T12:00:00.000Z",
            "originalScheduledTo": "2030-12-01T12:00:00.000Z",
            "finishedAtPrediction": "2030-12-01T13:00:00.000Z",
            "leadsAssetUrl": "https://files.example.com/leads.csv",
            "message": "Olá",
            "textRaw": "Olá",
            "assetsUrls": ["https://files.example.com/a.png"],
            "chunksCount": 3,
            "secondsBetweenMessages": 0,
            "secondsBetweenChunks": 60,
            "chunkSize": 50,
            "template": {"id": "7", "name": "aviso"},
        }
        assert sent.items() <= dict(created.raw).items()
        assert len(sent) == len(CREATE_FIELDS)

    @pytest.mark.parametrize("effect", [True, False])
    @pytest.mark.parametrize("kind", [kind for kind in LOST if kind != "slow"])
    def test_a_lost_answer_leaves_the_outcome_open_and_is_never_repeated(
        self,
        client: KinboxClient,
        campaign_sandbox: Sandbox,
        requests_of: Requests,
        campaigns: Campaigns,
        kind: str,
        effect: bool,
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", effect=effect, **LOST[kind])
        with pytest.raises(errors.OutcomeUnknown):
            client.create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 1}
        assert len(campaigns()) == (1 if effect else 0)

    @pytest.mark.parametrize("effect", [True, False])
    @pytest.mark.parametrize("patience", [0.5])
    def test_a_vendor_that_creates_after_the_client_gave_up_is_never_asked_again(
        self,
        client: KinboxClient,
        campaign_sandbox: Sandbox,
        requests_of: Requests,
        campaigns: Campaigns,
        effect: bool,
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", effect=effect, **LOST["slow"])
        with pytest.raises(errors.OutcomeUnknown):
            client.create_campaign(name="Natal")
        give_up = time.monotonic() + 5
        while not campaigns() and time.monotonic() < give_up:
            time.sleep(0.05)
        assert len(campaigns()) == 1
        assert requests_of() == {"create_campaign": 1}

    def test_an_answer_without_an_id_leaves_the_outcome_open(self) -> None:
        answers = _serve_once(b'{"name": "Natal"}')
        with KinboxClient(TOKEN, base_url=answers) as client, pytest.raises(errors.OutcomeUnknown, match="id"):
            client.create_campaign(name="Natal")

    def test_a_refusal_for_too_many_requests_is_sent_again_since_nothing_was_processed(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, campaigns: Campaigns
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="create_campaign", kind="rate_limited")
        client.create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 2}
        assert len(campaigns()) == 1

    def test_a_vendor_that_cannot_be_reached_leaves_nothing_open(self, connect: Callable[..., KinboxClient]) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(errors.Unavailable) as caught:
            connect(base_url=f"http://127.0.0.1:{port}").create_campaign(name="Natal")
        assert caught.value.never_sent

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"channel_type": "10"}, "channel_type"),
            ({"channel_type": "whatsapp"}, "channel_type"),
            ({"lead_type": "conversation"}, "lead_type"),
            ({"scheduled_to": datetime.datetime(2030, 1, 1)}, "scheduled_to"),  # noqa: DTZ001
            ({"scheduled_to": "2030-01-01T00:00:00"}, "scheduled_to"),
            ({"original_scheduled_to": "tomorrow"}, "original_scheduled_to"),
            ({"leads_asset_url": "ftp://files.example.com/leads.csv"}, "leads_asset_url"),
            ({"leads_asset_url": "leads.csv"}, "leads_asset_url"),
            ({"chunk_size": 0}, "chunk_size"),
            ({"chunks_count": -1}, "chunks_count"),
            ({"seconds_between_messages": 1.5}, "seconds_between_messages"),
            ({"seconds_between_chunks": True}, "seconds_between_chunks"),
            ({"channel_ids": "103"}, "channel_ids"),
            ({"template": "aviso"}, "template"),
            ({"normalize_brazil_phone_numbers": "perhaps"}, "normalize_brazil_phone_numbers"),
            ({"extra_fields": {"channelId": "1"}}, "channelId"),
            ({"extra_fields": "status"}, "extra_fields"),
        ],
    )
    def test_bad_input_is_refused_by_name_before_anything_is_sent(
        self, client: KinboxClient, requests_of: Requests, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            client.create_campaign(**{"name": "Natal", **fields})
        assert requests_of() == {}

    def test_what_the_vendor_refuses_is_told_in_its_words(self, client: KinboxClient, campaigns: Campaigns) -> None:
        with pytest.raises(errors.Rejected, match="property trackMaxHours should not exist"):
            client.create_campaign(name="Natal", extra_fields={"trackMaxHours": 12})
        assert campaigns() == []


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


class TestCredentials:
    def test_a_refused_token_is_told_by_the_connections_name(self, connect: Callable[..., KinboxClient]) -> None:
        with pytest.raises(errors.AuthenticationFailed, match="connection 'kinbox_default'") as caught:
            connect("invalid").check()
        assert "invalid" not in str(caught.value)

    def test_a_refused_token_is_not_tried_again(
        self, connect: Callable[..., KinboxClient], requests_of: Requests
    ) -> None:
        with pytest.raises(errors.AuthenticationFailed):
            connect("invalid").create_campaign(name="Natal")
        assert requests_of() == {"create_campaign": 1}

    def test_a_missing_right_names_the_send_scope(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", kind="error", status=403)
        with pytest.raises(errors.PermissionDenied, match="'send' scope"):
            client.create_campaign(name="Natal")

    @pytest.mark.parametrize("token", ["", "  ", "Bearer abc", "a\nb", "é", None])
    def test_what_is_no_token_is_refused_unseen(self, token: Any) -> None:
        with pytest.raises(errors.InvalidRequest, match=LABEL) as caught:
            KinboxClient(token, label=LABEL)
        assert "abc" not in str(caught.value)

    @pytest.mark.parametrize(
        "options",
        [
            {"create_api_version": "v2"},
            {"timeout": 0},
            {"rate_limit": 0},
            {"base_url": "http://kinbox.example.com"},
        ],
    )
    def test_an_option_that_cannot_work_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(errors.InvalidRequest):
            KinboxClient(TOKEN, **options)

    def test_the_check_says_what_it_found_with_one_request(self, client: KinboxClient, requests_of: Requests) -> None:
        assert "no campaign yet" in client.check()
        client.create_campaign(name="Natal")
        assert "has campaigns" in client.check()
        assert requests_of() == {"list_campaigns": 2, "create_campaign": 1}


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


class TestLife:
    def test_a_campaign_goes_its_way_by_itself(self, client: KinboxClient, clock: ManualClock) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        way = []
        for seconds in (0, PROCESSING, CHUNK, CHUNK_PAUSE + CHUNK, CHUNK_PAUSE + CHUNK, TRACKING):
            clock.advance(seconds)
            seen = client.get_campaign(campaign_id)
            way.append((seen.vendor_status, seen.status.value, seen.progress))
        assert way == [
            ("processing", "scheduled", None),
            ("executing", "running", 0.0),
            ("awaiting-chunk", "running", 33.33),
            ("awaiting-chunk", "running", 66.67),
            ("done-sent", "sent", 99.0),
            ("done", "finished", 100.0),
        ]

    def test_the_figures_of_a_finished_campaign(self, client: KinboxClient, clock: ManualClock) -> None:
        url = "https://files.example.com/leads.csv?leads=40"
        campaign_id = client.create_campaign(name="Natal", leads_asset_url=url).id
        clock.advance(1000)
        seen = client.get_campaign(campaign_id)
        assert seen.status is CampaignStatus.FINISHED
        assert seen.counts == {
            "sent": 38,
            "received": 36,
            "read": 18,
            "answered": 4,
            "chunks_executed": 1,
            "processed": 40,
            "leads": 40,
        }

    def test_a_scheduled_campaign_waits_for_its_time(self, client: KinboxClient, clock: ManualClock) -> None:
        start = clock.now() + datetime.timedelta(hours=1)
        campaign_id = client.create_campaign(name="Natal", scheduled_to=start).id
        clock.advance(PROCESSING)
        assert client.get_campaign(campaign_id).vendor_status == "scheduled"
        clock.advance(3600 - PROCESSING)
        assert client.get_campaign(campaign_id).vendor_status == "executing"

    def test_an_unknown_word_is_kept_and_no_error(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        campaign_sandbox.order_fault(vendor="kinbox", kind="unknown_status", value="awaiting-carnival")
        seen = client.get_campaign(campaign_id)
        assert (seen.status, seen.vendor_status) == (CampaignStatus.UNKNOWN, "awaiting-carnival")

    def test_a_stalled_campaign_stands_still_and_goes_on(
        self, client: KinboxClient, campaign_sandbox: Sandbox, clock: ManualClock
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        clock.advance(PROCESSING + 20)
        client.get_campaign(campaign_id)
        campaign_sandbox.order_fault(vendor="kinbox", kind="stall")
        clock.advance(1000)
        assert client.get_campaign(campaign_id).counts["processed"] == 10
        campaign_sandbox.clear_faults()
        clock.advance(20)
        assert client.get_campaign(campaign_id).counts["processed"] == 20

    def test_lead_results_tell_of_each_recipient(self, client: KinboxClient, clock: ManualClock) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        clock.advance(PROCESSING + 40)
        results = list(client.list_lead_results(campaign_id))
        assert [result.status for result in results].count("awaiting") == 100
        assert client.count_failed_leads(campaign_id) == 1
        assert results[0].number not in repr(results[0])


class TestActions:
    def test_pause_holds_and_resume_goes_on(self, client: KinboxClient, clock: ManualClock) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        clock.advance(PROCESSING + 20)
        assert client.pause_campaign(campaign_id).status is CampaignStatus.PAUSED
        clock.advance(1000)
        assert client.get_campaign(campaign_id).counts["processed"] == 10
        assert client.resume_campaign(campaign_id).status is CampaignStatus.RUNNING
        clock.advance(20)
        assert client.get_campaign(campaign_id).counts["processed"] == 20

    def test_a_campaign_paused_before_its_time_starts_only_when_resumed(
        self, client: KinboxClient, clock: ManualClock
    ) -> None:
        start = clock.now() + datetime.timedelta(hours=1)
        campaign_id = client.create_campaign(name="Natal", scheduled_to=start).id
        clock.advance(PROCESSING)
        client.pause_campaign(campaign_id)
        clock.advance(7200)
        assert client.get_campaign(campaign_id).counts["processed"] == 0
        assert client.resume_campaign(campaign_id).status is CampaignStatus.RUNNING

    @pytest.mark.parametrize("kind", ["reset", "timeout", "error", "cut_off", "html"])
    @pytest.mark.parametrize("action", ["pause", "resume"])
    def test_a_lost_answer_is_settled_by_one_look(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, action: str, kind: str
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        if action == "resume":
            client.pause_campaign(campaign_id)
        campaign_sandbox.order_fault(vendor="kinbox", endpoint=f"{action}_campaign", **LOST[kind])
        seen = getattr(client, f"{action}_campaign")(campaign_id)
        assert seen.status is (CampaignStatus.PAUSED if action == "pause" else CampaignStatus.SCHEDULED)
        assert (requests_of()[f"{action}_campaign"], requests_of()["get_campaign"]) == (1, 1)

    @pytest.mark.parametrize("action", ["pause", "resume"])
    def test_a_request_that_got_lost_stays_open(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests, action: str
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        if action == "resume":
            client.pause_campaign(campaign_id)
        campaign_sandbox.order_fault(vendor="kinbox", endpoint=f"{action}_campaign", kind="reset", effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            getattr(client, f"{action}_campaign")(campaign_id)
        assert (requests_of()[f"{action}_campaign"], requests_of()["get_campaign"]) == (1, 1)

    def test_a_look_that_fails_too_leaves_the_first_error(
        self, client: KinboxClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        campaign_sandbox.order_fault(vendor="kinbox", kind="error", status=500, times=None)
        with pytest.raises(errors.OutcomeUnknown, match="/pause") as caught:
            client.pause_campaign(campaign_id)
        assert isinstance(caught.value.__cause__, errors.Unavailable)

    def test_pausing_what_is_paused_is_a_success(self, client: KinboxClient) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        client.pause_campaign(campaign_id)
        assert client.pause_campaign(campaign_id).status is CampaignStatus.PAUSED

    def test_resuming_what_runs_is_a_success(self, client: KinboxClient, clock: ManualClock) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        clock.advance(PROCESSING)
        assert client.resume_campaign(campaign_id).status is CampaignStatus.RUNNING

    @pytest.mark.parametrize("action", ["pause", "resume"])
    def test_what_has_finished_can_neither_be_paused_nor_resumed(
        self, client: KinboxClient, clock: ManualClock, action: str
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        clock.advance(PROCESSING)
        client.get_campaign(campaign_id)
        clock.advance(1000)
        with pytest.raises(errors.Conflict, match="done"):
            getattr(client, f"{action}_campaign")(campaign_id)

    @pytest.mark.parametrize(("action", "instead"), [("start", "scheduled_to"), ("stop", "pause, or delete")])
    def test_an_action_that_kinbox_lacks_says_what_to_use(
        self, client: KinboxClient, requests_of: Requests, action: str, instead: str
    ) -> None:
        with pytest.raises(errors.UnsupportedAction, match=instead):
            getattr(client, f"{action}_campaign")("674c1a2be4b0a1c2d3e4f501")
        assert not client.supports(action)
        assert requests_of() == {}


class TestUpdateAndDelete:
    def test_an_update_changes_what_is_given_and_nothing_else(self, client: KinboxClient) -> None:
        created = client.create_campaign(name="Natal", message="Olá", chunk_size=10)
        changed = client.update_campaign(
            created.id, message="Oi", track_max_hours=12, should_create_conversation=True, operator_id="42"
        )
        assert changed.raw["message"] == "Oi"
        assert (changed.raw["trackMaxHours"], changed.raw["shouldCreateConversation"]) == (12, True)
        assert (changed.name, changed.raw["chunkSize"]) == ("Natal", 10)

    def test_the_status_is_changed_only_when_asked_in_the_vendors_own_word(self, client: KinboxClient) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        canceled = client.update_campaign(campaign_id, extra_fields={"status": "canceled"})
        assert canceled.status is CampaignStatus.CANCELED

    @pytest.mark.parametrize("fields", [{}, {"name": None}, {"track_max_hours": 0}, {"extra_fields": {"active": True}}])
    def test_an_update_that_cannot_be_meant_is_refused(
        self, client: KinboxClient, requests_of: Requests, fields: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest):
            client.update_campaign("674c1a2be4b0a1c2d3e4f501", **fields)
        assert requests_of() == {}

    def test_a_lost_answer_to_an_update_leaves_the_outcome_open(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="update_campaign", kind="reset")
        with pytest.raises(errors.OutcomeUnknown):
            client.update_campaign(campaign_id, message="Oi")
        assert requests_of()["update_campaign"] == 1

    def test_a_deleted_campaign_is_gone(self, client: KinboxClient, campaigns: Campaigns) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        client.delete_campaign(campaign_id)
        assert campaigns() == []
        with pytest.raises(errors.NotFound):
            client.delete_campaign(campaign_id)

    def test_a_deletion_whose_answer_is_lost_is_settled_by_one_look(
        self, client: KinboxClient, campaign_sandbox: Sandbox, requests_of: Requests
    ) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="delete_campaign", kind="reset")
        client.delete_campaign(campaign_id)
        assert (requests_of()["delete_campaign"], requests_of()["get_campaign"]) == (1, 1)

    def test_a_deletion_that_got_lost_stays_open(self, client: KinboxClient, campaign_sandbox: Sandbox) -> None:
        campaign_id = client.create_campaign(name="Natal").id
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="delete_campaign", kind="reset", effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            client.delete_campaign(campaign_id)


class TestShape:
    def test_importing_the_client_loads_no_http_library(self) -> None:
        heavy = "('airflow', 'requests', 'jwt', 'pyrate_limiter', 'starlette', 'tenacity')"
        code = (
            f"import sys, airflow_provider_campaigns.api.kinbox.client; print([m for m in {heavy} if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestSandbox:
    """The sandbox's Kinbox where the client does not go."""

    @pytest.fixture
    def ask(self, campaign_sandbox: Sandbox) -> Callable[..., requests.Response]:
        def send(method: str, path: str, **options: Any) -> requests.Response:
            url = campaign_sandbox.base_url("kinbox") + path
            return requests.request(method, url, headers={"Authorization": "Bearer x"}, timeout=5, **options)

        return send

    def test_v1_shows_the_public_campaign_and_v3_the_internal_one(self, ask: Callable[..., requests.Response]) -> None:
        public = ask("POST", "/v1/campaigns", json={"name": "Natal"}).json()
        internal = ask("GET", f"/v3/campaigns/{public['id']}").json()
        added = {"_id", "workspaceId", "createdAt", "lastUpdateAt", "updatedAt"}
        assert set(internal) - set(public) == added
        assert internal["_id"] == public["id"]

    @pytest.mark.parametrize(("version", "status"), [("v1", 200), ("v3", 201)])
    def test_pause_and_resume_answer_with_the_versions_status(
        self, ask: Callable[..., requests.Response], version: str, status: int
    ) -> None:
        campaign_id = ask("POST", f"/{version}/campaigns", json={"name": "Natal"}).json()["id"]
        answers = [ask("POST", f"/{version}/campaigns/{campaign_id}/{action}") for action in ("pause", "resume")]
        assert [answer.status_code for answer in answers] == [status, status]

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("/v1/campaigns?limit=101", "limit must not be greater than 100"),
            ("/v1/campaigns?limit=0", "limit must not be less than 1"),
            ("/v3/campaigns?limit=501", "limit must not be greater than 500"),
            ("/v3/campaigns?offset=x", "offset must be a number conforming to the specified constraints"),
        ],
    )
    def test_a_page_out_of_range_is_refused(
        self, ask: Callable[..., requests.Response], path: str, message: str
    ) -> None:
        answer = ask("GET", path)
        assert answer.status_code == 400
        assert answer.json() == {"statusCode": 400, "message": [message], "error": "Bad Request"}

    def test_a_campaign_needs_a_name_and_known_properties(self, ask: Callable[..., requests.Response]) -> None:
        answer = ask("POST", "/v1/campaigns", json={"trackMaxHours": 1, "chunkSize": "x", "channelType": "10"})
        assert answer.status_code == 400
        assert answer.json()["message"] == [
            "property trackMaxHours should not exist",
            "channelType must be one of the following values: 1, 2, 3, 4, 5, 6, 7, 8, 9",
            "chunkSize must be a number conforming to the specified constraints",
            "name should not be empty",
        ]

    def test_a_page_has_ten_campaigns_and_a_text_cursor_by_default(self, ask: Callable[..., requests.Response]) -> None:
        for number in range(11):
            ask("POST", "/v1/campaigns", json={"name": f"Natal {number}"})
        first = ask("GET", "/v1/campaigns").json()
        assert [len(first["data"]), first["nextCursor"]] == [10, first["data"][-1]["id"]]
        assert ask("GET", f"/v1/campaigns?cursor={first['nextCursor']}").json()["nextCursor"] is None

    def test_a_deletion_is_answered_without_a_body(self, ask: Callable[..., requests.Response]) -> None:
        campaign_id = ask("POST", "/v1/campaigns", json={"name": "Natal"}).json()["id"]
        answer = ask("DELETE", f"/v1/campaigns/{campaign_id}")
        assert (answer.status_code, answer.content) == (200, b"")


def _serve_once(body: bytes) -> str:
    """Answer one request with 201 and a body, on a port of its own; return the base URL."""
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
