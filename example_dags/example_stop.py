"""Stop this campaign: a form for people, who choose the account, type the campaign's id, and trigger the DAG."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.campaign import (
    GetCampaignOperator,
    PauseCampaignOperator,
    StopCampaignOperator,
)

# --8<-- [start:stop]
#: What each account's vendor has to end sending with: Kinbox and Altur hold a campaign, Kore.ai ends it for good.
ACTS = {"kinbox_default": "pause", "altur_default": "pause", "koreai_default": "stop"}

with DAG(
    "example_stop",
    dag_display_name="Example: stop this campaign",
    tags=["campaigns", "kinbox", "altur", "koreai"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "account": Param("kinbox_default", enum=[*ACTS], description="Where the campaign is"),
        "campaign_id": Param("", type="string", minLength=1, description="The campaign's id, as the board shows it"),
    },
    doc_md=__doc__,
) as dag:
    campaign = {"conn_id": "{{ params.account }}", "campaign_id": "{{ params.campaign_id }}"}

    @task.branch
    def act(params: dict[str, Any] | None = None) -> str:
        """Choose what the vendor has."""
        return ACTS[(params or {})["account"]]

    pause = PauseCampaignOperator(task_id="pause", **campaign)
    stop = StopCampaignOperator(task_id="stop", **campaign)
    seen = GetCampaignOperator(task_id="seen", trigger_rule="none_failed_min_one_success", **campaign)

    act() >> [pause, stop] >> seen
# --8<-- [end:stop]
