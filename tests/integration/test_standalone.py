"""Deferred waits in a whole Airflow: scheduler, DAG processor, triggerer and API server as they run in production."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests

from airflow_provider_campaigns.api.kinbox import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("airflow_standalone")

TOKEN = f"kinbox-token-{uuid.uuid4().hex}"
#: Seconds for anything that Airflow does by itself in one or two; a loaded machine takes its time.
DEADLINE = 90.0

# Ends Airflow when the test process closes the pipe or is gone, however it went. Airflow's tasks have process groups of
# their own, but they all stay in the session.
GUARD = """
import os, signal, subprocess, sys
import psutil

airflow = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
sys.stdin.read()
for again in range(3):
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == airflow.pid:
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
airflow.wait()
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


def free_ports(number: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Airflow:
    """
    A running Airflow, used through its REST API.

    :param home: Its folder.
    :param port: Its API's port.
    """

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self._url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False

    def is_ready(self) -> bool:
        """Whether all components are alive and the DAGs are known."""
        try:
            if "Authorization" not in self._session.headers:
                token = self._session.get(f"{self._url}/auth/token", timeout=10).json()["access_token"]
                self._session.headers["Authorization"] = f"Bearer {token}"
            health = self._call("GET", "monitor/health")
            dags = {dag["dag_id"] for dag in self._call("GET", "dags")["dags"]}
        except (requests.RequestException, KeyError):
            return False
        healthy = [health[name]["status"] == "healthy" for name in ("scheduler", "dag_processor", "triggerer")]
        return all(healthy) and dags == {"launch", "watch", "overdue"}

    def trigger(self, dag_id: str, **conf: Any) -> Run:
        """Start a run of a DAG."""
        body = {"logical_date": None, "conf": conf}
        return Run(self, dag_id, self._call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def log_tails(self) -> str:
        """Return the ends of all logs."""
        tails = []
        for path in sorted(self.home.rglob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            tails.append(f"--- {path.relative_to(self.home)}\n" + "\n".join(lines[-25:]))
        return "\n".join(tails)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._session.request(method, f"{self._url}/api/v2/{path}", timeout=60, **arguments)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


class Run:
    """A run of a DAG."""

    def __init__(self, airflow: Airflow, dag_id: str, run_id: str) -> None:
        self._airflow = airflow
        self._path = f"dags/{dag_id}/dagRuns/{run_id}"
        self._logs = airflow.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"

    def task(self, task_id: str = "wait") -> dict[str, Any]:
        """Return what Airflow tells about a task of the run."""
        return self._airflow._call("GET", f"{self._path}/taskInstances/{task_id}")

    def wait_for(self, state: str, task_id: str = "wait") -> None:
        """Wait until a task is in a state."""
        until(f"{task_id} is {state}", lambda: self.task(task_id)["state"] == state)

    def wait_for_end(self) -> str:
        """Wait until the run is over and return how it ended."""
        ends = ("success", "failed")
        return str(until("the run is over", lambda: self._state() in ends and self._state()))

    def mark_failed(self, task_id: str = "wait") -> None:
        """Do what a user does who marks the task as failed."""
        self._airflow._call("PATCH", f"{self._path}/taskInstances/{task_id}", json={"new_state": "failed"})

    def log(self, task_id: str = "wait") -> str:
        """Return what a task wrote on its worker."""
        return "".join(path.read_text() for path in self._logs.glob(f"task_id={task_id}/attempt=*.log"))

    def _state(self) -> str:
        return str(self._airflow._call("GET", self._path)["state"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The vendors, whose time the tests let go on when they are ready for it."""
    with Sandbox(speed=0) as server:
        yield server


@pytest.fixture(scope="module")
def airflow(sandbox: Sandbox, airflow_setup: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """The running Airflow, one for all tests of this file."""
    home = tmp_path_factory.mktemp("standalone")
    (home / "dags").mkdir()
    shutil.copy(Path(__file__).with_name("dags") / "deferred.py", home / "dags")
    port, *log_ports = map(str, free_ports(3))
    environment = {
        **airflow_setup.airflow_environment(
            home, {"kinbox_default": {**sandbox.connections()["kinbox_default"], "password": TOKEN}}
        ),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": log_ports[0],
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": log_ports[1],
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # So long it may take Airflow to see that a task's process has ended. A task that resumes before that is taken
        # for one that was killed, and these resume soon after they have deferred.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    command = [sys.executable, "-c", GUARD, sys.executable, "-m", "airflow", "standalone"]
    running = Airflow(home, int(port))
    with (home / "standalone.log").open("wb") as log:
        guard = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        try:
            until("Airflow is ready", lambda: guard.poll() is not None or running.is_ready(), 180)
            assert guard.poll() is None, "Airflow ended"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{running.log_tails()}") from None
        yield running
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(30)


class Kinbox:
    """What a test does and sees at the vendor."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = KinboxClient(TOKEN, base_url=sandbox.base_url("kinbox"))

    def running_campaign(self) -> str:
        """Return the id of a campaign that has many hours to go."""
        url = "https://files.example.com/leads.csv?leads=100000"
        campaign = self.client.create_campaign(
            name="Long", lead_type="file", leads_asset_url=url, chunk_size=100_000, seconds_between_messages=1
        )
        self.sandbox.set_speed(60)
        until("the campaign runs", lambda: self.status(campaign.id) == "executing")
        return campaign.id

    def let_finish(self) -> None:
        """Let vendor time fly, so that what runs at the vendor finishes in a moment."""
        self.sandbox.set_speed(10_000_000)

    def status(self, campaign_id: str) -> str:
        """Return the vendor's word for a campaign's status, by another way than Airflow's requests."""
        campaigns = self.sandbox.journal("kinbox")["campaigns"]
        return str(next(campaign["status"] for campaign in campaigns if campaign["id"] == campaign_id))

    def requests(self, **properties: Any) -> list[dict[str, Any]]:
        """Return the requests that arrived, those with the given properties."""
        requests: list[dict[str, Any]] = self.sandbox.journal("kinbox")["requests"]
        return [one for one in requests if all(one[name] == value for name, value in properties.items())]

    def looks(self, **properties: Any) -> int:
        """Return how often campaigns were looked at."""
        return len(self.requests(endpoint="get_campaign", **properties))

    def wait_for_looks(self, number: int) -> None:
        """Wait until campaigns were looked at so many times more."""
        before = self.looks()
        until(f"{number} more looks", lambda: self.looks() >= before + number)


@pytest.fixture
def kinbox(sandbox: Sandbox) -> Kinbox:
    """The vendor, without campaigns and with its time standing still."""
    sandbox.reset()
    return Kinbox(sandbox)


def test_a_deferred_wait_turns_green_when_the_campaign_has_finished(airflow: Airflow, kinbox: Kinbox) -> None:
    run = airflow.trigger("launch")
    run.wait_for("deferred")
    kinbox.wait_for_looks(2)
    kinbox.let_finish()
    assert run.wait_for_end() == "success"
    assert run.task("use")["state"] == "success"
    assert len(kinbox.requests(endpoint="create_campaign")) == 1


def test_a_campaign_that_is_paused_at_the_vendor_and_resumed_is_waited_for(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = airflow.trigger("watch", campaign_id=campaign)
    run.wait_for("deferred")
    kinbox.client.pause_campaign(campaign)
    kinbox.wait_for_looks(3)
    assert run.task()["state"] == "deferred"
    kinbox.client.resume_campaign(campaign)
    kinbox.let_finish()
    assert run.wait_for_end() == "success"


def test_a_wait_that_a_user_marks_failed_ends_and_leaves_the_campaign_alone(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = airflow.trigger("watch", campaign_id=campaign)
    run.wait_for("deferred")
    kinbox.wait_for_looks(2)
    assert run.task()["trigger"] is not None

    run.mark_failed()
    until("the trigger is gone", lambda: run.task()["trigger"] is None)
    # Four intervals without a look are the end of looking.
    until("no more looks", lambda: time.time() - kinbox.requests(endpoint="get_campaign")[-1]["at"] > 2)

    assert run.wait_for_end() == "failed"
    assert kinbox.status(campaign) == "executing"
    assert {request["endpoint"] for request in kinbox.requests()} == {"create_campaign", "get_campaign"}


def test_a_deferred_wait_that_times_out_is_not_retried_or_is_skipped_with_soft_fail(
    airflow: Airflow, kinbox: Kinbox
) -> None:
    campaign = kinbox.running_campaign()
    run = airflow.trigger("overdue", campaign_id=campaign)
    assert run.wait_for_end() == "failed"
    ends = {name: (run.task(name)["state"], run.task(name)["try_number"]) for name in ("fails", "is_skipped")}
    assert ends == {"fails": ("failed", 1), "is_skipped": ("skipped", 1)}
    assert "AirflowSensorTimeout" in run.log("fails")
    for name in ends:
        assert "DEFERRED" in run.log(name)
    assert kinbox.status(campaign) == "executing"


def test_a_deferred_wait_outlives_an_outage_of_the_vendor(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = airflow.trigger("watch", campaign_id=campaign)
    run.wait_for("deferred")
    # More than the client tries for one look.
    kinbox.sandbox.order_fault(vendor="kinbox", endpoint="get_campaign", kind="error", status=502, times=6)
    until("the outage is over", lambda: kinbox.looks(fault="error") == 6)
    kinbox.wait_for_looks(1)
    assert run.task()["state"] == "deferred"
    kinbox.let_finish()
    assert run.wait_for_end() == "success"


def test_the_token_is_in_no_log(airflow: Airflow, kinbox: Kinbox) -> None:
    run = airflow.trigger("watch", campaign_id="of-another-account")
    assert run.wait_for_end() == "failed"
    assert "CampaignRequestFailed" in run.log()
    logs = [path for path in airflow.home.rglob("*.log*") if path.is_file()]
    assert [path for path in logs if "trigger" in path.name]
    assert [path for path in logs if TOKEN.encode() in path.read_bytes()] == []
