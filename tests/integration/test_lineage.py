"""Lineage of a whole run, as the real OpenLineage provider writes it to a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dag_process import run_dag
from handing_over import connections

from airflow_provider_campaigns.sandbox.server import Sandbox

pytest.importorskip("airflow.providers.openlineage", reason="needs apache-airflow-providers-openlineage")
pytestmark = pytest.mark.xdist_group("airflow_db")

PEOPLE = [f"+52155{number:08d}" for number in range(30)]


class Events:
    """The events of a run: the last one of each task."""

    def __init__(self, folder: Path, file: Path, vendors: str) -> None:
        self.folder = folder
        self.text = file.read_text()
        self.vendors = vendors
        self.last: dict[str, dict[str, Any]] = {}
        for line in self.text.splitlines():
            event = json.loads(line)
            self.last[event["job"]["name"].partition(".")[2]] = event

    def moved(self, task_id: str) -> tuple[list[str], dict[str, int | None]]:
        """Return where a task's data came from, and where it went with how many rows."""
        event = self.last[task_id]
        inputs = [f"{one['namespace']} {one['name']}" for one in event["inputs"]]
        outputs = {
            f"{one['namespace']} {one['name']}": one.get("outputFacets", {}).get("outputStatistics", {}).get("rowCount")
            for one in event["outputs"]
        }
        return inputs, outputs

    def facets(self, task_id: str) -> Mapping[str, Any]:
        """Return the facets of a task's run."""
        facets: Mapping[str, Any] = self.last[task_id]["run"]["facets"]
        return facets

    def campaign(self, task_id: str) -> str:
        """Return the id of the campaign that a task launched or asked about."""
        return str(self.facets(task_id)["externalQuery"]["externalQueryId"])


@pytest.fixture(scope="module")
def events(dags_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """Return what a run of the DAG told, in a process of its own."""
    folder = tmp_path_factory.mktemp("lineage")
    (folder / "people.csv").write_text("contact,name\n" + "".join(f"{number},Secret Person\n" for number in PEOPLE))
    (folder / "list.csv").write_text("phoneNumber\n+14155550100\n+14155550101\n")
    file = folder / "events.jsonl"
    with Sandbox(speed=3600) as sandbox:
        environment = {
            **os.environ,
            **connections(sandbox),
            "LINEAGE_FOLDER": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(file), "append": True}),
            "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "60",
        }
        printed = run_dag(dags_folder / "lineage.py", "lineage", environment)
        assert file.exists(), printed
        return Events(folder, file, sandbox.url.removeprefix("http://"))


def test_a_launch_leads_from_the_file_of_contacts_to_the_campaign(events: Events) -> None:
    campaign = f"altur://{events.vendors} campaigns/{events.campaign('create')}"
    assert events.moved("create") == ([f"file {events.folder}/people.csv"], {campaign: 30})
    assert events.facets("create")["externalQuery"]["source"] == f"altur://{events.vendors}"


def test_a_launch_whose_task_was_deferred_tells_the_same(events: Events) -> None:
    campaign = f"altur://{events.vendors} campaigns/{events.campaign('deferred')}"
    assert events.moved("deferred") == ([f"file {events.folder}/people.csv"], {campaign: 30})


def test_results_lead_from_the_campaign_to_the_file(events: Events) -> None:
    assert events.campaign("results") == events.campaign("create")
    campaign = f"altur://{events.vendors} campaigns/{events.campaign('create')}"
    assert events.moved("results") == ([campaign], {f"file {events.folder}/results.jsonl": 30})


def test_contacts_that_are_added_lead_to_the_campaign_and_a_list_in_a_dag_is_no_file(events: Events) -> None:
    assert events.campaign("add") == events.campaign("draft")
    assert events.moved("add") == ([], {f"altur://{events.vendors} campaigns/{events.campaign('draft')}": 1})


def test_contacts_lead_to_the_list_that_the_vendor_keeps(events: Events) -> None:
    place = f"koreai://{events.vendors} contact_lists/Clinic"
    assert events.moved("list") == ([f"file {events.folder}/list.csv"], {place: 2})


def test_a_file_that_the_vendor_fetches_is_named_without_what_its_address_holds_besides(events: Events) -> None:
    campaign = f"kinbox://{events.vendors} campaigns/{events.campaign('fetched')}"
    assert events.moved("fetched") == (["https://files.example.com a/leads.csv"], {campaign: None})


def test_a_task_that_failed_tells_the_campaign_that_exists_and_the_error(events: Events) -> None:
    assert events.last["fails"]["eventType"] == "FAIL"
    assert events.moved("fails") == ([], {f"altur://{events.vendors} campaigns/{events.campaign('fails')}": 0})
    assert "was not started" in events.facets("fails")["errorMessage"]["message"]


def test_a_wait_moves_no_data(events: Events) -> None:
    assert events.moved("wait") == ([], {})
    assert "externalQuery" not in events.facets("wait")


def test_no_event_holds_a_number_or_a_name_of_anybody_or_a_credential(events: Events) -> None:
    assert [number for number in [*PEOPLE, "6834002", "4155550100", "11900009999"] if number in events.text] == []
    assert "Secret" not in events.text
    assert "secret" not in events.text
