"""Contacts and replies to files, and people taken out of a campaign under way."""

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

FOLDER = Path(__file__).parent

with DAG("recipients", schedule=None, params={"folder": "/tmp/results"}):  # noqa: S108
    calls = AlturCreateCampaignOperator(
        task_id="calls",
        name="Reactivation {{ dag_run.run_after | ds }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        contacts=str(FOLDER / "contacts.csv"),
    )
    chats = KinboxCreateCampaignOperator(
        task_id="chats",
        name="Open again",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=40",
        message="We are open again.",
        wait_until="finished",
    )
    # --8<-- [start:opt_out]
    from airflow_provider_campaigns.operators.opt_outs import (
        AlturDeleteContactsOperator,
    )

    opt_out = AlturDeleteContactsOperator(
        task_id="opt_out",
        campaign_id=calls.output,
        contacts=str(FOLDER / "opted_out.csv"),
        columns={"telefone": "contact"},
        default_country="MX",
    )
    # --8<-- [end:opt_out]
    # --8<-- [start:recipients]
    from airflow_provider_campaigns.operators.recipients import (
        AlturContactsToObjectStorageOperator,
        KinboxRepliesToObjectStorageOperator,
    )

    failed = AlturContactsToObjectStorageOperator(
        task_id="failed",
        campaign_id=calls.output,
        status="failed",
        path="file://{{ params.folder }}/{{ run_id }}/failed.jsonl",
    )
    replies = KinboxRepliesToObjectStorageOperator(
        task_id="replies",
        campaign_id=chats.output,
        path="file://{{ params.folder }}/{{ run_id }}/replies.jsonl",
    )
    # --8<-- [end:recipients]
    # --8<-- [start:recordings]
    from airflow_provider_campaigns.operators.recordings import (
        AlturRecordingsToObjectStorageOperator,
    )

    AlturRecordingsToObjectStorageOperator(
        task_id="recordings",
        campaign_id=calls.output,
        folder="file://{{ params.folder }}/recordings",  # or s3://...
    )
    # --8<-- [end:recordings]
    opt_out >> failed
