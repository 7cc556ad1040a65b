"""Altur's documented answers, in current, older and minimal forms, and what is sent to it: pure functions, no HTTP."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.altur import answers, fields
from airflow_provider_campaigns.api.altur.answers import ContactCounts, diagnose, read_campaign
from airflow_provider_campaigns.api.altur.client import (
    ACTIVATE_CAMPAIGN,
    CREATE_CAMPAIGN,
    AlturClient,
    ContactBatch,
)
from airflow_provider_campaigns.api.altur.contacts import ADD_CONTACTS, DELETE_CONTACT, MAX_PAGE_INDEX, next_page
from airflow_provider_campaigns.api.altur.fields import check_contact, update_body
from airflow_provider_campaigns.api.altur.lists import GET_CAMPAIGN
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.contacts import checked_rows
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.model import CampaignStatus

WORDS = {
    "pending": CampaignStatus.DRAFT,
    "ready": CampaignStatus.DRAFT,
    "active": CampaignStatus.RUNNING,
    "cooldown": CampaignStatus.RUNNING,
    "inactive": CampaignStatus.PAUSED,
    "finished": CampaignStatus.FINISHED,
}

#: The phone example of the webhook page, which says that the detail's block is the same.
PHONE_ANALYTICS: dict[str, Any] = {
    "calls": 1820,
    "callsAnsweredByHuman": 945,
    "callsAnsweredByMachine": 612,
    "callsAnsweredByUnknown": 263,
    "callsAnsweredByHumanRate": 0.519,
    "callsAnsweredByMachineRate": 0.336,
    "callsAnsweredByUnknownRate": 0.144,
    "contacts": 2000,
    "contactsProcessed": 1820,
    "contactsProcessedRate": 0.91,
    "contactsFailed": 80,
    "contactsFailedRate": 0.04,
    "contactsVoicemail": 612,
    "contactsVoicemailRate": 0.306,
    "contactsAnswered": 945,
    "contactsAnsweredRate": 0.4725,
    "contactsConverted": 312,
    "contactsConvertedRate": 0.156,
}
DETAIL: dict[str, Any] = {
    "id": 1234,
    "name": "Q2 Reactivation",
    "status": "active",
    "integration": {"id": "int_public_id", "type": "phone_call"},
    "agent": {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "name": "Diana Arroyo"},
    "created_at": "2026-06-01T15:04:05Z",
    "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}},
    "cycles": {"enabled": True, "mode": "cooldown", "max_iterations": 7, "cooldown_minutes": 720},
    "analytics": PHONE_ANALYTICS,
}
WHATSAPP: dict[str, Any] = {
    "id": 1300,
    "name": "Promo",
    "status": "active",
    "integration": {"id": "wa_public_id", "type": "whatsapp"},
    "agent": {"id": "a2", "name": "Wa Bot"},
    "created_at": "2026-06-02T15:04:05Z",
    "scheduling": {},
    "cycles": {"enabled": False},
    "analytics": {"sent": 900, "delivered": 850, "read": 500, "convertedRate": 0.05},
}
#: A row of the list under today's names, and one under those of the first copy of the page.
NEW_ROW: dict[str, Any] = {
    "id": 1234,
    "name": "Q2 Reactivation",
    "description": "Past-due 30 days",
    "status": "active",
    "created_at": "2026-06-01T15:04:05Z",
    "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}},
    "concurrency_limit": 10,
    "cycle_enabled": True,
    "cycle_cooldown_minutes": 720,
    "cycle_filter_statuses": ["voicemail", "failed"],
    "cycle_last_iteration_at": "2026-06-08T18:00:00Z",
    "started_at": "2026-06-02T15:04:05Z",
    "ended_at": None,
}
OLD_ROW: dict[str, Any] = {
    "id": 77,
    "name": "Old",
    "description": "",
    "status": "cooldown",
    "created_at": "2025-08-01T10:00:00Z",
    "scheduling": {"mon": {"startTime": "09:00", "endTime": "18:00", "active": True}},
    "concurrency": 5,
    "cycle_enabled": True,
    "cycle_cooldown": 60,
    "cycle_status_filters": ["failed"],
    "cycle_tag_filters": [],
    "last_iteration_at": "2025-08-02T10:00:00Z",
}
WINDOW = {"startTime": "09:00", "stopTime": "18:00"}
PHONE_CALL = {"name": "Q2", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
MESSAGES = {**PHONE_CALL, "integration_type": "whatsapp"}


def answer(data: Any, status: int = 200, endpoint: Endpoint = GET_CAMPAIGN, text: str = "") -> Answer:
    return Answer("Altur", endpoint, status, {}, data, text)


def with_(item: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(dict(item)), **changes}


class TestStatus:
    @pytest.mark.parametrize(("word", "status"), WORDS.items())
    def test_every_documented_word_has_its_meaning(self, word: str, status: CampaignStatus) -> None:
        campaign = read_campaign("1", {"id": 1, "status": word})
        assert (campaign.status, campaign.vendor_status) == (status, word)

    def test_no_documented_word_is_forgotten(self) -> None:
        assert dict(answers.STATUSES) == WORDS

    @pytest.mark.parametrize("word", ["archiving", "<string>"])
    def test_a_new_word_is_unknown_and_kept(self, word: str) -> None:
        campaign = read_campaign("1", with_(DETAIL, status=word))
        assert (campaign.status, campaign.vendor_status) == (CampaignStatus.UNKNOWN, word)
        assert campaign.progress == 91.0

    @pytest.mark.parametrize("absent", [{}, {"status": None}, {"status": ""}, {"status": {}}])
    def test_a_detail_without_a_status_is_not_guessed_at(self, absent: dict[str, Any]) -> None:
        item = {name: value for name, value in DETAIL.items() if name != "status"} | absent
        campaign = read_campaign("1", item)
        assert (campaign.status, campaign.vendor_status) == (CampaignStatus.UNKNOWN, None)


class TestCampaign:
    def test_the_phone_example_is_read_whole(self) -> None:
        campaign = read_campaign("1234", DETAIL)
        assert campaign.name == "Q2 Reactivation"
        assert campaign.progress == 91.0
        assert campaign.counts == {
            "contacts": 2000,
            "processed": 1820,
            "failed": 80,
            "voicemail": 612,
            "answered": 945,
            "converted": 312,
            "calls": 1820,
            "answered_by_human": 945,
        }
        assert campaign.raw is DETAIL

    def test_the_whatsapp_example_has_counts_but_no_progress(self) -> None:
        campaign = read_campaign("1300", WHATSAPP)
        assert campaign.counts == {"sent": 900, "delivered": 850, "read": 500}
        assert campaign.progress is None

    @pytest.mark.parametrize(
        ("row", "status"), [(NEW_ROW, CampaignStatus.RUNNING), (OLD_ROW, CampaignStatus.RUNNING)], ids=["new", "old"]
    )
    def test_a_list_row_of_either_generation_is_read(self, row: dict[str, Any], status: CampaignStatus) -> None:
        campaign = read_campaign(str(row["id"]), row)
        assert (campaign.name, campaign.status) == (row["name"], status)
        assert (campaign.progress, campaign.counts) == (None, {})

    def test_the_seed_page_of_the_detail_is_read(self) -> None:
        seed = {"id": 123, "name": "<string>", "integration": {"id": "<string>"}, "analytics": {}}
        campaign = read_campaign("123", seed)
        assert (campaign.status, campaign.progress, campaign.counts) == (CampaignStatus.UNKNOWN, None, {})

    @pytest.mark.parametrize("analytics", [None, [], "none", {}, {"contacts": None}, {"contactsProcessed": "many"}])
    def test_a_snapshot_that_says_nothing_is_no_error(self, analytics: Any) -> None:
        assert read_campaign("1", with_(DETAIL, analytics=analytics)).progress is None

    def test_numbers_may_come_as_text(self) -> None:
        analytics = {name: str(value) for name, value in PHONE_ANALYTICS.items()}
        assert read_campaign("1", with_(DETAIL, analytics=analytics)).progress == 91.0

    @pytest.mark.parametrize("data", [{"success": True, "campaign": DETAIL}, {"campaign": DETAIL}, DETAIL])
    def test_a_campaign_is_found_in_its_wrapper_or_bare(self, data: dict[str, Any]) -> None:
        assert answers.unwrapped(answer(data), "campaign")["id"] == 1234

    @pytest.mark.parametrize("data", [None, [], {}, {"success": True}, {"campaign": None}, {"campaign": []}])
    def test_an_answer_without_a_campaign_says_so(self, data: Any) -> None:
        with pytest.raises(errors.UnreadableAnswer, match="GET /campaigns/"):
            answers.unwrapped(answer(data), "campaign")

    def test_a_create_without_a_readable_answer_is_an_open_outcome(self) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            answers.unwrapped(answer({"success": True}, 201, CREATE_CAMPAIGN), "campaign")


class TestProgress:
    @pytest.mark.parametrize(
        ("changes", "progress"),
        [
            ({"status": "finished"}, 100.0),
            ({"status": "finished", "analytics": None}, 100.0),
            ({"status": "active"}, 91.0),
            ({"status": "cooldown"}, 91.0),
            ({"status": "inactive"}, 91.0),
            ({"analytics": {"contacts": 10, "contactsProcessed": 10}}, 99.0),
            ({"status": "new", "analytics": {"contacts": 10, "contactsProcessed": 10}}, 99.0),
            ({"analytics": {"contacts": 10, "contactsProcessed": 11}}, 99.0),
            ({"analytics": {"contacts": 10, "contactsProcessed": -1}}, 0.0),
            ({"analytics": {"contactsProcessedRate": 0.5}}, 50.0),
            ({"analytics": {"contactsProcessedRate": 50}}, 50.0),
            ({"analytics": {"contacts": 0, "contactsProcessed": 0}}, None),
            ({"analytics": {"contacts": 0, "contactsProcessedRate": 0}}, None),
            ({"status": "ready", "analytics": None}, 0.0),
            ({"status": "pending", "analytics": {"contacts": 0}}, 0.0),
        ],
    )
    def test_the_snapshot_of_a_phone_campaign_gives_progress(
        self, changes: dict[str, Any], progress: float | None
    ) -> None:
        assert read_campaign("1", with_(DETAIL, **changes)).progress == progress

    @pytest.mark.parametrize("total", ["contacts", "total", "totalContacts", "messages"])
    def test_the_snapshot_of_a_whatsapp_campaign_gives_progress_where_it_has_a_total(self, total: str) -> None:
        cumulative = {"sent": 450, "delivered": 400, "read": 10, "failed": 50, total: 1000}
        assert read_campaign("1", with_(WHATSAPP, analytics=cumulative)).progress == 50.0
        by_status = {"sent": 100, "delivered": 200, "read": 150, "failed": 50, total: 1000}
        assert read_campaign("1", with_(WHATSAPP, analytics=by_status)).progress == 50.0
        processed = {"sent": 1, "contactsProcessed": 250, total: 1000}
        assert read_campaign("1", with_(WHATSAPP, analytics=processed)).progress == 25.0

    def test_counted_contacts_give_progress_and_come_before_the_snapshot(self) -> None:
        campaign = read_campaign("1", WHATSAPP, ContactCounts(total=2000, open=500))
        assert campaign.progress == 75.0
        assert campaign.counts == {"sent": 900, "delivered": 850, "read": 500, "contacts": 2000, "processed": 1500}

    @pytest.mark.parametrize(
        ("contacts", "progress"),
        [
            (ContactCounts(total=10, open=12), 0.0),
            (ContactCounts(total=10, open=0), 99.0),
            (ContactCounts(total=0, open=0), None),
        ],
    )
    def test_counts_that_do_not_fit_together_stay_between_0_and_99(
        self, contacts: ContactCounts, progress: float | None
    ) -> None:
        assert read_campaign("1", WHATSAPP, contacts).progress == progress

    @pytest.mark.parametrize(
        ("item", "needed"),
        [
            (WHATSAPP, True),
            (with_(WHATSAPP, status="inactive"), True),
            (with_(WHATSAPP, status="finished"), False),
            (with_(WHATSAPP, status="ready"), False),
            (with_(WHATSAPP, analytics={"sent": 5, "contacts": 10}), False),
            (DETAIL, False),
            (with_(DETAIL, analytics=None), True),
            (with_(DETAIL, analytics={"contacts": 0}), False),
        ],
    )
    def test_contacts_are_counted_only_where_nothing_else_tells(self, item: dict[str, Any], needed: bool) -> None:
        assert answers.needs_contact_counts(read_campaign("1", item)) is needed


class TestPages:
    def next_cursor(self, pagination: Any, *, back: bool = False) -> str | None:
        return answers.next_cursor(answer({"campaigns": [], "pagination": pagination}), back=back)

    @pytest.mark.parametrize(
        ("pagination", "cursor"),
        [
            ({"has_next": True, "next_cursor": "b3Bh"}, "b3Bh"),
            ({"has_more": True, "next_cursor": "b3Bh"}, "b3Bh"),
            ({"has_next": False, "next_cursor": "b3Bh"}, None),
            ({"has_more": False, "next_cursor": None}, None),
            ({"has_next": False, "has_more": True, "next_cursor": "b3Bh"}, None),
            ({"next_cursor": "b3Bh"}, "b3Bh"),
            ({"next_cursor": ""}, None),
            ({"next_cursor": {}}, None),
            ({}, None),
            (None, None),
        ],
    )
    def test_the_next_page_is_found_in_every_generation(self, pagination: Any, cursor: str | None) -> None:
        assert self.next_cursor(pagination) == cursor

    def test_the_way_back_has_names_of_its_own(self) -> None:
        pagination = {"has_next": True, "next_cursor": "n", "has_previous": True, "previous_cursor": "p"}
        assert self.next_cursor(pagination, back=True) == "p"
        assert self.next_cursor({**pagination, "has_previous": False}, back=True) is None

    def test_more_without_a_cursor_is_an_error_not_an_end(self) -> None:
        with pytest.raises(errors.UnreadableAnswer, match="without a cursor"):
            self.next_cursor({"has_next": True, "next_cursor": None})

    @pytest.mark.parametrize(
        ("pagination", "at", "place"),
        [
            ({"has_next": True, "next_page": 1}, None, ("pageIndex", "1")),
            ({"has_next": True, "next_page": "2"}, ("pageIndex", "1"), ("pageIndex", "2")),
            ({"has_next": True}, None, ("pageIndex", "1")),
            ({"has_next": True, "next_page": None}, ("pageIndex", "4"), ("pageIndex", "5")),
            ({"has_next": False, "next_page": 1}, None, None),
            ({"next_page": 1}, None, ("pageIndex", "1")),
            ({"has_more": True, "next_cursor": "abc"}, None, ("cursor", "abc")),
            ({"has_more": False, "next_cursor": None}, ("cursor", "abc"), None),
            ({}, None, None),
        ],
    )
    def test_the_next_page_of_contacts_is_found_in_every_generation(
        self, pagination: dict[str, Any], at: tuple[str, str] | None, place: tuple[str, str] | None
    ) -> None:
        assert next_page(answer({"contacts": [], "pagination": pagination}), at) == place

    def test_more_pages_than_altur_serves_are_an_error_not_an_end(self) -> None:
        with pytest.raises(errors.ListingIncomplete):
            next_page(answer({"pagination": {"has_next": True}}), ("pageIndex", str(MAX_PAGE_INDEX)))


class TestRefusals:
    @pytest.mark.parametrize(
        "body",
        [
            {"error": "INVALID_STATUS_TRANSITION", "message": "not allowed", "current_status": "finished"},
            {"error": 409, "message": "INVALID_STATUS_TRANSITION: not allowed", "current_status": "finished"},
            {"success": False, "code": "INVALID_STATUS_TRANSITION", "current_status": "finished"},
            {"error_code": "INVALID_STATUS_TRANSITION", "message": ["not allowed"], "current_status": "finished"},
            {"detail": "INVALID_STATUS_TRANSITION", "current_status": "finished", "valid_targets": []},
        ],
    )
    def test_the_code_is_found_wherever_it_sits(self, body: dict[str, Any]) -> None:
        refused = diagnose(answer(body, 409, ACTIVATE_CAMPAIGN))
        assert refused is not None
        assert (refused.error, refused.code) == (errors.Conflict, "INVALID_STATUS_TRANSITION")
        assert "current_status: finished" in refused.message

    @pytest.mark.parametrize("body", [{"error": 409, "message": "CONTACT_NOT_DELETABLE"}])
    def test_the_documented_schema_is_read(self, body: dict[str, Any]) -> None:
        refused = diagnose(answer(body, 409, DELETE_CONTACT))
        assert refused is not None
        assert (refused.error, refused.code) == (errors.Conflict, "CONTACT_NOT_DELETABLE")

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, errors.Rejected),
            (401, errors.AuthenticationFailed),
            (402, errors.BillingLimitReached),
            (403, errors.PermissionDenied),
            (404, errors.NotFound),
            (405, errors.Rejected),
            (409, errors.Conflict),
            (429, errors.RateLimited),
            (500, errors.Unavailable),
            (503, errors.Unavailable),
        ],
    )
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            ({"detail": "Something."}, ""),
            ({"error": 1, "message": "Something."}, ""),
            (["Something."], ""),
            ({"name": ["Something."], "cycles": {"mode": ["Else."]}}, ""),
            (None, ""),
            (None, "<html>Something.</html>"),
            ("Something.", ""),
        ],
    )
    def test_a_status_has_its_meaning_with_any_body(
        self, status: int, error: type[errors.CampaignAPIError], data: Any, text: str
    ) -> None:
        refused = diagnose(answer(data, status, text=text))
        assert refused is not None
        assert refused.error is error
        assert "<" not in refused.message

    def test_the_framework_tells_fields_and_they_are_told_on(self) -> None:
        refused = diagnose(answer({"name": ["Too long."], "cycles": {"mode": ["Not a mode."]}}, 400))
        assert refused is not None
        assert refused.message == "name: Too long. cycles: mode: Not a mode."

    def test_a_word_in_capitals_is_no_code(self) -> None:
        refused = diagnose(answer({"detail": "JSON parse error"}, 400))
        assert refused is not None
        assert refused.code is None

    def test_the_wait_is_read_out_of_the_words(self) -> None:
        refused = diagnose(answer({"detail": "Request was throttled. Expected available in 17 seconds."}, 429))
        assert refused is not None
        assert (refused.error, refused.retry_after) == (errors.RateLimited, 17.0)

    def test_the_immutable_field_is_named(self) -> None:
        refused = diagnose(answer({"error": "IMMUTABLE_FIELD", "message": "No.", "field": "agent_id"}, 400))
        assert refused is not None
        assert (refused.error, refused.code) == (errors.Rejected, "IMMUTABLE_FIELD")
        assert "agent_id" in refused.message

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"success": False, "message": "no"}, errors.Rejected),
            ({"success": "false", "message": "no"}, errors.Rejected),
            ({"success": False, "error": 404, "message": "no"}, errors.NotFound),
            ({"success": False, "code": "BILLING_LIMIT_REACHED"}, errors.BillingLimitReached),
            ({"success": False, "error": 503}, errors.Unavailable),
            ({"success": False, "code": "SERVER_ERROR"}, errors.Unavailable),
        ],
    )
    def test_a_failure_that_looks_like_a_success_is_one(
        self, body: dict[str, Any], error: type[errors.CampaignAPIError]
    ) -> None:
        refused = diagnose(answer(body, 200))
        assert refused is not None
        assert refused.error is error

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    @pytest.mark.parametrize("data", [None, {}, {"success": True}, {"campaigns": []}, []])
    def test_every_success_passes(self, status: int, data: Any) -> None:
        assert diagnose(answer(data, status)) is None

    def test_being_active_already_is_what_starting_was_to_reach(self) -> None:
        body = {"error": "INVALID_STATUS_TRANSITION", "current_status": "active", "valid_targets": ["inactive"]}
        assert diagnose(answer(body, 409, ACTIVATE_CAMPAIGN)) is None
        assert diagnose(answer(body, 409, DELETE_CONTACT)) is not None


class TestContactBatch:
    def test_the_documented_answer_is_read(self) -> None:
        data = {
            "success": True,
            "summary": {"created": 1, "updated": 0, "skipped_duplicate": 0, "failed": 1},
            "results": [
                {"index": 0, "id": "42", "contact": "+521234567890", "status": "created"},
                {"index": 1, "status": "failed", "error": "MISSING_CONTACT"},
            ],
        }
        batch = answers.read_batch(answer(data, endpoint=ADD_CONTACTS), first_index=1000)
        assert batch == ContactBatch(1, 0, 0, 1, ((1001, "MISSING_CONTACT"),))

    def test_rows_without_a_status_and_rows_without_an_index_are_read(self) -> None:
        summary = {"created": 1, "updated": 2, "skipped_duplicate": 3, "failed": 1}
        data = {"summary": summary, "results": [{"id": "1"}, {"error": "INVALID_PHONE_NUMBER"}]}
        batch = answers.read_batch(answer(data, endpoint=ADD_CONTACTS))
        assert batch == ContactBatch(1, 2, 3, 1, ((1, "INVALID_PHONE_NUMBER"),))

    def test_results_alone_are_counted(self) -> None:
        rows = [{"status": word} for word in ("created", "created", "updated", "skipped_duplicate", "failed")]
        assert answers.read_batch(answer({"results": rows}, endpoint=ADD_CONTACTS)) == ContactBatch(
            2, 1, 1, 1, ((4, "not told"),)
        )

    def test_a_summary_alone_will_do(self) -> None:
        data = {"summary": {"created": "5", "failed": 2}}
        assert answers.read_batch(answer(data, endpoint=ADD_CONTACTS)) == ContactBatch(5, 0, 0, 2)

    def test_a_reason_in_words_is_not_told_on_since_it_may_hold_the_number(self) -> None:
        data = {"results": [{"status": "failed", "error": "+525512345678 is no number"}]}
        batch = answers.read_batch(answer(data, endpoint=ADD_CONTACTS))
        assert batch.refused == ((0, "not told"),)

    @pytest.mark.parametrize("data", [{}, {"success": True}, {"summary": None, "results": []}])
    def test_an_answer_that_tells_nothing_leaves_the_outcome_open(self, data: dict[str, Any]) -> None:
        with pytest.raises(errors.OutcomeUnknown, match="summary"):
            answers.read_batch(answer(data, endpoint=ADD_CONTACTS))


class TestDates:
    @pytest.mark.parametrize(
        ("text", "aware"),
        [
            ("2026-06-01T15:04:05Z", True),
            ("2026-06-08T14:23:15.482000-06:00", True),
            ("2025-10-03 19:11:39", False),
        ],
    )
    def test_every_form_of_a_date_is_read(self, text: str, aware: bool) -> None:
        read = reading.moment(text)
        assert read is not None
        assert (read.tzinfo is not None) is aware

    def test_date_filters_go_out_in_utc(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=-6))
        query = fields.query(
            fields.CAMPAIGN_FILTERS,
            start_date=datetime.datetime(2026, 6, 1, 9, tzinfo=zone),
            end_date="2026-06-02T09:00:00-06:00",
            archived=True,
            page_size=100,
        )
        assert query == {
            "startDate": "2026-06-01T15:00:00.000Z",
            "endDate": "2026-06-02T15:00:00.000Z",
            "archived": "true",
            "pageSize": 100,
        }


def create_body(fields: Mapping[str, Any], **extra: Any) -> Mapping[str, Any]:
    """Return the JSON that creates a campaign of these fields."""
    return AlturClient("key").prepare(**fields, **extra).body


class TestCreateBody:
    def test_the_phone_example_goes_out_as_documented(self) -> None:
        cycles = {
            "enabled": True,
            "mode": "cooldown",
            "max_iterations": 3,
            "cooldown_minutes": 720,
            "filter_statuses": ["voicemail"],
            "filter_tags": [],
        }
        fields = {
            "name": "Q2 Reactivation",
            "agent_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "integration_id": "int_public_id",
            "integration_type": "phone_call",
            "timezone": "America/Mexico_City",
            "retries": 1,
            "first_message": "Hello, am I speaking with John?",
            "cycles": cycles,
        }
        assert create_body(fields) == fields

    def test_the_whatsapp_example_goes_out_as_documented(self) -> None:
        fields = {**MESSAGES, "template": "promo_june", "template_alt": "promo_june_b", "message_limit": 250}
        assert create_body(fields) == fields

    def test_what_is_not_given_is_left_to_altur(self) -> None:
        assert create_body({**PHONE_CALL, "description": None, "cycles": None}) == PHONE_CALL

    def test_texts_that_templating_makes_of_numbers_and_flags_are_read(self) -> None:
        body = create_body({**PHONE_CALL, "retries": "2", "cycles": {"enabled": "true", "max_iterations": "3"}})
        assert body["retries"] == 2
        assert body["cycles"] == {"enabled": True, "max_iterations": 3}

    def test_fields_of_tomorrow_are_sent_as_they_are(self) -> None:
        assert create_body(PHONE_CALL, extra_fields={"priority": {"level": 3}})["priority"] == {"level": 3}

    def test_a_day_left_out_is_off_and_a_day_named_is_on(self) -> None:
        week = create_body({**PHONE_CALL, "scheduling": {"mon": WINDOW, "sat": {"active": False}}})["scheduling"]
        assert list(week) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        assert week["mon"] == {**WINDOW, "active": True}
        assert {day for day, hours in week.items() if hours["active"]} == {"mon"}
        assert all({"startTime", "stopTime", "active"} == set(hours) for hours in week.values())

    @pytest.mark.parametrize("length", [255, 256])
    def test_a_name_has_at_most_255_characters(self, length: int) -> None:
        fields = {**PHONE_CALL, "name": "ñ" * length}
        if length <= 255:
            assert create_body(fields)["name"] == "ñ" * length
        else:
            with pytest.raises(errors.InvalidRequest, match="255"):
                create_body(fields)

    @pytest.mark.parametrize("missing", PHONE_CALL)
    def test_a_missing_field_is_named(self, missing: str) -> None:
        with pytest.raises(errors.InvalidRequest, match=missing):
            create_body({**PHONE_CALL, missing: None})

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({**PHONE_CALL, "template": "t"}, "template is for integration_type whatsapp"),
            ({**PHONE_CALL, "template_alt": "t"}, "template_alt"),
            ({**PHONE_CALL, "message_limit": 5}, "message_limit"),
            ({**MESSAGES, "first_message": "Hi"}, "first_message is for integration_type phone_call"),
            ({**MESSAGES, "cycles": {"enabled": False}}, "cycles"),
            ({"first_message": "Hi", "template": "t"}, "give only one"),
            ({"message_limit": 0}, "message_limit"),
            ({"message_limit": 10_001}, "message_limit"),
            ({"retries": -1}, "retries"),
            ({"retries": 1.5}, "retries"),
            ({"retries": True}, "retries"),
            ({"timezone": "../../etc/passwd"}, "timezone"),
            ({"timezone": "America"}, "timezone"),
            ({"timezone": 6}, "timezone"),
            ({"integration_type": "sms"}, "phone_call, whatsapp"),
            ({"concurrency": 3}, "concurrency"),
            ({"scheduling": {}}, "at least one day"),
            ({"scheduling": {"lun": WINDOW}}, "lun"),
            ({"scheduling": ["mon"]}, "scheduling"),
            ({"scheduling": {"mon": True}}, "scheduling.mon"),
            ({"scheduling": {"mon": {}}}, "scheduling.mon"),
            ({"scheduling": {"mon": {**WINDOW, "stopTime": "24:00"}}}, "scheduling.mon.stopTime"),
            ({"scheduling": {"mon": {**WINDOW, "stopTime": "18:00\n"}}}, "scheduling.mon.stopTime"),
            ({"scheduling": {"mon": {"startTime": "09:00", "endTime": "18:00"}}}, "scheduling.mon.endTime"),
            ({"cycles": {"max_iterations": 3}}, "cycles.enabled"),
            ({"cycles": {"enabled": True, "mode": "weekly"}}, "cycles.mode"),
            ({"cycles": {"enabled": True, "max_iteration": 3}}, "cycles.max_iteration "),
            ({"cycles": {"enabled": True, "max_iterations": 0}}, "cycles.max_iterations"),
            ({"cycles": {"enabled": True, "filter_tags": "later"}}, "cycles.filter_tags"),
            ({"cycles": {"enabled": True, "mode": "cooldown", "schedule": {"mon": WINDOW}}}, "cycles.schedule"),
            (
                {"cycles": {"enabled": True, "mode": "cooldown", "schedule_start_date": "2030-01-01"}},
                "cycles.schedule_start_date",
            ),
            ({"cycles": {"enabled": True, "schedule_start_date": "01/02/2030"}}, "cycles.schedule_start_date"),
            (
                {
                    "cycles": {
                        "enabled": True,
                        "schedule_start_date": "2030-02-01",
                        "schedule_end_date": "2030-01-01",
                    }
                },
                "must not lie after",
            ),
        ],
    )
    def test_a_bad_value_is_named_though_the_rest_may_still_come(self, fields: dict[str, Any], named: str) -> None:
        with pytest.raises(errors.InvalidRequest, match=named.replace(".", r"\.")):
            AlturClient.check_fields(fields)

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"name": None, "integration_type": None, "template": "t"},
            {"integration_type": None, "first_message": "Hi"},
            {"cycles": {"enabled": False, "mode": "cooldown"}},
            {"cycles": {}},
        ],
    )
    def test_what_may_still_come_is_not_missed_at_parse_time(self, fields: dict[str, Any]) -> None:
        AlturClient.check_fields(fields)


class TestUpdateBody:
    def test_only_what_is_given_is_sent(self) -> None:
        body = update_body({"name": None, "retries": 0, "cycles": {"max_iterations": 2, "schedule": None}})
        assert body == {"retries": 0, "cycles": {"max_iterations": 2}}

    def test_a_week_is_sent_whole(self) -> None:
        assert len(update_body({"scheduling": {"mon": WINDOW}})["scheduling"]) == 7

    def test_the_documented_example_is_refused_for_the_part_that_cannot_change(self) -> None:
        with pytest.raises(errors.InvalidRequest, match=r"cycles\.enabled"):
            update_body({"name": "x", "cycles": {"enabled": True, "max_iterations": 7}})

    @pytest.mark.parametrize("settled", ["agent_id", "integration_id", "integration_type"])
    def test_what_is_settled_at_creation_is_never_sent(self, settled: str) -> None:
        for arguments in ({"values": {settled: "x"}}, {"values": {}, "extra_fields": {settled: "x"}}):
            with pytest.raises(errors.InvalidRequest, match=settled):
                update_body(**arguments)


class TestContacts:
    def test_the_documented_row_goes_out_as_it_is(self) -> None:
        row = {
            "f_id": "user_12345",
            "name": "John Doe",
            "contact": "+521234567890",
            "context": "Past-due 30 days",
            "extracted_data": {"debt": 5},
        }
        assert check_contact(row) == row

    def test_empty_cells_are_left_out_and_numbers_become_text(self) -> None:
        row = {"contact": 521234567890, "name": "", "context": None, "f_id": 7}
        assert check_contact(row) == {"contact": "521234567890", "f_id": "7"}

    @pytest.mark.parametrize(
        ("row", "named"),
        [
            ({}, r"contacts\[7\]: contact must be given"),
            ({"contact": ""}, r"contacts\[7\]: contact"),
            ({"contact": "   "}, r"contacts\[7\]: contact"),
            ({"contact": 521234567890.0}, r"contacts\[7\]: contact"),
            ({"contact": True}, r"contacts\[7\]: contact"),
            ({"contact": "+521234567890", "name": float("nan")}, r"contacts\[7\]: name"),
            ({"contact": "+521234567890", "context": ["+521234567890"]}, r"contacts\[7\]: context"),
            ({"contact": "+521234567890", "extracted_data": "+521234567890"}, r"contacts\[7\]: extracted_data"),
            ({"contact": "+521234567890", "extracted_data": {"x": {1}}}, r"contacts\[7\]: extracted_data"),
            ({"contact": "+521234567890", "extracted_data": {"x": float("nan")}}, r"contacts\[7\]: extracted_data"),
            ({"contact": "+521234567890", "+521234567890": 1}, r"contacts\[7\]: it has 1 unknown field"),
            ("+521234567890", r"contacts\[7\]: it must be an object"),
        ],
    )
    def test_a_bad_row_is_named_by_its_place_and_field_and_never_shown(self, row: Any, named: str) -> None:
        with pytest.raises(errors.InvalidRequest, match=named) as refused:
            list(checked_rows([row], check_contact, 7))
        assert "1234567890" not in str(refused.value)

    def test_a_batch_does_not_show_whom_it_holds(self) -> None:
        assert "+52" not in repr(ContactBatch(1, 0, 0, 1, ((0, "INVALID_PHONE_NUMBER"),)))


class TestIds:
    @pytest.mark.parametrize(("given", "sent"), [(1234, "1234"), ("1234", "1234")])
    def test_a_whole_number_or_its_digits_is_an_id(self, given: Any, sent: str) -> None:
        assert fields.numeric_id("campaign_id", given) == sent

    @pytest.mark.parametrize(
        "given", ["", "abc", "1.0", 1.0, True, None, "1/2", "..", "1?", "1\n", " 1", "٣", 0, -1, "01"]
    )
    def test_anything_else_is_none(self, given: Any) -> None:
        with pytest.raises(errors.InvalidRequest, match="campaign_id"):
            fields.numeric_id("campaign_id", given)
