"""What a hook or a vendor's list does not take is refused by name, before any request."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.operators.campaign import GetCampaignOperator, ListCampaignsOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor
from airflow_provider_campaigns.sensors.campaign import CampaignSensor
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor
from airflow_provider_campaigns.sensors.koreai import KoreAICampaignSensor
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

VENDORS = ("kinbox", "altur", "koreai")
SENSORS: dict[str, Any] = {
    "kinbox": KinboxCampaignSensor,
    "altur": AlturCampaignSensor,
    "koreai": KoreAICampaignSensor,
}


def refused(task: Any, sandbox: Sandbox, text: str) -> None:
    with pytest.raises(CampaignRequestRefused, match=text):
        task.execute(context_of(TaskInstance(), None))
    assert sandbox.journal()["requests"] == []


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("one", [GetCampaignOperator, CampaignSensor])
def test_an_argument_that_the_hook_does_not_take(one: Any, vendor: str, campaign_sandbox: Sandbox) -> None:
    for wrong in ("campagin_type", "conn_id"):
        task = one(task_id="look", campaign_id="1", conn_id=f"{vendor}_default", hook_params={wrong: "voice"})
        refused(task, campaign_sandbox, rf"hook_params for .* has no argument '{wrong}'; there are")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_filter_that_the_vendor_does_not_have(vendor: str, campaign_sandbox: Sandbox) -> None:
    task = ListCampaignsOperator(task_id="list", conn_id=f"{vendor}_default", filters={"stauts": "active"})
    refused(task, campaign_sandbox, r"list of campaigns has no filter 'stauts'; there are: \w+")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_s_sensor_does_not_ask_another_vendor(vendor: str, campaign_sandbox: Sandbox) -> None:
    for other in set(VENDORS) - {vendor}:
        sensor = SENSORS[vendor](task_id="wait", campaign_id="1", conn_id=f"{other}_default")
        refused(sensor, campaign_sandbox, rf"connection '{other}_default' is of type '{other}'. Nothing was asked")
