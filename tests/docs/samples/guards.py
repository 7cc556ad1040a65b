"""Guards before a launch: backfills, lateness, the number of recipients, the hours."""

# --8<-- [start:guards]
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

OFFICE_HOURS = {
    "timezone": "America/Mexico_City",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "hours": ["09:00", "18:00"],
    "holidays": ["2026-12-25", "2027-01-01"],
}

with DAG(
    "guards",
    schedule=None,
    params={"contacts": str(Path(__file__).with_name("contacts.csv"))},
):
    AlturCreateCampaignOperator(
        task_id="create",
        name="Reactivation {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts="{{ params.contacts }}",
        max_lateness=timedelta(hours=6),
        min_recipients=1,
        max_recipients=20_000,
        send_window=OFFICE_HOURS,
        outside_send_window="skip",
    )
# --8<-- [end:guards]
