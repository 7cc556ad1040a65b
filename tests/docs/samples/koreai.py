"""Launches at Kore.ai: an SMS campaign, and an agentless voice campaign."""

# --8<-- [start:sms]
from airflow.sdk import DAG

from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.koreai import KoreAICampaignSensor

CALLING_HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [
        {"day": day, "start": "9:00 AM", "end": "6:00 PM"}
        for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    ],
}

with DAG("koreai_sms", schedule=None):
    create = KoreAICreateCampaignOperator(
        task_id="create",
        name="Flu shots {{ dag_run.run_after | ds }}",
        description="Reminder of the walk-in clinic",
        contact_lists=["Sandbox contacts"],
        message="Your flu shot is due. The walk-in clinic is open until six.",
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": CALLING_HOURS,
        },
    )
    KoreAICampaignSensor(
        task_id="sent", campaign_id=create.output, until="sent", deferrable=True
    )
# --8<-- [end:sms]

with DAG("koreai_voice", schedule=None):
    # --8<-- [start:voice]
    voice = KoreAICreateCampaignOperator(
        task_id="create",
        name="Recall {{ dag_run.run_after | ds }}",
        description="Calls about the recall",
        campaign_type="voice",
        dialing_mode="Agentless",
        experience_flow_name="Recall notice",
        contact_lists=["Sandbox contacts"],
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": CALLING_HOURS,
            "dialingOrder": "FIFO",
            "maxAttemptsPerRecord": 2,
            "defaultRetryPeriod": 30,
            "maxRingTime": 30,
        },
    )
    KoreAICampaignSensor(
        task_id="finished",
        campaign_id=voice.output,
        hook_params={"campaign_type": "voice"},
        deferrable=True,
    )
    # --8<-- [end:voice]
