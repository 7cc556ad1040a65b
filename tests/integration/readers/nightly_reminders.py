"""A reader's job: nightly, who owes a payment is called at Altur; a gate, and the results are loaded."""

import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.exceptions import AirflowSkipException
from airflow.sdk import DAG, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.results import CampaignOutcomesToObjectStorageOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

with DAG(
    "nightly_reminders",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="America/Mexico_City"),
    catchup=False,
    max_active_runs=1,
    params={
        "database": Param("/data/crm.db", type="string"),
        "folder": Param("/data/reminders", type="string"),
        "poll_interval": Param(60, type="number", minimum=1),
    },
):

    @task
    def due_customers(run_id: str, params: dict) -> str:
        """Write whom this night is for into a file."""
        path = Path(params["folder"]) / f"{run_id}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        query = "SELECT phone AS contact, name, id AS f_id FROM customers WHERE due < date('now') ORDER BY id"
        with closing(sqlite3.connect(params["database"])) as connection, path.open("w", newline="") as file:
            cursor = connection.execute(query)
            rows = csv.writer(file)
            rows.writerow(column[0] for column in cursor.description)
            people = 0
            for row in cursor:
                rows.writerow(row)
                people += 1
        if not people:
            raise AirflowSkipException("Nobody is due tonight.")
        return str(path)

    create = AlturCreateCampaignOperator(
        task_id="create",
        name="Reminder {{ run_id }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message="Good morning! Your payment is due.",
        contacts=due_customers(),
        max_lateness=timedelta(hours=3),
        max_recipients=10_000,
    )
    half = AlturCampaignSensor(
        task_id="half",
        campaign_id=create.output,
        progress_threshold=50,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )

    @task
    def staff_the_desk() -> None:
        """People call back."""

    finished = AlturCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        max_failed_ratio=0.3,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
    )
    outcomes = CampaignOutcomesToObjectStorageOperator(
        task_id="outcomes",
        conn_id="altur_default",
        campaign_id=create.output,
        path="{{ params.folder }}/{{ run_id }}.jsonl",
    )

    @task
    def load(written: dict, params: dict) -> dict[str, int]:
        """Load what became of each customer into the database."""
        with open(written["path"]) as file:
            rows = [json.loads(line) for line in file]
        with closing(sqlite3.connect(params["database"])) as connection, connection:
            connection.executemany(
                "INSERT INTO outcomes VALUES (?, ?)", [(row["contact"], row["outcome"]) for row in rows]
            )
        return dict(Counter(row["outcome"] for row in rows))

    half >> staff_the_desk()
    half >> finished >> outcomes
    load(outcomes.output)
