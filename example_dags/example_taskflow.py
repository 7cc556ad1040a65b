"""The same in TaskFlow style: a function returns the campaign, its decorator launches it exactly once."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import Param, dag, task

from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor


@dag(
    dag_display_name="Example: TaskFlow",
    tags=["campaigns", "kinbox", "taskflow"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Greeting", type="string", minLength=1, description="What the campaigns are called"),
        "message": Param(
            "Good morning to our customers!",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read",
        ),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
)
def example_taskflow() -> None:
    """Greet the customers of two regions, each with a campaign of its own, and report how many answered."""

    @task
    def regions() -> list[str]:
        """Return the regions of this run; whatever changes from hour to hour belongs in a task such as this one."""
        return ["north", "south"]

    # What is the same in every run is given here and checked when the DAG is parsed.
    @task.kinbox_campaign(
        channel_id="103",
        channel_type="1",
        lead_type="file",
        max_lateness=3600,
        map_index_template="{{ task.op_kwargs['region'] }}",
    )
    def greet(region: str, run_id: str | None = None, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the rest as data, not as templates. Called on every try, it must return the same for the same run."""
        typed = params or {}
        return {
            "name": f"{typed['name']} to the {region}, {run_id}",
            "leads_asset_url": f"https://files.example.com/leads/{region}.csv?leads=60",
            "message": typed["message"],
        }

    @task
    def report(campaigns: list[dict[str, Any]]) -> str:
        """Say how the campaigns went."""
        answered = sum(campaign["counts"].get("answered", 0) for campaign in campaigns)
        reached = sum(campaign["counts"].get("leads", 0) for campaign in campaigns)
        return f"{answered} of {reached} customers answered."

    greeted = greet.expand(region=regions())
    finished = KinboxCampaignSensor.partial(
        task_id="finished",
        poll_interval="{{ params.poll_interval }}",
        mode="reschedule",
        map_index_template="Campaign {{ task.campaign_id }}",
    ).expand(campaign_id=greeted)
    report(finished.output)


example_dag = example_taskflow()
