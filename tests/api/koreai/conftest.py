"""Kore.ai alone, on a clock that a test moves, and a client of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from at_koreai import (
    LABEL,
    SECRET,
    Connect,
)

from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.koreai.vendor import KoreAIVendor
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: Kore.ai alone, on a clock that a test moves."""
    with Sandbox(vendors=[KoreAIVendor], clock=clock) as server:
        yield server


@pytest.fixture
def connect(campaign_sandbox: Sandbox, patience: float) -> Iterator[Connect]:
    clients: list[KoreAIClient] = []

    def open_client(client_id: str = "cs-1", secret: str = SECRET, **options: Any) -> KoreAIClient:
        given = {
            "base_url": campaign_sandbox.base_url("koreai"),
            "app_id": "st-0603182c-7ffb-53c3-b307-47ca14b90000",
            # An account of its own: the limiter is one for all clients of an account in the process.
            "account_id": uuid.uuid4().hex[:24],
            "timeout": patience,
            "rate_limit": 1000,
            "label": LABEL,
            "sleep": lambda seconds: None,
        }
        clients.append(KoreAIClient(client_id, secret, **(given | options)))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()
