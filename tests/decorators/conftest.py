"""The sandbox for tries of decorated launches: as impatient as the launch tests are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox

# The worker's module is where the launch tests keep how a try is run.
sys.path.insert(0, str(Path(__file__).parents[1] / "launch"))


@pytest.fixture
def vendors(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Empty vendors without faults, Airflow's connections to them, and no pauses."""
    import worker

    for name, value in worker.connections(campaign_sandbox).items():
        monkeypatch.setenv(name, value)
    for module, name, shortened in worker.HURRIED:
        monkeypatch.setattr(module, name, shortened)
    return campaign_sandbox
