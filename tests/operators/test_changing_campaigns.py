"""Updates, schedules, archiving and deleting of campaigns that exist, against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from acted_upon import DIALING, act, altur_campaign, koreai_campaign
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignOutcomeUnknown, CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.launch.intent import Intent, signs_in
from airflow_provider_campaigns.operators.campaign import (
    ArchiveCampaignOperator,
    DeleteCampaignOperator,
    PauseCampaignOperator,
    StartCampaignOperator,
)
from airflow_provider_campaigns.operators.schedules import KoreAIDisableScheduleOperator, KoreAIEnableScheduleOperator
from airflow_provider_campaigns.operators.updates import (
    AlturUpdateCampaignOperator,
    KinboxUpdateCampaignOperator,
    KoreAIUpdateCampaignOperator,
    UpdateCampaignOperator,
)
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

MARK = Intent("3f2a" * 16, {}).mark
SMS: dict[str, Any] = {
    "name": "W",
    "description": "For March",
    "contact_lists": ["Sandbox contacts"],
    "message": "Hello again",
    "dialing_strategy": DIALING,
}
IN_A_DAY = datetime.now(UTC) + timedelta(days=1)
SPAN = {"runs_from": IN_A_DAY, "runs_until": (IN_A_DAY + timedelta(days=30)).isoformat(), "every": 2}


@pytest.fixture(autouse=True)
def slow_vendors(campaign_sandbox: Sandbox) -> None:
    """Let campaigns run long enough to be acted upon."""
    campaign_sandbox.set_speed(1)


def run(operator: Any, try_number: int = 1, **given: Any) -> Any:
    return operator(task_id="act", **given).execute(context_of(TaskInstance(try_number=try_number), None))


def asked(sandbox: Sandbox, vendor: str) -> list[str]:
    return [request["endpoint"] for request in sandbox.journal(vendor)["requests"]]


def lose_the_answer(sandbox: Sandbox, vendor: str, endpoint: str) -> None:
    """Have one request take effect, and its answer get lost."""
    sandbox.order_fault(vendor=vendor, endpoint=endpoint, kind="reset")


# Updates


def test_a_campaign_of_each_vendor_is_changed() -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    changed = run(
        UpdateCampaignOperator, campaign_id=campaign_id, conn_id="kinbox_default", changes={"track_max_hours": 24}
    )
    assert changed["id"] == campaign_id
    assert KinboxHook().get_campaign(campaign_id).raw["trackMaxHours"] == 24
    campaign_id = altur_campaign()
    run(AlturUpdateCampaignOperator, campaign_id=campaign_id, changes={"name": "V", "retries": "3"})
    assert AlturHook().get_campaign(campaign_id).name == "V"
    campaign_id = koreai_campaign()
    run(KoreAIUpdateCampaignOperator, campaign_id=campaign_id, changes={**SMS, "name": "V"})
    assert KoreAIHook().get_campaign(campaign_id).name == "V"


@pytest.mark.parametrize("vendor", ["kinbox", "altur", "koreai"])
def test_the_mark_that_a_launch_is_found_by_outlives_a_change_of_the_text_that_holds_it(vendor: str) -> None:
    hook: Any = {"kinbox": KinboxHook, "altur": AlturHook, "koreai": KoreAIHook}[vendor]()
    client = hook.get_conn()
    fields = {
        "kinbox": {"name": "W"},
        "altur": {"name": "W", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"},
        "koreai": SMS,
    }[vendor]
    campaign = client.create(client.prepare(**fields).marked(MARK))
    changes = {**(SMS if vendor == "koreai" else {}), client.marked_field: "Another text"}
    run(UpdateCampaignOperator, campaign_id=campaign.id, conn_id=f"{vendor}_default", changes=changes)
    found = client.find_marked(MARK, since=datetime.now(UTC) - timedelta(days=1))
    assert [one.id for one in found] == [campaign.id]
    assert client.marked_text(found[0]) == f"Another text {MARK}"
    # Handing the text over as it was read changes nothing.
    changes[client.marked_field] = client.marked_text(found[0])
    run(UpdateCampaignOperator, campaign_id=campaign.id, conn_id=f"{vendor}_default", changes=changes)
    assert signs_in(client.marked_text(client.get_campaign(campaign.id))) == signs_in(MARK)


@pytest.mark.parametrize(
    ("operator", "changes", "told"),
    [
        (KinboxUpdateCampaignOperator, {"status": "done"}, "status is not a field"),
        (KinboxUpdateCampaignOperator, {"chunk_size": "many", "name": "{{ run_id }}"}, "chunk_size must be"),
        (AlturUpdateCampaignOperator, {"agent_id": "b"}, "agent_id cannot change"),
        (AlturUpdateCampaignOperator, {"scheduling": {"monday": {}}}, "scheduling must hold days only"),
        (KoreAIUpdateCampaignOperator, {"priority": 9}, "priority must be"),
        (UpdateCampaignOperator, {}, "changes must hold at least one field"),
    ],
)
def test_a_change_that_the_vendor_does_not_take_is_refused_when_the_dag_is_parsed(
    operator: Any, changes: Any, told: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'act': {told}"):
        operator(task_id="act", campaign_id="1", conn_id="kinbox_default", changes=changes)
    with pytest.raises(InvalidRequest, match=f"Task 'act': {told}"):
        operator.partial(task_id="act", conn_id="kinbox_default", changes=changes)


def test_a_change_that_only_the_connection_shows_to_be_wrong_is_refused_before_the_first_request(
    campaign_sandbox: Sandbox,
) -> None:
    with pytest.raises(CampaignRequestRefused, match="message_limit is not a field"):
        run(UpdateCampaignOperator, campaign_id="1", conn_id="kinbox_default", changes={"message_limit": 5})
    with pytest.raises(CampaignRequestRefused, match=r"altur_default.*kinbox"):
        run(KinboxUpdateCampaignOperator, campaign_id="1", conn_id="altur_default", changes={"active": False})
    assert campaign_sandbox.journal()["requests"] == []


def test_a_change_whose_answer_was_lost_is_not_made_again_by_itself(campaign_sandbox: Sandbox) -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    lose_the_answer(campaign_sandbox, "kinbox", "update_campaign")
    with pytest.raises(CampaignOutcomeUnknown):
        run(KinboxUpdateCampaignOperator, campaign_id=campaign_id, changes={"active": False})
    assert asked(campaign_sandbox, "kinbox").count("update_campaign") == 1


# Archiving and deleting


def test_an_altur_campaign_is_archived_and_a_launch_still_finds_it() -> None:
    campaign_id = altur_campaign()
    assert act(ArchiveCampaignOperator, "altur_default", campaign_id)["id"] == campaign_id
    assert AlturHook().get_campaign(campaign_id).raw["archived"]
    assert campaign_id in [one.id for one in AlturHook().get_conn().list_campaigns(archived=True)]


@pytest.mark.parametrize("vendor", ["kinbox", "koreai"])
def test_a_campaign_is_deleted_and_told_as_it_was(vendor: str, campaign_sandbox: Sandbox) -> None:
    campaign_id = koreai_campaign() if vendor == "koreai" else KinboxHook().create_campaign(name="W").id
    deleted = act(DeleteCampaignOperator, f"{vendor}_default", campaign_id)
    assert (deleted["id"], deleted["name"]) == (campaign_id, "W")
    assert campaign_sandbox.journal(vendor)["campaigns"] == []


@pytest.mark.parametrize("vendor", ["kinbox", "koreai"])
def test_a_deletion_whose_answer_was_lost_is_looked_at_and_a_second_try_finds_it_done(
    vendor: str, campaign_sandbox: Sandbox
) -> None:
    campaign_id = koreai_campaign() if vendor == "koreai" else KinboxHook().create_campaign(name="W").id
    lose_the_answer(campaign_sandbox, vendor, "delete_campaign")
    given = {"campaign_id": campaign_id, "conn_id": f"{vendor}_default"}
    assert run(DeleteCampaignOperator, **given)["id"] == campaign_id
    assert asked(campaign_sandbox, vendor).count("delete_campaign") == 1
    assert run(DeleteCampaignOperator, try_number=2, **given) == {"id": campaign_id}
    with pytest.raises(CampaignRequestFailed, match="not found"):
        run(DeleteCampaignOperator, **given)


@pytest.mark.parametrize(
    ("operator", "vendor", "held"),
    [(ArchiveCampaignOperator, "altur", "paused"), (DeleteCampaignOperator, "koreai", "canceled")],
)
def test_a_campaign_that_sends_is_not_put_out_of_sight_unless_it_is_held_first(
    operator: Any, vendor: str, held: str, campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign() if vendor == "altur" else koreai_campaign()
    act(StartCampaignOperator, f"{vendor}_default", campaign_id)
    with pytest.raises(CampaignRequestRefused, match=r"is running.*if_running='pause'.*Nothing was changed"):
        act(operator, f"{vendor}_default", campaign_id)
    assert not {"archive_campaign", "delete_campaign"} & set(asked(campaign_sandbox, vendor))
    put_away = run(operator, campaign_id=campaign_id, conn_id=f"{vendor}_default", if_running="pause")
    assert put_away["status"] == held


@pytest.mark.parametrize(
    ("operator", "conn_id", "advice"),
    [
        (ArchiveCampaignOperator, "kinbox_default", "Kinbox has no archive; use delete"),
        (ArchiveCampaignOperator, "koreai_default", "Kore.ai has no archive; use delete"),
        (DeleteCampaignOperator, "altur_default", "Altur has no delete; use archive"),
    ],
)
def test_what_a_vendor_lacks_is_refused_with_what_to_use_instead_and_without_a_request(
    operator: Any, conn_id: str, advice: str, campaign_sandbox: Sandbox
) -> None:
    with pytest.raises(CampaignRequestRefused, match=advice):
        act(operator, conn_id, "1")
    assert campaign_sandbox.journal()["requests"] == []


# Schedules


def test_a_schedule_is_switched_on_and_off() -> None:
    campaign_id = koreai_campaign()
    on = run(KoreAIEnableScheduleOperator, campaign_id=campaign_id, **SPAN)
    assert on["status"] == "scheduled"
    off = run(KoreAIDisableScheduleOperator, campaign_id=campaign_id)
    assert off["status"] == "draft"
    weekly = {**SPAN, "unit": "weeks", "weekdays": ["Mon", "Fri"]}
    assert run(KoreAIEnableScheduleOperator, campaign_id=campaign_id, **weekly)["status"] == "scheduled"


@pytest.mark.parametrize("operator", [KoreAIEnableScheduleOperator, KoreAIDisableScheduleOperator])
def test_a_schedule_is_refused_when_another_campaign_has_the_name(operator: Any, campaign_sandbox: Sandbox) -> None:
    campaign_id, other = koreai_campaign(), koreai_campaign()
    given = SPAN if operator is KoreAIEnableScheduleOperator else {}
    with pytest.raises(CampaignRequestRefused, match=f"has the name of {other}.*Nothing was changed"):
        run(operator, campaign_id=campaign_id, **given)
    assert "schedule_campaign" not in asked(campaign_sandbox, "koreai")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"runs_until": SPAN["runs_from"]}, "end must be after start"),
        ({"runs_from": "2030-01-01T09:00:00"}, "runs_from has no offset from UTC"),
        ({"weekdays": ["Mon"]}, "weekdays goes with"),
        ({"unit": "weeks"}, "weekdays must be at least one"),
        ({"unit": "months"}, "unit must be one of"),
        ({"every": 0}, "every must be"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_when_the_dag_is_parsed(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'act': {told}"):
        KoreAIEnableScheduleOperator(task_id="act", campaign_id="1", **{**SPAN, **wrong})


def test_a_schedule_whose_answer_was_lost_is_not_asked_for_again_by_itself(campaign_sandbox: Sandbox) -> None:
    campaign_id = koreai_campaign()
    lose_the_answer(campaign_sandbox, "koreai", "schedule_campaign")
    with pytest.raises(CampaignOutcomeUnknown):
        run(KoreAIEnableScheduleOperator, campaign_id=campaign_id, **SPAN)
    assert asked(campaign_sandbox, "koreai").count("schedule_campaign") == 1


def test_a_paused_campaign_is_put_away_as_it_is(campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign()
    for operator in (StartCampaignOperator, PauseCampaignOperator, ArchiveCampaignOperator):
        act(operator, "altur_default", campaign_id)
    assert asked(campaign_sandbox, "altur").count("pause_campaign") == 1


def test_a_dry_run_neither_pauses_nor_deletes_a_campaign_that_sends(
    campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = altur_campaign()
    AlturHook().start_campaign(campaign_id)
    connection = campaign_sandbox.connections()["altur_default"]
    connection["extra"] = {**connection.get("extra", {}), "dry_run": True}
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps(connection))
    with pytest.raises(AirflowSkipException, match="archive was not sent"):
        run(ArchiveCampaignOperator, conn_id="altur_default", campaign_id=campaign_id, if_running="pause")
    assert AlturHook().get_campaign(campaign_id).status.value == "running"
