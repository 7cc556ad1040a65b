"""The sandbox for tries of decorated launches: as impatient as the launch tests are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox

# The vendors under test are declared beside the launch tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "launch"))


@pytest.fixture
def vendors(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Empty vendors without faults, Airflow's connections to them, and no pauses."""
    from under_test import VENDORS

    from airflow_provider_campaigns.testing.conformance import connect

    connect(campaign_sandbox, VENDORS, monkeypatch)
    return campaign_sandbox
