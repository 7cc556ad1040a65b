"""One SMS campaign at Kore.ai: created, started when ready, gated at 50 percent, results read."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.campaign import GetCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.koreai import KoreAICampaignSensor

with DAG(
    "example_koreai",
    dag_display_name="Example: SMS at Kore.ai",
    tags=["campaigns", "koreai"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Flu shots", type="string", minLength=1, description="What the campaign is called"),
        "message": Param(
            "Your flu shot is due. The walk-in clinic is open until six.",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read",
        ),
        "contact_list": Param("Sandbox contacts", type="string", description="The name of a contact list that exists"),
        "caller_id": Param("+14155550100", type="string", description="A number of the app"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    create = KoreAICreateCampaignOperator(
        task_id="create",
        name="{{ params.name }} {{ dag_run.run_after | default(dag_run.logical_date) | ts_nodash }}",
        description="Reminder of the walk-in clinic",
        contact_lists=["{{ params.contact_list }}"],
        message="{{ params.message }}",
        dialing_strategy={
            "callerId": {"phoneNumber": "{{ params.caller_id }}"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [
                    {"day": day, "start": "9:00 AM", "end": "6:00 PM"}
                    for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
                ],
            },
        },
    )
    half_sent = KoreAICampaignSensor(
        task_id="half_sent",
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )

    @task
    def call_in_nurses(campaign: dict[str, Any]) -> str:
        """Stand in for whatever has to be ready when people come."""
        return f"{campaign['counts'].get('sent', 0)} messages are out: the clinic may be staffed."

    finished = KoreAICampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )
    results = GetCampaignOperator(task_id="results", conn_id="koreai_default", campaign_id=create.output)

    call_in_nurses(half_sent.output) >> finished >> results
