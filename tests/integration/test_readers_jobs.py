"""Jobs as readers of README.md and the docs write them, triggered in a whole Airflow as people trigger them."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from environment import REPOSITORY
from whole_airflow import Airflow, until

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

need("airflow.sdk")

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("readers_jobs")]

READERS = Path(__file__).with_name("readers")
#: The first DAG of README.md, as it stands there.
(FIRST_DAG, *_) = re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.M | re.S)
PEOPLE = [f"+52155123456{number}" for number in range(10, 30)]
ENDS = ("success", "failed")


@pytest.fixture(scope="module")
def vendors() -> Iterator[Sandbox]:
    """The vendors, whose campaigns are over at the first look of a wait, before a reader's interval of a minute."""
    with Sandbox(speed=6000) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def running(vendors: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """The Airflow of the readers, with their DAGs."""
    files = {file.name: file.read_text() for file in READERS.glob("*.py")}
    with Airflow(
        tmp_path_factory.mktemp("readers") / "airflow",
        connections=vendors.connections(),
        dags={**files, "winter_whatsapp.py": FIRST_DAG},
        dag_ids={"nightly_reminders", "weekly_offer", "after_weekly_offer", "one_offer", "winter_whatsapp"},
        settings={"AIRFLOW__CORE__PARALLELISM": "6"},
    ) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The readers' database: twenty whose payment is due, one whose is not."""
    path = tmp_path_factory.mktemp("crm") / "crm.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (id INTEGER, phone TEXT, name TEXT, due TEXT)")
        connection.execute("CREATE TABLE outcomes (phone TEXT, outcome TEXT)")
        rows = [(place, phone, f"Customer {place}", "2026-01-01") for place, phone in enumerate(PEOPLE)]
        rows.append((99, "+5215512345699", "Later", "2999-01-01"))
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", rows)
    return path


@pytest.fixture(scope="module")
def runs(running: Airflow, vendors: Sandbox, customers: Path) -> dict[str, str]:
    """Trigger all jobs, as people do, and return how each run ended by its id."""
    contacts = customers.with_name("contacts.csv")
    contacts.write_text("\n".join(["contact", *PEOPLE]))
    leads = vendors.serve_file("leads.csv", "\n".join(f"{number},Ana" for number in PEOPLE))
    quick = {"poll_interval": 1}
    jobs = {
        "nightly_reminders": {"database": str(customers), "folder": str(customers.parent), **quick},
        "weekly_offer": {"leads": leads, **quick},
        "one_offer": {"leads": leads, "contacts": str(contacts), **quick},
        "winter_whatsapp": {},
    }
    commands = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "airflow",
                "dags",
                "trigger",
                job,
                "--run-id",
                f"cli_{job}",
                "--conf",
                json.dumps(conf),
            ],
            env=running.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for job, conf in jobs.items()
    ]
    # The API without a logical date, and with one, as the page's form sends it.
    for run_id, moment in (("api", None), ("page", "2026-11-25T12:00:00Z")):
        running.call(
            "POST", "dags/winter_whatsapp/dagRuns", json={"dag_run_id": run_id, "logical_date": moment, "conf": {}}
        )
    for command in commands:
        said, _ = command.communicate(timeout=120)
        assert command.returncode == 0, said
    wanted = {(job, f"cli_{job}") for job in jobs} | {("winter_whatsapp", "api"), ("winter_whatsapp", "page")}

    def ended() -> dict[str, str]:
        states = {run_id: running.call("GET", f"dags/{job}/dagRuns/{run_id}")["state"] for job, run_id in wanted}
        return states if all(state in ENDS for state in states.values()) else {}

    found: dict[str, str] = until("all runs are over", ended)
    return found


def launched(vendors: Sandbox, vendor: str, name: str) -> dict[str, Any]:
    """Return the one campaign that a run launched."""
    (campaign,) = [one for one in vendors.journal(vendor)["campaigns"] if one["name"].startswith(name)]
    assert campaign["starts"] == 1
    return dict(campaign)


def test_a_nightly_query_is_called_at_altur_gated_and_its_results_are_loaded(
    runs: dict[str, str], vendors: Sandbox, customers: Path
) -> None:
    assert runs["cli_nightly_reminders"] == "success"
    campaign = launched(vendors, "altur", "Reminder cli_nightly_reminders")
    assert vendors.recipients("altur", campaign["id"]) == PEOPLE
    with closing(sqlite3.connect(customers)) as connection:
        assert [phone for (phone,) in connection.execute("SELECT phone FROM outcomes ORDER BY phone")] == PEOPLE


def test_a_scheduled_offer_at_kinbox_is_followed_by_the_dag_that_waits_for_it(
    runs: dict[str, str], vendors: Sandbox, running: Airflow
) -> None:
    assert runs["cli_weekly_offer"] == "success"
    campaign = launched(vendors, "kinbox", "Offer cli_weekly_offer")
    assert (campaign["contacts"], campaign["messages"]) == (len(PEOPLE), len(PEOPLE))

    def followed() -> bool:
        after = running.call("GET", "dags/after_weekly_offer/dagRuns")["dag_runs"]
        return [one["state"] for one in after] == ["success"]

    until("the other DAG has run once", followed)


def test_one_offer_goes_out_at_three_vendors_once_each(runs: dict[str, str], vendors: Sandbox) -> None:
    assert runs["cli_one_offer"] == "success"
    launched(vendors, "kinbox", "Offer cli_one_offer")
    assert vendors.recipients("altur", launched(vendors, "altur", "Offer cli_one_offer")["id"]) == PEOPLE
    launched(vendors, "koreai", "Offer ")


def test_the_readme_s_first_dag_runs_from_the_command_line_the_page_and_the_api(
    runs: dict[str, str], vendors: Sandbox
) -> None:
    for run_id in ("cli_winter_whatsapp", "api", "page"):
        assert runs[run_id] == "success"
        launched(vendors, "kinbox", f"Winter {run_id}")
