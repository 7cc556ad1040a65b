"""Two triggerers in a whole Airflow: one is killed while 200 campaigns are waited for; every wait ends on the other."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from airflow_provider_campaigns.api.kinbox import KinboxClient
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


def until(what: str, condition: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """Ask again and again until the answer is true, and return it."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"Not within {seconds:g} s: {what}")


class Component:
    """
    One process of Airflow with all that it starts, each in a session of its own.

    :param name: What Airflow's command line calls it.
    :param log: Where its output goes.
    """

    def __init__(self, name: str, environment: dict[str, str], log: Path) -> None:
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *name.split()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it and its children as a machine that loses its power does: nothing is cleaned up."""
        try:
            family = [psutil.Process(self.process.pid)]
            family += family[0].children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for one in family:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                pass
        self.process.wait(10)


class Airflow:
    """
    Airflow with two triggerers, seen through its REST API and its database.

    :param environment: For all its components.
    :param home: Its folder.
    :param port: Its API's port.
    """

    def __init__(self, environment: dict[str, str], home: Path, port: int) -> None:
        self.home = home
        self._environment = environment
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False
        #: The two triggerers by the id of their job.
        self.triggerers: dict[int, Component] = {}

    def start(self, name: str, log: str | None = None) -> Component:
        """Start a component."""
        return Component(name, self._environment, self.home / f"{log or name}.log")

    def start_triggerer(self) -> Component:
        """Start a triggerer and wait until it is on duty."""
        component = self.start("triggerer", f"triggerer-{len(self.triggerers)}")
        (job,) = until("the triggerer is on duty", lambda: set(self._triggerer_jobs()) - set(self.triggerers))
        self.triggerers[job] = component
        return component

    def is_ready(self) -> bool:
        """Whether the API answers and the DAG is known."""
        try:
            if "Authorization" not in self._session.headers:
                token = self._session.get(f"{self._url}/auth/token", timeout=10).json()["access_token"]
                self._session.headers["Authorization"] = f"Bearer {token}"
            return bool(self._call("GET", "dags")["dags"])
        except (requests.RequestException, KeyError):
            return False

    def trigger(self, conf: dict[str, Any]) -> None:
        """Start a run of the DAG."""
        self._call("POST", "dags/many/dagRuns", json={"logical_date": None, "conf": conf})

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

    def log_tails(self) -> str:
        """Return the ends of the components' logs."""
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            for path in sorted(self.home.glob("*.log"))
        )

    def _triggerer_jobs(self) -> list[int]:
        return [job for (job,) in self._rows("SELECT id FROM job WHERE job_type = 'TriggererJob'")]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._session.request(method, f"{self._url}/api/v2/{path}", timeout=60, **arguments)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors; campaigns go on, but none of those here finishes by itself."""
    with Sandbox(speed=1) as server:
        yield server


@pytest.fixture
def airflow(sandbox: Sandbox, airflow_setup: ModuleType, tmp_path: Path) -> Iterator[Airflow]:
    """A running Airflow with two triggerers."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "many.py").write_text(DAG)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    port, *log_ports = (str(listener.getsockname()[1]) for listener in listeners)
    for listener in listeners:
        listener.close()
    environment = {
        **airflow_setup.airflow_environment(tmp_path, sandbox.connections()),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": "two-triggerers",
        "AIRFLOW__API_AUTH__JWT_SECRET": "two-triggerers-have-one-secret-of-some-length-and-more-than-64-bytes",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": log_ports[0],
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": log_ports[1],
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        # So long Airflow may take to see that a task's process has ended; a task that resumes earlier than that after
        # it has deferred is taken for one that was killed.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # A triggerer that was not heard of for so many seconds counts as dead (30 by default).
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
    }
    airflow_setup.migrate(tmp_path, environment)
    running = Airflow(environment, tmp_path, int(port))
    with ExitStack() as stack:
        for name in ("api-server", "scheduler", "dag-processor"):
            stack.callback(running.start(name).kill)
        for _ in range(2):
            stack.callback(running.start_triggerer().kill)
        until("Airflow is ready", running.is_ready)
        yield running


def test_every_wait_of_a_triggerer_that_is_killed_ends_on_the_other(airflow: Airflow, sandbox: Sandbox) -> None:
    client = KinboxClient("sandbox-token", base_url=sandbox.base_url("kinbox"))
    url = "https://files.example.com/leads.csv?leads=100000"
    campaigns = [client.create_campaign(name=f"C{place}", leads_asset_url=url).id for place in range(WAITS)]
    airflow.trigger({"campaigns": campaigns})
    until("all campaigns are waited for", lambda: sum(airflow.shares().values()) == WAITS)

    (victim, orphans), *_ = airflow.shares().most_common()
    airflow.triggerers[victim].kill()
    (survivor,) = set(airflow.triggerers) - {victim}
    assert orphans >= WAITS / 2
    assert airflow.states() == {"deferred": WAITS}
    until("the other triggerer has all waits", lambda: airflow.shares() == {survivor: WAITS})

    sandbox.set_speed(10_000_000)
    until("all waits are over", lambda: airflow.states() == {"success": WAITS})
    assert airflow.results() == dict.fromkeys(campaigns, "finished")
    assert airflow.tries() == {1}
    assert {request["method"] for request in sandbox.journal("kinbox")["requests"][WAITS:]} == {"GET"}
