"""Results of a campaign to a file."""

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("results", schedule=None, params={"folder": "/tmp/results"}):  # noqa: S108
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        lead_type="file",
        leads_asset_url="https://files.example.com/winter.csv?leads=12",
        message="Good morning!",
        wait_until="finished",
    )
    # --8<-- [start:results]
    from airflow_provider_campaigns.operators.results import (
        KinboxLeadResultsToObjectStorageOperator,
    )

    KinboxLeadResultsToObjectStorageOperator(
        task_id="results",
        campaign_id=create.output,
        path="{{ params.folder }}/{{ run_id }}.jsonl.gz",  # or s3://...
    )
    # --8<-- [end:results]
    # --8<-- [start:outcomes]
    from airflow_provider_campaigns.operators.results import (
        CampaignOutcomesToObjectStorageOperator,
    )

    CampaignOutcomesToObjectStorageOperator(
        task_id="outcomes",
        conn_id="kinbox_default",  # or a connection to Altur or Kore.ai
        campaign_id=create.output,
        path="{{ params.folder }}/{{ run_id }}-outcomes.jsonl",
    )
    # --8<-- [end:outcomes]
