"""WhatsApp first; those whom it certainly did not reach get an SMS an hour later, and nobody who may still read it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.contact_lists import KoreAICreateContactListOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator

with DAG(
    "example_failover",
    dag_display_name="Example: WhatsApp, then SMS to those it did not reach",
    tags=["campaigns", "altur", "koreai", "results"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Appointment", type="string", minLength=1, description="What the campaigns are called"),
        "template": Param("appointment_reminder", type="string", minLength=1, description="The WhatsApp template"),
        "message": Param(
            "Your appointment is tomorrow. Call us if you cannot come.",
            type="string",
            format="multiline",
            minLength=1,
            description="What people read in the SMS",
        ),
        "agent_id": Param("0f8fad5b-d9cb-469f-a165-70867728950e", type="string", description="Altur's agent"),
        "integration_id": Param("int_public_id", type="string", description="Altur's integration"),
        "caller_id": Param("+14155550100", type="string", description="A number of Kore.ai's app"),
        "contacts": Param(
            str(Path(__file__).with_name("contacts.csv")),
            type="string",
            description="A CSV or JSON Lines file, at any storage that Airflow reaches",
        ),
        "folder": Param(
            f"file://{tempfile.gettempdir()}/campaign-failover",
            type="string",
            description="Where outcomes and evidence go, such as s3://aws_default@bucket/failover",
        ),
        "settle_minutes": Param(60, type="number", minimum=0, description="How long late receipts are waited for"),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:
    whatsapp = AlturCreateCampaignOperator(
        task_id="whatsapp",
        name="{{ params.name }} {{ run_id }}",
        agent_id="{{ params.agent_id }}",
        integration_id="{{ params.integration_id }}",
        integration_type="whatsapp",
        template="{{ params.template }}",
        contacts="{{ params.contacts }}",
        evidence="{{ params.folder }}/launches",
        wait_until="finished",
        poll_interval="{{ params.poll_interval }}",
    )

    @task
    def settled_at(**context: Any) -> str:
        """Say until when late receipts are waited for."""
        return pendulum.now("UTC").add(minutes=context["params"]["settle_minutes"]).isoformat()

    settled = DateTimeSensorAsync(task_id="settled", target_time="{{ ti.xcom_pull(task_ids='settled_at') }}")
    outcomes = CampaignOutcomesToObjectStorageOperator(
        task_id="outcomes",
        conn_id="altur_default",
        campaign_id=whatsapp.output,
        path="{{ params.folder }}/{{ run_id }}/outcomes.jsonl",
    )

    @task.short_circuit
    def definite_failures(written: dict[str, Any], failures_path: str) -> bool:
        """Write those who certainly got nothing to a file; without any, the run ends here."""
        found = 0
        with (
            ObjectStoragePath(written["path"]).open() as outcomes,
            ObjectStoragePath(failures_path).open("w") as failures,
        ):
            for line in outcomes:
                row = json.loads(line)
                # Sent and unread is "pending", and a word that nobody knows "unknown": those may have got it.
                if row["outcome"] == "failed":
                    found += 1
                    failures.write(json.dumps({"phoneNumber": row["contact"]}) + "\n")
        return found > 0

    failures_path = "{{ params.folder }}/{{ run_id }}/failures.jsonl"
    failures = definite_failures(outcomes.output, failures_path)
    contact_list = KoreAICreateContactListOperator(
        task_id="contact_list",
        name="Failover {{ dag_run.run_after | default(dag_run.logical_date) | ts_nodash }}",
        contacts=failures_path,
    )
    sms = KoreAICreateCampaignOperator(
        task_id="sms",
        name="{{ params.name }} {{ dag_run.run_after | default(dag_run.logical_date) | ts_nodash }}",
        description="To those whom WhatsApp did not reach",
        contact_lists=["{{ ti.xcom_pull(task_ids='contact_list')['name'] }}"],
        message="{{ params.message }}",
        evidence="{{ params.folder }}/launches",
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

    whatsapp >> settled_at() >> settled >> outcomes >> failures >> contact_list >> sms
