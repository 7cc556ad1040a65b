"""The same in TaskFlow style: functions prepare the campaign and use its results, the operators do the launching."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import Param, dag, task

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={"poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks")},
    doc_md=__doc__,
)
def example_taskflow() -> None:
    """Greet the customers of a region and report how many answered."""

    @task
    def greeting(region: str) -> str:
        """Return the text for a region."""
        return f"Good morning to our customers in the {region}!"

    @task
    def report(campaign: dict[str, Any]) -> str:
        """Say how the campaign went."""
        counts = campaign["counts"]
        return f"{counts.get('answered', 0)} of {counts.get('leads', 0)} customers answered."

    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Greeting {{ run_id }}",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads/south.csv?leads=60",
        message=greeting("south"),
    )
    finished = KinboxCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        mode="reschedule",
    )
    report(finished.output)


example_dag = example_taskflow()
