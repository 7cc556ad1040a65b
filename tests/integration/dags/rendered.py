"""The same texts at all three vendors, rendered to text and to native objects, by operators and by a function."""

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator

DIALING = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "America/Chicago",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
    },
}
PARAMS = {"text": "1_000", "when": None, "yes": True, "no": False}


def with_texts(dag_id: str, *, native: bool) -> DAG:
    """Return a DAG whose launches send texts that a Python literal could be read from."""
    with DAG(
        dag_id,
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        params=PARAMS,
        render_template_as_native_obj=native,
    ) as dag:
        KinboxCreateCampaignOperator(
            task_id="plain",
            name="1_000",
            lead_type="file",
            leads_asset_url="https://files.example.com/leads.csv",
            message="'Sale' {{1}}, {{ params.text }} and {{ run_id }}",
            text_raw="True",
        )
        AlturCreateCampaignOperator(
            task_id="called",
            name="{{ params.text }}",
            agent_id="67e1",
            integration_id="0x10",
            integration_type="phone_call",
            first_message="{'a': 1}",
            contacts=[{"contact": "+5215512345601", "name": "None of them"}],
            activate="{{ params.no }}",
        )
        KoreAICreateCampaignOperator(
            task_id="reminded",
            name="1, 2, 3",
            description="+5511999990000",
            contact_lists=["Sandbox contacts"],
            message="[1]",
            dialing_strategy=DIALING,
            start="{{ params.no }}",
        )
        KinboxCreateCampaignOperator(task_id="unplanned", name="Never", scheduled_to="{{ params.when }}", retries=3)
        KinboxCreateCampaignOperator(task_id="dry", name="Never", dry_run="{{ params.yes }}")

        @task.kinbox_campaign(lead_type="file", leads_asset_url="https://files.example.com/leads.csv")
        def decorated() -> dict[str, Any]:
            return {"name": "2_000", "message": "{{ conn.get('kinbox_default').password }} {{1}} 'x' "}

        decorated()
    return dag


as_text = with_texts("rendered_as_text", native=False)
as_objects = with_texts("rendered_as_objects", native=True)
