"""Changing campaigns that exist, scheduling them, and putting them away."""

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator

DIALING = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}

with DAG("changing", schedule=None):
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Night run",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=5000",
        message="Hello",
        scheduled_to="2030-01-01T12:00:00-03:00",
    )
    # --8<-- [start:changing]
    from airflow_provider_campaigns.operators.campaign import DeleteCampaignOperator
    from airflow_provider_campaigns.operators.updates import (
        KinboxUpdateCampaignOperator,
    )

    slow_down = KinboxUpdateCampaignOperator(
        task_id="slow_down",
        campaign_id=create.output,
        changes={"seconds_between_messages": 30, "track_max_hours": 48},
    )
    delete = DeleteCampaignOperator(
        task_id="delete", conn_id="kinbox_default", campaign_id=create.output
    )
    slow_down >> delete
    # --8<-- [end:changing]

with DAG("scheduling", schedule=None):
    clinic = KoreAICreateCampaignOperator(
        task_id="clinic",
        name="Reminders",
        description="Every second day",
        contact_lists=["Sandbox contacts"],
        message="Do not forget.",
        dialing_strategy=DIALING,
        start=False,
    )
    # --8<-- [start:schedules]
    from airflow_provider_campaigns.operators.schedules import (
        KoreAIDisableScheduleOperator,
        KoreAIEnableScheduleOperator,
    )

    enable = KoreAIEnableScheduleOperator(
        task_id="enable",
        campaign_id=clinic.output,
        runs_from="2030-01-01T09:00:00-06:00",
        runs_until="2030-02-01T09:00:00-06:00",
        every=2,
    )
    disable = KoreAIDisableScheduleOperator(
        task_id="disable", campaign_id=clinic.output
    )
    enable >> disable
    # --8<-- [end:schedules]
