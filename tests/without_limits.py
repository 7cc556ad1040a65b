"""Vendors without limits of requests, for the folders whose tests make many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def campaign_sandbox_server() -> Iterator[Sandbox]:
    """Vendors without limits of requests."""
    with Sandbox(60, enforce_limits=False) as sandbox:
        yield sandbox
