"""The vendors for launches: without request limits, with pauses shortened, and one server for all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox

# What the vendors under test are is told by name, also in the processes that are killed.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Call a vendor under test by its name."""
    from airflow_provider_campaigns.testing.conformance import VendorUnderTest

    return val.name if isinstance(val, VendorUnderTest) else None


@pytest.fixture
def vendors(unlimited_campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Empty vendors without faults, and Airflow's connections to them."""
    from under_test import VENDORS

    from airflow_provider_campaigns.testing.conformance import connect

    unlimited_campaign_sandbox.reset()
    unlimited_campaign_sandbox.set_speed(60)
    connect(unlimited_campaign_sandbox, VENDORS, monkeypatch)
    return unlimited_campaign_sandbox
