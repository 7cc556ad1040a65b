"""Launches, waits, contacts and refusals of every kind that a metric tells of, side by side."""

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.contact_lists import KoreAICreateContactListOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

PEOPLE = [{"contact": f"+52155{number:08d}", "name": f"Secret Person {number}"} for number in range(40)]
#: A number of Niue, whole and shorter than the sandbox's Altur takes.
REFUSED = {"contact": "+6834002", "name": "Secret Person 40"}
LEADS = {"lead_type": "file", "leads_asset_url": "https://files.example.com/leads.csv?leads=20"}

with DAG("measured_dag", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as measured:
    AlturCreateCampaignOperator(
        task_id="figures_in_the_triggerer",
        name="Secret name",
        agent_id="agent",
        integration_id="line",
        integration_type="phone_call",
        contacts=[*PEOPLE, REFUSED],
        progress_threshold=100,
        poll_interval=0.3,
        deferrable=True,
    )
    launch = KinboxCreateCampaignOperator(task_id="launch", name="Secret name", **LEADS)
    KinboxCampaignSensor(task_id="poke", campaign_id=launch.output, poll_interval=0.1, mode="poke")
    KinboxCampaignSensor(task_id="late", campaign_id=launch.output, poll_interval=0.1, deferrable=True, timeout=0.5)
    KinboxCreateCampaignOperator(task_id="refused", name="Secret name", max_lateness=0.001, **LEADS)
    KoreAICreateContactListOperator(
        task_id="list", name="Secret list", contacts=[{"phoneNumber": f"+1415{number:07d}"} for number in range(5)]
    )
