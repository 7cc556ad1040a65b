"""What a launch promises besides happening once: each promise in words, against the sandbox, in this process."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from under_test import ALTUR, ALTUR_CONTACTS, KINBOX, KOREAI_SMS, KOREAI_VOICE, VENDORS

from airflow_provider_campaigns import exceptions
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.transport import Transport
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Death, Task, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.look_ups import CREATE_LOST, MARK
from airflow_provider_campaigns.testing.conformance.worker import context_of, run_try

every_launch = pytest.mark.parametrize("launched", VENDORS)

# The mark


@pytest.mark.parametrize("launched", [KOREAI_SMS, KOREAI_VOICE])
def test_the_mark_keeps_within_the_vendor_s_limit_and_a_longer_text_is_refused_when_the_dag_is_parsed(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    room = 256 - len("[airflow 0123456789ab-012345]") - 1
    task = Task(vendors, launched, description="x" * room)
    assert task.run().outcome == "success"
    assert len(task.campaigns[0]["description"]) == 256
    with pytest.raises(InvalidRequest, match=f"at most {room} characters; it has {room + 1}.*is for the mark"):
        launched.build(description="x" * (room + 1))


@pytest.mark.parametrize("change", [str.lower, str.upper, str.strip, lambda text: f" {text}  "])
@every_launch
def test_the_campaign_is_found_though_the_vendor_trims_or_lower_cases(
    vendors: Sandbox, launched: VendorUnderTest, change: Callable[[str], str]
) -> None:
    task = Task(vendors, launched)
    task.run(death=Death(2, done=False))
    task.forget_keys()
    kept = next(iter(_campaigns_inside(vendors, task.vendor)))
    fields, name = _marked(kept)
    fields[name] = change(fields[name])
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


def at_vendor(vendors: Sandbox, name: str) -> Any:
    """Return a vendor's inside, to change what its API does not."""
    return next(vendor for vendor in vendors.app.vendors if vendor.name == name)


def _campaigns_inside(vendors: Sandbox, vendor: str) -> list[Any]:
    kept = at_vendor(vendors, vendor).campaigns
    return list(kept.values()) if isinstance(kept, dict) else kept


def _marked(campaign: Any) -> tuple[dict[str, Any], str]:
    """Return where a campaign of the sandbox keeps its marked field."""
    if hasattr(campaign, "body"):
        return campaign.body, "description"
    return (campaign.fields, "description") if hasattr(campaign, "fields") else (campaign.given, "name")


# The Idempotency-Key


def test_altur_gets_one_idempotency_key_for_the_create_and_each_batch_kept_across_retries_and_tries(
    vendors: Sandbox,
) -> None:
    task = Task(vendors, ALTUR, batches_in_flight=1)
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


@pytest.mark.parametrize("endpoint", ["list_campaigns", "find_campaigns"])
def test_a_look_up_that_fails_names_the_mark_and_creates_nothing(vendors: Sandbox, endpoint: str) -> None:
    task = Task(vendors, KINBOX)
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
    task = Task(vendors, KINBOX)
    task.lose(endpoint="find_campaigns", kind="error", status=500, times=None)
    task.lose(**CREATE_LOST)
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@every_launch
def test_without_a_store_a_clear_finds_the_campaign_however_long_ago_it_was_launched(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    task = Task(vendors, launched, stored=False)
    assert task.run().outcome == "success"
    task.forget_keys()
    weeks = timedelta(weeks=3)
    task.run_after -= weeks
    for campaign in _campaigns_inside(vendors, task.vendor):
        campaign.created_at -= weeks.total_seconds()
    task.clear()
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@every_launch
def test_an_airflow_that_does_not_tell_when_the_run_was_due_looks_through_all_there_is(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    task = Task(vendors, launched, stored=False)
    assert task.run().outcome == "success"
    task.forget_keys()
    for campaign in _campaigns_inside(vendors, task.vendor):
        campaign.created_at -= timedelta(weeks=300).total_seconds()
    task.clear()
    operator = launched.build(**task.changes)
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
        (KINBOX, {"name": "Spring", "message": "Hello +5215512345678"}, "message, name"),
        (ALTUR, {"first_message": "Spring"}, "first_message"),
        (ALTUR, {"contacts": [{"contact": "+5215512345678"}]}, "contacts"),
        (KOREAI_SMS, {"message": "Spring"}, "message"),
        (KOREAI_VOICE, {"experience_flow_name": "Spring"}, "experienceFlowName"),
        (KINBOX, {"conn_id": "other"}, "conn_id"),
    ],
)
@pytest.mark.parametrize("death", [Death(1, done=True), Death(2, done=True)])
def test_a_payload_that_changed_between_tries_is_a_conflict_that_names_the_fields_and_no_values(
    vendors: Sandbox,
    launched: VendorUnderTest,
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


def test_a_refusal_after_an_answer_was_lost_forgets_nothing(vendors: Sandbox) -> None:
    task = Task(vendors, KINBOX, lookup_timeout=0.05)
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
        (KINBOX, lambda client, one: client.update_campaign(one, extra_fields={"status": "canceled"}), "canceled"),
        (KOREAI_SMS, lambda client, one: client.stop_campaign(one), "canceled"),
        (KOREAI_VOICE, lambda client, one: client.stop_campaign(one), "canceled"),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_a_campaign_found_failed_or_canceled_is_reported_and_never_replaced_or_started_again(
    vendors: Sandbox, launched: VendorUnderTest, do: Callable[[Any, str], Any], status: str, stored: bool
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


@pytest.mark.parametrize("launched", [KINBOX, ALTUR])
@pytest.mark.parametrize("stored", [True, False])
def test_what_a_person_paused_is_not_started_again(vendors: Sandbox, launched: VendorUnderTest, stored: bool) -> None:
    task = Task(vendors, launched, stored=stored)
    # The start happened, but the try died before it could remember it.
    task.run(death=Death(launched.writes_before(launched.steps[-1]) + 1, done=False))
    task.client().pause_campaign(str(task.campaigns[0]["id"]))
    ended = task.run()
    assert ended.outcome == "success"
    assert ended.receipt is not None
    assert ended.receipt["status"] == "paused"
    assert task.campaigns[0]["status"] in ("paused", "inactive")


def test_a_half_filled_campaign_that_a_person_started_is_a_conflict(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR)
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
    task = Task(vendors, ALTUR)
    first = task.run()
    assert task.values is not None
    del task.values["campaign_launch"]
    task.clear()
    assert task.run(death=Death(1, done=True)).outcome == "killed"
    assert task.run().value == first.value
    assert len(task.campaigns) == 1


def test_a_draft_that_a_person_archived_is_not_started(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR)
    task.run(death=Death(4, done=True))
    task.client().archive_campaign(str(task.campaigns[0]["id"]))
    ended = task.run()
    assert ended.error.startswith("CampaignFailed")
    assert "archived" in ended.error
    assert task.campaigns[0]["starts"] == 0


def test_a_campaign_that_was_archived_after_it_was_launched_is_still_the_one_that_a_clear_finds(
    vendors: Sandbox,
) -> None:
    task = Task(vendors, ALTUR, stored=False)
    ended = task.run()
    task.client().archive_campaign(ended.value)
    task.clear()
    assert task.run().value == ended.value
    assert len(task.campaigns) == 1


# Clearing and launching anew


def test_a_clear_after_a_relaunch_goes_on_with_what_was_launched_last(vendors: Sandbox) -> None:
    vendors.set_speed(3000)
    task = Task(vendors, KINBOX)
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
    task = Task(vendors, KINBOX, relaunch=True)
    first = task.run()
    assert task.run(retries=0).value == first.value
    assert len(task.campaigns) == 1


def test_relaunch_that_comes_into_the_dag_after_the_clear_launches_nothing_on_a_retry(vendors: Sandbox) -> None:
    task = Task(vendors, KINBOX)
    first = task.run()
    task.clear()
    assert task.run().value == first.value
    assert task.run(relaunch=True).value == first.value
    assert len(task.campaigns) == 1


# Answers that tell less


@every_launch
def test_a_create_answer_without_a_status_is_no_obstacle(
    vendors: Sandbox, launched: VendorUnderTest, monkeypatch: pytest.MonkeyPatch
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
    if not launched.starts_by_itself:
        assert task.campaigns[0]["starts"] == 1


@pytest.mark.parametrize("activate", [True, False])
def test_a_status_that_is_not_known_leaves_the_campaign_alone_and_says_so(vendors: Sandbox, activate: bool) -> None:
    task = Task(vendors, ALTUR, activate=activate)
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


def _begins_by_itself(vendors: Sandbox, client: Any, campaign_id: str) -> None:
    """Leave a campaign to its vendor, which starts it."""


def _begin_at_altur(vendors: Sandbox, client: Any, campaign_id: str) -> None:
    client.add_contacts(campaign_id, ALTUR.arguments["contacts"][:1000])
    client.activate_campaign(campaign_id)


def _begin_at_koreai(vendors: Sandbox, client: Any, campaign_id: str) -> None:
    at_vendor(vendors, "koreai").campaigns[campaign_id].ready_at = 0
    client.start_campaign(campaign_id)


@pytest.mark.parametrize(
    ("launched", "begin", "held"),
    [
        (KINBOX, _begins_by_itself, "paused"),
        (ALTUR, _begin_at_altur, "inactive"),
        (KOREAI_SMS, _begin_at_koreai, "Stopped"),
        (KOREAI_VOICE, _begin_at_koreai, "Stopped"),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_of_two_campaigns_with_the_mark_all_but_the_oldest_are_held_and_a_conflict_names_them(
    vendors: Sandbox,
    launched: VendorUnderTest,
    begin: Callable[[Sandbox, Any, str], None],
    held: str,
    stored: bool,
) -> None:
    task = Task(vendors, launched, stored=stored)
    task.run(death=Death(1, done=True) if stored else None)
    client = task.client()
    marked = client.prepare(**launched.build().given_fields()).marked(task.mark)
    made = [client.create(marked) for _ in range(2 if stored else 1)]
    vendors.set_speed(100)
    begin(vendors, client, made[-1].id)
    ended = task.run()
    assert ended.outcome == "failed"
    assert ended.error.startswith("LaunchConflict")
    oldest, later = task.campaigns
    assert f"campaign {oldest['id']} is the oldest" in ended.error
    assert re.search(rf"{later['id']} \((paused|stopped)\)", ended.error)
    assert later["status"] == held
    assert oldest["status"] not in ("paused", "inactive", "Stopped")


def test_a_later_draft_that_cannot_be_held_is_said_to_be_a_draft(vendors: Sandbox) -> None:
    task = Task(vendors, ALTUR)
    task.run(death=Death(1, done=True))
    client = task.client()
    for _ in range(2):
        client.create(client.prepare(**ALTUR.build().given_fields()).marked(task.mark))
    ended = task.run()
    assert ended.error.startswith("LaunchConflict")
    assert "1002 (a draft, not started)" in ended.error
