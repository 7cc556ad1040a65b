"""Launches by decorated functions: of recipients from a task before, of one campaign for each region, and waiting."""

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG("decorated", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:

    @task(show_return_value_in_logs=False)
    def people() -> list[dict[str, str]]:
        """Return recipients, one of them called as a template."""
        return [
            {"contact": "+5215512345601", "name": "Guadalupe"},
            {"contact": "+5215512345602", "name": "{{ conn.altur_default.password }}"},
        ]

    @task.altur_campaign(agent_id="agent", integration_id="{{ 'integration' }}", integration_type="phone_call")
    def call(contacts: list[dict[str, str]], season: str, dag: Any = None) -> dict[str, Any]:
        """Call all people."""
        return {"name": f"{season} of {dag.dag_id}", "contacts": contacts}

    @task.altur_campaign(integration_id="integration", integration_type="phone_call")
    def call_one(contact: dict[str, str]) -> dict[str, Any]:
        """Call one person, whom a mapped task has got as its argument."""
        return {"name": "One", "agent_id": "agent", "contacts": [contact]}

    @task.altur_campaign(
        agent_id="agent",
        integration_id="integration",
        integration_type="phone_call",
        contacts=[{"contact": "+5215512345603", "name": "Rosario"}],
    )
    def call_again(name: str) -> dict[str, Any]:
        """Call somebody who is named in the DAG file."""
        return {"name": name}

    everybody = people()
    call_one.expand(contact=everybody)
    call_again.expand(name=["Again"])
    AlturCampaignSensor(task_id="called", campaign_id=call(everybody, season="Winter"), poll_interval=0.2)

    @task.kinbox_campaign(lead_type="file")
    def greet(region: str, pause: int) -> dict[str, Any]:
        """Greet a region."""
        return {
            "name": f"Greet {region}",
            "leads_asset_url": f"https://files.example.com/{region}.csv?leads=3",
            "template": {"components": [{"type": "BODY", "text": f"Hello {{{{1}}}}, from {region}"}]},
            "seconds_between_messages": pause,
        }

    greeted = (
        greet.override(task_id="greet_region", max_active_tis_per_dag=1)
        .partial(pause=2)
        .expand(region=["north", "south"])
    )
    KinboxCampaignSensor.partial(task_id="greeted", poll_interval=0.2).expand(campaign_id=greeted)

    @task.koreai_campaign(
        dialing_strategy={
            "callerId": {"phoneNumber": "+14155550100"},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": "America/Chicago",
                "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
            },
        },
        wait_until="finished",
        poll_interval=0.2,
        deferrable=True,
    )
    def remind(params: dict[str, Any]) -> dict[str, Any]:
        """Remind people, and wait for it; the calls of this function are counted in a file."""
        with open(params["calls"], "a", encoding="utf-8") as calls:
            calls.write("called\n")
        return {
            "name": "Reminder",
            "description": "To come",
            "contact_lists": ["Sandbox contacts"],
            "message": "Do come",
        }

    @task
    def reminded(receipt: dict[str, Any]) -> str:
        """Take the receipt from the launch."""
        return f"{receipt['id']} is {receipt['status']}"

    reminded(remind()["campaign"])
