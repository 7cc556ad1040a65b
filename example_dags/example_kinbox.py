"""One WhatsApp campaign at Kinbox: create it, act when half of it is out, read the results when it has finished."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.campaign import GetCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG(
    "example_kinbox",
    dag_display_name="Example: WhatsApp at Kinbox",
    tags=["campaigns", "kinbox"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Winter offer", type="string", minLength=1, description="What the campaign is called"),
        "message": Param(
            "Good morning! Our winter offer is waiting for you.",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read",
        ),
        "channel_id": Param("103", type="string", description="The channel to send from"),
        "leads_asset_url": Param(
            "https://files.example.com/leads/winter.csv?leads=120",
            type="string",
            description="Where Kinbox fetches the recipients; the sandbox takes their number from leads=",
        ),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="{{ params.name }} {{ run_id }}",
        channel_id="{{ params.channel_id }}",
        channel_type="1",
        lead_type="file",
        leads_asset_url="{{ params.leads_asset_url }}",
        normalize_brazil_phone_numbers=False,
        message="{{ params.message }}",
        seconds_between_messages=1,
        chunk_size=50,
    )
    half_sent = KinboxCampaignSensor(
        task_id="half_sent",
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )

    @task
    def call_in_staff(campaign: dict[str, Any]) -> str:
        """Stand in for whatever has to be ready when the answers come in."""
        return f"{campaign['counts'].get('processed', 0)} messages are out: the call centre may come in."

    finished = KinboxCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )
    results = GetCampaignOperator(task_id="results", conn_id="kinbox_default", campaign_id=create.output)

    call_in_staff(half_sent.output) >> finished >> results
