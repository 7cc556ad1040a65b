"""The conftest.py of a project with DAGs: the sandbox as a fixture, and the DAGs."""

# --8<-- [start:conftest]
import pytest
from airflow.dag_processing.dagbag import DagBag

pytest_plugins = ["airflow_provider_campaigns.testing"]


@pytest.fixture(scope="session")
def dags():
    return DagBag("dags").dags


@pytest.fixture
def first_campaign(dags):
    return dags["first_campaign"]


# --8<-- [end:conftest]
