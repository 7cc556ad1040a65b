"""Two triggerers in a whole Airflow: one is killed while 200 campaigns are waited for; every wait ends on the other."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import whole_airflow

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox

# Whole Airflows run one after another: two at a time would wait for each other's processor time.
pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("airflow_standalone")]

WAITS = 200
#: Seconds for what a loaded machine takes its time for.
DEADLINE = 240.0

DAG = """
import pendulum
from airflow.sdk import DAG, task

from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

with DAG("many", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), max_active_tasks=1000):

    @task
    def campaigns(**context):
        return context["dag_run"].conf["campaigns"]

    KinboxCampaignSensor.partial(task_id="wait", poll_interval=1, deferrable=True).expand(campaign_id=campaigns())
"""


def until(what: str, condition: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true, and return it."""
    return whole_airflow.until(what, condition, DEADLINE)


class Airflow(whole_airflow.Airflow):
    """
    Airflow with two triggerers, seen through its REST API and its database.

    :param home: Its folder.
    :param sandbox: The vendors.
    """

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        super().__init__(
            home,
            connections=sandbox.connections(),
            dags={"many.py": DAG},
            dag_ids={"many"},
            parts=("api-server", "scheduler", "dag-processor"),
            settings={
                "AIRFLOW__CORE__PARALLELISM": "4",
                "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
                "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
                # A triggerer that was not heard of for so many seconds counts as dead (30 by default).
                "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
                "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            },
        )
        #: The triggerers' names as parts, by the id of their job.
        self.triggerers: dict[int, str] = {}

    def start_triggerer(self) -> None:
        """Start a triggerer and wait until it is on duty."""
        part = f"triggerer:{len(self.triggerers)}"
        self.start(part)
        (job,) = until("the triggerer is on duty", lambda: set(self._triggerer_jobs()) - set(self.triggerers))
        self.triggerers[job] = part

    def trigger(self, conf: dict[str, Any]) -> None:
        """Start a run of the DAG."""
        self.call("POST", "dags/many/dagRuns", json={"logical_date": None, "conf": conf})

    def states(self) -> Counter[str]:
        """Return how many of the waits are in each state."""
        return Counter(state for (state,) in self._rows("SELECT state FROM task_instance WHERE task_id = 'wait'"))

    def shares(self) -> Counter[int]:
        """Return how many waits each triggerer has, by its job."""
        return Counter(job for (job,) in self._rows("SELECT triggerer_id FROM trigger WHERE triggerer_id NOT NULL"))

    def results(self) -> dict[str, str]:
        """Return the status with which each campaign's wait ended, by its id."""
        rows = self._rows("SELECT json_extract(value, '$.id'), json_extract(value, '$.status') FROM xcom")
        return {campaign: status for campaign, status in rows if campaign}

    def tries(self) -> set[int]:
        """Return the numbers of tries that waits have had."""
        return {tries for (tries,) in self._rows("SELECT try_number FROM task_instance WHERE task_id = 'wait'")}

    def _triggerer_jobs(self) -> list[int]:
        return [job for (job,) in self._rows("SELECT id FROM job WHERE job_type = 'TriggererJob'")]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors; campaigns go on, but none of those here finishes by itself."""
    with Sandbox(speed=1) as server:
        yield server


@pytest.fixture
def airflow(sandbox: Sandbox, tmp_path: Path) -> Iterator[Airflow]:
    """A running Airflow with two triggerers."""
    with Airflow(tmp_path / "airflow", sandbox) as running:
        for _ in range(2):
            running.start_triggerer()
        yield running


def test_every_wait_of_a_triggerer_that_is_killed_ends_on_the_other(airflow: Airflow, sandbox: Sandbox) -> None:
    client = KinboxClient("sandbox-token", base_url=sandbox.base_url("kinbox"))
    url = "https://files.example.com/leads.csv?leads=100000"
    campaigns = [client.create_campaign(name=f"C{place}", leads_asset_url=url).id for place in range(WAITS)]
    airflow.trigger({"campaigns": campaigns})
    until("all campaigns are waited for", lambda: sum(airflow.shares().values()) == WAITS)

    (victim, orphans), *_ = airflow.shares().most_common()
    airflow.kill(airflow.triggerers[victim])
    (survivor,) = set(airflow.triggerers) - {victim}
    assert orphans >= WAITS / 2
    assert airflow.states() == {"deferred": WAITS}
    until("the other triggerer has all waits", lambda: airflow.shares() == {survivor: WAITS})

    sandbox.set_speed(10_000_000)
    until("all waits are over", lambda: airflow.states() == {"success": WAITS})
    assert airflow.results() == dict.fromkeys(campaigns, "finished")
    assert airflow.tries() == {1}
    assert {request["method"] for request in sandbox.journal("kinbox")["requests"][WAITS:]} == {"GET"}
