"""Launches at the three vendors, alone, with a wait and many at once; waits for campaigns that exist."""

from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor

BEGIN = datetime(2026, 1, 1)  # noqa: DTZ001
CONN_ID = "{{ dag_run.conf['conn_id'] }}"
HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [
        {"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    ],
}
LAUNCHES = {
    "kinbox": (KinboxCreateCampaignOperator, {"leads_asset_url": "https://files.example.com/leads.csv?leads=100"}),
    "altur": (
        AlturCreateCampaignOperator,
        {
            "agent_id": "agent",
            "integration_id": "integration",
            "integration_type": "phone_call",
            "contacts": str(Path(__file__).with_name("contacts.csv")),
        },
    ),
    "koreai": (
        KoreAICreateCampaignOperator,
        {
            "description": "Winter sale",
            "contact_lists": ["Sandbox contacts"],
            "message": "Sale",
            "dialing_strategy": {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": HOURS},
        },
    ),
}
COMMON = {"conn_id": CONN_ID, "lookup_timeout": 15, "retries": 5, "retry_delay": timedelta(seconds=3)}
WAITING = {"wait_until": "finished", "poll_interval": 2}

for vendor, (operator, fields) in LAUNCHES.items():
    for where, executor in (("", "CeleryExecutor"), ("_local", "LocalExecutor")):
        with DAG(f"{vendor}_launch{where}", schedule=None, start_date=BEGIN):
            operator(task_id="create", name="Winter", **fields, **COMMON, executor=executor)
        with DAG(f"{vendor}_wait{where}", schedule=None, start_date=BEGIN):
            operator(task_id="create", name="Winter", **fields, **COMMON, **WAITING, executor=executor)
    with DAG(f"{vendor}_patient", schedule=None, start_date=BEGIN):
        operator(task_id="create", name="Winter", **fields, **{**COMMON, "retry_delay": timedelta(seconds=20)})
    with DAG(f"{vendor}_mapped", schedule=None, start_date=BEGIN):
        if vendor == "altur":
            fields = {**fields, "contacts": str(Path(__file__).with_name("few_contacts.csv"))}
        operator.partial(task_id="create", **fields, **COMMON).expand(name=[f"Offer {number}" for number in range(30)])

with DAG("waits", schedule=None, start_date=BEGIN):

    @task
    def campaigns(dag_run=None):
        return dag_run.conf["campaigns"]

    CampaignSensor.partial(task_id="wait", poll_interval=2, deferrable=True).expand_kwargs(campaigns())
