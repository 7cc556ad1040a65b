"""The sandbox and an Airflow as pytest fixtures: ``pytest_plugins = ["airflow_provider_campaigns.testing"]``."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("airflow_provider_campaigns.testing.conformance")
pytest_plugins = [
    "airflow_provider_campaigns.testing.airflow_fixtures",
    "airflow_provider_campaigns.testing.sandbox_fixtures",
]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark that the conformance kit's longer tests carry."""
    config.addinivalue_line(
        "markers", "thorough: takes long; the conformance kit's tests that -m 'not thorough' spares"
    )
