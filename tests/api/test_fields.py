"""Declared fields: what is wrong is refused before anything is sent, with the field's name and what is allowed."""

from __future__ import annotations

import datetime

import pendulum
import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import (
    DATE,
    FLAG,
    INTEGER,
    MOMENT,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
    URL,
    Field,
    read,
    wire_body,
)

UTC = datetime.UTC
NOON = datetime.datetime(2026, 11, 21, 12, tzinfo=UTC)
NAIVE = datetime.datetime(2026, 11, 21, 12)  # noqa: DTZ001
BRT = datetime.timezone(datetime.timedelta(hours=-3))

FIELDS = (
    Field("name", "name", required=True, max_length=10),
    Field("channel_id", "channelId", required=True),
    Field("kind", "type", choices=("sms", "voice")),
    Field("chunk_size", "chunkSize", INTEGER, minimum=1, maximum=500),
    Field("is_test", "isTest", FLAG),
    Field("starts_at", "startsAt", MOMENT),
    Field("tags", "tags", TEXTS),
    Field("options", "options", OBJECT),
)


@pytest.mark.parametrize(
    ("kind", "value", "wire"),
    [
        (TEXT, "a", "a"),
        (TEXT, 5, "5"),
        (INTEGER, 5, 5),
        (INTEGER, "5", 5),
        (INTEGER, 5.0, 5),
        (NUMBER, "0.5", 0.5),
        (FLAG, True, True),
        (FLAG, False, False),
        (FLAG, "true", True),
        (OBJECT, {"a": 1}, {"a": 1}),
        (OBJECT, {}, {}),
        (TEXTS, ["a", 5], ["a", "5"]),
        (TEXTS, ("a",), ["a"]),
        (TEXTS, [], []),
        (MOMENT, NOON, "2026-11-21T12:00:00.000Z"),
        (MOMENT, datetime.datetime(2026, 11, 21, 9, tzinfo=BRT), "2026-11-21T12:00:00.000Z"),
        (MOMENT, pendulum.datetime(2026, 11, 21, 9, tz="America/Sao_Paulo"), "2026-11-21T12:00:00.000Z"),
        (MOMENT, "2026-11-21T09:00:00-03:00", "2026-11-21T12:00:00.000Z"),
        (MOMENT, "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000Z"),
        (DATE, datetime.date(2026, 11, 21), "2026-11-21"),
        (DATE, pendulum.date(2026, 11, 21), "2026-11-21"),
        (DATE, "2026-11-21", "2026-11-21"),
        (URL, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        (URL, "http://example.com", "http://example.com"),
    ],
)
def test_a_value_goes_on_the_wire_in_the_form_of_its_kind(kind, value, wire):
    goes_out = Field("field", "field", kind).read(value)
    assert goes_out == wire
    assert type(goes_out) is type(wire)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, ""),
        (TEXT, True),
        (TEXT, ["a"]),
        (TEXT, float("nan")),
        (INTEGER, "five"),
        (INTEGER, 5.5),
        (INTEGER, True),
        (NUMBER, float("inf")),
        (NUMBER, "nan"),
        (FLAG, 1),
        (FLAG, "yes"),
        (OBJECT, "{}"),
        (OBJECT, [("a", 1)]),
        (TEXTS, "abc"),
        (TEXTS, b"abc"),
        (TEXTS, {"a": 1}),
        (TEXTS, ["a", ""]),
        (TEXTS, ["a", None]),
        (TEXTS, 5),
        (MOMENT, NAIVE),
        (MOMENT, "2026-11-21T12:00:00"),
        (MOMENT, "tomorrow"),
        (MOMENT, datetime.date(2026, 11, 21)),
        (MOMENT, 1795262400),
        (MOMENT, datetime.datetime.min.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=3)))),
        (DATE, NOON),
        (DATE, "21/11/2026"),
        (DATE, 20261121),
        (URL, "example.com"),
        (URL, "ftp://example.com"),
        (URL, "https://"),
        (URL, "https://exa mple.com"),
        (URL, "https://[::1"),
        (URL, "javascript:alert(1)"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name_and_what_is_wanted(kind, value):
    with pytest.raises(InvalidRequest) as caught:
        Field("some_field", "wire", kind).read(value)
    assert str(caught.value).startswith(f"some_field must be {kind.wanted}")


def test_a_list_that_can_be_read_only_once_is_refused_instead_of_sent_empty():
    lead_ids = (str(number) for number in range(3))
    with pytest.raises(InvalidRequest, match="tags"):
        wire_body(FIELDS, {"name": "a", "channel_id": "c", "tags": lead_ids})
    assert list(lead_ids) == ["0", "1", "2"]


@pytest.mark.parametrize("value", [NAIVE, "2026-11-21T12:00:00"])
def test_a_naive_datetime_is_refused_with_the_reason(value):
    with pytest.raises(InvalidRequest, match="naive"):
        Field("starts_at", "startsAt", MOMENT).read(value)


def test_a_value_that_could_be_a_recipient_is_not_repeated():
    for kind in (OBJECT, TEXTS, MOMENT, INTEGER, URL, FLAG):
        with pytest.raises(InvalidRequest) as caught:
            Field("field", "wire", kind).read("Maria +5511987654321")
        assert "Maria" not in str(caught.value)
        assert "98765" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "fax"}, ("kind", "sms, voice", "'fax'")),
        ({"chunk_size": 0}, ("chunk_size", "at least 1", "got 0")),
        ({"chunk_size": 501}, ("chunk_size", "at most 500", "got 501")),
        ({"name": "x" * 11}, ("name", "at most 10 characters", "has 11")),
        ({"nmae": "x"}, ("nmae", "Known fields", "name")),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_field_and_what_is_allowed(values, words):
    with pytest.raises(InvalidRequest) as caught:
        read(FIELDS, values)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": "x" * 10, "chunk_size": 1}, {"chunk_size": 500}])
def test_what_is_missing_may_still_come_while_a_dag_is_parsed(values):
    assert read(FIELDS, values) == {name: value for name, value in values.items() if value is not None}


def test_what_is_required_must_be_there_when_the_request_is_built():
    with pytest.raises(InvalidRequest, match="name and channel_id must be given"):
        wire_body(FIELDS, {"name": None})


def test_a_body_has_the_vendors_names_and_nothing_that_was_not_given():
    body = wire_body(
        FIELDS,
        {"name": "a", "channel_id": 7, "is_test": False, "starts_at": NOON, "tags": None, "options": {}},
        {"newField": [1]},
    )
    assert body == {
        "name": "a",
        "channelId": "7",
        "isTest": False,
        "startsAt": "2026-11-21T12:00:00.000Z",
        "options": {},
        "newField": [1],
    }


def test_an_extra_field_cannot_overwrite_a_declared_one():
    with pytest.raises(InvalidRequest, match="extra_fields must not hold channelId"):
        wire_body(FIELDS, {"name": "a", "channel_id": "c"}, {"channelId": "d"})


@pytest.mark.parametrize("extra", ["{}", ["a"], 5])
def test_extra_fields_are_an_object(extra):
    with pytest.raises(InvalidRequest, match="extra_fields must be an object"):
        wire_body(FIELDS, {"name": "a", "channel_id": "c"}, extra)
