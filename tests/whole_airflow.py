"""A whole Airflow for tests: all its parts as processes, in a home and on ports of its own."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Self

import requests
from environment import airflow_environment, migrate, served_at
from leash import Leashed

from airflow_provider_campaigns.testing.airflow_since import need

#: Seconds for anything that Airflow does by itself in a few; a loaded machine takes its time.
DEADLINE = 120.0
#: Seconds for all parts to come up.
START_DEADLINE = 180.0
#: Whose health Airflow reports, by the part that has to be running for it.
_REPORTED = {
    "standalone": ("scheduler", "dag_processor", "triggerer"),
    "scheduler": ("scheduler",),
    "dag-processor": ("dag_processor",),
    "triggerer": ("triggerer",),
    "api-server": (),
}


def until(what: str, condition: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """
    Ask again and again until the answer is true, and return it.

    :param what: What is waited for, for the error.
    :param condition: Is asked.
    :param seconds: How long to ask.
    :raises AssertionError: It did not become true in time.
    """
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"Not within {seconds:g} s: {what}")


class Airflow:
    """
    A whole Airflow, running inside a ``with`` and used through its REST API; each part can be killed alone.

    :param home: Its folder, which holds everything: settings, database, logs and the folder ``dags``.
    :param connections: Airflow connections by id, put into the environment.
    :param dags: The text of DAG files by file name.
    :param dag_ids: The DAGs that Airflow has to know before it counts as ready.
    :param parts: What is started, by the names on Airflow's command line.
    :param settings: Further environment variables.
    """

    def __init__(
        self,
        home: Path,
        *,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        dags: Mapping[str, str] | None = None,
        dag_ids: Collection[str] = (),
        parts: Collection[str] = ("standalone",),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        need("a REST API and parts as the whole Airflow of these tests uses them")
        self.home = home
        self._dags = dict(dags or {})
        self._dag_ids = set(dag_ids)
        self._first_parts = tuple(parts)
        self._parts: dict[str, Leashed] = {}
        port, *log_ports = free_ports(3)
        #: Where a browser finds it.
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            **airflow_environment(home, connections or {}),
            **served_at(port),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            # Parts that are started one by one have to agree on what one command would make up for all.
            "AIRFLOW__API__SECRET_KEY": os.urandom(16).hex(),
            "AIRFLOW__API_AUTH__JWT_SECRET": os.urandom(64).hex(),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_ports[0]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(log_ports[1]),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            **(settings or {}),
        }
        self._session = requests.Session()
        # A proxy from the environment would not know this loopback port.
        self._session.trust_env = False

    def __enter__(self) -> Self:
        (self.home / "dags").mkdir(parents=True)
        for name, text in self._dags.items():
            (self.home / "dags" / name).write_text(text)
        migrate(self.home, self.environment)
        try:
            self.start(*self._first_parts)
            try:
                until("Airflow is ready", self.is_ready, START_DEADLINE)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.log_tails()}") from None
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        self.kill()

    def start(self, *parts: str) -> None:
        """Start parts by their names on the command line; ``triggerer:2`` is one more triggerer."""
        for part in parts:
            command = [sys.executable, "-m", "airflow", part.partition(":")[0]]
            self._parts[part] = Leashed(command, self.environment, self.home / f"{part.replace(':', '-')}.log")

    def kill(self, *parts: str) -> None:
        """Kill parts, all their processes, without a word of warning; by default all parts."""
        for part in parts or tuple(self._parts):
            self._parts.pop(part).kill()

    def is_ready(self) -> bool:
        """
        Whether all parts that run are healthy and the DAGs are known.

        :raises AssertionError: A part has ended.
        """
        ended = [part for part, process in self._parts.items() if process.ended()]
        assert not ended, f"Airflow's {' and '.join(ended)} ended"
        try:
            health = self.call("GET", "monitor/health")
            dags = {dag["dag_id"] for dag in self.call("GET", "dags")["dags"]}
        except (requests.RequestException, KeyError):
            return False
        reported = {name for part in self._parts for name in _REPORTED[part.partition(":")[0]]}
        return dags >= self._dag_ids and all(health[name]["status"] == "healthy" for name in reported)

    def call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """
        Return what the REST API answers.

        :param method: The HTTP method.
        :param path: The path after ``/api/v2/``.
        :param arguments: Further arguments of :func:`requests.request`.
        :raises requests.RequestException: There was no answer, or it tells of an error.
        """
        if "Authorization" not in self._session.headers:
            token = self._session.get(f"{self.url}/auth/token", timeout=10).json()["access_token"]
            self._session.headers["Authorization"] = f"Bearer {token}"
        response = self._session.request(method, f"{self.url}/api/v2/{path}", timeout=60, **arguments)
        response.raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def log_tails(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"--- {path.relative_to(self.home)}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            for path in sorted(self.home.rglob("*.log"))
        )


class Run:
    """
    A new run of a DAG.

    :param conf: Its configuration.
    """

    def __init__(self, airflow: Airflow, dag_id: str, **conf: Any) -> None:
        body = {"logical_date": None, "conf": conf}
        run_id = airflow.call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
        self._airflow = airflow
        self._dag_id, self._run_id = dag_id, run_id
        self._path = f"dags/{dag_id}/dagRuns/{run_id}"
        self._logs = airflow.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"

    def ask(self, method: str, path: str = "", **arguments: Any) -> dict[str, Any]:
        """Return what the REST API answers about something of the run."""
        return self._airflow.call(method, f"{self._path}/{path}".rstrip("/"), **arguments)

    def task(self, task_id: str = "wait") -> dict[str, Any]:
        """Return what Airflow tells about a task of the run."""
        return self.ask("GET", f"taskInstances/{task_id}")

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom of a task of the run."""
        return self.ask("GET", f"taskInstances/{task_id}/xcomEntries/{key}?deserialize=true")["value"]

    def wait_for(self, state: str, task_id: str = "wait") -> None:
        """Wait until a task is in a state."""
        until(f"{task_id} is {state}", lambda: self.task(task_id)["state"] == state)

    def wait_for_end(self) -> str:
        """Wait until the run is over and return how it ended."""
        ends = ("success", "failed")
        return str(until("the run is over", lambda: self._state() in ends and self._state()))

    def mark_failed(self, task_id: str = "wait") -> None:
        """Do what a user does who marks the task as failed."""
        self.ask("PATCH", f"taskInstances/{task_id}", json={"new_state": "failed"})

    def mark_success(self, task_id: str = "wait") -> None:
        """Do what a user does who marks the task as a success."""
        self.ask("PATCH", f"taskInstances/{task_id}", json={"new_state": "success"})

    def clear(self, task_id: str = "wait") -> None:
        """Do what a user does who clears the task."""
        body = {"dry_run": False, "task_ids": [task_id], "dag_run_id": self._run_id, "only_failed": False}
        self._airflow.call("POST", f"dags/{self._dag_id}/clearTaskInstances", json=body)

    def trigger_log(self, task_id: str) -> str:
        """Return what a deferred task wrote in the triggerer."""
        return "".join(path.read_text() for path in self._logs.glob(f"task_id={task_id}/attempt=*.log.trigger.*"))

    def log(self, task_id: str = "wait") -> str:
        """Return what a task wrote on its worker."""
        return "".join(path.read_text() for path in self._logs.glob(f"task_id={task_id}/attempt=*.log"))

    def noted_by_scheduler(self, task_id: str) -> bool:
        """Whether the scheduler has noted that a task's process has ended, though the task may only wait."""
        noted = f"TaskInstance Finished: dag_id={self._dag_id}, task_id={task_id}, run_id={self._run_id}"
        return noted in "".join(path.read_text(errors="replace") for path in self._airflow.home.glob("*.log"))

    def _state(self) -> str:
        return str(self.ask("GET")["state"])


def free_ports(number: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
