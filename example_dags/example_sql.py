"""From a query to a campaign: those whose payment is due are read from a database and called, at Altur."""

from __future__ import annotations

import csv
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

# --8<-- [start:query]
#: The column with the number is called "contact"; every further column that Altur knows is handed over with it.
QUERY = "SELECT phone AS contact, name FROM customers WHERE due < ? AND phone IS NOT NULL ORDER BY phone"
# --8<-- [end:query]

with DAG(
    "example_sql",
    dag_display_name="Example: from a query to a campaign",
    tags=["campaigns", "altur", "sql"],
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={
        "name": Param("Payment reminder", type="string", minLength=1, description="What the campaign is called"),
        "first_message": Param(
            "Good morning! Your payment is due.",
            type="string",
            format="multiline",
            minLength=1,
            description="What the agent says first",
        ),
        "due_before": Param("2026-12-01", type="string", format="date", description="Whose payment is due before this"),
        "folder": Param(
            f"file://{tempfile.gettempdir()}/campaign-contacts",
            type="string",
            description="Where the contacts go, such as s3://aws_default@bucket/contacts",
        ),
        "poll_interval": Param(30, type="number", minimum=1, description="Seconds between two looks"),
    },
    doc_md=__doc__,
) as dag:

    @task
    def database() -> str:
        """Stand in for the database that there is: make one with three customers, and return its path."""
        path = Path(tempfile.gettempdir()) / "campaign-customers.db"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE customers (phone TEXT, name TEXT, due TEXT)")
            people = [
                ("+525550000001", "Ana", "2026-11-20"),
                ("+525550000002", "Luis", "2026-11-25"),
                ("+525550000003", "Sofia", "2027-01-31"),
            ]
            connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", people)
        return str(path)

    # --8<-- [start:rows]
    @task
    def due(database: str, run_id: str | None = None, params: dict[str, Any] | None = None) -> str:
        """Write the rows into a file, one at a time, and return its path; an XCom would keep people's numbers."""
        typed = params or {}
        path = ObjectStoragePath(typed["folder"]) / f"{run_id}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        # With a provider's hook instead: PostgresHook("crm").get_conn()
        with closing(sqlite3.connect(database)) as connection, path.open("w", newline="") as file:
            cursor = connection.execute(QUERY, (typed["due_before"],))
            rows = csv.writer(file)
            rows.writerow(column[0] for column in cursor.description)
            rows.writerows(cursor)
        return str(path)

    create = AlturCreateCampaignOperator(
        task_id="create",
        name="{{ params.name }} {{ run_id }}",
        agent_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        integration_id="int_public_id",
        integration_type="phone_call",
        first_message="{{ params.first_message }}",
        contacts=due(database()),
        min_recipients=1,
        max_recipients=50_000,
    )
    # --8<-- [end:rows]
    AlturCampaignSensor(
        task_id="finished", campaign_id=create.output, poll_interval="{{ params.poll_interval }}", deferrable=True
    )
