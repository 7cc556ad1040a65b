"""The launch's decisions as tables: key, mark, fingerprints, what to do first, what to start, what is remembered."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import (
    CampaignAPIError,
    Conflict,
    InvalidRequest,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnreadableAnswer,
)
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.launch.decisions import (
    CreateStep,
    StartStep,
    changed_fields,
    first_step,
    proves_no_campaign,
    relaunch_number,
    start_step,
)
from airflow_provider_campaigns.launch.intent import Intent, fingerprints, launch_key, signs_in
from airflow_provider_campaigns.launch.launcher import Launch
from airflow_provider_campaigns.launch.record import LaunchRecord

KEY = launch_key("dag", "run", "task", -1)
INTENT = Intent(KEY, fingerprints({"name": "Winter", "message": "Hello"}))
MEMORY = LaunchRecord(INTENT.key, INTENT.fields, at=1.0)


def test_the_key_is_the_same_on_every_try_and_another_for_anything_else() -> None:
    others = [
        launch_key("dag2", "run", "task", -1),
        launch_key("dag", "run2", "task", -1),
        launch_key("dag", "run", "task2", -1),
        launch_key("dag", "run", "task", 0),
        launch_key("dag", "run", "task", -1, relaunch=1),
        launch_key("da", "grun", "task", -1),
    ]
    assert launch_key("dag", "run", "task", -1) == KEY
    assert len({KEY, *others}) == 7


def test_the_key_never_changes_with_a_new_version_of_this_package() -> None:
    assert KEY == "d8966c33a8c603eaca48e6dbe1517cd5dc592d78833cae4bfa438564f3580e72"


def test_the_mark_is_short_and_readable_and_tells_launch_and_contents() -> None:
    assert re.fullmatch(r"\[airflow [0-9a-f]{12}-[0-9a-f]{6}\]", INTENT.mark)
    assert signs_in(f"Winter {INTENT.mark}") == (INTENT.sign, INTENT.payload)
    assert INTENT.sign == KEY[:12]


@pytest.mark.parametrize("changed", [str.upper, str.lower, lambda text: f"  {text}\n", lambda text: text.strip()])
def test_the_mark_is_read_however_the_vendor_trims_or_writes_it(changed: Any) -> None:
    assert signs_in(changed(f"Winter {INTENT.mark} ")) == (INTENT.sign, INTENT.payload)


@pytest.mark.parametrize("text", [None, "", "Winter", "[airflow 123-456]", "[airflow]", "airflow 0123456789ab-012345"])
def test_what_is_no_mark_is_none(text: str | None) -> None:
    assert signs_in(text) is None


def test_of_two_marks_the_one_at_the_end_counts_since_a_name_may_be_copied_from_a_launched_campaign() -> None:
    assert signs_in(f"Winter [airflow 0123456789ab-012345] {INTENT.mark}") == (INTENT.sign, INTENT.payload)


def test_the_idempotency_key_is_a_uuid_that_follows_from_key_and_contents() -> None:
    changed = Intent(KEY, fingerprints({"name": "Winter", "message": "Hello!"}))
    another = Intent(launch_key("dag", "run2", "task", -1), INTENT.fields)
    assert uuid.UUID(INTENT.idempotency_key).version == 4
    assert INTENT.idempotency_key == Intent(KEY, dict(INTENT.fields)).idempotency_key
    assert len({one.idempotency_key for one in (INTENT, changed, another)}) == 3


def test_fingerprints_tell_nothing_of_the_values_and_do_not_depend_on_order() -> None:
    printed = fingerprints({"b": {"x": 1, "y": "+5215512345678"}, "a": [1, 2]})
    assert printed == fingerprints({"a": [1, 2], "b": {"y": "+5215512345678", "x": 1}})
    assert list(printed) == ["a", "b"]
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in printed.values())


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ({"name": "Winter", "message": "Hello"}, []),
        ({"message": "Hello", "name": "Winter"}, []),
        ({"name": "Winter", "message": "Bye"}, ["message"]),
        ({"name": "Winter"}, ["message"]),
        ({"name": "W", "message": "Hello", "extra": 1}, ["extra", "name"]),
    ],
)
def test_changed_fields_are_named(now: Mapping[str, Any], changed: list[str]) -> None:
    assert changed_fields(MEMORY, Intent(KEY, fingerprints(now))) == changed


OTHER = Intent(KEY, fingerprints({"name": "Spring"}))
LAUNCHED = replace(MEMORY, campaign_id="7")


@pytest.mark.parametrize(
    ("record", "intent", "first_try", "step"),
    [
        (None, INTENT, True, CreateStep.CREATE),
        (None, INTENT, False, CreateStep.LOOK),
        (MEMORY, INTENT, True, CreateStep.LOOK),
        (MEMORY, INTENT, False, CreateStep.LOOK),
        (LAUNCHED, INTENT, True, CreateStep.ADOPT),
        (LAUNCHED, INTENT, False, CreateStep.ADOPT),
        (MEMORY, OTHER, False, CreateStep.REFUSE),
        (LAUNCHED, OTHER, False, CreateStep.REFUSE),
        (LAUNCHED, OTHER, True, CreateStep.REFUSE),
    ],
)
def test_only_a_first_try_that_remembers_nothing_creates_without_a_look(
    record: LaunchRecord | None, intent: Intent, first_try: bool, step: CreateStep
) -> None:
    assert first_step(record, intent, first_try=first_try) is step


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("draft", StartStep.START),
        ("scheduled", StartStep.NOTHING),
        ("running", StartStep.NOTHING),
        ("paused", StartStep.NOTHING),
        ("sent", StartStep.NOTHING),
        ("finished", StartStep.NOTHING),
        ("canceled", StartStep.REPORT),
        ("failed", StartStep.REPORT),
        ("unknown", StartStep.UNCLEAR),
    ],
)
def test_only_a_campaign_that_never_ran_is_started(status: str, step: StartStep) -> None:
    assert start_step(CampaignStatus(status)) is step


def _api_error(kind: type[CampaignAPIError], status: int | None) -> CampaignAPIError:
    return kind("no", vendor="Kinbox", endpoint="POST /campaigns", status=status)


@pytest.mark.parametrize(
    ("error", "proves"),
    [
        (InvalidRequest("no"), True),
        (_api_error(Unavailable, None), True),
        (_api_error(Rejected, 422), True),
        (_api_error(RateLimited, 429), True),
        (_api_error(Conflict, 409), False),
        (_api_error(OutcomeUnknown, None), False),
        (_api_error(OutcomeUnknown, 500), False),
        *((_api_error(kind, 200), False) for kind in (Rejected, RateLimited, Unavailable, UnreadableAnswer)),
    ],
)
def test_only_a_refusal_by_its_status_proves_that_nothing_was_created(
    error: CampaignAPIError | InvalidRequest, proves: bool
) -> None:
    assert proves_no_campaign(error) is proves


def test_every_status_has_a_start_step() -> None:
    assert {start_step(status) for status in CampaignStatus} == set(StartStep)


def test_a_record_survives_the_store_and_unknown_fields_of_a_newer_version_are_ignored() -> None:
    record = replace(
        LAUNCHED, adopted=True, batches=2, rows=1100, contacts={"created": 1100}, refused=[[3, "BAD"]], started=True
    )
    stored = {**record.as_dict(), "of_a_newer_version": 1}
    assert LaunchRecord.from_dict(stored) == record
    assert LaunchRecord.from_dict({"key": KEY, "fields": {}, "at": 1.0}) == LaunchRecord(KEY, {}, 1.0)
    assert set(record.as_dict()) == set(asdict(record))


REMEMBERED = LaunchRecord(KEY, {}, at=1.0, max_tries=2)
RELAUNCHED = LaunchRecord(KEY, {}, at=1.0, max_tries=3, relaunch=3)


@pytest.mark.parametrize(
    ("record", "wanted", "max_tries", "retries", "number"),
    [
        # Nothing is remembered: Airflow before 3.3, or nothing launched yet.
        (None, False, 2, 2, 0),
        (None, True, 2, 2, 0),
        (None, True, 3, 2, 1),
        (None, False, 3, 2, 0),
        (None, True, 0, 2, 0),
        # A retry leaves max_tries alone, whatever becomes of the DAG's retries meanwhile.
        (REMEMBERED, True, 2, 2, 0),
        (REMEMBERED, True, 2, 1, 0),
        (REMEMBERED, True, 3, 2, 3),
        (REMEMBERED, False, 3, 2, 0),
        # A clear without relaunch goes on with what was launched last.
        (RELAUNCHED, True, 3, 2, 3),
        (RELAUNCHED, False, 3, 2, 3),
        (RELAUNCHED, False, 6, 2, 3),
        (RELAUNCHED, True, 6, 2, 6),
    ],
)
def test_only_a_clear_with_relaunch_launches_anew(
    record: LaunchRecord | None, wanted: bool, max_tries: int, retries: int, number: int
) -> None:
    assert relaunch_number(record, wanted=wanted, max_tries=max_tries, retries=retries) == number


def test_rows_are_counted_by_what_was_handed_over_not_by_what_the_vendor_says_of_them() -> None:
    """A vendor that counts a row twice must not make the next try leave rows out."""
    client: Any = SimpleNamespace(vendor="Altur", supports=lambda action: True)
    launch = Launch(client, INTENT, None, first_try=True)
    rows = [{"contact": str(number)} for number in range(5)]

    def add(rest: Iterator[Mapping[str, Any]], first: int) -> Iterator[Any]:
        while batch := [row for _, row in zip(range(2), rest, strict=False)]:
            yield SimpleNamespace(
                created=len(batch), updated=0, skipped=len(batch), failed=0, refused=(), rows=len(batch)
            )

    campaign = Campaign("7", None, CampaignStatus.DRAFT, "pending")
    launch.add_contacts(campaign, lambda: rows, add)
    assert launch.record.rows == 5
