"""A watch never holds the event loop up, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from event_watch import POLL_INTERVAL, Run, launched, watch

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs

pytestmark = needs("asset watchers")


class TestEventLoop:
    def test_a_slow_vendor_does_not_hold_the_event_loop_up(self, watching: Run, campaign_sandbox: Sandbox) -> None:
        async def scenario() -> float:
            async with watching(watch()) as at_work:
                await asyncio.to_thread(
                    lambda: campaign_sandbox.order_fault(
                        vendor="kinbox", endpoint="list_campaigns", kind="slow", seconds=0.7, times=None
                    )
                )
                longest, end = 0.0, time.monotonic() + 1.5
                while time.monotonic() < end:
                    before = time.monotonic()
                    await asyncio.sleep(0.01)
                    longest = max(longest, time.monotonic() - before)
                assert not at_work.task.done()
                return longest

        assert asyncio.run(scenario()) < 0.4

    @pytest.mark.parametrize("moment", ["asleep", "in a request", "in the middle of a list"])
    def test_a_cancelled_watch_leaves_no_task_and_no_thread(
        self, moment: str, watching: Run, kinbox: KinboxClient, campaign_sandbox: Sandbox
    ) -> None:
        if moment == "in the middle of a list":
            for _ in range(101):
                launched(kinbox)

        async def scenario() -> None:
            async with watching(watch(poll_interval=0.8 if moment == "asleep" else POLL_INTERVAL)) as at_work:
                if moment != "asleep":
                    campaign_sandbox.order_fault(
                        vendor="kinbox", endpoint="list_campaigns", kind="slow", seconds=0.6, times=None
                    )
                await asyncio.sleep(0.3)
                assert [one for one in threading.enumerate() if one.name.startswith("campaign-list")]
                at_work.task.cancel()
                await asyncio.wait([at_work.task])
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(scenario())
        give_up = time.monotonic() + 5
        while [one for one in threading.enumerate() if one.name.startswith("campaign-list")]:
            assert time.monotonic() < give_up
            time.sleep(0.02)
