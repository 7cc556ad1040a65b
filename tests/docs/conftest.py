"""Real Airflow for the documentation's samples: a migrated database, and the DAGs of a file."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_campaigns.operators import koreai

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).with_name("samples")
#: Seconds between two looks in the place of the samples' own: the sandbox's time flies.
POLL_INTERVAL = 0.5
#: A project of its own, which its test runs in another process.
collect_ignore = ["samples"]


@pytest.fixture(scope="session")
def dags_folder() -> Path:
    """Return Airflow's DAG folder, with the samples in it and a database that is ready."""
    spec = importlib.util.spec_from_file_location("demo_environment", REPOSITORY / "demo" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    environment: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(environment)
    home = Path(os.environ["AIRFLOW_HOME"])
    environment.migrate(home, os.environ)
    return Path(shutil.copytree(SAMPLES, home / "dags", dirs_exist_ok=True))


@pytest.fixture
def dags_of(dags_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[Any]]:
    """Return a function that gives the DAGs of a file, made impatient."""
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)

    def load(file: Path) -> list[Any]:
        copy = dags_folder / file.name
        if not copy.exists():
            shutil.copy(file, copy)
        bag = DagBag(copy)
        assert not bag.import_errors, bag.import_errors
        dags = list(bag.dags.values())
        for task in [task for dag in dags for task in dag.tasks]:
            if "poll_interval" in task.template_fields:
                values = task.partial_kwargs if task.is_mapped else vars(task)
                values["poll_interval"] = POLL_INTERVAL
        return dags

    return load


@pytest.fixture
def first_campaign(dags_of: Callable[[Path], list[Any]]) -> Any:
    """Return the DAG of the guide, which its tests are about."""
    (dag,) = dags_of(SAMPLES / "first_campaign.py")
    return dag
