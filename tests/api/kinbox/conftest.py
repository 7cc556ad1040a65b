"""Kinbox alone, on a clock that a test moves, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from at_kinbox import LABEL, TOKEN

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Kinbox alone, on a clock that a test moves."""
    with Sandbox(vendors=[KinboxVendor], clock=clock) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Callable[..., KinboxClient]]:
    clients: list[KinboxClient] = []

    def open_client(token: str = TOKEN, **options: Any) -> KinboxClient:
        given = {"base_url": campaign_sandbox.base_url("kinbox"), "timeout": patience, "label": LABEL} | options
        clients.append(KinboxClient(token, sleep=lambda seconds: None, **given))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., KinboxClient]) -> KinboxClient:
    return connect()


@pytest.fixture
def requests_of(campaign_sandbox: Sandbox) -> Callable[[], dict[str, int]]:
    """How many requests have arrived so far, by endpoint."""
    return lambda: campaign_sandbox.journal("kinbox")["counts"].get("kinbox", {})


@pytest.fixture
def campaigns(campaign_sandbox: Sandbox) -> Callable[[], list[dict[str, Any]]]:
    """What exists at the vendor."""
    return lambda: campaign_sandbox.journal("kinbox")["campaigns"]
