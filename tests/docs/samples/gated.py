"""The run fails if more than a tenth of the people were not reached."""

# --8<-- [start:gated]
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

with DAG(
    "gated",
    schedule=None,
    params={
        "contacts": str(Path(__file__).with_name("contacts.csv")),
        "poll_interval": 30,
    },
):
    create = AlturCreateCampaignOperator(
        task_id="create",
        name="Reminder {{ run_id }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts="{{ params.contacts }}",
    )
    AlturCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        max_failed_ratio=0.1,
        poll_interval="{{ params.poll_interval }}",
    )
# --8<-- [end:gated]
