"""A launch that leaves its evidence in a folder."""

# --8<-- [start:evidence]
from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("evidence", schedule=None, params={"folder": "/tmp/launches"}):  # noqa: S108
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv",
        message="Good morning!",
        evidence="{{ params.folder }}",  # or s3://aws_default@bucket/launches
    )
# --8<-- [end:evidence]
