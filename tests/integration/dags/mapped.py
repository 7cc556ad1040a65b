"""Campaigns by dynamic task mapping, with arguments that come from a task before: one campaign for each region."""

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG("mapped", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:

    @task
    def regions() -> list[dict[str, str]]:
        """Return arguments that are known only when the DAG runs."""
        return [
            {"name": f"Winter {region}", "leads_asset_url": f"https://files.example.com/{region}.csv?leads={leads}"}
            for region, leads in (("north", 7), ("south", 11), ("west", 13))
        ]

    @task
    def wording() -> dict[str, str]:
        """Return what the text and the pace of all campaigns come from."""
        return {"season": "winter", "pause": "2"}

    create = KinboxCreateCampaignOperator.partial(
        task_id="create",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        message="Our {{ ti.xcom_pull(task_ids='wording')['season'] }} offer",
        seconds_between_messages="{{ ti.xcom_pull(task_ids='wording')['pause'] }}",
    ).expand_kwargs(regions())
    wording() >> create
    KinboxCampaignSensor.partial(task_id="finished", poll_interval=0.2, deferrable=True).expand(
        campaign_id=create.output
    )
