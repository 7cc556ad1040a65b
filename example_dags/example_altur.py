"""One campaign of phone calls at Altur: contacts from a file, activated at once, gated at 50 percent, results read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.campaign import GetCampaignOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

with DAG(
    "example_altur",
    dag_display_name="Example: calls at Altur",
    tags=["campaigns", "altur"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Reactivation", type="string", minLength=1, description="What the campaign is called"),
        "first_message": Param(
            "Good morning, am I speaking with the account's holder?",
            type="string",
            format="multiline",
            minLength=1,
            description="What the agent says first",
        ),
        "agent_id": Param("0f8fad5b-d9cb-469f-a165-70867728950e", type="string", description="The agent that talks"),
        "integration_id": Param("int_public_id", type="string", description="The integration to call through"),
        "contacts": Param(
            str(Path(__file__).with_name("contacts.csv")),
            type="string",
            description="A CSV or JSON Lines file, at any storage that Airflow reaches",
        ),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    create = AlturCreateCampaignOperator(
        task_id="create",
        name="{{ params.name }} {{ run_id }}",
        agent_id="{{ params.agent_id }}",
        integration_id="{{ params.integration_id }}",
        integration_type="phone_call",
        first_message="{{ params.first_message }}",
        contacts="{{ params.contacts }}",
    )
    half_called = AlturCampaignSensor(
        task_id="half_called",
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )

    @task
    def open_the_desk(campaign: dict[str, Any]) -> str:
        """Stand in for whatever has to be ready when people call back."""
        return f"{campaign['progress']} percent of the contacts are called: the desk may open."

    finished = AlturCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )
    results = GetCampaignOperator(task_id="results", conn_id="altur_default", campaign_id=create.output)

    open_the_desk(half_called.output) >> finished >> results
