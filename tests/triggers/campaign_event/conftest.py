"""A vendor whose time passes when a test says so, and a trigger at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from event_watch import Store, Watching

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    """In the place of the usual server: vendor time passes when a test says so, and there are no rate limits."""
    with Sandbox(clock=clock, enforce_limits=False) as server:
        yield server


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed request is a failed look at once."""
    monkeypatch.setattr(transport, "MAX_ATTEMPTS", 1)


@pytest.fixture
def kinbox(campaign_sandbox: Sandbox) -> KinboxClient:
    return KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"), rate_limit=10_000)


@pytest.fixture
def watching(campaign_sandbox: Sandbox) -> Callable[..., Any]:
    """Return a context manager in which a trigger is at work and has looked once."""

    @asynccontextmanager
    async def run(trigger: CampaignEventTrigger, store: Store | None = None) -> AsyncIterator[Watching]:
        trigger.asset_state_store = store
        at_work = Watching(campaign_sandbox, trigger, trigger.run())
        try:
            await at_work.look()
            yield at_work
        finally:
            at_work.task.cancel()
            await asyncio.wait([at_work.task])

    return run
