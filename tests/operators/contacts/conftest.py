"""Vendors for the operators that hand contacts over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handing_over import (
    connections,
)

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.operators import contact_lists
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def campaign_sandbox_server() -> Iterator[Sandbox]:
    """Vendors without limits of requests."""
    with Sandbox(60, enforce_limits=False) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def hurry(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all pauses be short, and vendor time fly."""
    monkeypatch.setattr(transport, "pause_before", lambda *_: 0.01)
    monkeypatch.setattr(contact_lists, "COUNTED_POLL_SECONDS", 0.02)
    campaign_sandbox.set_speed(3600)
    for name, value in connections(campaign_sandbox).items():
        monkeypatch.setenv(name, value)
