"""What a ramp makes of its arguments when a DAG file is parsed: stages, tasks, and refusals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowOptionalProviderFeatureException

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator
from airflow_provider_campaigns.operators.contact_lists import KoreAICreateContactListOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.operators.ramp import JudgeStageOperator
from airflow_provider_campaigns.ramps import RampStage, RampWarning, campaign_ramp
from airflow_provider_campaigns.testing.airflow_since import airflow_has, needs

CALL = {"name": "Winter", "agent_id": "a1", "integration_id": "i1", "integration_type": "phone_call"}


@pytest.fixture
def dag() -> Iterator[DAG]:
    with DAG("ramps", schedule=None) as dag:
        yield dag


def audience(vendor: str = "altur", **changes: Any) -> PrepareAudienceOperator:
    given = {"source": "list.csv", "output": "audience", "shares": [5, 25, 100], **changes}
    return PrepareAudienceOperator(task_id="audience", vendor=vendor, **given)


def ramp(**changes: Any) -> Any:
    given = {"create": AlturCreateCampaignOperator, "arguments": CALL, "max_failed_ratio": 0.05, **changes}
    if "audience" not in given:
        given["audience"] = audience()
    return campaign_ramp(**given)


def sms(stage: RampStage) -> dict[str, Any]:
    """Return the arguments of a stage's SMS campaign, whose contact list a task of the stage fills."""
    people = KoreAICreateContactListOperator(task_id="list", name=f"Winter {stage}", contacts=stage.path)
    return {
        "name": f"Winter {stage}",
        "description": "Winter",
        "contact_lists": [people.output["name"]],
        "dialing_strategy": "{{ params.dialing }}",
    }


def test_each_stage_is_a_group_with_its_own_tasks_and_waits_for_the_one_before(dag: DAG) -> None:
    group = ramp()
    assert list(group.children) == ["ramp.stage_1", "ramp.stage_2", "ramp.stage_3"]
    assert not airflow_has("names of task groups for people") or [
        child.group_display_name for child in group.children.values()
    ] == [
        "Stage 1: up to 5 %",
        "Stage 2: up to 25 %",
        "Stage 3: up to 100 %",
    ]
    assert dag.get_task("ramp.stage_1.enter").upstream_task_ids == {"audience"}
    assert dag.get_task("ramp.stage_2.enter").upstream_task_ids == {"audience", "ramp.stage_1.judge"}
    assert dag.get_task("ramp.stage_2.launch").upstream_task_ids == {"ramp.stage_2.enter"}
    assert dag.get_task("ramp.stage_2.judge").upstream_task_ids == {"ramp.stage_2.launch"}


def test_a_stage_gets_its_slice_its_name_and_a_brake(dag: DAG) -> None:
    ramp(min_sample=80)
    launch: Any = dag.get_task("ramp.stage_2.launch")
    assert launch.name == "Winter, stage 2"
    assert launch.contacts == "{{ ti.xcom_pull(task_ids='ramp.stage_2.enter')['path'] }}"
    assert (launch.wait_until, launch.brake, launch.min_sample) == ("finished", 0.05, 80)
    assert launch.terms().gates.of_sample


@needs("ApprovalOperator")
def test_where_failures_ask_a_person_no_brake_decides_before(dag: DAG) -> None:
    ramp(on_fail="ask")
    assert dag.get_task("ramp.stage_1.launch").brake is None


def test_arguments_of_the_launch_come_before_those_of_the_ramp(dag: DAG) -> None:
    ramp(arguments={**CALL, "wait_until": "sent", "brake": None})
    launch: Any = dag.get_task("ramp.stage_1.launch")
    assert (launch.wait_until, launch.brake) == ("sent", None)


def test_test_contacts_of_the_audience_are_the_first_stage(dag: DAG) -> None:
    group = ramp(audience=audience(test_contacts=["+5511999990000"]), on_inconclusive="go")
    assert list(group.children)[:2] == ["ramp.test", "ramp.stage_1"]
    launch: Any = dag.get_task("ramp.test.launch")
    assert launch.name == "Winter, test"


def test_an_audience_whose_shares_are_known_only_when_it_runs_gets_so_many_stages(dag: DAG) -> None:
    late = audience(shares="{{ params.shares }}")
    with pytest.raises(InvalidRequest, match="known only when it runs"):
        ramp(group_id="late", audience=late)
    assert len(ramp(audience=late, stages=4).children) == 4
    assert dag.get_task("ramp.stage_1.enter").shares is None


def test_what_an_audience_returned_is_as_good_as_its_task(dag: DAG) -> None:
    assert len(ramp(audience=audience().output).children) == 3


def test_a_function_may_make_tasks_of_the_stage_that_run_before_its_launch(dag: DAG) -> None:
    with pytest.warns(RampWarning):
        ramp(create=KoreAICreateCampaignOperator, arguments=sms, audience=audience("koreai"))
    assert dag.get_task("ramp.stage_2.list").upstream_task_ids == {"ramp.stage_2.enter"}
    assert "ramp.stage_2.list" in dag.get_task("ramp.stage_2.launch").upstream_task_ids


def test_a_vendor_that_tells_no_failures_is_warned_of_and_has_no_brake(dag: DAG) -> None:
    with pytest.warns(RampWarning, match="Kore.ai gives no figures for failed, so that every verdict is inconclusive"):
        ramp(create=KoreAICreateCampaignOperator, arguments=sms, audience=audience("koreai"))
    assert dag.get_task("ramp.stage_1.launch").brake is None


def test_a_vendor_that_tells_failures_is_not_warned_of(dag: DAG) -> None:
    with warnings.catch_warnings(action="error", category=RampWarning):
        ramp()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"arguments": {**CALL, "contacts": "list.csv"}}, "contacts comes from the stage"),
        ({"arguments": {**CALL, "task_id": "mine"}}, "arguments has 'task_id', which the ramp decides"),
        ({"arguments": {**CALL, "wait_until": None}}, "only begun"),
        ({"arguments": {**CALL, "max_failed_ratio": 0.1}}, "arguments has 'max_failed_ratio'"),
        ({"shares": [5, 25, 100], "stages": 3}, "shares or stages"),
        ({"shares": [25, 5, 100]}, "each above the one before"),
        ({"stages": 0}, "a whole number from 1"),
        ({"max_failed_ratio": 0.0}, "between 0 and 1"),
        ({"max_failed_ratio": 1}, "ambiguous"),
        ({"max_ratios": {"failed": 0.1}}, "max_failed_ratio"),
        ({"max_ratios": {"calls": 0.1}}, "no limit for 'calls'"),
        ({"min_ratios": {"answered": "many"}}, r"min_ratios\['answered'\]"),
        ({"on_fail": "go"}, "on_fail must be one of stop, ask"),
        ({"on_inconclusive": "maybe"}, "on_inconclusive must be one of stop, ask, go"),
        ({"settle": -1}, "settle must be seconds"),
        ({"test_contacts": True}, "would always stop after them"),
        ({"approval": {"body": "Winter"}}, "approval is for"),
        ({"create": KinboxCreateCampaignOperator, "arguments": {"name": "Winter"}}, "takes no contacts"),
        (
            {"create": KinboxCreateCampaignOperator, "arguments": lambda stage: {"name": f"Winter, {stage}"}},
            "would reach the same people twice",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_file_is_parsed(dag: DAG, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        ramp(**changes)


def test_asking_needs_an_airflow_with_approvals(dag: DAG) -> None:
    if airflow_has("ApprovalOperator"):
        ramp(on_inconclusive="ask", approval={"body": "Winter, in stages."})
        assert dag.get_task("ramp.stage_1.judge").can_ask
    else:
        with pytest.raises(AirflowOptionalProviderFeatureException):
            ramp(on_inconclusive="ask")


def test_a_judge_that_cannot_ask_refuses_to() -> None:
    with pytest.raises(InvalidRequest, match="ApproveStageOperator"):
        JudgeStageOperator(
            task_id="judge", enter_task_id="e", launch_task_id="l", max_failed_ratio=0.1, on_inconclusive="ask"
        )
