"""Waits: launched in the same run, for a campaign that is given, to be ended by a person, and with too little time."""

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

START = pendulum.datetime(2026, 1, 1, tz="UTC")
GIVEN = "{{ dag_run.conf['campaign_id'] }}"

with DAG("launch", schedule=None, start_date=START):
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter {{ run_id }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv?leads=100",
        message="Our winter offer",
    )
    wait = KinboxCampaignSensor(task_id="wait", campaign_id=create.output, poll_interval=0.5, deferrable=True)

    @task
    def use(campaign: dict[str, str]) -> str:
        """Stand in for what comes after the campaign."""
        return campaign["status"]

    use(wait.output)

with DAG("watch", schedule=None, start_date=START):
    KinboxCampaignSensor(task_id="wait", campaign_id=GIVEN, poll_interval=0.5, deferrable=True)

with DAG("kept", schedule=None, start_date=START):
    for mode, deferrable in (("deferred", True), ("running", False)):
        KinboxCampaignSensor(
            task_id=mode, campaign_id=GIVEN, poll_interval=0.5, deferrable=deferrable, on_kill="pause", retries=0
        )

with DAG("overdue", schedule=None, start_date=START):
    for name, soft_fail in (("fails", False), ("is_skipped", True)):
        KinboxCampaignSensor(
            task_id=name,
            campaign_id=GIVEN,
            poll_interval=0.5,
            timeout=3,
            soft_fail=soft_fail,
            retries=3,
            retry_delay=timedelta(0),
            deferrable=True,
        )
