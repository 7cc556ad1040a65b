"""Vendors for the operators that fetch results."""

from __future__ import annotations

import pytest
from handing_over import (
    connections,
)
from without_limits import campaign_sandbox_server

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.sandbox.server import Sandbox

__all__ = ["campaign_sandbox_server", "hurry"]


@pytest.fixture(autouse=True)
def hurry(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pauses between attempts and between requests be short."""
    monkeypatch.setattr(transport, "pause_before", lambda *_: 0.01)
    for name, value in connections(campaign_sandbox).items():
        monkeypatch.setenv(name, value)
