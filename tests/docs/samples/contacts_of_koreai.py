"""A contact list at Kore.ai for one campaign: made, used, deleted."""

# --8<-- [start:list]
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.contact_lists import (
    KoreAIAddContactsOperator,
    KoreAICreateContactListOperator,
)
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator

FOLDER = Path(__file__).parent

with DAG(
    "contacts_of_koreai", schedule=None, params={"contacts": str(FOLDER / "clinic.csv")}
):
    people = KoreAICreateContactListOperator(
        task_id="people",
        name="Clinic {{ dag_run.run_after | ts_nodash }}",
        contacts="{{ params.contacts }}",
    )
    more = KoreAIAddContactsOperator(
        task_id="more",
        list_name=people.output["name"],
        contacts=str(FOLDER / "late.jsonl"),
    )
    create = KoreAICreateCampaignOperator(
        task_id="create",
        name="Flu shots {{ dag_run.run_after | ts_nodash }}",
        description="Reminder of the walk-in clinic",
        contact_lists=[people.output["name"]],
        message="Your flu shot is due.",
        max_recipients=1000,
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
    )
    more >> create
# --8<-- [end:list]
