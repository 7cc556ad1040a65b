"""Real Airflow for the integration tests: a migrated database, and DAGs that run in this process."""

from __future__ import annotations

import os
import runpy
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from environment import REPOSITORY, migrate
from whole_airflow import Airflow

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

OWN_DAGS = Path(__file__).with_name("dags")


@pytest.fixture(scope="session", autouse=True)
def one_api_server() -> Iterator[None]:
    """Keep the API server that tasks in this process talk to; up to 3.1 Airflow builds one for each, in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        if airflow_has("airflow.sdk"):
            from airflow.sdk.execution_time import supervisor

            patch.setattr(supervisor, "in_process_api_server", cache(supervisor.in_process_api_server))
        yield


@pytest.fixture(scope="session")
def dags_folder() -> Path:
    """Return Airflow's DAG folder, with the examples and the tests' own DAGs in it and a database that is ready."""
    home = Path(os.environ["AIRFLOW_HOME"])
    folder = home / "dags"
    for source in (REPOSITORY / "example_dags", OWN_DAGS):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    migrate(home, os.environ)
    return folder


@pytest.fixture
def load_dag(dags_folder: Path) -> Callable[..., Any]:
    """Return a function that gives a DAG of a file in the DAG folder, the only one or that with an id."""
    from airflow.providers.common.compat.sdk import DAG

    def load(file: str, dag_id: str | None = None) -> Any:
        dags = {one.dag_id: one for one in runpy.run_path(str(dags_folder / file)).values() if isinstance(one, DAG)}
        return dags[dag_id] if dag_id else next(iter(dags.values()))

    return load


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The vendors of the whole Airflow, whose time the tests let go on when they are ready for it."""
    with Sandbox(speed=0) as server:
        yield server


@pytest.fixture(scope="session")
def token() -> str:
    """A credential that nothing else is like."""
    return f"kinbox-token-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def airflow(sandbox: Sandbox, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A whole Airflow, running for all tests that need no other."""
    examples = REPOSITORY / "example_dags"
    files = (
        OWN_DAGS / "deferred.py",
        OWN_DAGS / "guarded.py",
        examples / "example_approval.py",
        examples / "contacts.csv",
    )
    connections = sandbox.connections()
    extra = {"console_url": "https://console.example.com/campaigns/{campaign_id}"}
    connections["kinbox_default"] = {**connections["kinbox_default"], "password": token, "extra": extra}
    with Airflow(
        tmp_path_factory.mktemp("standalone") / "airflow",
        connections=connections,
        dags={file.name: file.read_text() for file in files},
        dag_ids={"launch", "watch", "kept", "overdue", "guarded", "example_approval"},
    ) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the running Airflow's logs with a test that fails."""
    report = yield
    airflow = getattr(item, "funcargs", {}).get("airflow")
    if report.failed and airflow:
        report.sections.append(("Airflow's logs", airflow.log_tails()))
    return report
