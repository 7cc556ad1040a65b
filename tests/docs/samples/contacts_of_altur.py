"""Contacts added to an Altur campaign that is under way."""

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

FOLDER = Path(__file__).parent

with DAG("contacts_of_altur", schedule=None):
    create = AlturCreateCampaignOperator(
        task_id="create",
        name="Reactivation {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts=str(FOLDER / "contacts.csv"),
    )
    # --8<-- [start:add]
    from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator

    AlturAddContactsOperator(
        task_id="add",
        campaign_id=create.output,
        contacts=str(FOLDER / "more.csv"),
        max_recipients=500,
        max_failed_contacts=0,
    )
    # --8<-- [end:add]
