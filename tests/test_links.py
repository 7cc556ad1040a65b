"""The link from a task to the campaign at the vendor."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.links import CampaignLink, push_link
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.campaign import GetCampaignOperator, StopCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor
from airflow_provider_campaigns.sensors.campaign import CampaignSensor


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> CampaignHook:
    """A connection's hook, with a console URL or none."""
    extra = {"console_url": request.param} if request.param else {}
    connection = {"conn_type": "kinbox", "password": "token", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps(connection))
    return KinboxHook()


@pytest.mark.parametrize(
    ("hook", "campaign_id", "url"),
    [
        ("https://app.example.com/c/{campaign_id}/report", "42", "https://app.example.com/c/42/report"),
        (
            "https://app.example.com/c?id={campaign_id}",
            "a/../b?x#y z",
            "https://app.example.com/c?id=a%2F..%2Fb%3Fx%23y%20z",
        ),
        ("https://app.example.com/campaigns", "42", None),
        (None, "42", None),
    ],
    indirect=["hook"],
)
def test_the_address_is_the_connection_s_with_the_id_in_its_place(
    hook: CampaignHook, campaign_id: str, url: str | None
) -> None:
    pushed: dict[str, Any] = {}
    context: Any = {"ti": SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))}
    push_link(context, hook, campaign_id)
    assert pushed == ({} if url is None else {CampaignLink().xcom_key: url})


@pytest.mark.parametrize("hook", ["https://app.example.com/c/{campaign_id}"], indirect=True)
def test_a_custom_xcom_backend_does_not_get_the_address_of_a_task_that_runs(
    hook: CampaignHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = pytest.importorskip(
        "airflow.sdk.execution_time.task_runner", reason="Airflow 2 reads links by the backend"
    )

    class ObjectStorage(runner.XCom):  # type: ignore[name-defined,misc]
        @staticmethod
        def serialize_value(*args: Any, **place: Any) -> str:
            return "file:///xcoms/a_path.json"

    told: list[Any] = []
    monkeypatch.setattr(runner, "XCom", ObjectStorage)
    monkeypatch.setattr(
        runner,
        "SUPERVISOR_COMMS",
        SimpleNamespace(send=lambda one: told.append(one) if hasattr(one, "map_index") else None),
        raising=False,
    )
    place = {"dag_id": "offers", "task_id": "create", "run_id": "today", "map_index": 0}
    ti = runner.RuntimeTaskInstance.model_construct(**place, task=SimpleNamespace(returns_dag_result=False))
    ti.xcom_push(key="campaign", value="42")
    push_link({"ti": ti}, hook, "42")  # type: ignore[typeddict-item]
    assert [one.map_index for one in told] == [0, 0]
    assert [one.value for one in told] == ["file:///xcoms/a_path.json", "https://app.example.com/c/42"]


@pytest.mark.parametrize("hook", ["javascript:alert(1)", "app.example.com/{campaign_id}"], indirect=True)
def test_an_address_that_is_none_of_the_web_makes_no_link_and_keeps_no_launch_from_its_way(hook: CampaignHook) -> None:
    assert hook.console_url("42") is None
    assert hook.get_conn()
    worked, message = hook.test_connection()
    assert not worked
    assert "'console_url' in its extra must be" in message


@pytest.mark.parametrize(
    "operator",
    [
        AlturCreateCampaignOperator,
        KinboxCreateCampaignOperator,
        KoreAICreateCampaignOperator,
        CampaignSensor,
        AlturCampaignSensor,
        GetCampaignOperator,
        StopCampaignOperator,
    ],
)
def test_every_task_about_one_campaign_has_the_link(operator: Any) -> None:
    assert [link.name for link in operator.operator_extra_links] == ["Campaign"]


def test_airflow_2_finds_the_link_s_class_in_the_provider_info() -> None:
    assert get_provider_info()["extra-links"] == [f"{CampaignLink.__module__}.{CampaignLink.__qualname__}"]
