"""What is Paloma's own, and that the generic operators, sensors and messages know it without an edit of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task
from paloma.hook import PalomaHook
from paloma.operators import PalomaCampaignSensor, PalomaCreateCampaignOperator

from airflow_provider_campaigns.api.errors import Conflict, InvalidRequest, UnsupportedAction
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.operators.campaign import GetCampaignOperator, PauseCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import event_of
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of, run_try

FIELDS: dict[str, Any] = {"name": "Winter", "text": "Sale", "phone_numbers": ["+5215512345678", "+5215512345679"]}


@pytest.fixture
def context() -> Any:
    return context_of(TaskInstance(), None)


def test_the_sandbox_serves_paloma_beside_the_others(campaign_sandbox: Sandbox) -> None:
    assert {"kinbox_default", "paloma_default"} <= set(campaign_sandbox.connections())
    works, said = PalomaHook().test_connection()
    assert works
    assert f"Paloma accepts the key at {campaign_sandbox.base_url('paloma')}; the account has no campaign yet." in said


def test_a_connection_of_type_paloma_leads_to_its_hook(campaign_sandbox: Sandbox) -> None:
    assert isinstance(CampaignHook.of_connection("paloma_default"), PalomaHook)


def test_a_connection_of_another_type_is_refused_with_a_list_that_names_paloma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "generic", "host": "example.com"}))
    with pytest.raises(InvalidRequest, match=r"'other'.*paloma"):
        CampaignHook.of_connection("other")


def test_a_create_answer_holds_an_id_alone_and_the_name_is_the_one_that_was_sent(campaign_sandbox: Sandbox) -> None:
    created = PalomaHook().create_campaign(**FIELDS)
    assert (created.name, created.status, created.vendor_status) == ("Winter", CampaignStatus.UNKNOWN, None)


def test_starting_what_is_started_is_a_conflict(campaign_sandbox: Sandbox) -> None:
    hook = PalomaHook()
    campaign_id = hook.create_campaign(**FIELDS).id
    assert hook.start_campaign(campaign_id).status is CampaignStatus.RUNNING
    with pytest.raises(Conflict, match="Only a draft can be started"):
        hook.start_campaign(campaign_id)


def test_the_list_is_walked_to_its_last_page_each_campaign_once(campaign_sandbox: Sandbox) -> None:
    hook = PalomaHook()
    made = [hook.create_campaign(**FIELDS).id for _ in range(23)]
    assert [campaign.id for campaign in hook.list_campaigns()] == made[::-1]


def test_a_text_that_is_too_long_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(InvalidRequest, match="Task 'create': text must have at most 480 characters"):
        PalomaCreateCampaignOperator(task_id="create", **{**FIELDS, "text": "x" * 481})


def test_its_actions_and_what_it_lacks(campaign_sandbox: Sandbox, context: Any) -> None:
    campaign_sandbox.set_speed(1)
    hook = PalomaHook()
    campaign_id = hook.create_campaign(**FIELDS).id
    hook.start_campaign(campaign_id)
    given = {"conn_id": "paloma_default", "campaign_id": campaign_id}
    assert PauseCampaignOperator(task_id="pause", **given).execute(context)["status"] == "paused"
    assert GetCampaignOperator(task_id="get", **given).execute(context)["vendor_status"] == "paused"
    with pytest.raises(UnsupportedAction, match="Paloma has no resume; resume the campaign on Paloma's own pages"):
        hook.resume_campaign(campaign_id)


def test_its_sensor_defers_and_judges_what_paloma_counts(campaign_sandbox: Sandbox, context: Any) -> None:
    launch = PalomaCreateCampaignOperator(task_id="create", wait_until="finished", deferrable=True, **FIELDS)
    ended = run_try(launch, context)
    assert ended.trigger is not None
    event = event_of((ended.trigger[0], {**ended.trigger[1], "poll_interval": 0.05}))
    campaign_id = launch.execute_complete(context, event)
    sensor = PalomaCampaignSensor(task_id="wait", campaign_id=campaign_id, max_failed_ratio=0.1)
    result = sensor.execute(context)
    assert (result["status"], result["counts"]) == ("finished", {"contacts": 2, "sent": 2, "failed": 0})
    with pytest.raises(InvalidRequest, match="min_delivered_ratio"):
        PalomaCampaignSensor(task_id="wait", campaign_id=campaign_id, min_delivered_ratio=0.5)


def test_the_decorator_launches_what_a_function_returns(campaign_sandbox: Sandbox, context: Any) -> None:
    def launch() -> dict[str, Any]:
        return FIELDS

    operator = task.paloma_campaign(task_id="create")(launch)().operator
    operator.render_template_fields(context)
    assert run_try(operator, context).outcome == "success"
    assert str(operator.phone_numbers) == "<2 contacts>"
    assert [one["starts"] for one in campaign_sandbox.journal("paloma")["campaigns"]] == [1]


def test_parsing_a_dag_imports_no_http_library_and_no_test_kit() -> None:
    code = "import paloma.operators, sys; print([n for n in sys.modules if n in ('requests', 'pytest', 'starlette')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
