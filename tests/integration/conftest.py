"""Real Airflow for the integration tests: a migrated database, and DAGs that run in this process."""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
OWN_DAGS = Path(__file__).with_name("dags")


@pytest.fixture(scope="session")
def airflow_setup() -> ModuleType:
    """Return the module with which the demo sets Airflow up, so that the tests do it in the same way."""
    spec = importlib.util.spec_from_file_location("demo_environment", REPOSITORY / "demo" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def dags_folder(airflow_setup: ModuleType) -> Path:
    """Return Airflow's DAG folder, with the examples and the tests' own DAGs in it and a database that is ready."""
    home = Path(os.environ["AIRFLOW_HOME"])
    folder = home / "dags"
    for source in (REPOSITORY / "example_dags", OWN_DAGS):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    airflow_setup.migrate(home, os.environ)
    return folder


@pytest.fixture
def load_dag(dags_folder: Path) -> Callable[..., Any]:
    """Return a function that gives a DAG of a file in the DAG folder, the only one or that with an id."""
    from airflow.sdk import DAG

    def load(file: str, dag_id: str | None = None) -> Any:
        dags = {one.dag_id: one for one in runpy.run_path(str(dags_folder / file)).values() if isinstance(one, DAG)}
        return dags[dag_id] if dag_id else next(iter(dags.values()))

    return load


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the running Airflow's logs with a test that fails."""
    report = yield
    airflow = getattr(item, "funcargs", {}).get("airflow")
    if report.failed and airflow:
        report.sections.append(("Airflow's logs", airflow.log_tails()))
    return report
