"""The main job with the package as it is installed: contacts to Altur, the wait, the results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

#: The job, in the imports that every supported Airflow has.
DAG_FILE = """
import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.results import AlturCallsToObjectStorageOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

with DAG("release_job", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
    create = AlturCreateCampaignOperator(
        task_id="create",
        name="Winter",
        agent_id="agent",
        integration_id="integration",
        integration_type="phone_call",
        contacts=CONTACTS,
    )
    finished = AlturCampaignSensor(task_id="finished", campaign_id=create.output, poll_interval=0.2)
    results = AlturCallsToObjectStorageOperator(task_id="results", campaign_id=create.output, path=RESULTS)
    finished >> results

if __name__ == "__main__":
    state = dag.test().state
    raise SystemExit(str(getattr(state, "value", state)) != "success")
"""
PEOPLE = ["+5215512345601", "+5215512345602", "+5215512345603"]


def main() -> int:
    """Run the job and return 1 unless it launched one campaign, reached all people and wrote what became of them."""
    import airflow

    import airflow_provider_campaigns
    from airflow_provider_campaigns.sandbox.server import Sandbox

    package = Path(airflow_provider_campaigns.__file__)
    if "site-packages" not in package.parts:
        raise SystemExit(f"This is not the installed package: {package}")
    with tempfile.TemporaryDirectory() as folder, Sandbox(speed=600) as sandbox:
        home = Path(folder)
        contacts, results = home / "contacts.csv", home / "results.jsonl"
        contacts.write_text("\n".join(["contact", *PEOPLE]))
        job = home / "dags" / "release_job.py"
        job.parent.mkdir()
        job.write_text(DAG_FILE.replace("CONTACTS", repr(str(contacts))).replace("RESULTS", repr(str(results))))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "AIRFLOW_HOME": folder,
            "AIRFLOW__CORE__DAGS_FOLDER": str(job.parent),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW_CONN_ALTUR_DEFAULT": json.dumps(sandbox.connections()["altur_default"]),
        }
        for command in (["-m", "airflow", "db", "migrate"], [str(job)]):
            done = subprocess.run(
                [sys.executable, *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
                return 1
        journal = sandbox.journal("altur")["campaigns"]
        counts = [(one["contacts"], one["messages"]) for one in journal]
        rows = len(results.read_text().splitlines())
    version = airflow_provider_campaigns.__version__
    print(f"{version} with Airflow {airflow.__version__}: {len(counts)} campaign, {counts}, {rows} rows of results")
    return int(counts != [(len(PEOPLE), len(PEOPLE))] or rows != len(PEOPLE))


if __name__ == "__main__":
    sys.exit(main())
