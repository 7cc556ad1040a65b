"""From a file of contacts to a campaign and from there to a file of results, at the sandbox's Altur and others."""

import os

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.contact_lists import KoreAICreateContactListOperator
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

FOLDER = os.environ.get("LINEAGE_FOLDER", "/nowhere")
CAMPAIGN = {"name": "Summer", "agent_id": "agent", "integration_id": "line", "integration_type": "phone_call"}

with DAG("lineage", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as lineage:
    create = AlturCreateCampaignOperator(task_id="create", contacts=f"{FOLDER}/people.csv", **CAMPAIGN)
    wait = AlturCampaignSensor(task_id="wait", campaign_id=create.output, poll_interval=0.1)
    results = CampaignOutcomesToObjectStorageOperator(
        task_id="results", campaign_id=create.output, path=f"{FOLDER}/results.jsonl", conn_id="altur_default"
    )
    wait >> results
    AlturCreateCampaignOperator(
        task_id="deferred",
        contacts=f"{FOLDER}/people.csv",
        wait_until="finished",
        poll_interval=0.1,
        deferrable=True,
        **CAMPAIGN,
    )
    draft = AlturCreateCampaignOperator(task_id="draft", activate=False, **CAMPAIGN)
    # A list of people in the DAG is no file, and no event may hold it.
    AlturAddContactsOperator(
        task_id="add",
        campaign_id=draft.output,
        contacts=[{"contact": "+5511900009999", "name": "Secret Person"}],
    )
    # Nobody is taken: the task fails when the campaign exists and was not started.
    AlturCreateCampaignOperator(
        task_id="fails", contacts=[{"contact": "+6834002", "name": "Secret Person"}], **CAMPAIGN
    )
    KoreAICreateContactListOperator(task_id="list", name="Clinic", contacts=f"{FOLDER}/list.csv")
    KinboxCreateCampaignOperator(
        task_id="fetched",
        name="Summer",
        lead_type="file",
        leads_asset_url="https://files.example.com/a/leads.csv?leads=20&signature=secret",
    )
