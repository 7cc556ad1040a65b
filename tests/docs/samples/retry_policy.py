"""A retry policy made from this package's rules (Airflow 3.3)."""

# --8<-- [start:policy]
from datetime import timedelta

from airflow.sdk import DAG, ExceptionRetryPolicy

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.retries import campaign_retry_rules

with DAG("retry_policy", schedule=None):
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv",
        message="Good morning!",
        retries=5,
        retry_policy=ExceptionRetryPolicy(
            rules=campaign_retry_rules(lookup_delay=timedelta(minutes=10))
        ),
    )
# --8<-- [end:policy]
