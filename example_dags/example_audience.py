"""An audience from a list, without those who opted out; a fifth of it is called first, the rest if that goes well."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator

with DAG(
    "example_audience",
    dag_display_name="Example: an audience, a fifth of it first",
    tags=["campaigns", "altur", "audience"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Reactivation", type="string", minLength=1, description="What the campaigns are called"),
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
            description="A CSV, JSON Lines or Parquet file, at any storage that Airflow reaches",
        ),
        "opted_out": Param(
            str(Path(__file__).with_name("opted_out.csv")),
            type="string",
            description="Another such file: people who must not be called",
        ),
        "folder": Param(
            f"{tempfile.gettempdir()}/campaign-audiences",
            type="string",
            description="Where the audience goes, such as s3://aws_default@bucket/audiences",
        ),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    audience = PrepareAudienceOperator(
        task_id="audience",
        source="{{ params.contacts }}",
        exclude="{{ params.opted_out }}",
        output="{{ params.folder }}/{{ run_id }}",
        vendor="altur",
        default_country="MX",
        holdout=0.1,
        shares=[20, 100],
    )

    def stage(name: str, place: int, **more: Any) -> AlturCreateCampaignOperator:
        """Return the task that calls the people of one slice."""
        return AlturCreateCampaignOperator(
            task_id=name,
            name=f"{{{{ params.name }}}}, {name} {{{{ run_id }}}}",
            agent_id="{{ params.agent_id }}",
            integration_id="{{ params.integration_id }}",
            integration_type="phone_call",
            first_message="{{ params.first_message }}",
            contacts=f"{{{{ ti.xcom_pull(task_ids='audience', key='slices')[{place}]['path'] }}}}",
            **more,
        )

    first = stage("first", 0, wait_until="finished", max_failed_ratio=0.5, poll_interval="{{ params.poll_interval }}")
    audience >> first >> stage("rest", 1)
