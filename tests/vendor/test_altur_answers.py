"""Altur's documented answers, in current, older and minimal forms: pure functions, no HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from altur_samples import (
    DETAIL,
    NEW_ROW,
    OLD_ROW,
    PHONE_ANALYTICS,
    WHATSAPP,
    WORDS,
    answer,
    with_,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur import answers
from airflow_provider_campaigns.api.altur.answers import ContactCounts, diagnose, read_campaign
from airflow_provider_campaigns.api.altur.client import (
    ACTIVATE_CAMPAIGN,
    CREATE_CAMPAIGN,
    ContactBatch,
)
from airflow_provider_campaigns.api.altur.contacts import ADD_CONTACTS, DELETE_CONTACT, MAX_PAGE_INDEX, next_page
from airflow_provider_campaigns.api.model import CampaignStatus


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
            "answered_by_machine": 612,
            "answered_by_unknown": 263,
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
