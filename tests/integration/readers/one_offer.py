"""A reader's job: one offer at three vendors, and one task that waits for all of them."""

from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor

OFFER = "Ten percent off until Sunday."

with DAG(
    "one_offer",
    schedule=None,
    params={
        "leads": Param("https://files.example.com/offer.csv", type="string"),
        "contacts": Param("/data/offer.csv", type="string"),
        "poll_interval": Param(60, type="number", minimum=1),
    },
):
    whatsapp = KinboxCreateCampaignOperator(
        task_id="whatsapp",
        name="Offer {{ run_id }}",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        leads_asset_url="{{ params.leads }}",
        message=OFFER,
    )
    calls = AlturCreateCampaignOperator(
        task_id="calls",
        name="Offer {{ run_id }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message=OFFER,
        contacts="{{ params.contacts }}",
    )
    sms = KoreAICreateCampaignOperator(
        task_id="sms",
        name="Offer {{ dag_run.run_after | ts_nodash }}",
        description="The offer of the week",
        contact_lists=["Sandbox contacts"],
        message=OFFER,
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
    )

    @task
    def launched(whatsapp: str, calls: str, sms: str) -> list[dict[str, str]]:
        """Keep each id with its connection."""
        return [
            {"conn_id": "kinbox_default", "campaign_id": whatsapp},
            {"conn_id": "altur_default", "campaign_id": calls},
            {"conn_id": "koreai_default", "campaign_id": sms},
        ]

    CampaignSensor.partial(
        task_id="finished", poll_interval="{{ params.poll_interval }}", deferrable=True
    ).expand_kwargs(launched(whatsapp.output, calls.output, sms.output))
