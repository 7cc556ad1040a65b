"""Campaigns at all three vendors, several at each by dynamic task mapping, and one sensor class that waits for all."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor

REGIONS = ["north", "south"]

with DAG(
    "example_three_vendors",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "contact": Param("+525550000001", type="string", description="A phone number of your own, to be called"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    whatsapp = KinboxCreateCampaignOperator.partial(
        task_id="whatsapp",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        message="We are open again.",
    ).expand_kwargs(
        [
            {"name": f"Open again, {region}", "leads_asset_url": f"https://files.example.com/{region}.csv?leads=40"}
            for region in REGIONS
        ]
    )
    calls = AlturCreateCampaignOperator.partial(
        task_id="calls",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts=[{"contact": "{{ params.contact }}"}],
    ).expand(name=[f"Open again, {region}" for region in REGIONS])
    sms = KoreAICreateCampaignOperator.partial(
        task_id="sms",
        description="Tells that we are open again",
        contact_lists=["Sandbox contacts"],
        message="We are open again.",
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
    ).expand(name=[f"Open again, {region}" for region in REGIONS])

    @task
    def launched(whatsapp: list[str], calls: list[str], sms: list[str]) -> list[dict[str, str]]:
        """Put the campaigns of all vendors into one list."""
        ids = {"kinbox_default": whatsapp, "altur_default": calls, "koreai_default": sms}
        return [{"conn_id": conn_id, "campaign_id": one} for conn_id, campaigns in ids.items() for one in campaigns]

    CampaignSensor.partial(
        task_id="finished",
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    ).expand_kwargs(launched(whatsapp.output, calls.output, sms.output))
