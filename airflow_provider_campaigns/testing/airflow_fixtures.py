"""An Airflow for the tests of DAGs, as pytest fixtures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.testing.own_airflow import dags_of_folder, own_airflow


@pytest.fixture(scope="session")
def campaign_dags_folder(pytestconfig: pytest.Config) -> Path:
    """The folder with the DAGs under test: ``dags`` beside pytest's configuration; override it to name another."""
    return pytestconfig.rootpath / "dags"


@pytest.fixture(scope="session")
def campaign_airflow(campaign_dags_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    An Airflow for the whole run, with an empty database of its own and the DAGs of ``campaign_dags_folder``.

    Override it (``def campaign_airflow(): ...``, scope session) in a project whose tests prepare Airflow by themselves.
    """
    with own_airflow(tmp_path_factory.mktemp("airflow"), campaign_dags_folder):
        yield


@pytest.fixture(scope="session")
def campaign_dags(campaign_airflow: None, campaign_dags_folder: Path) -> Mapping[str, Any]:
    """The DAGs under test by id; a file that cannot be imported is an error."""
    return dags_of_folder(campaign_dags_folder)
