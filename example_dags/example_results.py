"""One campaign of phone calls at Altur, more contacts added to it, and its calls written to a file and counted."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.campaign import StartCampaignOperator
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.operators.results import AlturCallsToObjectStorageOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

with DAG(
    "example_results",
    dag_display_name="Example: results to a file",
    tags=["campaigns", "altur", "results"],
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
        "folder": Param(
            f"file://{tempfile.gettempdir()}/campaign-results",
            type="string",
            description="Where the calls go, such as s3://aws_default@bucket/calls",
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
        activate=False,
    )
    add = AlturAddContactsOperator(
        task_id="add",
        campaign_id=create.output,
        contacts="{{ params.contacts }}",
        max_recipients=1000,
        max_failed_contacts=0.05,
    )
    start = StartCampaignOperator(task_id="start", conn_id="altur_default", campaign_id=create.output)
    finished = AlturCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )
    calls = AlturCallsToObjectStorageOperator(
        task_id="calls",
        campaign_id=create.output,
        path="{{ params.folder }}/{{ run_id }}.jsonl",
    )

    @task
    def count_answers(written: dict[str, Any]) -> dict[str, int]:
        """Stand in for whatever loads the calls: count who answered, one row at a time."""
        with ObjectStoragePath(written["path"]).open("r") as file:
            answers = Counter(json.loads(row)["answered_by"] for row in file)
        if answers.total() != written["count"]:
            raise ValueError(f"The file has {answers.total()} rows, not {written['count']}.")
        return dict(answers)

    add >> start >> finished >> calls
    count_answers(calls.output)
