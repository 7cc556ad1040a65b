"""A watch that begins again: what was announced is kept in the asset's state store."""

from __future__ import annotations

import asyncio
from typing import Any

from event_watch import FINISHED, Run, Store, launched, watch

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.testing.airflow_since import needs

pytestmark = needs("asset watchers")


class TestRestart:
    def test_nothing_is_announced_twice_and_what_finished_meanwhile_is_announced(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        launched(kinbox)
        clock.advance(FINISHED)
        store = Store()

        async def first() -> list[str]:
            async with watching(watch(), store) as at_work:
                await asyncio.to_thread(launched, kinbox)
                clock.advance(FINISHED)
                await at_work.look()
                await at_work.look()
                return list(at_work.ids)

        async def second() -> list[str]:
            async with watching(watch(poll_interval=0.06), store) as at_work:
                await at_work.look()
                return list(at_work.ids)

        assert len(asyncio.run(first())) == 1
        meanwhile = launched(kinbox)
        clock.advance(FINISHED)
        assert asyncio.run(second()) == [meanwhile]
        assert asyncio.run(second()) == []

    def test_without_a_store_a_restart_begins_a_new_watch(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        async def scenario() -> list[str]:
            async with watching(watch()) as at_work:
                return list(at_work.ids)

        asyncio.run(scenario())
        launched(kinbox)
        clock.advance(FINISHED)
        assert asyncio.run(scenario()) == []

    def test_watches_with_other_filters_on_one_asset_remember_for_themselves(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        store = Store()

        async def scenario() -> list[list[str]]:
            async with (
                watching(watch(), store) as all_of_them,
                watching(watch(name_pattern="Winter*"), store) as some,
            ):
                await asyncio.to_thread(launched, kinbox)
                clock.advance(FINISHED)
                await all_of_them.look()
                await some.look()
                await some.look()
                return [all_of_them.ids, some.ids]

        first, second = asyncio.run(scenario())
        assert first == second
        assert len(first) == 1
        assert len(store.values) == 2

    def test_a_trigger_that_serves_two_assets_writes_to_both(self, watching: Run) -> None:
        class Accessors:
            def __init__(self) -> None:
                self._by_name = {"one": Store(), "two": Store()}

        both = Accessors()

        async def scenario() -> None:
            async with watching(watch(), both) as at_work:
                await at_work.look()

        asyncio.run(scenario())
        assert [len(store.values) for store in both._by_name.values()] == [1, 1]

    def test_an_event_is_fired_before_it_is_written_down_so_that_none_is_lost(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        store = Store()

        async def scenario() -> tuple[list[Any], list[Any]]:
            trigger = watch(event_interval=0.4)
            async with watching(trigger, store) as at_work:
                await asyncio.to_thread(launched, kinbox)
                clock.advance(FINISHED)
                before = list(store.values.values())

                async def fired() -> bool:
                    return bool(at_work.payloads)

                await at_work.until(fired)
                at_once = list(store.values.values())
                await at_work.look()
                assert list(store.values.values()) != before
                return before, at_once

        before, at_once = asyncio.run(scenario())
        assert at_once == before

    def test_a_store_that_cannot_be_written_costs_no_event_and_is_written_later(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        store = Store()

        async def scenario() -> list[str]:
            async with watching(watch(), store) as at_work:
                await at_work.look()
                before = dict(store.values)
                store.is_down = True
                await asyncio.to_thread(launched, kinbox)
                clock.advance(FINISHED)
                await at_work.look()
                await at_work.look()
                assert store.values == before
                store.is_down = False
                await at_work.look()
                await at_work.look()
                assert store.values != before
                return list(at_work.ids)

        assert len(asyncio.run(scenario())) == 1

    def test_as_long_as_the_store_cannot_be_read_nothing_is_announced_and_nothing_is_forgotten(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        store = Store()

        async def begin() -> None:
            async with watching(watch(), store) as at_work:
                await at_work.look()

        asyncio.run(begin())
        store.is_down = True
        meanwhile = launched(kinbox)
        clock.advance(FINISHED)

        async def go_on() -> tuple[list[str], list[str]]:
            async with watching(watch(), store) as at_work:
                blind = list(at_work.ids)
                store.is_down = False
                await at_work.look()
                return blind, at_work.ids

        assert asyncio.run(go_on()) == ([], [meanwhile])
