"""Handing contacts over at Altur: from where a crash stopped, with a receipt that names no number, within limits."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from under_test import ALTUR

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Death, Task


@pytest.fixture
def many() -> list[dict[str, str]]:
    """As many contacts as a big campaign has."""
    return [{"contact": f"+52155{number:08d}"} for number in range(100_000)]


def test_a_crash_in_an_upload_of_100_000_rows_resumes_at_the_interrupted_batch(
    vendors: Sandbox, many: list[dict[str, str]]
) -> None:
    task = Task(vendors, ALTUR, contacts=many, batches_in_flight=1)
    # The batch after the 60th is in, but not remembered.
    assert task.run(death=Death(2 + 61, done=False)).outcome == "killed"
    assert task.requests["add_contacts"] == 61
    ended = task.run()
    assert ended.outcome == "success"
    assert task.requests["add_contacts"] == 101
    assert task.requests["create_campaign"] == 1
    assert (task.campaigns[0]["contacts"], task.campaigns[0]["contact_rows"]) == (100_000, 100_000)
    assert task.campaigns[0]["starts"] == 1
    assert ended.receipt is not None
    assert ended.receipt["contacts"] == {
        "created": 100_000,
        "updated": 0,
        "skipped": 0,
        "refused": 0,
        "refused_rows": [],
        "duplicates": 0,
        "broken": 0,
        "broken_rows": [],
    }


#: Two numbers of Niue, whole and shorter than the sandbox's Altur takes.
MIXED = [
    {"contact": "+5215512345678", "name": "Ana"},
    {"contact": "+6834002", "name": "Bad"},
    {"contact": "+5215512345679"},
    {"contact": "+5215512345678"},
    {"contact": "+683 4003"},
]
NUMBER = re.compile(r"55\d{6,}|1234567|683 ?400")


def test_the_receipt_tells_what_became_of_the_contacts_and_no_number_is_anywhere(
    vendors: Sandbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    task = Task(vendors, ALTUR, contacts=MIXED)
    ended = task.run()
    assert ended.receipt is not None
    assert ended.receipt["contacts"] == {
        "created": 2,
        "updated": 0,
        "skipped": 0,
        "refused": 2,
        "refused_rows": [[1, "INVALID_PHONE_NUMBER"], [4, "INVALID_PHONE_NUMBER"]],
        "duplicates": 1,
        "broken": 0,
        "broken_rows": [],
    }
    printed = capfd.readouterr()
    said = f"{caplog.text}{printed.out}{printed.err}"
    assert "The contact in row 2 was refused: INVALID_PHONE_NUMBER" in said
    assert not NUMBER.search(f"{said}{ended}{task.values}")


@pytest.mark.parametrize(
    ("most", "passes"), [(None, True), (2, True), (0.5, True), (1, False), (0.49, False), (0, False)]
)
def test_too_many_refused_contacts_fail_the_task_before_the_campaign_is_activated(
    vendors: Sandbox, most: float | None, passes: bool
) -> None:
    task = Task(vendors, ALTUR, contacts=MIXED, max_failed_contacts=most)
    ended = task.run()
    assert task.campaigns[0]["starts"] == passes
    if passes:
        assert ended.outcome == "success"
        return
    assert ended.outcome == "failed"
    assert ended.error.startswith("LaunchRefused: 2 of 4 contacts")
    assert str(task.campaigns[0]["id"]) in ended.error
    assert not NUMBER.search(str(ended))
    # Once the author has allowed more, a clear goes on where it stopped.
    task.clear()
    assert task.run(max_failed_contacts=2).outcome == "success"
    assert (task.requests["add_contacts"], task.campaigns[0]["starts"]) == (1, 1)


def test_what_was_started_is_not_refused_afterwards(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR, contacts=MIXED)
    task.run()
    task.clear()
    assert task.run(max_failed_contacts=0).outcome == "success"


@pytest.mark.parametrize("most", [-1, float("nan")])
def test_a_share_that_is_none_is_refused_when_the_dag_is_parsed(most: float) -> None:
    with pytest.raises(InvalidRequest, match="max_failed_contacts must be"):
        ALTUR.build(max_failed_contacts=most)


def test_broken_rows_that_may_be_left_out_are_told_in_the_receipt(vendors: Sandbox) -> None:
    contacts = [{"name": "without a number"}, *MIXED]
    ended = Task(vendors, ALTUR, contacts=contacts, max_broken_rows=1).run()
    assert ended.receipt is not None
    told = ended.receipt["contacts"]
    assert (told["created"], told["refused"], told["broken"]) == (2, 2, 1)
    assert told["broken_rows"] == [[0, "column contact: it is empty: give the phone number."]]
    assert [index for index, _ in told["refused_rows"]] == [2, 5]
    with pytest.raises(InvalidRequest, match="max_broken_rows must be a share below 1"):
        ALTUR.build(max_broken_rows=-1)


def test_contacts_that_cannot_be_read_to_the_end_send_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR, contacts=[*MIXED, {"name": "without a number"}])
    ended = task.run()
    assert ended.error.startswith("CampaignRequestRefused: contacts, row 6, column contact: it is empty")
    assert vendors.journal()["requests"] == []


@pytest.mark.parametrize("activate", [True, False])
def test_when_the_vendor_took_nobody_nothing_is_started_and_the_task_says_so(vendors: Sandbox, activate: bool) -> None:
    task = Task(vendors, ALTUR, contacts=[MIXED[1], MIXED[4]], activate=activate)
    for _ in range(2):
        ended = task.run()
        assert ended.outcome == "failed"
        assert ended.error.startswith("LaunchRefused: Altur took none of the 2 contacts, 2 of which it refused.")
        assert "was not started" in ended.error
        assert task.campaigns[0]["starts"] == 0
        task.clear()
    assert task.requests["create_campaign"] == 1


@pytest.mark.parametrize(
    ("guards", "starts"),
    [({"min_recipients": 3}, 0), ({"min_recipients": 2}, 1), ({"max_recipients": 4}, 1), ({"max_recipients": 3}, 0)],
)
def test_the_guards_count_people_and_are_asked_again_with_those_whom_the_vendor_took(
    vendors: Sandbox, guards: dict[str, int], starts: int
) -> None:
    task = Task(vendors, ALTUR, contacts=MIXED, **guards)
    ended = task.run()
    assert (ended.outcome == "success") == bool(starts)
    assert sum(campaign["starts"] for campaign in task.campaigns) == starts
    if "min_recipients" in guards and not starts:
        assert "The campaign has 2 recipients, fewer than min_recipients=3" in ended.error
        assert "exists and was not started" in ended.error


def test_a_list_of_nobody_sends_nothing(vendors: Sandbox) -> None:
    ended = Task(vendors, ALTUR, contacts=[], activate=False).run()
    assert ended.error.startswith("CampaignRequestRefused: contacts: there is nobody to contact")
    assert vendors.journal()["requests"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"default_country": "Brazil"}, "default_country must be an ISO 3166 code of two letters"),
        ({"default_country": "55"}, "default_country must be"),
        ({"number_format": "E164"}, "number_format must be one of e164, as_given"),
        ({"columns": ["telefone"]}, "columns must be a dict"),
        ({"columns": {"telefone": ""}}, "columns must map names"),
        ({"columns": {"a": "contact", "b": "Contact"}}, "columns maps two columns to"),
        ({"contacts": {"contact": "+5215512345678"}}, "contacts must be a list of dicts"),
        ({"contacts": b"contacts.csv"}, "contacts must be a list of dicts"),
    ],
)
def test_what_is_wrong_with_the_contacts_and_can_be_seen_is_refused_when_the_dag_is_parsed(
    arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        ALTUR.build(**arguments)


def test_a_country_without_phone_numbers_is_refused_before_anything_is_sent(vendors: Sandbox) -> None:
    ended = Task(vendors, ALTUR, contacts=MIXED, default_country="zz").run()
    assert "default_country must be an ISO 3166 code" in ended.error
    assert vendors.journal()["requests"] == []
