"""The vendors for launches: without limits of requests, with pauses shortened, and one server for all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox

# The worker's module is imported by name in the processes that are killed.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def unlimited_sandbox() -> Iterator[Sandbox]:
    """The server behind :func:`vendors`."""
    with Sandbox(60, enforce_limits=False) as sandbox:
        yield sandbox


@pytest.fixture
def vendors(unlimited_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Empty vendors without faults, and Airflow's connections to them."""
    import worker

    unlimited_sandbox.reset()
    for name, value in worker.connections(unlimited_sandbox).items():
        monkeypatch.setenv(name, value)
    for module, name, shortened in worker.HURRIED:
        monkeypatch.setattr(module, name, shortened)
    return unlimited_sandbox
