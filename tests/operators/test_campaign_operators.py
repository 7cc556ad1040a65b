"""The operators on campaigns that exist, against the sandbox."""

import json
from typing import Any

import pytest
from acted_upon import act, altur_campaign, koreai_campaign
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.operators.campaign import (
    GetCampaignOperator,
    ListCampaignsOperator,
    PauseCampaignOperator,
    ResumeCampaignOperator,
    StartCampaignOperator,
    StopCampaignOperator,
)
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(autouse=True)
def slow_vendors(campaign_sandbox: Sandbox) -> None:
    """Let campaigns run long enough to be acted upon."""
    campaign_sandbox.set_speed(1)


def test_an_altur_campaign_is_started_paused_and_resumed() -> None:
    campaign_id = altur_campaign()
    states = [
        act(operator, "altur_default", campaign_id)["status"]
        for operator in (StartCampaignOperator, PauseCampaignOperator, ResumeCampaignOperator, GetCampaignOperator)
    ]
    assert states == ["running", "paused", "running", "running"]


def test_a_kinbox_campaign_is_paused_and_resumed() -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    assert act(PauseCampaignOperator, "kinbox_default", campaign_id)["status"] == "paused"
    assert act(ResumeCampaignOperator, "kinbox_default", campaign_id)["status"] != "paused"


def test_a_koreai_campaign_is_started_and_stopped() -> None:
    campaign_id = koreai_campaign()
    assert act(StartCampaignOperator, "koreai_default", campaign_id)["status"] == "running"
    assert act(StopCampaignOperator, "koreai_default", campaign_id)["status"] == "canceled"


@pytest.mark.parametrize(
    ("operator", "conn_id", "advice"),
    [
        (StartCampaignOperator, "kinbox_default", "Kinbox has no start; .*by itself"),
        (StopCampaignOperator, "kinbox_default", "Kinbox has no stop; use pause, or delete"),
        (StopCampaignOperator, "altur_default", "Altur has no stop; use pause, or archive"),
        (PauseCampaignOperator, "koreai_default", "Kore.ai has no pause; use stop"),
        (ResumeCampaignOperator, "koreai_default", "Kore.ai has no resume; use start"),
    ],
)
def test_an_action_that_the_vendor_lacks_is_refused_with_what_to_use_instead(
    operator: Any, conn_id: str, advice: str, campaign_sandbox: Sandbox
) -> None:
    with pytest.raises(CampaignRequestRefused, match=advice):
        act(operator, conn_id, "1")
    assert campaign_sandbox.journal()["requests"] == []


def test_a_result_is_plain_json_without_the_vendor_s_raw_answer() -> None:
    result = act(GetCampaignOperator, "kinbox_default", KinboxHook().create_campaign(name="W", message="secret").id)
    assert set(result) == {"id", "name", "status", "vendor_status", "progress", "counts", "details"}
    assert "secret" not in str(result)


def test_a_campaign_that_is_not_there_is_told_with_the_connection() -> None:
    with pytest.raises(CampaignRequestFailed, match=r"404.*|connection 'kinbox_default'"):
        act(GetCampaignOperator, "kinbox_default", "674c1a2be4b0a1c2d3e4f501")


def test_an_id_that_cannot_be_one_is_refused_before_anything_is_sent(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(InvalidRequest, match="Task 'act': campaign_id must be"):
        act(GetCampaignOperator, "altur_default", "../contacts")
    templated = GetCampaignOperator(task_id="act", conn_id="altur_default", campaign_id="{{ params.which }}")
    templated.campaign_id = "../contacts"
    with pytest.raises(CampaignRequestRefused, match="campaign_id must be"):
        templated.execute({})
    assert campaign_sandbox.journal()["requests"] == []


def test_the_list_is_read_no_further_than_its_limit(campaign_sandbox: Sandbox) -> None:
    for number in range(5):
        KinboxHook().create_campaign(name=f"W{number}")
    found = ListCampaignsOperator(task_id="list", conn_id="kinbox_default", limit=3).execute({})
    assert len(found) == 3
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"]["list_campaigns"] == 1


def test_the_list_takes_the_vendor_s_filters() -> None:
    altur_campaign()
    listing = ListCampaignsOperator(task_id="list", conn_id="altur_default", filters={"status": "active"})
    assert listing.execute({}) == []


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_range_is_refused_when_the_dag_is_parsed(limit: int) -> None:
    with pytest.raises(InvalidRequest, match="limit must be a whole number from 1 to 10000"):
        ListCampaignsOperator(task_id="list", conn_id="altur_default", limit=limit)


def test_a_dry_run_skips_what_would_send(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign_id = altur_campaign()
    connection = campaign_sandbox.connections()["altur_default"]
    connection["extra"] = {**connection.get("extra", {}), "dry_run": True}
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps(connection))
    with pytest.raises(AirflowSkipException, match="was not sent to Altur"):
        act(StartCampaignOperator, "altur_default", campaign_id)
    assert act(GetCampaignOperator, "altur_default", campaign_id)["status"] == "draft"
