"""A launch as an asset event: who is scheduled on the asset gets the receipt."""

# --8<-- [start:outlets]
from airflow.sdk import DAG, Asset

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

launches = Asset("campaign_launches")

with DAG("outlets", schedule=None):
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv",
        message="Good morning!",
        outlets=[launches],
    )
# --8<-- [end:outlets]
