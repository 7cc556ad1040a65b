"""The readers take what vendors put into JSON, in every form seen, and tell None for what is unreadable."""

from __future__ import annotations

import datetime
import json

import pytest

from airflow_provider_campaigns.api import reading

#: Whatever a vendor may send in the place of anything else.
ANYTHING = [None, True, False, 0, 1, -1, 1.5, float("nan"), 10**400, "", " ", "x", "1", "\ud800", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize("value", ANYTHING, ids=repr)
@pytest.mark.parametrize(
    "read", [reading.text, reading.number, reading.whole, reading.flag, reading.mapping, reading.rows, reading.moment]
)
def test_no_value_makes_a_reader_fail(read, value):
    read(value)


def test_the_first_field_that_is_there_counts_and_null_is_not_there():
    assert reading.first({"_id": None, "id": 0, "uuid": "x"}, "_id", "id", "uuid") == 0
    assert reading.first({"id": None}, "_id", "id") is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("abc", "abc"),
        (7, "7"),
        (12345678901234567890, "12345678901234567890"),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_an_id_is_read_as_text_whether_it_comes_as_text_or_number(value, read):
    assert reading.text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (5, 5.0),
        ("5", 5.0),
        ("5.5", 5.5),
        (" 5 ", 5.0),
        ("", None),
        ("five", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([5], None),
        (10**400, None),
    ],
)
def test_a_number_is_read_from_text_too_and_is_always_finite(value, read):
    assert reading.number(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (5, 5),
        ("5", 5),
        (" -5 ", -5),
        (5.0, 5),
        ("5.0", 5),
        (5.5, None),
        ("5.5", None),
        (True, None),
        (None, None),
        ("", None),
        ("²", None),
        ("9007199254740993", 9007199254740993),
        ("9" * 10_000, None),
    ],
)
def test_a_whole_number_is_read_exactly_also_from_text(value, read):
    assert reading.whole(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (False, False), ("true", True), ("False", False), ("yes", None), (1, None), (0, None), (None, None)],
)
def test_a_flag_is_a_boolean_or_its_word(value, read):
    assert reading.flag(value) is read


def test_what_is_no_object_reads_as_an_empty_one():
    assert reading.mapping({"a": 1}) == {"a": 1}
    assert [reading.mapping(value) for value in (None, [], "x", 1)] == [{}] * 4


def test_of_an_array_the_objects_are_read():
    assert reading.rows([{"a": 1}, None, "x", [], {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert [reading.rows(value) for value in (None, {"a": {}}, "x", 1)] == [[]] * 4


def test_counts_are_those_figures_that_are_there():
    source = json.loads('{"total": "12", "sent": 3, "failed": null, "read": "many", "rate": 0.5}')
    names = {"leads": "total", "sent": "sent", "failed": "failed", "read": "read", "rate": "rate", "gone": "gone"}
    assert reading.counts(source, names) == {"leads": 12, "sent": 3}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-11-21T12:00:00Z", datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)),
        ("2026-11-21T12:00:00.123Z", datetime.datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=datetime.UTC)),
        ("2026-11-21T09:00:00-03:00", datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)),
        ("2026-11-21T12:00:00", datetime.datetime(2026, 11, 21, 12)),  # noqa: DTZ001
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1795262400, None),
    ],
)
def test_a_moment_is_read_from_iso_text_with_the_zone_it_has(value, read):
    assert reading.moment(value) == read
