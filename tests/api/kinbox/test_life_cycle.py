"""Kinbox's client against the sandbox: a campaign's life, what is done to it, and what the sandbox plays."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
import requests
from at_kinbox import CHUNK, CHUNK_PAUSE, LOST, PROCESSING, TRACKING, Campaigns, Requests

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


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
            "chunks": 1,
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
        assert client.with_failures(client.get_campaign(campaign_id)).counts["failed"] == 1
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
