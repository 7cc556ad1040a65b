"""An Airflow that belongs to a test run: a database and a folder of DAGs in the place of the configured ones."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest


@contextmanager
def own_airflow(folder: Path, dags_folder: Path) -> Iterator[None]:
    """
    Give this process an Airflow of its own: an empty database that is ready, and a folder of DAGs.

    What is configured otherwise, such as the database of the machine's own Airflow, is not touched, and counts again
    afterwards.

    :param folder: An empty folder for the database.
    :param dags_folder: The folder of the DAGs; it need not exist.
    :raises RuntimeError: Airflow could not make the database ready; holds what it said.
    """
    settings = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Airflow 3.2 wants one even for the API of its own process.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        # Airflow derives it from the other unless it is configured, perhaps for the machine's own database.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:///{folder / 'airflow.db'}",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        _migrate()
        _read_settings()
        yield
    _read_settings()


def dags_of_folder(dags_folder: Path) -> Mapping[str, Any]:
    """
    Return the DAGs of a folder by id.

    :raises ValueError: A file cannot be imported, or the folder holds no DAG; says why.
    """
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef,attr-defined,unused-ignore]

    bag = DagBag(str(dags_folder))
    if bag.import_errors:
        raise ValueError("\n".join(f"{file}: {error}" for file, error in bag.import_errors.items()))
    if not bag.dags:
        raise ValueError(
            f"There is no DAG in {dags_folder}. Override the fixture campaign_dags_folder (scope session) to name "
            "another folder."
        )
    return MappingProxyType(dict(bag.dags))


def _migrate() -> None:
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"Airflow could not make its database ready:\n{(done.stdout + done.stderr)[-3000:]}")


def _read_settings() -> None:
    """Have Airflow, which may have been imported long ago, read the environment again."""
    from airflow import settings

    settings.dispose_orm()
    settings.configure_vars()
    settings.configure_orm()
