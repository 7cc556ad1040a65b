"""Kinbox's documented samples, current, older and minimal, read without HTTP; and requests built from arguments."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors, fields
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.kinbox.answers import (
    STATUSES,
    LeadResult,
    diagnose,
    next_cursor,
    read_campaign,
    read_lead_result,
)
from airflow_provider_campaigns.api.kinbox.client import CREATE, PAUSE, KinboxClient
from airflow_provider_campaigns.api.kinbox.fields import CREATE_FIELDS, UPDATE_FIELDS
from airflow_provider_campaigns.api.kinbox.lead_results import LEAD_RESULTS
from airflow_provider_campaigns.api.kinbox.lists import GET, LIST
from airflow_provider_campaigns.api.model import CampaignStatus

CAMPAIGN_ID = "674c1a2be4b0a1c2d3e4f501"

#: v1's sample of a running campaign, with values of the shapes that the documentation tells.
RUNNING: dict[str, Any] = {
    "id": CAMPAIGN_ID,
    "name": "Promo Natal 2026 #7f3a9c",
    "channelId": "103",
    "channelIds": ["103"],
    "operatorId": "42",
    "operatorName": "Maria",
    "channelType": "1",
    "leadType": "file",
    "status": "awaiting-chunk",
    "scheduledTo": "2026-12-01T12:00:00.000Z",
    "nextScheduledTo": "2026-12-01T12:20:00.000Z",
    "active": True,
    "shouldCreateConversation": False,
    "normalizeBrazilPhoneNumbers": True,
    "chunksCount": 4,
    "leadsCount": 180,
    "chunkSize": 50,
    "secondsBetweenMessages": 10,
    "secondsBetweenChunks": 300,
    "trackAllChannels": True,
    "trackMaxHours": 96,
    "progress": 27.8,
    "messagesProcessed": 50,
    "resultCounts": {
        "sent": 50,
        "received": 47,
        "read": 21,
        "answered": 3,
        "chunksExecuted": 1,
        "byChunkId": {"c1": {"sent": 50}},
    },
    "lastMessageProcessedAt": "2026-12-01T12:15:03.000Z",
    "healthCheckData": {
        "messagesProcessed": 48,
        "lastMessageProcessedAt": "2026-12-01T12:14:40.000Z",
        "healthCheckExecutions": 6,
        "jobId": "981",
    },
}

#: The placeholders that the page of v1's list shows.
LIST_PAGE: dict[str, Any] = {
    "id": "<string>",
    "name": "<string>",
    "channelType": "1",
    "leadType": "lead",
    "active": True,
    "status": "processing",
    "chunksCount": 123,
    "leadsCount": 123,
    "trackMaxHours": 96,
    "template": {},
    "progress": 123,
    "resultCounts": {
        "sent": 123,
        "received": 123,
        "read": 123,
        "answered": 123,
        "chunksExecuted": 123,
        "byChunkId": {},
    },
    "messagesProcessed": 123,
    "lastMessageProcessedAt": "2023-11-07T05:31:56Z",
}

#: What the page of v3's create shows besides.
CREATE_PAGE: dict[str, Any] = {
    **LIST_PAGE,
    "_id": "<string>",
    "shouldCreateConversation": True,
    "trackMaxHours": 123,
    "workspaceId": 123,
    "createdAt": "2023-11-07T05:31:56Z",
    "lastUpdateAt": "2023-11-07T05:31:56Z",
    "updatedAt": "2023-11-07T05:31:56Z",
}


def answer(data: Any = None, status: int = 200, text: str = "", endpoint: Endpoint = LIST) -> Answer:
    return Answer("Kinbox", endpoint, status, {}, data, text)


def read(item: dict[str, Any]) -> Any:
    return read_campaign(answer(), item)


class TestCampaigns:
    def test_a_running_campaign(self) -> None:
        campaign = read(RUNNING)
        assert campaign.as_dict() == {
            "id": CAMPAIGN_ID,
            "name": "Promo Natal 2026 #7f3a9c",
            "status": "running",
            "vendor_status": "awaiting-chunk",
            "progress": 27.78,
            "counts": {
                "sent": 50,
                "received": 47,
                "read": 21,
                "answered": 3,
                "chunks_executed": 1,
                "processed": 50,
                "leads": 180,
                "chunks": 4,
            },
            "details": {
                "scheduled_to": "2026-12-01T12:00:00+00:00",
                "next_scheduled_to": "2026-12-01T12:20:00+00:00",
                "last_message_at": "2026-12-01T12:15:03+00:00",
                "active": True,
                "counts_by_chunk": {"c1": {"sent": 50}},
            },
        }
        assert campaign.raw is RUNNING

    def test_the_page_of_the_list(self) -> None:
        campaign = read(LIST_PAGE)
        assert (campaign.id, campaign.status, campaign.progress) == ("<string>", CampaignStatus.SCHEDULED, 99.0)

    def test_the_page_of_the_creation_with_the_fields_of_v3(self) -> None:
        assert read(CREATE_PAGE).as_dict() == read(LIST_PAGE).as_dict()

    def test_the_minimum_that_is_allowed(self) -> None:
        campaign = read({"id": CAMPAIGN_ID, "name": "x"})
        assert campaign.as_dict() == {
            "id": CAMPAIGN_ID,
            "name": "x",
            "status": "unknown",
            "vendor_status": None,
            "progress": None,
            "counts": {},
            "details": {},
        }

    def test_everything_but_the_id_may_be_null(self) -> None:
        campaign = read({"id": CAMPAIGN_ID, **{name: None for name in RUNNING if name != "id"}})
        assert (campaign.name, campaign.status, campaign.progress) == (None, CampaignStatus.UNKNOWN, None)

    @pytest.mark.parametrize("item", [{"_id": CAMPAIGN_ID}, {"id": None, "_id": CAMPAIGN_ID}, {"id": CAMPAIGN_ID}])
    def test_the_id_is_read_under_either_name(self, item: dict[str, Any]) -> None:
        assert read({**item, "name": "x"}).id == CAMPAIGN_ID

    def test_an_id_given_as_a_number_becomes_text(self) -> None:
        assert read({"id": 42, "name": "x"}).id == "42"

    @pytest.mark.parametrize("item", [{"name": "x"}, {"id": "", "name": "x"}, {"id": {}, "name": "x"}])
    def test_a_campaign_without_an_id_is_unreadable_and_the_error_says_where(self, item: dict[str, Any]) -> None:
        with pytest.raises(errors.UnreadableAnswer, match=r"GET /v1/campaigns .*id"):
            read(item)

    def test_a_created_campaign_without_an_id_is_an_open_outcome(self) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            read_campaign(answer(endpoint=CREATE["v3"], status=201), {"name": "x"})

    def test_numbers_may_be_floats_or_text(self) -> None:
        campaign = read({"id": "1", "leadsCount": "180", "messagesProcessed": 50.0, "resultCounts": {"sent": "7"}})
        assert campaign.counts == {"processed": 50, "leads": 180, "sent": 7}

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("processing", "scheduled"),
            ("scheduled", "scheduled"),
            ("executing", "running"),
            ("awaiting-chunk", "running"),
            ("awaiting-business-hours", "running"),
            ("awaiting-other-campaign", "running"),
            ("paused", "paused"),
            ("done-sent", "sent"),
            ("done", "finished"),
            ("canceled", "canceled"),
            ("cancelled", "canceled"),
            ("failed", "failed"),
            ("Executing", "running"),
            ("awaiting-carnival", "unknown"),
        ],
    )
    def test_every_word_has_its_status_and_is_kept(self, word: str, status: str) -> None:
        campaign = read({"id": "1", "status": word})
        assert (campaign.status.value, campaign.vendor_status) == (status, word)

    def test_no_word_of_the_documentation_is_unknown(self) -> None:
        assert CampaignStatus.UNKNOWN not in STATUSES.values()

    @pytest.mark.parametrize(
        ("given", "progress"),
        [
            ({"messagesProcessed": 50, "leadsCount": 200, "status": "executing"}, 25.0),
            ({"messagesProcessed": 0, "leadsCount": 200, "status": "executing"}, 0.0),
            ({"messagesProcessed": 200, "leadsCount": 200, "status": "done-sent"}, 99.0),
            ({"messagesProcessed": 300, "leadsCount": 200, "status": "executing"}, 99.0),
            ({"messagesProcessed": 150, "leadsCount": 200, "status": "done"}, 100.0),
            ({"status": "done"}, 100.0),
            ({"messagesProcessed": 50, "leadsCount": 200, "status": "paused"}, 25.0),
            ({"messagesProcessed": 50, "leadsCount": 0, "status": "executing"}, None),
            ({"messagesProcessed": 50, "status": "executing"}, None),
            ({"leadsCount": 200, "status": "executing"}, None),
            ({"progress": 1, "status": "executing"}, None),
        ],
    )
    def test_progress_is_what_was_processed_of_the_leads(self, given: dict[str, Any], progress: float | None) -> None:
        assert read({"id": "1", **given}).progress == progress


class TestCursors:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("674c", "674c"),
            (674, "674"),
            (None, None),
            ("", None),
            ({}, None),
            ([], None),
            ({"cursor": "a"}, "a"),
            ({"id": "b"}, "b"),
            ({"_id": "c"}, "c"),
            ({"value": 4}, "4"),
            ({"page": "d"}, "last"),
        ],
    )
    def test_every_documented_form_is_read(self, given: Any, expected: str | None) -> None:
        assert next_cursor(given, "last") == expected

    def test_an_empty_page_is_the_end(self) -> None:
        assert next_cursor("674c", None) is None


class TestLeadResults:
    def test_the_sample(self) -> None:
        item = {
            "number": "5585984134352",
            "placeholders": ["Lucas"],
            "sentAt": "2026-03-03T14:32:41.016Z",
            "status": "sent",
        }
        result = read_lead_result(item)
        assert result == LeadResult(
            number="5585984134352",
            status="sent",
            sent_at=datetime.datetime(2026, 3, 3, 14, 32, 41, 16000, datetime.UTC),
            placeholders=("Lucas",),
        )

    def test_the_form_of_v3(self) -> None:
        item = {"_id": "1", "number": 5585984134352, "status": "answered", "answered": True, "callId": 9}
        result = read_lead_result(item)
        assert (result.number, result.answered, result.call_id) == ("5585984134352", True, "9")

    def test_every_field_may_be_missing(self) -> None:
        assert read_lead_result({}) == LeadResult(number=None, status=None)

    def test_no_recipient_is_shown(self) -> None:
        shown = repr(read_lead_result({"number": "5585984134352", "placeholders": ["Lucas"], "status": "sent"}))
        assert "5585984134352" not in shown
        assert "Lucas" not in shown


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "meaning"),
        [
            (400, errors.Rejected),
            (401, errors.AuthenticationFailed),
            (403, errors.PermissionDenied),
            (404, errors.NotFound),
            (409, errors.Conflict),
            (422, errors.Rejected),
            (429, errors.RateLimited),
            (500, errors.Unavailable),
            (503, errors.Unavailable),
        ],
    )
    @pytest.mark.parametrize("data", [None, {}, {"message": "x"}, [], "x", {"message": None}, {"message": [["x"]]}])
    def test_every_status_has_its_meaning_whatever_the_body(
        self, status: int, meaning: type[errors.CampaignAPIError], data: Any
    ) -> None:
        refusal = diagnose(answer(data, status))
        assert refusal is not None
        assert refusal.error is meaning

    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_a_success_is_no_refusal(self, status: int) -> None:
        assert diagnose(answer(RUNNING, status)) is None

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                {"statusCode": 400, "message": ["name must be a string", "limit is too high"], "error": "Bad Request"},
                "name must be a string; limit is too high",
            ),
            ({"statusCode": 401, "message": "Unauthorized"}, "Unauthorized"),
            ({"statusCode": 400, "error": "Bad Request"}, "Bad Request"),
            ({"message": {"message": "nested"}}, "nested"),
            ("plain", "plain"),
            ({"statusCode": 400}, ""),
        ],
    )
    def test_the_vendors_words_are_found(self, data: Any, message: str) -> None:
        refusal = diagnose(answer(data, 400))
        assert refusal is not None
        assert refusal.message == message

    def test_a_page_of_html_is_told_by_its_words(self) -> None:
        page = "<html><head><style>a {}</style><title>502</title></head><body>Bad Gateway</body></html>"
        refusal = diagnose(answer(None, 502, page))
        assert refusal is not None
        assert refusal.message.split() == ["502", "Bad", "Gateway"]

    def test_a_missing_route_is_not_a_missing_campaign(self) -> None:
        body = {"statusCode": 404, "message": f"Cannot GET /v1/campaigns/{CAMPAIGN_ID}", "error": "Not Found"}
        refusal = diagnose(answer(body, 404))
        assert refusal is not None
        assert refusal.error is errors.Rejected
        assert "host" in refusal.message


class TestRequests:
    def test_the_sample_of_a_file_campaign_is_built(self) -> None:
        start = datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.UTC)
        body = fields.wire_body(
            CREATE_FIELDS,
            {
                "name": "Promo Natal 2026 #7f3a9c",
                "channel_id": 103,
                "channel_type": 1,
                "lead_type": "file",
                "leads_asset_url": "https://files.example.com/leads/natal.csv",
                "normalize_brazil_phone_numbers": True,
                "message": "Olá! Temos uma oferta para você.",
                "text_raw": "Olá! Temos uma oferta para você.",
                "scheduled_to": start,
                "original_scheduled_to": start,
                "business_hours_id": "66e2f1c9a1b2c3d4e5f60001",
                "chunk_size": 50,
                "seconds_between_messages": 10,
                "seconds_between_chunks": 300,
                "assets_urls": [],
                "template": None,
            },
        )
        assert body == {
            "name": "Promo Natal 2026 #7f3a9c",
            "channelId": "103",
            "channelType": "1",
            "leadType": "file",
            "leadsAssetUrl": "https://files.example.com/leads/natal.csv",
            "normalizeBrazilPhoneNumbers": True,
            "message": "Olá! Temos uma oferta para você.",
            "textRaw": "Olá! Temos uma oferta para você.",
            "scheduledTo": "2026-12-01T12:00:00.000Z",
            "originalScheduledTo": "2026-12-01T12:00:00.000Z",
            "businessHoursId": "66e2f1c9a1b2c3d4e5f60001",
            "chunkSize": 50,
            "secondsBetweenMessages": 10,
            "secondsBetweenChunks": 300,
            "assetsUrls": [],
        }

    def test_a_template_goes_through_unchanged(self) -> None:
        template = {"id": "712287883441111", "components": [{"type": "BODY", "text": "Olá {{1}}"}]}
        body = fields.wire_body(CREATE_FIELDS, {"name": "Aviso", "template": template})
        assert body == {"name": "Aviso", "template": template}

    def test_what_is_new_at_the_vendor_goes_through_under_its_own_name(self) -> None:
        body = fields.wire_body(CREATE_FIELDS, {"name": "Aviso"}, {"carnival": True})
        assert body == {"name": "Aviso", "carnival": True}

    def test_what_is_missing_may_still_come_when_fields_are_checked_early(self) -> None:
        KinboxClient.check_fields({})
        KinboxClient.check_fields({"name": None, "channel_id": None, "extra_fields": None})

    @pytest.mark.parametrize(
        "values",
        [
            {"channel_type": "0"},
            {"lead_type": "conversation"},
            {"chunk_size": "many"},
            {"extra_fields": ["carnival"]},
            {"track_max_hours": 12},
            {"should_create_conversation": True},
            {"status": "done"},
        ],
    )
    def test_what_is_wrong_is_told_early_by_name(self, values: dict[str, Any]) -> None:
        with pytest.raises(errors.InvalidRequest, match=next(iter(values))):
            KinboxClient.check_fields(values)

    def test_a_change_never_carries_the_status_or_a_counter_as_a_field(self) -> None:
        written_by_kinbox = {
            "status",
            "leadsCount",
            "progress",
            "resultCounts",
            "messagesProcessed",
            "lastMessageProcessedAt",
            "healthCheckData",
        }
        assert not written_by_kinbox & {field.wire for field in UPDATE_FIELDS}

    def test_nothing_is_required_for_a_change(self) -> None:
        assert not any(field.required for field in UPDATE_FIELDS)

    @pytest.mark.parametrize("endpoint", [*CREATE.values(), PAUSE])
    def test_what_acts_is_never_repeated_by_itself(self, endpoint: Endpoint) -> None:
        assert endpoint.safety is Safety.ONCE

    @pytest.mark.parametrize("endpoint", [LIST, GET, LEAD_RESULTS])
    def test_what_reads_may_be_repeated(self, endpoint: Endpoint) -> None:
        assert endpoint.safety is Safety.REPEATABLE

    def test_an_id_stays_one_segment_of_the_path(self) -> None:
        assert GET.path_with({"campaign_id": "../a?b#c"}) == "/v1/campaigns/..%2Fa%3Fb%23c"
