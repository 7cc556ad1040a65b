"""What a launch promises besides happening once: each promise in words, against the sandbox, in this process."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from task import Task, at_vendor
from worker import (
    ALTUR_CONTACTS,
    LAUNCHES,
    Death,
    context_of,
    operator_of,
    run_try,
)

from airflow_provider_campaigns import exceptions
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.transport import Transport
from airflow_provider_campaigns.sandbox.server import Sandbox

every_launch = pytest.mark.parametrize("launched", LAUNCHES)
MARK = re.compile(r"\[airflow [0-9a-f]{12}-[0-9a-f]{6}\]")


CREATE_LOST = {"endpoint": "create_campaign", "kind": "reset"}

# The fault-free launch


@pytest.mark.parametrize("form", [{}, {"wait_until": "finished", "deferrable": True}])
@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("launched", "requests"),
    [
        ("kinbox", {"create_campaign": 1}),
        ("altur", {"create_campaign": 1, "add_contacts": 2, "activate_campaign": 1}),
        ("koreai sms", {"create_campaign": 1, "start_campaign": 1}),
        ("koreai voice", {"create_campaign": 1, "get_campaign": 1, "start_campaign": 1}),
    ],
)
def test_a_fault_free_launch_makes_the_requests_of_the_vendor_s_procedure_and_no_other(
    vendors: Sandbox, launched: str, requests: Mapping[str, int], stored: bool, form: Mapping[str, Any]
) -> None:
    vendors.set_speed(3000)
    task = Task(vendors, launched, stored=stored, **form)
    assert task.run().outcome == ("deferred" if form else "success")
    assert task.requests == requests


# The mark


@every_launch
def test_the_mark_is_at_the_end_of_a_field_that_people_see_and_in_the_receipt(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched)
    receipt = task.run().receipt
    assert receipt is not None
    shown = task.campaigns[0]["name" if task.vendor == "kinbox" else "description"]
    assert shown.endswith(receipt["mark"])
    assert MARK.fullmatch(receipt["mark"])


@pytest.mark.parametrize("launched", ["koreai sms", "koreai voice"])
def test_the_mark_keeps_within_the_vendor_s_limit_and_a_longer_text_is_refused_when_the_dag_is_parsed(
    vendors: Sandbox, launched: str
) -> None:
    room = 256 - len("[airflow 0123456789ab-012345]") - 1
    task = Task(vendors, launched, description="x" * room)
    assert task.run().outcome == "success"
    assert len(task.campaigns[0]["description"]) == 256
    with pytest.raises(InvalidRequest, match=f"at most {room} characters; it has {room + 1}.*is for the mark"):
        operator_of(launched, description="x" * (room + 1))


@pytest.mark.parametrize("change", [str.lower, str.upper, str.strip, lambda text: f" {text}  "])
@every_launch
def test_the_campaign_is_found_though_the_vendor_trims_or_lower_cases(
    vendors: Sandbox, launched: str, change: Callable[[str], str]
) -> None:
    task = Task(vendors, launched)
    task.run(death=Death(2, done=False))
    _forget_idempotency_keys(vendors)
    kept = next(iter(_campaigns_inside(vendors, task.vendor)))
    fields, name = _marked(kept)
    fields[name] = change(fields[name])
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


def _campaigns_inside(vendors: Sandbox, vendor: str) -> list[Any]:
    kept = at_vendor(vendors, vendor)._campaigns
    return list(kept.values()) if isinstance(kept, dict) else kept


def _forget_idempotency_keys(vendors: Sandbox) -> None:
    """Let the time pass for which Altur knows them, so that the look-up alone has to find the campaign."""
    at_vendor(vendors, "altur")._answers.clear()


def _marked(campaign: Any) -> tuple[dict[str, Any], str]:
    """Return where a campaign of the sandbox keeps its marked field."""
    if hasattr(campaign, "body"):
        return campaign.body, "description"
    return (campaign.fields, "description") if hasattr(campaign, "fields") else (campaign.given, "name")


@every_launch
def test_another_run_s_campaign_is_never_taken_for_this_one_s(vendors: Sandbox, launched: str) -> None:
    other = Task(vendors, launched)
    other.ti.run_id = "another"
    vendors.set_speed(3000)  # One contact list serves one campaign at a time.
    assert other.run().outcome == "success"
    task = Task(vendors, launched)
    task.lose(**CREATE_LOST, effect=False, times=None)
    assert task.run().outcome == "retry"
    vendors.clear_faults()
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 2


@every_launch
def test_a_name_copied_from_a_launched_campaign_does_no_harm(vendors: Sandbox, launched: str) -> None:
    field = "name" if launched == "kinbox" else "description"
    task = Task(vendors, launched, **{field: "W [airflow 0123456789ab-012345]"})
    task.run(death=Death(2, done=False))
    _forget_idempotency_keys(vendors)
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


# The Idempotency-Key


def test_altur_gets_one_idempotency_key_for_the_create_and_each_batch_kept_across_retries_and_tries(
    vendors: Sandbox,
) -> None:
    task = Task(vendors, "altur")
    for endpoint in ("create_campaign", "add_contacts"):
        task.lose(endpoint=endpoint, kind="error", effect=False, times=6)
    ends = [task.run().outcome for _ in range(4)]
    assert ends[-1] == "success"
    assert "retry" in ends
    sent = [one for one in vendors.journal("altur")["requests"] if one["method"] == "POST"]
    keys = {name: [one["idempotency_key"] for one in sent if one["endpoint"] == name] for name in task.requests}
    assert len(keys["create_campaign"]) == 7
    assert len(keys["add_contacts"]) == 8
    assert len(set(keys["create_campaign"])) == 1
    assert len(set(keys["add_contacts"][:7])) == 1
    assert len({*keys["create_campaign"], *keys["add_contacts"]}) == 3


# The look-up


@every_launch
def test_a_campaign_that_the_list_shows_late_is_waited_for(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, lookup_timeout=3)
    # No key helps here: the look-up alone has to find it.
    task.lose(kind="list_lag", seconds=0.4)
    task.lose(**CREATE_LOST, times=None)
    ended = task.run()
    assert ended.outcome == "success", ended
    assert len(task.campaigns) == 1
    assert ended.receipt is not None
    assert ended.receipt["id"] == str(task.campaigns[0]["id"])
    assert ended.receipt["adopted"] is True


@every_launch
def test_a_campaign_that_the_list_shows_later_than_the_look_up_lasts_is_named_by_its_mark_and_found_by_the_next_try(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched, lookup_timeout=0.1)
    task.lose(kind="list_lag", seconds=30)
    task.lose(**CREATE_LOST, times=None)
    ended = task.run()
    assert ended.outcome == "retry"
    assert ended.error.startswith("LaunchOutcomeUnknown")
    mark = MARK.search(ended.error)
    assert mark is not None
    assert mark.group() in json.dumps(task.campaigns)
    vendors.clear_faults()
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@pytest.mark.parametrize("endpoint", ["list_campaigns", "find_campaigns"])
def test_a_look_up_that_fails_names_the_mark_and_creates_nothing(vendors: Sandbox, endpoint: str) -> None:
    task = Task(vendors, "kinbox")
    task.lose(**CREATE_LOST)
    task.lose(endpoint="list_campaigns", kind="error", times=None)
    task.lose(endpoint="find_campaigns", kind="error", times=None)
    ended = task.run()
    assert ended.error.startswith("LaunchOutcomeUnknown")
    assert MARK.search(ended.error)
    assert task.run().outcome == "retry"
    vendors.clear_faults()
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


def test_kinbox_is_looked_through_by_its_other_list_when_the_filter_fails(vendors: Sandbox) -> None:
    """How v3's filter takes a text is not documented: it may stumble over one that a regular expression would."""
    task = Task(vendors, "kinbox")
    task.lose(endpoint="find_campaigns", kind="error", status=500, times=None)
    task.lose(**CREATE_LOST)
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@every_launch
def test_without_a_store_a_clear_finds_the_campaign_however_long_ago_it_was_launched(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched, stored=False)
    assert task.run().outcome == "success"
    _forget_idempotency_keys(vendors)
    weeks = timedelta(weeks=3)
    task.run_after -= weeks
    for campaign in _campaigns_inside(vendors, task.vendor):
        campaign.created_at -= weeks.total_seconds()
    task.clear()
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@every_launch
def test_an_airflow_that_does_not_tell_when_the_run_was_due_looks_through_all_there_is(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched, stored=False)
    assert task.run().outcome == "success"
    _forget_idempotency_keys(vendors)
    for campaign in _campaigns_inside(vendors, task.vendor):
        campaign.created_at -= timedelta(weeks=300).total_seconds()
    task.clear()
    operator = operator_of(launched, **task.changes)
    context = context_of(dataclasses.replace(task.ti, try_number=2), None)
    del context["dag_run"].run_after
    assert run_try(operator, context).outcome == "success"
    assert len(task.campaigns) == 1


# What Airflow makes of the exceptions


def test_what_airflow_retries_and_what_it_does_not() -> None:
    assert issubclass(exceptions.LaunchOutcomeUnknown, AirflowException)
    assert not issubclass(exceptions.LaunchOutcomeUnknown, AirflowFailException)
    assert issubclass(exceptions.LaunchConflict, AirflowFailException)
    assert issubclass(exceptions.LaunchRefused, AirflowFailException)
    assert issubclass(exceptions.CampaignFailed, AirflowFailException)


# What changed between tries


@pytest.mark.parametrize(
    ("launched", "changes", "named"),
    [
        ("kinbox", {"name": "Spring", "message": "Hello +5215512345678"}, "message, name"),
        ("altur", {"first_message": "Spring"}, "first_message"),
        ("altur", {"contacts": [{"contact": "+5215512345678"}]}, "contacts"),
        ("koreai sms", {"message": "Spring"}, "message"),
        ("koreai voice", {"experience_flow_name": "Spring"}, "experienceFlowName"),
        ("kinbox", {"conn_id": "other"}, "conn_id"),
    ],
)
@pytest.mark.parametrize("death", [Death(1, done=True), Death(2, done=True)])
def test_a_payload_that_changed_between_tries_is_a_conflict_that_names_the_fields_and_no_values(
    vendors: Sandbox,
    launched: str,
    changes: Mapping[str, Any],
    named: str,
    death: Death,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(vendors.connections()["kinbox_default"]))
    task = Task(vendors, launched)
    task.run(death=death)
    before = task.campaigns
    ended = task.run(**changes)
    assert ended.outcome == "failed"
    assert ended.error.startswith("LaunchConflict")
    assert f"differ: {named}." in ended.error
    assert not re.search(r"Spring|5215512345678", ended.error)
    assert [one["id"] for one in task.campaigns] == [one["id"] for one in before]
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@every_launch
def test_without_a_store_the_mark_tells_that_the_payload_changed(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, stored=False)
    task.run()
    ended = task.run(name="Spring")
    assert ended.outcome == "failed"
    assert ended.error.startswith("LaunchConflict")
    assert len(task.campaigns) == 1


@pytest.mark.parametrize("launched", ["kinbox", "altur", "koreai sms"])
def test_a_create_that_the_vendor_refused_leaves_nothing_behind_so_the_mended_payload_is_launched(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched)
    task.lose(endpoint="create_campaign", kind="error", status=422, effect=False)
    ended = task.run(name="Misspelt")
    assert ended.error.startswith("CampaignRequestRefused")
    task.clear()
    assert task.run().outcome == "success"
    assert [one["name"].split(" [")[0] for one in task.campaigns] == ["Winter"]


def test_a_refusal_after_an_answer_was_lost_forgets_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, "kinbox", lookup_timeout=0.05)
    task.lose(kind="list_lag", seconds=60)
    task.lose(**CREATE_LOST)
    assert task.run().outcome == "retry"
    task.lose(endpoint="create_campaign", kind="error", status=422, effect=False)
    assert task.run().outcome == "failed"
    assert task.run(name="Spring").error.startswith("LaunchConflict")


# What a person does at the vendor


@pytest.mark.parametrize(
    ("launched", "do", "status"),
    [
        ("kinbox", lambda client, one: client.update_campaign(one, extra_fields={"status": "canceled"}), "canceled"),
        ("koreai sms", lambda client, one: client.stop_campaign(one), "canceled"),
        ("koreai voice", lambda client, one: client.stop_campaign(one), "canceled"),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_a_campaign_found_failed_or_canceled_is_reported_and_never_replaced_or_started_again(
    vendors: Sandbox, launched: str, do: Callable[[Any, str], Any], status: str, stored: bool
) -> None:
    task = Task(vendors, launched, stored=stored)
    ended = task.run()
    do(task.client(), ended.value)
    before = task.requests
    task.clear()
    ended = task.run()
    assert ended.outcome == "failed"
    assert ended.error.startswith("CampaignFailed")
    assert str(task.campaigns[0]["id"]) in ended.error
    assert status in ended.error
    assert len(task.campaigns) == 1
    acted = {name: count for name, count in task.requests.items() if name.startswith(("create", "start"))}
    assert acted == {name: before[name] for name in acted}


@pytest.mark.parametrize("launched", ["kinbox", "altur"])
@pytest.mark.parametrize("stored", [True, False])
def test_what_a_person_paused_is_not_started_again(vendors: Sandbox, launched: str, stored: bool) -> None:
    task = Task(vendors, launched, stored=stored)
    # The start happened, but the try died before it could remember it.
    task.run(death=Death(2 if launched == "kinbox" else 5, done=False))
    task.client().pause_campaign(str(task.campaigns[0]["id"]))
    ended = task.run()
    assert ended.outcome == "success"
    assert ended.receipt is not None
    assert ended.receipt["status"] == "paused"
    assert task.campaigns[0]["status"] in ("paused", "inactive")


def test_a_half_filled_campaign_that_a_person_started_is_a_conflict(vendors: Sandbox) -> None:
    task = Task(vendors, "altur")
    task.run(death=Death(3, done=True))
    campaign_id = str(task.campaigns[0]["id"])
    task.client().activate_campaign(campaign_id)
    ended = task.run()
    assert ended.error.startswith("LaunchConflict")
    assert campaign_id in ended.error
    assert "1000" in ended.error
    assert ended.receipt is not None
    assert ended.receipt["id"] == campaign_id


def test_a_campaign_that_was_started_when_the_memory_was_emptied_counts_as_complete(vendors: Sandbox) -> None:
    """Airflow's option clear_on_success empties it; then the campaign's state alone tells what was done."""
    task = Task(vendors, "altur")
    first = task.run()
    assert task.values is not None
    del task.values["campaign_launch"]
    task.clear()
    assert task.run(death=Death(1, done=True)).outcome == "killed"
    assert task.run().value == first.value
    assert len(task.campaigns) == 1


def test_a_draft_that_a_person_archived_is_not_started(vendors: Sandbox) -> None:
    task = Task(vendors, "altur")
    task.run(death=Death(4, done=True))
    task.client().archive_campaign(str(task.campaigns[0]["id"]))
    ended = task.run()
    assert ended.error.startswith("CampaignFailed")
    assert "archived" in ended.error
    assert task.campaigns[0]["starts"] == 0


def test_a_campaign_that_was_archived_after_it_was_launched_is_still_the_one_that_a_clear_finds(
    vendors: Sandbox,
) -> None:
    task = Task(vendors, "altur", stored=False)
    ended = task.run()
    task.client().archive_campaign(ended.value)
    task.clear()
    assert task.run().value == ended.value
    assert len(task.campaigns) == 1


# Clearing and launching anew


@every_launch
@pytest.mark.parametrize("stored", [True, False])
def test_a_cleared_task_goes_on_with_its_campaign_and_changes_nothing(
    vendors: Sandbox, launched: str, stored: bool
) -> None:
    vendors.set_speed(3000)
    task = Task(vendors, launched, stored=stored)
    first = task.run()
    before = task.requests
    task.clear()
    again = task.run()
    assert (again.outcome, again.value) == ("success", first.value)
    reading = {"get_campaign", "list_campaigns", "find_campaigns"}
    assert all(before.get(name) == count for name, count in task.requests.items() if name not in reading)
    assert len(task.campaigns) == 1


@pytest.mark.parametrize("launched", ["kinbox", "altur", "koreai sms"])
@pytest.mark.parametrize("stored", [True, False])
def test_relaunch_launches_anew_after_a_clear_and_never_on_a_retry(
    vendors: Sandbox, launched: str, stored: bool
) -> None:
    vendors.set_speed(3000)
    task = Task(vendors, launched, stored=stored, relaunch=True)
    task.lose(endpoint="create_campaign", kind="reset")
    first = task.run()
    assert task.run().value == first.value
    for number in (2, 3):
        task.clear()
        task.lose(endpoint="create_campaign", kind="reset")
        anew = task.run()
        assert anew.outcome == "success"
        assert task.run().value == anew.value
        assert len(task.campaigns) == number


def test_a_clear_after_a_relaunch_goes_on_with_what_was_launched_last(vendors: Sandbox) -> None:
    vendors.set_speed(3000)
    task = Task(vendors, "kinbox")
    first = task.run()
    task.clear()
    second = task.run(relaunch=True)
    assert second.value != first.value
    # The first one was a mistake, which a person has removed.
    task.client().delete_campaign(first.value)
    task.clear()
    assert task.run().value == second.value
    assert len(task.campaigns) == 1


def test_other_retries_in_the_dag_are_not_taken_for_a_clear(vendors: Sandbox) -> None:
    task = Task(vendors, "kinbox", relaunch=True)
    first = task.run()
    assert task.run(retries=0).value == first.value
    assert len(task.campaigns) == 1


def test_relaunch_that_comes_into_the_dag_after_the_clear_launches_nothing_on_a_retry(vendors: Sandbox) -> None:
    task = Task(vendors, "kinbox")
    first = task.run()
    task.clear()
    assert task.run().value == first.value
    assert task.run(relaunch=True).value == first.value
    assert len(task.campaigns) == 1


# Contacts


@pytest.fixture
def many() -> list[dict[str, str]]:
    """As many contacts as a big campaign has."""
    return [{"contact": f"+52155{number:08d}"} for number in range(100_000)]


def test_a_crash_in_an_upload_of_100_000_rows_resumes_at_the_interrupted_batch(
    vendors: Sandbox, many: list[dict[str, str]]
) -> None:
    task = Task(vendors, "altur", contacts=many)
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
    task = Task(vendors, "altur", contacts=MIXED)
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
    task = Task(vendors, "altur", contacts=MIXED[:1] * 3, if_duplicate="update")
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
    task = Task(vendors, "altur", contacts=MIXED, max_failed_contacts=most)
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
    task = Task(vendors, "altur", contacts=MIXED)
    task.run()
    task.clear()
    assert task.run(max_failed_contacts=0).outcome == "success"


@pytest.mark.parametrize("most", [-1, float("nan")])
def test_a_share_that_is_none_is_refused_when_the_dag_is_parsed(most: float) -> None:
    with pytest.raises(InvalidRequest, match="max_failed_contacts must be"):
        operator_of("altur", max_failed_contacts=most)


def test_broken_rows_that_may_be_left_out_are_told_in_the_receipt(vendors: Sandbox) -> None:
    contacts = [{"name": "without a number"}, *MIXED]
    ended = Task(vendors, "altur", contacts=contacts, max_broken_rows=1).run()
    assert ended.receipt is not None
    told = ended.receipt["contacts"]
    assert (told["created"], told["refused"], told["broken"]) == (2, 2, 1)
    assert told["broken_rows"] == [[0, "contact must be given: it is the phone number."]]
    assert [index for index, _ in told["refused_rows"]] == [2, 5]
    with pytest.raises(InvalidRequest, match="max_broken_rows must be a share below 1 or a count"):
        operator_of("altur", max_broken_rows=-1)


def test_contacts_that_cannot_be_read_to_the_end_send_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, "altur", contacts=[*MIXED, {"name": "without a number"}])
    ended = task.run()
    assert ended.error.startswith("CampaignRequestRefused: contacts, row 6: contact must be given")
    assert vendors.journal()["requests"] == []


# Answers that tell less


@every_launch
def test_a_create_answer_without_a_status_is_no_obstacle(
    vendors: Sandbox, launched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Transport.call

    def without_status(transport: Transport, endpoint: Any, **request: Any) -> Any:
        answer = call(transport, endpoint, **request)
        if endpoint.method == "POST" and endpoint.path.endswith(("/campaigns", "/campaign")):
            for found in (answer.data, answer.data.get("campaign"), answer.data.get("data")):
                if isinstance(found, dict):
                    found.pop("status", None)
        return answer

    vendors.set_speed(3000)
    monkeypatch.setattr(Transport, "call", without_status)
    task = Task(vendors, launched)
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1
    if task.vendor != "kinbox":
        assert task.campaigns[0]["starts"] == 1


@pytest.mark.parametrize("activate", [True, False])
def test_a_status_that_is_not_known_leaves_the_campaign_alone_and_says_so(vendors: Sandbox, activate: bool) -> None:
    task = Task(vendors, "altur", activate=activate)
    task.run(death=Death(2, done=True))
    task.lose(kind="unknown_status", value="hibernating")
    ended = task.run()
    assert ended.error.startswith("LaunchOutcomeUnknown")
    assert "hibernating" in ended.error
    vendors.clear_faults()
    assert task.run().outcome == "success"
    assert task.campaigns[0]["contacts"] == ALTUR_CONTACTS
    assert task.campaigns[0]["starts"] == activate


# Two campaigns that carry the mark


@pytest.mark.parametrize(
    ("launched", "held"),
    [("kinbox", "paused"), ("altur", "inactive"), ("koreai sms", "Stopped"), ("koreai voice", "Stopped")],
)
@pytest.mark.parametrize("stored", [True, False])
def test_of_two_campaigns_with_the_mark_all_but_the_oldest_are_held_and_a_conflict_names_them(
    vendors: Sandbox, launched: str, held: str, stored: bool
) -> None:
    task = Task(vendors, launched, stored=stored)
    task.run(death=Death(1, done=True) if stored else None)
    client = task.client()
    marked = client.prepare(**operator_of(launched).given_fields()).marked(task.mark)
    made = [client.create(marked) for _ in range(2 if stored else 1)]
    vendors.set_speed(100)
    if task.vendor != "kinbox":
        begin = client.activate_campaign if task.vendor == "altur" else client.start_campaign
        if task.vendor == "altur":
            client.add_contacts(made[-1].id, LAUNCHES["altur"][1]["contacts"][:1000])
        else:
            at_vendor(vendors, "koreai")._campaigns[made[-1].id].ready_at = 0
        begin(made[-1].id)
    ended = task.run()
    assert ended.outcome == "failed"
    assert ended.error.startswith("LaunchConflict")
    oldest, later = task.campaigns
    assert f"campaign {oldest['id']} is the oldest" in ended.error
    assert re.search(rf"{later['id']} \((paused|stopped)\)", ended.error)
    assert later["status"] == held
    assert oldest["status"] not in ("paused", "inactive", "Stopped")


def test_a_later_draft_that_cannot_be_held_is_said_to_be_a_draft(vendors: Sandbox) -> None:
    task = Task(vendors, "altur")
    task.run(death=Death(1, done=True))
    client = task.client()
    for _ in range(2):
        client.create(client.prepare(**operator_of("altur").given_fields()).marked(task.mark))
    ended = task.run()
    assert ended.error.startswith("LaunchConflict")
    assert "1002 (a draft, not started)" in ended.error


@pytest.mark.parametrize("launched", ["kinbox", "koreai sms"])
def test_a_second_create_looks_until_the_list_shows_it_for_what_the_first_one_made(
    vendors: Sandbox, launched: str
) -> None:
    """The list lags longer than the first look: only the look after the second create can see what happened."""
    task = Task(vendors, launched, lookup_timeout=1.0)
    task.lose(kind="list_lag", seconds=1.2)
    assert task.run(death=Death(2, done=False)).outcome == "killed"
    ended = task.run()
    assert ended.error.startswith("LaunchConflict")
    assert len(task.campaigns) == 2
    assert all(str(one["id"]) in ended.error for one in task.campaigns)
    if launched != "kinbox":
        assert [one["starts"] for one in task.campaigns] == [0, 0]
    # A person has looked, and a clear goes on with the oldest.
    task.clear()
    assert task.run().value == str(task.campaigns[0]["id"])
    assert len(task.campaigns) == 2
    if launched != "kinbox":
        assert [one["starts"] for one in task.campaigns] == [1, 0]


@pytest.mark.parametrize("launched", ["kinbox", "koreai sms"])
def test_a_death_between_the_second_create_and_the_look_after_it_does_not_spare_the_look(
    vendors: Sandbox, launched: str
) -> None:
    vendors.set_speed(1)  # Kinbox begins to send by itself soon after the create.
    task = Task(vendors, launched, lookup_timeout=0.1)
    task.lose(kind="list_lag", seconds=60)
    assert task.run(death=Death(2, done=False)).outcome == "killed"
    assert task.run(death=Death(2, done=True)).outcome == "killed"
    vendors.clear_faults()
    ended = task.run()
    assert len(task.campaigns) == 2
    assert ended.error.startswith("LaunchConflict")
    assert sum(one["starts"] for one in task.campaigns) <= 1


# Dry run


@every_launch
@pytest.mark.parametrize("where", ["operator", "connection"])
def test_a_dry_run_sends_nothing_and_says_so_with_numbers_redacted(
    vendors: Sandbox,
    launched: str,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    task = Task(vendors, launched, **({"message": "Call +5215512345678"} if launched == "kinbox" else {}))
    if where == "connection":
        conn_id = f"{task.vendor}_default"
        connection = vendors.connections()[conn_id]
        connection["extra"] = {**connection.get("extra", {}), "dry_run": True}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    ended = task.run(**({"dry_run": True} if where == "operator" else {}))
    assert ended.outcome == "skipped"
    assert vendors.journal()["requests"] == []
    assert ended.receipt is not None
    assert ended.receipt["dry_run"] is True
    assert ended.receipt["id"] is None
    assert "campaign_launch" not in (task.values or {})
    printed = capfd.readouterr()
    said = f"{caplog.text}{printed.out}"
    assert "Dry run: nothing is sent" in said
    assert "Winter" in said
    assert not re.search(r"14155550100|5215512345678|52155\d{8}", f"{said}{ended}")


# The receipt


@every_launch
def test_the_receipt_is_the_extra_of_the_outlet_s_asset_event(vendors: Sandbox, launched: str) -> None:
    from airflow.providers.common.compat.sdk import Asset

    asset = Asset("campaign")
    task = Task(vendors, launched, outlets=[asset])
    ended = task.run()
    assert task.context["outlet_events"][asset].extra == ended.receipt
    assert ended.receipt is not None
    assert {"key", "mark", "vendor", "conn_id", "id", "name", "status", "meant_at", "launched_at"} <= set(ended.receipt)
    assert ended.receipt["name"] is not None


@every_launch
def test_a_deferred_launch_ends_with_the_receipt_and_what_the_trigger_saw(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, wait_until="finished", deferrable=True)
    ended = task.run()
    assert ended.trigger is not None
    assert ended.trigger[0] == "airflow_provider_campaigns.triggers.campaign.CampaignTrigger"
    campaign_id = str(task.campaigns[0]["id"])
    assert ended.trigger[1]["campaign_id"] == campaign_id
    seen = {"id": campaign_id, "name": "Winter", "status": "finished", "progress": 100.0, "counts": {}}
    event = {"reason": "met", "message": "It has finished", "campaign": seen}
    operator = operator_of(launched, **task.changes)
    assert operator.execute_complete(task.context, event) == campaign_id
    receipt = task.ti.xcoms["campaign"]
    assert receipt["status"] == "finished"
    assert receipt["mark"] == (ended.receipt or {})["mark"]


@every_launch
def test_adopted_means_found_rather_than_created_by_this_try(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched)
    task.run(death=Death(1, done=True))
    created = task.run().receipt or {}
    again = task.run().receipt or {}
    assert (created["adopted"], again["adopted"]) == (False, True)
    assert created["id"] == again["id"]


@every_launch
def test_what_could_not_be_remembered_is_still_in_the_receipt(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched)
    assert task.values is not None
    values = task.values

    class Gone(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            if key != "try" and key in self:
                raise RuntimeError("Airflow cannot be reached")
            super().__setitem__(key, value)

    # Airflow's API is gone after the first write.
    task.values = Gone(values)
    ended = task.run()
    assert ended.outcome == "retry"
    assert ended.receipt is not None
    assert ended.receipt["id"] == str(task.campaigns[0]["id"])
    task.values = dict(task.values)
    assert task.run().value == ended.receipt["id"]
    assert len(task.campaigns) == 1
