"""The evidence of launches: one file for each, never written over, without anybody's data, and never in the way."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from object_store import bucket
from under_test import ALTUR, KINBOX, KOREAI_SMS, VENDORS

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, LaunchConflict, LaunchRefused
from airflow_provider_campaigns.launch import evidence_folder
from airflow_provider_campaigns.launch.evidence import LaunchResult, result_of, say_the_same
from airflow_provider_campaigns.launch.evidence_folder import EvidenceFolder
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Task, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.guards import send_window
from airflow_provider_campaigns.testing.conformance.look_ups import CREATE_LOST

__all__ = ["bucket"]
PERSON = {"id": "u-77", "name": "Zoraida Quetzal"}
YES: dict[str, Any] = {"chosen_options": ["Approve"], "responded_by_user": PERSON, "responded_at": "2026-11-24 09:00"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_folder, "PAUSES_SECONDS", (0.0, 0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "launches"


def written(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the evidence in a folder, by the name of the file."""
    paths = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return {path.name: json.loads(path.read_text()) for path in paths}


def only(folder: Path) -> dict[str, Any]:
    (statement,) = written(folder).values()
    return statement


@pytest.mark.parametrize("launched", VENDORS)
def test_each_launch_writes_one_file_named_by_its_key_which_the_receipt_names(
    vendors: Sandbox, launched: VendorUnderTest, folder: Path
) -> None:
    task = Task(vendors, launched, evidence=str(folder))
    receipt = task.run().receipt
    assert receipt is not None
    assert receipt["evidence"] == f"{folder}/{receipt['key']}.json"
    told = written(folder)[f"{receipt['key']}.json"]
    assert (told["result"], told["campaign_id"], told["reason"]) == ("created", receipt["id"], "")
    assert (told["vendor"], told["mark"]) == (receipt["vendor"], receipt["mark"])
    assert told["task"]["try_number"] == 1
    assert told["guards"][0]["asked"] == "before creating"
    assert told["guards"][0]["answers"] == {"allow_backfill": "go"}
    assert set(told["fields"]) >= {"name", "conn_id"}
    assert set(told["versions"]) == {"airflow-provider-campaigns", "apache-airflow", "python"}


def test_it_costs_a_launch_no_request(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, ALTUR, evidence=str(folder))
    task.run()
    with_evidence = dict(task.requests)
    vendors.reset()
    task = Task(vendors, ALTUR)
    task.run()
    assert task.requests == with_evidence


@pytest.mark.parametrize("launched", VENDORS)
def test_a_later_try_of_the_same_launch_finds_it_and_does_not_write_over_it(
    vendors: Sandbox, launched: VendorUnderTest, folder: Path
) -> None:
    task = Task(vendors, launched, evidence=str(folder))
    first = task.run().receipt
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    task.clear()
    again = task.run().receipt
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert first is not None
    assert again is not None
    assert again["adopted"]
    assert again["evidence"] == first["evidence"]


def test_another_relaunch_is_another_launch_with_a_file_of_its_own(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder))
    task.run()
    task.clear()
    task.run(relaunch=True)
    told = list(written(folder).values())
    assert [one["result"] for one in told] == ["created", "created"]
    assert len({one["key"] for one in told}) == 2


def test_what_is_there_with_other_content_stays_and_this_launch_is_told_beside_it(
    vendors: Sandbox, folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder))
    receipt = task.run().receipt
    assert receipt is not None
    path = Path(receipt["evidence"])
    path.write_text("tampered with")
    task.clear()
    again = task.run().receipt
    assert again is not None
    assert path.read_text() == "tampered with"
    assert again["evidence"] == f"{folder}/{receipt['key']}.2.json"
    assert "is no evidence of this launch; it is left as it is" in f"{caplog.text}{capfd.readouterr().out}"


def test_a_lost_answer_is_told_and_what_was_found_later_is_told_beside_it(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder))
    task.lose(**CREATE_LOST)
    for endpoint in ("list_campaigns", "find_campaigns"):
        task.lose(endpoint=endpoint, kind="error", times=None)
    assert task.run().outcome == "retry"
    assert only(folder)["result"] == "unknown"
    vendors.clear_faults()
    assert task.run().outcome == "success"
    first, second = written(folder).values()
    assert (first["result"], second["result"]) == ("unknown", "adopted")
    assert first["key"] == second["key"]
    assert len(task.campaigns) == 1


# Refused, in conflict


def test_what_a_guard_refused_is_told_with_all_answers(vendors: Sandbox, folder: Path) -> None:
    shut = send_window(is_open=False)
    task = Task(vendors, ALTUR, evidence=str(folder), max_recipients=10, send_window=shut, max_lateness=3600)
    assert task.run().outcome == "failed"
    told = only(folder)
    assert (told["result"], told["campaign_id"]) == ("refused", None)
    answers = told["guards"][0]["answers"]
    assert set(answers) == {"allow_backfill", "recipients", "max_lateness", "send_window"}
    assert answers["recipients"] == "The campaign has 1,100 recipients, more than max_recipients=10."
    assert "is outside of the send window" in answers["send_window"]
    assert answers["max_lateness"] == "go"
    assert told["counts"] == {"recipients": 1100, "duplicates": 0, "broken": 0}
    assert task.requests == {}


def test_a_skipped_launch_was_refused_too_and_one_that_waits_for_its_window_is_not_over(
    vendors: Sandbox, folder: Path
) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder), send_window=send_window(is_open=False))
    assert task.run(outside_send_window="defer").outcome == "deferred"
    assert written(folder) == {}
    assert task.run(outside_send_window="skip").outcome == "skipped"
    assert only(folder)["result"] == "refused"


def test_what_the_vendor_refused_is_told(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder))
    task.lose(endpoint="create_campaign", kind="error", status=422, effect=False)
    assert task.run().outcome == "failed"
    assert only(folder)["result"] == "refused"


def test_a_launch_with_other_contents_than_before_is_told_beside_the_first(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder))
    task.run()
    task.clear()
    assert task.run(name="Summer").outcome == "failed"
    first, second = written(folder).values()
    assert (first["result"], second["result"]) == ("created", "conflict")
    assert first["fields"]["name"] != second["fields"]["name"]
    assert "name" in second["reason"]


def test_an_approval_is_told_without_who_gave_it(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KOREAI_SMS, evidence=str(folder), approval_task_id="approve")
    task.ti.others = {("approve", "return_value"): YES}
    task.run()
    told = only(folder)["approval"]
    assert told == {"task_id": "approve", "approved": True, "by_a_person": True, "at": "2026-11-24 09:00"}
    vendors.reset()
    task = Task(vendors, KINBOX, evidence=str(folder / "other"), approval_task_id="approve")
    assert task.run().outcome == "failed"
    told = only(folder / "other")
    assert (told["result"], told["approval"]["approved"]) == ("refused", False)
    assert "has not approved" in told["guards"][0]["answers"]["approval"]


def test_a_campaign_whose_contacts_are_not_all_in_is_told_as_incomplete(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, ALTUR, evidence=str(folder))
    task.lose(endpoint="activate_campaign", kind="error", status=403, effect=False)
    ended = task.run()
    told = only(folder)
    assert ended.outcome == "retry", ended
    assert (told["result"], told["campaign_id"]) == ("incomplete", str(task.campaigns[0]["id"]))
    assert told["counts"]["created"] == 1100
    vendors.clear_faults()
    assert task.run().outcome == "success"
    assert [one["result"] for one in written(folder).values()] == ["incomplete", "adopted"]


# In nobody's way


@pytest.fixture
def sealed(folder: Path) -> Iterator[Path]:
    """A folder that nobody can write to, root included: its place is taken by a file."""
    folder.write_text("")
    yield folder
    folder.unlink()


@pytest.mark.parametrize("launched", VENDORS)
def test_nothing_is_launched_when_its_evidence_cannot_be_written(
    vendors: Sandbox, launched: VendorUnderTest, sealed: Path
) -> None:
    task = Task(vendors, launched, evidence=str(sealed))
    ended = task.run()
    assert ended.outcome == "retry"
    assert f"evidence: the folder {str(sealed)!r} cannot be written" in ended.error
    assert "create_campaign" not in task.requests


@pytest.mark.parametrize("launched", VENDORS)
def test_a_launch_that_happened_stands_when_its_evidence_cannot_be_written_any_more(
    vendors: Sandbox,
    launched: VendorUnderTest,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write = EvidenceFolder._write_new

    def full(self: EvidenceFolder, name: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EvidenceFolder, "_write_new", full)
    task = Task(vendors, launched, evidence=str(folder))
    ended = task.run()
    assert ended.outcome == "success"
    assert ended.receipt is not None
    assert "evidence" not in ended.receipt
    logged = f"{caplog.text}{capfd.readouterr().out}"
    assert "The evidence could not be written to" in logged
    assert f'"key": "{ended.receipt["key"]}"' in logged
    # Cleared, the task writes what is missing and launches nothing.
    monkeypatch.setattr(EvidenceFolder, "_write_new", write)
    task.clear()
    assert task.run().outcome == "success"
    assert only(folder)["result"] == "adopted"
    assert len(task.campaigns) == 1


def test_a_refusal_stays_the_error_when_the_evidence_of_it_cannot_be_written(vendors: Sandbox, sealed: Path) -> None:
    ended = Task(vendors, KINBOX, evidence=str(sealed), send_window=send_window(is_open=False)).run()
    assert ended.error.startswith("LaunchRefused")


def test_a_dry_run_writes_none(vendors: Sandbox, folder: Path) -> None:
    assert Task(vendors, KINBOX, evidence=str(folder), dry_run=True).run().outcome == "skipped"
    assert not folder.exists()


def test_it_can_stand_in_a_store_of_objects(vendors: Sandbox, bucket: dict[str, Any]) -> None:
    task = Task(vendors, KINBOX, evidence="bucket://launches/all")
    receipt = task.run().receipt
    assert receipt is not None
    task.clear()
    task.run()
    assert [name.rpartition("/")[2] for name in bucket if name.endswith(".json")] == [f"{receipt['key']}.json"]


def test_of_two_tries_at_once_that_tell_the_same_one_writes(folder: Path) -> None:
    statement = {"key": "k" * 64, "fields": {}, "campaign_id": "7", "result": "created", "reason": ""}
    one, two = (EvidenceFolder(str(folder), logging.getLogger()) for _ in range(2))
    assert one.keep(statement) == two.keep({**statement, "result": "adopted"})
    assert os.listdir(folder) == [f"{'k' * 64}.json"]


# Nobody's data


def test_no_number_no_name_and_no_text_is_in_it(vendors: Sandbox, folder: Path, tmp_path: Path) -> None:
    """Not of recipients, not of who approved, whatever came of the launch and whatever a vendor says."""
    contacts = tmp_path / "people.csv"
    rows = "\n".join(f"+55119{place:08d},Quiteria Ximenes" for place in range(20))
    contacts.write_text(f"contact,name\n{rows}\n+55119{0:08d},Quiteria Ximenes\n")
    secret = ("5511900000", "511900000", "Quiteria", "Ximenes", "Zoraida", "Quetzal", "u-77", "Buy now", "Winter")
    asked: dict[str, Any] = {"evidence": str(folder), "approval_task_id": "approve", "contacts": str(contacts)}

    def attempt(**changes: Any) -> None:
        vendors.reset()
        task = Task(vendors, ALTUR, **{**asked, "first_message": "Buy now, Quiteria", **changes})
        task.ti.others = {("approve", "return_value"): YES}
        task.ti.run_id = f"run {len(written(folder))}"
        task.run()

    attempt()
    attempt(max_recipients=1)
    attempt(max_failed_contacts=0)
    told = written(folder)
    assert {one["result"] for one in told.values()} == {"created", "refused"}
    for path in folder.iterdir():
        content = path.read_text()
        for word in secret:
            assert word not in content, f"{word} is in {path.name}"
    first = next(one for one in told.values() if one["result"] == "created")
    (file,) = first["files"]
    assert file["path"] == str(contacts)
    assert file["bytes"] == contacts.stat().st_size
    assert len(file["sha256"]) == 64
    assert first["counts"] == {
        "recipients": 20,
        "duplicates": 1,
        "broken": 0,
        "created": 20,
        "updated": 0,
        "skipped": 0,
        "refused": 0,
    }


def test_a_reason_that_holds_a_number_is_told_without_it(vendors: Sandbox, folder: Path) -> None:
    task = Task(vendors, KINBOX, evidence=str(folder), approval_task_id="+55 (11) 90000-0001")
    assert task.run().outcome == "failed"
    assert "90000" not in only(folder)["reason"]


# Decisions


@pytest.mark.parametrize(
    ("error", "campaign_id", "result"),
    [
        (None, "7", LaunchResult.CREATED),
        (LaunchConflict("x"), "7", LaunchResult.CONFLICT),
        (LaunchRefused("x"), None, LaunchResult.REFUSED),
        (InvalidRequest("x"), None, LaunchResult.REFUSED),
        (CampaignRequestFailed("x"), None, None),
        (CampaignRequestFailed("x"), "7", LaunchResult.INCOMPLETE),
        (KeyboardInterrupt(), "7", LaunchResult.INCOMPLETE),
    ],
)
def test_what_came_of_a_launch_is_told_by_how_its_try_ended(
    error: BaseException | None, campaign_id: str | None, result: LaunchResult | None
) -> None:
    assert result_of(error, created=True, campaign_id=campaign_id) is result


def test_two_statements_tell_the_same_when_they_mean_the_same_and_the_same_came_of_it() -> None:
    one = {"key": "k", "fields": {"name": "a"}, "campaign_id": "7", "result": "created", "reason": "", "times": 1}
    assert say_the_same(one, {**one, "result": "adopted", "times": 2})
    for change in ({"fields": {"name": "b"}}, {"campaign_id": "8"}, {"result": "conflict"}, {"key": "l"}):
        assert not say_the_same(one, {**one, **change})
    refused = {**one, "campaign_id": None, "result": "refused", "reason": "late"}
    assert not say_the_same(refused, {**refused, "reason": "too many"})
