"""TaskFlow: functions return the fields of a campaign, the task launches it."""

# --8<-- [start:decorated]
from airflow.sdk import DAG, task

from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG("decorated", schedule=None):

    @task
    def segment() -> str:
        return "south"

    @task.kinbox_campaign(
        channel_id="103",
        channel_type="1",
        lead_type="file",
        wait_until="sent",
        deferrable=True,
    )
    def offer(region: str, dag_run=None) -> dict:
        return {
            "name": f"Winter offer {region} {dag_run.run_after:%Y-%m-%d}",
            "leads_asset_url": f"https://files.example.com/{region}.csv?leads=20",
            "message": f"Good morning to our customers in the {region}!",
        }

    @task
    def report(campaign: dict) -> str:
        return f"{campaign['name']}: {campaign['counts']}"

    launched = offer(segment())
    report(launched["campaign"])
    KinboxCampaignSensor(task_id="finished", campaign_id=launched, deferrable=True)
# --8<-- [end:decorated]
