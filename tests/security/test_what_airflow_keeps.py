"""What Airflow stores of whole DAG runs: neither its database nor its logs hold a credential or a recipient."""

from __future__ import annotations

import json
import os
import runpy
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from environment import migrate

from airflow_provider_campaigns.operators import koreai
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

# One worker of pytest-xdist runs all that needs the database, so that it is made ready once.
pytestmark = pytest.mark.xdist_group("airflow_db")

SECRETS = {name: f"never-{name}'\"%41+/\\<b>&=={{x}}~0123456789" for name in ("kinbox", "altur", "koreai")}
PEOPLE = [{"contact": f"+5215598761{number:03d}", "name": f"Zoraida{number} Quetzal"} for number in range(40)]
REFUSED = {"contact": "+6834987", "name": "Wrong Quetzal"}

DAGS = """
import json, os
import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.operators.results import AlturCallsToObjectStorageOperator
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor

FOLDER = os.environ["PEOPLE_FOLDER"]


def people():
    with open(f"{FOLDER}/people.json") as file:
        return json.load(file)


ALTUR = {"name": "Winter", "agent_id": "agent", "integration_id": "line", "integration_type": "phone_call"}
WAIT = {"wait_until": "finished", "poll_interval": 0.2, "deferrable": True}
START = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"), "default_args": {"retries": 0}}
HOURS = {"frequency": "WEEKLY", "timezone": "America/Chicago",
         "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}]}

# No other test may have a DAG of that name: Airflow 3.1 would take the tasks of the one that it stored first.
with DAG("keeping", user_defined_macros={"people": people}, render_template_as_native_obj=True, **START) as keeping:
    create = AlturCreateCampaignOperator(task_id="create", contacts="{{ people() }}", **ALTUR, **WAIT)
    from_file = AlturCreateCampaignOperator(
        task_id="from_file", contacts=f"{FOLDER}/people.jsonl", activate=False, **ALTUR
    )
    add = AlturAddContactsOperator.partial(
        task_id="add", campaign_id="{{ ti.xcom_pull(task_ids='from_file') }}", contacts="{{ people() }}"
    ).expand(if_duplicate=["skip", "update"])
    from_file >> add
    create >> AlturCampaignSensor(
        task_id="watch", campaign_id="{{ ti.xcom_pull(task_ids='create') }}", poll_interval=0.2, deferrable=True
    )
    create >> AlturCallsToObjectStorageOperator(
        task_id="calls", campaign_id="{{ ti.xcom_pull(task_ids='create') }}", path=f"{FOLDER}/calls.jsonl"
    )
    AlturCreateCampaignOperator(task_id="dry", contacts="{{ people() }}", dry_run=True, **ALTUR)

with DAG("others", **START) as others:
    KinboxCreateCampaignOperator(
        task_id="kinbox", name="Winter", leads_asset_url="https://files.example.com/leads.csv?leads=5", **WAIT
    )
    KoreAICreateCampaignOperator(
        task_id="koreai", name="Winter", description="Sale", contact_lists=["Sandbox contacts"], message="Hello",
        dialing_strategy={"callerId": {"phoneNumber": "+14155550100"}, "callingHours": HOURS},
    )

with DAG("text", user_defined_macros={"people": people}, **START) as text:
    AlturCreateCampaignOperator(task_id="create", contacts="{{ people() }}", **ALTUR)
    AlturAddContactsOperator(task_id="add", campaign_id="1", contacts="{{ people() }}")
"""


@pytest.fixture
def dags(campaign_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, Any]]:
    """The DAGs, in a real Airflow whose connections have credentials of their own."""
    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)
    if airflow_has("airflow.sdk"):
        from airflow.sdk.execution_time import supervisor

        monkeypatch.setattr(supervisor, "in_process_api_server", cache(supervisor.in_process_api_server))
    for conn_id, connection in campaign_sandbox.connections().items():
        password = SECRETS[connection["conn_type"]]
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({**connection, "password": password}))
    monkeypatch.setenv("PEOPLE_FOLDER", str(tmp_path))
    (tmp_path / "people.json").write_text(json.dumps([*PEOPLE, REFUSED]))
    (tmp_path / "people.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in PEOPLE))
    home = Path(os.environ["AIRFLOW_HOME"])
    migrate(home, os.environ)
    file = home / "dags" / "kept.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(DAGS)
    yield runpy.run_path(str(file))
    file.unlink()


def stored() -> dict[str, str]:
    """Return all that Airflow's folder holds, by file: its database, with what was deleted from it, and its logs."""
    home = Path(os.environ["AIRFLOW_HOME"])
    files = [path for path in home.rglob("*") if path.is_file() and "dags" not in path.relative_to(home).parts]
    return {path.name: path.read_bytes().decode("latin-1") for path in files}


def rows(query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db") as database:
        return database.execute(query).fetchall()


def words_in(text: str) -> list[str]:
    """Return what of credentials and recipients is in a text, as it is or as JSON writes it."""
    numbers = [row["contact"].lstrip("+") for row in (*PEOPLE, REFUSED)]
    names = [f"Zoraida{number}" for number in range(len(PEOPLE))] + ["Quetzal", "Wrong Quet"]
    secrets = [form for secret in SECRETS.values() for form in (secret, json.dumps(secret)[1:-1], secret[:12])]
    return [word for word in (*numbers, *names, *secrets, "eyJhbGciOi") if word in text]


def test_nothing_that_airflow_keeps_of_a_run_holds_a_credential_or_a_recipient(
    dags: Mapping[str, Any], campaign_sandbox: Sandbox, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    runs = [dags[name].test() for name in ("keeping", "others")]
    states = {f"{one.task_id}{one.map_index}": str(one.state) for run in runs for one in run.get_task_instances()}
    assert set(states.values()) == {"success", "skipped"}, states
    assert {name for name, state in states.items() if state == "skipped"} == {"dry-1"}
    assert len(campaign_sandbox.journal()["campaigns"]) == 4
    printed = capfd.readouterr()
    assert "INVALID_PHONE_NUMBER" in printed.out + printed.err
    kept = {**stored(), "output": printed.out + printed.err}
    assert not {name: found for name, text in kept.items() if (found := words_in(text))}
    # So that this says anything: the database is read, and what is shown in the place of recipients is there.
    rendered = str(rows("SELECT task_id, rendered_fields FROM rendered_task_instance_fields WHERE dag_id = 'keeping'"))
    assert rendered.count("<41 contacts>") >= 3
    assert str(tmp_path) in rendered
    assert "Quetzal" in (tmp_path / "people.json").read_text()


def test_contacts_that_a_template_made_a_text_of_are_refused_before_airflow_keeps_them(
    dags: Mapping[str, Any], campaign_sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    run = dags["text"].test()
    assert {str(one.state) for one in run.get_task_instances()} == {"failed"}
    printed = capfd.readouterr()
    assert "render_template_as_native_obj" in printed.out + printed.err
    kept = {**stored(), "output": printed.out + printed.err}
    assert not {name: found for name, text in kept.items() if (found := words_in(text))}
    assert campaign_sandbox.journal()["requests"] == []
