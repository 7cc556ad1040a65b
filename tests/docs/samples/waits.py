"""Waiting: a threshold, gates on the result, and waiting inside the create."""

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor

KINBOX = {
    "lead_type": "file",
    "leads_asset_url": "https://files.example.com/leads.csv?leads=40",
    "message": "We are open again.",
}

with DAG("waits", schedule=None):
    # --8<-- [start:create]
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Open again {{ dag_run.run_after | ds }}",
        **KINBOX,
        progress_threshold=25,  # the task succeeds when a quarter is out
        wait_timeout=6 * 3600,
        on_kill="pause",
    )
    # --8<-- [end:create]
    # --8<-- [start:sensor]
    half = CampaignSensor(
        task_id="half",
        conn_id="kinbox_default",  # any vendor's connection
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval=30,
        deferrable=True,
    )
    finished = CampaignSensor(
        task_id="finished",
        conn_id="kinbox_default",
        campaign_id=create.output,
        min_delivered_ratio=0.5,  # judged when it has finished
        stall_timeout=3600,
        timeout=2 * 24 * 3600,
        mode="reschedule",
    )
    # --8<-- [end:sensor]
    half >> finished
    # --8<-- [start:name]
    theirs = CampaignSensor(
        task_id="theirs",
        conn_id="kinbox_default",
        campaign_name="Open again*",
        since="{{ dag_run.run_after - macros.timedelta(hours=1) }}",
        match="newest",
        deferrable=True,
    )
    # --8<-- [end:name]
    # --8<-- [start:several]
    both = CampaignSensor(
        task_id="both",
        conn_id="kinbox_default",
        campaign_ids=[create.output, create.output],
        wait_for="all",
        deferrable=True,
    )
    # --8<-- [end:several]
    create >> theirs
