"""A person looks at a campaign before it goes out, within office hours and bounds; needs Airflow 3.1 or newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, XComArg, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.approval import ApproveCampaignOperator

OFFICE_HOURS: list[dict[str, Any]] = [
    {"timezone": "America/Mexico_City", "days": ["mon", "tue", "wed", "thu", "fri"], "hours": ["09:00", "20:00"]},
    {"timezone": "America/Mexico_City", "days": ["sat"], "hours": ["10:00", "14:00"], "holidays": ["2026-12-26"]},
]

with DAG(
    "example_approval",
    dag_display_name="Example: a person approves",
    tags=["campaigns", "altur", "approval"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Reactivation", type="string", minLength=1, description="What the campaign is called"),
        "first_message": Param(
            "Good morning! We have kept your discount for you.",
            type="string",
            format="multiline",
            minLength=1,
            description="What the agent says first",
        ),
        "contacts": Param(str(Path(__file__).with_name("contacts.csv")), type="string", description="A file"),
        "send_window": Param(
            OFFICE_HOURS,
            type="array",
            # Without it the form takes the hours for a list of texts.
            items={"type": "object"},
            description="When people may be called",
        ),
    },
    doc_md=__doc__,
) as dag:
    # --8<-- [start:guards]
    create = AlturCreateCampaignOperator(
        task_id="create",
        name="{{ params.name }} {{ run_id }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message="{{ params.first_message }}",
        contacts="{{ params.contacts }}",
        min_recipients=1,
        max_recipients=5_000,
        max_lateness=pendulum.duration(hours=24),
        send_window="{{ params.send_window | tojson }}",
        outside_send_window="defer",
    )
    # --8<-- [end:guards]
    # --8<-- [start:approval]
    approve = ApproveCampaignOperator(task_id="approve", create=create, body="For last year's customers.")
    # --8<-- [end:approval]

    @task
    def report(receipt: dict[str, Any]) -> str:
        """Return who let the campaign out."""
        return f"Campaign {receipt['id']} was approved by {receipt['approved_by']['name']}."

    report(XComArg(create, key="campaign"))
