"""Watchers on one connection share their looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from event_watch import FINISHED, POLL_INTERVAL, Watching, launched, launched_at_altur, watch

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need, needs

pytestmark = needs("asset watchers")


class TestSharing:
    def test_watchers_on_one_connection_share_one_poll_and_each_gets_its_own_campaigns(
        self, campaign_sandbox: Sandbox, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        need("shared streams of triggers")
        from airflow.triggers import shared_stream

        winter, summer = launched(kinbox, "Winter"), launched(kinbox, "Summer")

        async def scenario() -> tuple[list[str], list[str], int, int]:
            manager = shared_stream.SharedStreamManager()
            triggers = {1: watch(name_pattern="Winter*"), 2: watch(name_pattern="Summer*", until="sent")}
            watchers = {
                number: Watching(
                    campaign_sandbox,
                    trigger,
                    trigger.filter_shared_stream(
                        manager.subscribe(trigger_id=number, trigger=trigger, key=trigger.shared_stream_key())
                    ),
                )
                for number, trigger in triggers.items()
            }
            await watchers[1].look()
            clock.advance(FINISHED)
            before, began = await watchers[1].looks(), time.monotonic()
            await asyncio.sleep(1)
            looks = await watchers[1].looks() - before
            most = int((time.monotonic() - began) / (0.9 * POLL_INTERVAL)) + 1
            for number, trigger in triggers.items():
                await manager.unsubscribe(number, trigger.shared_stream_key())
                watchers[number].task.cancel()
            await asyncio.wait([one.task for one in watchers.values()])
            return watchers[1].ids, watchers[2].ids, looks, most

        first, second, looks, most = asyncio.run(scenario())
        assert (first, second) == ([winter], [summer])
        assert 2 < looks <= most

    def test_watchers_share_the_figures_too(self, campaign_sandbox: Sandbox, clock: ManualClock) -> None:
        altur = AlturClient("key", base_url=campaign_sandbox.base_url("altur"), rate_limit=10_000)
        launched_at_altur(altur, "Winter")
        first, second = (
            watch(conn_id="altur_default", progress_threshold=threshold, name_pattern=pattern)
            for threshold, pattern in ((50, "*"), (80, "Winter*"))
        )

        async def scenario() -> dict[str, int]:
            before = len(campaign_sandbox.journal("altur")["requests"])
            looks = first.open_shared_stream(first.serialize()[1])
            poll = await anext(looks)

            async def one() -> AsyncIterator[Any]:
                yield poll

            for trigger in (first, second):
                assert [event async for event in trigger.filter_shared_stream(one())] == []
            await looks.aclose()  # type: ignore[attr-defined]
            requests = campaign_sandbox.journal("altur")["requests"][before:]
            return {
                name: sum(request["endpoint"] == name for request in requests)
                for name in ("list_campaigns", "get_campaign")
            }

        assert asyncio.run(scenario()) == {"list_campaigns": 1, "get_campaign": 1}

    @pytest.mark.parametrize("other", [{"name_pattern": "W*"}, {"until": "sent"}, {"progress_threshold": 50}])
    def test_filters_and_goals_do_not_keep_watchers_apart(self, other: dict[str, Any]) -> None:
        assert watch(**other).shared_stream_key() == watch().shared_stream_key()

    @pytest.mark.parametrize(
        "other", [{"conn_id": "b"}, {"poll_interval": 7}, {"patience": 7}, {"hook_params": {"campaign_type": "voice"}}]
    )
    def test_what_the_poll_depends_on_does(self, other: dict[str, Any]) -> None:
        assert watch(**other).shared_stream_key() != watch().shared_stream_key()
