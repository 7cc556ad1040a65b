"""The conftest.py of a project with DAGs: the sandbox as a fixture, and the DAGs."""

# --8<-- [start:conftest]
import pytest

pytest_plugins = ["airflow_provider_campaigns.testing"]


@pytest.fixture
def first_campaign(campaign_dags):
    return campaign_dags["first_campaign"]


# --8<-- [end:conftest]
