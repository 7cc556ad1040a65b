"""A watch looks before it is time when a webhook says that something has happened, and fires what the API says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import pytest
from event_watch import FINISHED, launched, watch

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.wait.wakeups import Bell
from airflow_provider_campaigns.watch import list_poller

pytestmark = needs("asset watchers")


class Ringing(Bell):
    """Rings again and again."""

    async def listen(self, wake: Callable[[Collection[str]], None]) -> None:
        while True:
            await asyncio.sleep(0.05)
            wake({"any"})


def test_a_watch_that_is_woken_looks_long_before_its_interval_and_fires_what_is_true(
    kinbox: KinboxClient, clock: ManualClock, watching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_poller, "LEAST_SECONDS_BETWEEN", 0.05)
    monkeypatch.setattr(list_poller, "bell_of", Ringing)
    campaign_id = launched(kinbox)

    async def scenario() -> tuple[list[str], list[str]]:
        async with watching(watch(poll_interval=3600)) as at_work:
            await at_work.look()
            before = at_work.ids
            clock.advance(FINISHED)

            async def has_fired() -> bool:
                return bool(at_work.ids)

            await at_work.until(has_fired)
            return before, at_work.ids

    assert asyncio.run(scenario()) == ([], [campaign_id])
