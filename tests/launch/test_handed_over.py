"""Handing contacts over at Altur: from where a crash stopped, with a receipt that names no number, within limits."""

from __future__ import annotations

import logging
import re

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
    task = Task(vendors, ALTUR, contacts=many)
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
        "broken": 0,
        "broken_rows": [],
    }


MIXED = [
    {"contact": "+5215512345678", "name": "Ana"},
    {"contact": "5215500000000000000", "name": "Bad"},
    {"contact": "+5215512345679"},
    {"contact": "+5215512345678"},
    {"contact": "55-1234"},
]
NUMBER = re.compile(r"55\d{6,}|1234567|55-1234")


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
        "skipped": 1,
        "refused": 2,
        "refused_rows": [[1, "INVALID_PHONE_NUMBER"], [4, "INVALID_PHONE_NUMBER"]],
        "broken": 0,
        "broken_rows": [],
    }
    printed = capfd.readouterr()
    said = f"{caplog.text}{printed.out}{printed.err}"
    assert "The contact in row 2 was refused: INVALID_PHONE_NUMBER" in said
    assert not NUMBER.search(f"{said}{ended}{task.values}")


def test_updated_contacts_are_counted_as_such(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR, contacts=MIXED[:1] * 3, if_duplicate="update")
    ended = task.run()
    assert ended.receipt is not None
    told = ended.receipt["contacts"]
    assert (told["created"], told["updated"], told["skipped"]) == (1, 2, 0)


@pytest.mark.parametrize(
    ("most", "passes"), [(None, True), (2, True), (0.4, True), (1, False), (0.39, False), (0, False)]
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
    assert ended.error.startswith("LaunchRefused: 2 of 5 contacts")
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
    assert told["broken_rows"] == [[0, "contact must be given: it is the phone number."]]
    assert [index for index, _ in told["refused_rows"]] == [2, 5]
    with pytest.raises(InvalidRequest, match="max_broken_rows must be a share below 1 or a count"):
        ALTUR.build(max_broken_rows=-1)


def test_contacts_that_cannot_be_read_to_the_end_send_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR, contacts=[*MIXED, {"name": "without a number"}])
    ended = task.run()
    assert ended.error.startswith("CampaignRequestRefused: contacts, row 6: contact must be given")
    assert vendors.journal()["requests"] == []
