"""Acting on campaigns that exist, and reading them."""

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("acting", schedule=None):
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Night run",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=5000",
        message="Hello",
    )
    # --8<-- [start:acting]
    from airflow_provider_campaigns.operators.campaign import (
        GetCampaignOperator,
        ListCampaignsOperator,
        PauseCampaignOperator,
        ResumeCampaignOperator,
    )

    pause = PauseCampaignOperator(
        task_id="pause", conn_id="kinbox_default", campaign_id=create.output
    )
    resume = ResumeCampaignOperator(
        task_id="resume", conn_id="kinbox_default", campaign_id=create.output
    )
    read = GetCampaignOperator(
        task_id="read", conn_id="kinbox_default", campaign_id=create.output
    )
    running = ListCampaignsOperator(
        task_id="running",
        conn_id="kinbox_default",
        filters={"status": "executing"},
        limit=50,
    )
    pause >> resume >> read >> running
    # --8<-- [end:acting]
