"""Launches at Kinbox: a plain message, and a template at a set time."""

# --8<-- [start:message]
from airflow.sdk import DAG, task

from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("kinbox_message", schedule=None):
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter offer {{ dag_run.run_after | ds }}",
        channel_id="103",
        channel_type="1",  # WhatsApp
        lead_type="file",
        leads_asset_url="https://files.example.com/{{ dag_run.run_after | ds }}.csv",
        normalize_brazil_phone_numbers=False,
        message="Good morning! Our winter offer is waiting for you.",
        seconds_between_messages=2,
        wait_until="sent",
        deferrable=True,
    )
# --8<-- [end:message]

with DAG("kinbox_template", schedule=None):
    # --8<-- [start:template]
    KinboxCreateCampaignOperator(
        task_id="create",
        name="Appointment {{ dag_run.run_after | ds }}",
        channel_ids=["103", "104"],
        channel_type="1",
        lead_type="file",
        leads_asset_url="https://files.example.com/appointments.csv",
        template={
            "name": "appointment",
            "language": "pt_BR",
            "body": "Olá {{1}}, até amanhã!",
        },
        scheduled_to="{{ dag_run.run_after + macros.timedelta(minutes=30) }}",
    )
    # --8<-- [end:template]

with DAG("kinbox_hook", schedule=None):
    # --8<-- [start:hook]
    @task
    def failed(campaign_id: str) -> int:
        """Count those the message did not reach; no other count has them."""
        with KinboxHook("kinbox_default").get_conn() as client:
            return client.with_failures(client.get_campaign(campaign_id)).counts[
                "failed"
            ]

    # --8<-- [end:hook]
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="To be counted",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=10",
        message="Hello",
        wait_until="finished",
    )
    failed(create.output)
