"""A launch that waits for its send window, with a link to the campaign."""

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("guarded", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter {{ run_id }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv?leads=100",
        message="Our winter offer",
        send_window="{{ dag_run.conf['send_window'] | tojson }}",
        outside_send_window="defer",
        wait_until="finished",
        poll_interval=0.5,
        deferrable=True,
    )
