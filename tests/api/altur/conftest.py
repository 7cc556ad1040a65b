"""Altur alone, on a clock that a test moves, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from at_altur import API_KEY, LABEL, Connect, Counts, Inventory

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.sandbox.altur.vendor import AlturVendor
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Altur alone, without its rate limit, on a clock that a test moves."""
    with Sandbox(vendors=[AlturVendor], clock=clock, enforce_limits=False) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Connect]:
    clients: list[AlturClient] = []

    def open_client(api_key: str = API_KEY, **options: Any) -> AlturClient:
        given = {
            "base_url": campaign_sandbox.base_url("altur"),
            "timeout": patience,
            "rate_limit": 10_000,
            "label": LABEL,
            "sleep": lambda seconds: None,
        }
        clients.append(AlturClient(api_key, **{**given, **options}))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> AlturClient:
    return connect()


@pytest.fixture
def requests_of(campaign_sandbox: Sandbox) -> Counts:
    """How many requests have arrived so far, by endpoint."""
    return lambda: campaign_sandbox.journal("altur")["counts"].get("altur", {})


@pytest.fixture
def campaigns(campaign_sandbox: Sandbox) -> Inventory:
    """What exists at the vendor."""
    return lambda: campaign_sandbox.journal("altur")["campaigns"]
