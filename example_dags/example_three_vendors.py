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
    dag_display_name="Example: one offer at three vendors",
    tags=["campaigns", "kinbox", "altur", "koreai"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Open again", type="string", minLength=1, description="What the campaigns are called"),
        "message": Param(
            "We are open again.",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read or hear",
        ),
        "contact": Param("+525550000001", type="string", description="A phone number of your own, to be called"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    whatsapp = KinboxCreateCampaignOperator.partial(
        task_id="whatsapp",
        map_index_template="{{ task.name }}",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        message="{{ params.message }}",
    ).expand_kwargs(
        [
            {
                "name": f"{{{{ params.name }}}}, {region}",
                "leads_asset_url": f"https://files.example.com/{region}.csv?leads=40",
            }
            for region in REGIONS
        ]
    )
    calls = AlturCreateCampaignOperator.partial(
        task_id="calls",
        map_index_template="{{ task.name }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message="{{ params.message }}",
        contacts=[{"contact": "{{ params.contact }}"}],
    ).expand(name=[f"{{{{ params.name }}}}, {region}" for region in REGIONS])
    sms = KoreAICreateCampaignOperator.partial(
        task_id="sms",
        map_index_template="{{ task.name }}",
        description="Tells that we are open again",
        contact_lists=["Sandbox contacts"],
        message="{{ params.message }}",
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
    ).expand(name=[f"{{{{ params.name }}}}, {region}" for region in REGIONS])

    @task
    def launched(whatsapp: list[str], calls: list[str], sms: list[str]) -> list[dict[str, str]]:
        """Put the campaigns of all vendors into one list."""
        ids = {"kinbox_default": whatsapp, "altur_default": calls, "koreai_default": sms}
        return [{"conn_id": conn_id, "campaign_id": one} for conn_id, campaigns in ids.items() for one in campaigns]

    CampaignSensor.partial(
        task_id="finished",
        map_index_template="{{ task.conn_id }} {{ task.campaign_id }}",
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    ).expand_kwargs(launched(whatsapp.output, calls.output, sms.output))
