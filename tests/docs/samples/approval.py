"""A launch that a person approves first."""

# --8<-- [start:approval]
from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.approval import ApproveCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("approval", schedule=None):
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv",
        message="Our winter offer is waiting for you.",
    )
    ApproveCampaignOperator(
        task_id="approve",
        create=create,
        body="The offer of week {{ dag_run.run_after | ds }}.",
        response_timeout=timedelta(hours=8),
    )
# --8<-- [end:approval]
