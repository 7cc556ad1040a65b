"""Launches at Altur: phone calls, and WhatsApp with contacts from a task's file."""

# --8<-- [start:calls]
from pathlib import Path

from airflow.sdk import DAG, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

CONTACTS = str(
    Path(__file__).with_name("contacts.csv")
)  # or s3://..., gs://..., file://...
WEEKDAYS = {
    day: {"startTime": "09:00", "stopTime": "18:00"}
    for day in ("mon", "tue", "wed", "thu", "fri")
}

with DAG("altur_calls", schedule=None, params={"contacts": CONTACTS}):
    AlturCreateCampaignOperator(
        task_id="create",
        name="Reactivation {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message="Good morning, am I speaking with the account's holder?",
        timezone="America/Mexico_City",
        scheduling=WEEKDAYS,
        retries_per_contact=2,
        contacts="{{ params.contacts }}",
        max_failed_contacts=0.05,
        deferrable=True,
    )
# --8<-- [end:calls]

with DAG("altur_whatsapp", schedule=None):
    # --8<-- [start:whatsapp]
    @task
    def overdue() -> str:
        """Write a file and hand on its path: the numbers stay out of XCom."""
        return CONTACTS

    AlturCreateCampaignOperator(
        task_id="create",
        name="Reminder {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="whatsapp",
        template="reminder",
        message_limit=1000,
        contacts=overdue(),
    )
    # --8<-- [end:whatsapp]

with DAG("altur_brazil", schedule=None):
    # --8<-- [start:brazil]
    AlturCreateCampaignOperator(
        task_id="create",
        name="Lembrete {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts="clientes.csv",
        columns={"telefone": "contact", "nome": "name"},
        default_country="BR",
        max_broken_rows=0.01,
    )
    # --8<-- [end:brazil]
