"""What is sent to Altur: campaigns, contacts, dates and ids, checked before any request."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from altur_samples import (
    MESSAGES,
    PHONE_CALL,
    WINDOW,
    create_body,
)

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.altur import fields
from airflow_provider_campaigns.api.altur.client import (
    AlturClient,
    ContactBatch,
)
from airflow_provider_campaigns.api.altur.fields import check_contact, update_body
from airflow_provider_campaigns.api.contacts import checked_rows


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

    @pytest.mark.parametrize("kind", [str, datetime.date.fromisoformat])
    @pytest.mark.parametrize(
        ("day", "zone", "begin", "end"),
        [
            ("2026-06-01", "America/Mexico_City", "2026-06-01T06:00:00.000Z", "2026-06-02T05:59:59.999Z"),
            # The day that the clocks are put forward has 23 hours.
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),
        ],
    )
    def test_a_plain_date_is_a_whole_day_of_the_zone_that_is_given(
        self, kind: Any, day: str, zone: str, begin: str, end: str
    ) -> None:
        dates = {"start_date": kind(day), "end_date": kind(day)}
        query = fields.query(fields.CALL_FILTERS, timezone=zone, page_size=100, **dates)
        assert (query["startDate"], query["endDate"]) == (begin, end)

    @pytest.mark.parametrize("zone", [None, "Mexico", 6])
    def test_a_plain_date_without_a_zone_is_refused_by_name(self, zone: Any) -> None:
        with pytest.raises(errors.InvalidRequest, match="timezone"):
            fields.query(fields.CALL_FILTERS, timezone=zone, page_size=100, end_date="2026-06-01")


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

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            (("9:00", "18:00"), ("09:00", "18:00")),
            (("09:00:00", "18:30:00"), ("09:00", "18:30")),
            (("0:00", "24:00"), ("00:00", "23:59")),
            (("00:00:00", "24:00:00"), ("00:00", "23:59")),
            ((datetime.time(9), datetime.time(18, 30)), ("09:00", "18:30")),
        ],
    )
    def test_an_hour_in_any_usual_form_goes_out_as_in_all_samples(self, given: Any, sent: Any) -> None:
        hours = dict(zip(("startTime", "stopTime"), given, strict=True))
        body = create_body({**PHONE_CALL, "scheduling": {"mon": hours}})
        assert (body["scheduling"]["mon"]["startTime"], body["scheduling"]["mon"]["stopTime"]) == sent

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
            ({"scheduling": {"mon": {**WINDOW, "startTime": "24:00"}}}, "scheduling.mon.startTime"),
            ({"scheduling": {"mon": {**WINDOW, "stopTime": "24:01"}}}, "scheduling.mon.stopTime"),
            ({"scheduling": {"mon": {**WINDOW, "stopTime": "18:00:30"}}}, "scheduling.mon.stopTime"),
            ({"scheduling": {"mon": {**WINDOW, "stopTime": "6:00 PM"}}}, "scheduling.mon.stopTime"),
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
