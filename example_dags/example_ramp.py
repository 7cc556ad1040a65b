"""A list goes out in three stages, and each must prove itself before the next; needs Airflow 3.1 or newer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator
from airflow_provider_campaigns.ramps import campaign_ramp

with DAG(
    "example_ramp",
    dag_display_name="Example: a ramp that stops by itself",
    tags=["campaigns", "altur", "audience", "ramp"],
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
        "max_failed_ratio": Param(0.4, type="number", description="The largest share that may fail, such as 0.05"),
        "min_sample": Param(5, type="integer", minimum=1, description="The fewest people that prove anything"),
        "settle": Param(2, type="number", minimum=0, description="Seconds for late receipts, such as 1800"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    # --8<-- [start:ramp]
    audience = PrepareAudienceOperator(
        task_id="audience",
        source="{{ params.contacts }}",
        exclude="{{ params.opted_out }}",
        output="{{ params.folder }}/{{ run_id }}",
        vendor="altur",
        default_country="MX",
        holdout=0.1,
        shares=[25, 50, 100],
        salt="reactivation 2026",
    )
    campaign_ramp(
        audience=audience,
        create=AlturCreateCampaignOperator,
        arguments={
            "name": "{{ params.name }} {{ run_id }}",
            "agent_id": "{{ params.agent_id }}",
            "integration_id": "{{ params.integration_id }}",
            "integration_type": "phone_call",
            "first_message": "{{ params.first_message }}",
            "poll_interval": "{{ params.poll_interval }}",
            "deferrable": True,
        },
        max_failed_ratio="{{ params.max_failed_ratio }}",
        min_sample="{{ params.min_sample }}",
        settle="{{ params.settle }}",
        on_inconclusive="ask",
    )
    # --8<-- [end:ramp]
