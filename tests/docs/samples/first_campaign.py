"""The DAG of the guide "Your first campaign": launch, look at 50 percent, report."""

# --8<-- [start:dag]
from airflow.sdk import DAG, task

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG("first_campaign", schedule=None) as dag:
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="First campaign {{ run_id }}",
        channel_id="103",
        channel_type="1",  # WhatsApp
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=60",
        message="Hello from Airflow!",
    )
    half_sent = KinboxCampaignSensor(
        task_id="half_sent",
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval=2,
        deferrable=True,
    )
    finished = KinboxCampaignSensor(
        task_id="finished", campaign_id=create.output, poll_interval=2, deferrable=True
    )

    @task
    def report(campaign: dict) -> str:
        counts = campaign["counts"]
        return f"{counts['answered']} of {counts['leads']} people answered."

    half_sent >> finished
    report(finished.output)
# --8<-- [end:dag]
