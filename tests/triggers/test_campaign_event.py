"""The trigger of asset watchers against the sandbox: who is announced, once; restarts, faults, sharing, cancelling."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from airflow_since import need

need("3.0", "asset watchers")

from airflow.triggers.base import BaseEventTrigger

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignUnreachable
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger
from airflow_provider_campaigns.wait.state import Patience
from airflow_provider_campaigns.watch.announcements import MARK_LENGTH, MOST_REMEMBERED, Announced
from airflow_provider_campaigns.watch.list_poller import count_failure

POLL_INTERVAL = 0.05
#: A Kinbox campaign of 20 recipients sends for 40 seconds after 5 of preparation, and tracks receipts for 30 more.
HALFWAY, SENT, FINISHED = 27.0, 50.0, 100.0


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


def launched(client: KinboxClient, name: str = "Winter offer") -> str:
    url = "https://files.example.com/leads.csv?leads=20"
    return client.create_campaign(name=name, lead_type="file", leads_asset_url=url).id


def watch(**arguments: Any) -> CampaignEventTrigger:
    return CampaignEventTrigger(
        **{"conn_id": "kinbox_default", "poll_interval": POLL_INTERVAL, "event_interval": 0.01, **arguments}
    )


def fired(trigger: CampaignEventTrigger) -> list[Any]:
    """Run a trigger until it ends, which it does by failing."""

    async def run() -> list[Any]:
        return [event async for event in trigger.run()]

    return asyncio.run(asyncio.wait_for(run(), 20))


class Store:
    """Stands in for Airflow's asset state store."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.is_down = False

    async def aget(self, key: str, default: Any = None) -> Any:
        self._check()
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        self._check()
        self.values[key] = json.dumps(value)

    def _check(self) -> None:
        if self.is_down:
            raise RuntimeError("The API server is away")


class Watching:
    """A trigger at work; what it fired so far is in ``payloads``."""

    def __init__(self, sandbox: Sandbox, trigger: CampaignEventTrigger, events: AsyncIterator[Any]) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.at: list[float] = []
        self._sandbox = sandbox
        self._vendor = trigger.conn_id.removesuffix("_default")
        self.task = asyncio.create_task(self._run(events))

    @property
    def ids(self) -> list[str]:
        return [payload["id"] for payload in self.payloads]

    async def _run(self, events: AsyncIterator[Any]) -> None:
        async for event in events:
            self.payloads.append(json.loads(json.dumps(event.payload)))
            self.at.append(time.monotonic())

    async def requests(self) -> list[dict[str, Any]]:
        journal = await asyncio.to_thread(self._sandbox.journal, self._vendor)
        return list(journal["requests"])

    async def looks(self) -> int:
        return sum(request["endpoint"] == "list_campaigns" for request in await self.requests())

    async def look(self) -> None:
        """Wait until a look that began after this call has been dealt with: until the next one begins."""
        wanted = await self.looks() + 2
        await self.until(lambda: self._seen_at_least(wanted))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        give_up = time.monotonic() + 20
        while not await condition():
            if self.task.done():
                await self.task
            assert time.monotonic() < give_up
            await asyncio.sleep(0.02)

    async def _seen_at_least(self, looks: int) -> bool:
        return await self.looks() >= looks


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


Run = Callable[..., Any]


def test_a_campaign_is_announced_once_when_it_has_finished(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    campaign_id = launched(kinbox)

    async def scenario() -> list[dict[str, Any]]:
        async with watching(watch()) as at_work:
            clock.advance(SENT)
            await at_work.look()
            assert at_work.payloads == []
            clock.advance(FINISHED)
            for _ in range(3):
                await at_work.look()
            return list(at_work.payloads)

    payloads = asyncio.run(scenario())
    campaign = kinbox.get_campaign(campaign_id)
    assert payloads == [{**campaign.as_dict(), "vendor": "Kinbox", "conn_id": "kinbox_default"}]
    assert payloads[0]["status"] == "finished"


@pytest.mark.parametrize(("until", "announced_as"), [("finished", "finished"), ("sent", "sent")])
def test_until_says_what_is_waited_for(
    until: str, announced_as: str, watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    launched(kinbox)

    async def scenario() -> list[str]:
        async with watching(watch(until=until)) as at_work:
            for _ in range(3):
                clock.advance(SENT)
                await at_work.look()
            return [payload["status"] for payload in at_work.payloads]

    assert asyncio.run(scenario()) == [announced_as]


def test_what_had_finished_before_the_watch_began_is_not_announced(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    launched(kinbox)
    clock.advance(FINISHED)

    async def scenario() -> tuple[list[str], str]:
        async with watching(watch()) as at_work:
            new = await asyncio.to_thread(launched, kinbox)
            clock.advance(FINISHED)
            await at_work.look()
            return at_work.ids, new

    announced, new = asyncio.run(scenario())
    assert announced == [new]


def test_what_had_finished_before_is_announced_once_if_asked_for(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    old = launched(kinbox)
    clock.advance(FINISHED)

    async def scenario() -> list[str]:
        async with watching(watch(announce_existing=True)) as at_work:
            await at_work.look()
            return list(at_work.ids)

    assert asyncio.run(scenario()) == [old]


def test_campaigns_that_finish_together_are_announced_at_a_distance_so_that_each_gets_a_run_of_its_own(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    for _ in range(3):
        launched(kinbox)

    async def scenario() -> list[float]:
        async with watching(watch(event_interval=0.5)) as at_work:
            clock.advance(FINISHED)
            for _ in range(2):
                await at_work.look()
            return at_work.at

    at = asyncio.run(scenario())
    assert len(at) == 3
    # Timers fire a little early, and the two ends are not timed by the same clock.
    assert min(later - earlier for earlier, later in pairwise(at)) >= 0.45


def test_a_canceled_campaign_is_never_announced(watching: Run, kinbox: KinboxClient, clock: ManualClock) -> None:
    campaign_id = launched(kinbox)

    async def scenario() -> list[str]:
        async with watching(watch(until="sent")) as at_work:
            await asyncio.to_thread(kinbox.update_campaign, campaign_id, extra_fields={"status": "canceled"})
            clock.advance(FINISHED)
            await at_work.look()
            return list(at_work.ids)

    assert asyncio.run(scenario()) == []


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, {"Winter north", "Winter south", "winter east", "Summer"}),
        ({"name_pattern": "Winter*"}, {"Winter north", "Winter south"}),
        ({"name_pattern": "winter [ns]*"}, set()),
        ({"name_pattern": "Winter ?o*th"}, {"Winter north", "Winter south"}),
        ({"statuses": ["finished"]}, {"Winter north", "Winter south", "winter east", "Summer"}),
        ({"until": "sent", "statuses": ["sent"]}, set()),
    ],
)
def test_only_campaigns_that_fit_the_filters_are_announced(
    filters: dict[str, Any], names: set[str], watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    for name in ("Winter north", "Winter south", "winter east", "Summer"):
        launched(kinbox, name)

    async def scenario() -> list[str]:
        async with watching(watch(**filters)) as at_work:
            clock.advance(FINISHED)
            await at_work.look()
            return [payload["name"] for payload in at_work.payloads]

    announced = asyncio.run(scenario())
    assert set(announced) == names
    assert len(announced) == len(names)


def test_only_campaigns_with_the_given_ids_are_announced(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    ids = [launched(kinbox) for _ in range(4)]

    async def scenario() -> list[str]:
        async with watching(watch(campaign_ids=ids[1:3])) as at_work:
            clock.advance(FINISHED)
            await at_work.look()
            return list(at_work.ids)

    assert sorted(asyncio.run(scenario())) == sorted(ids[1:3])


def test_a_threshold_is_announced_once_when_it_is_reached_and_not_at_the_end_again(
    watching: Run, kinbox: KinboxClient, clock: ManualClock
) -> None:
    launched(kinbox)

    async def scenario() -> tuple[list[dict[str, Any]], set[str]]:
        async with watching(watch(progress_threshold=50)) as at_work:
            assert at_work.payloads == []
            clock.advance(HALFWAY)
            await at_work.look()
            clock.advance(FINISHED)
            await at_work.look()
            return at_work.payloads, {request["endpoint"] for request in await at_work.requests()}

    payloads, endpoints = asyncio.run(scenario())
    assert [payload["status"] for payload in payloads] == ["running"]
    assert 50 <= payloads[0]["progress"] < 60
    assert endpoints == {"create_campaign", "list_campaigns"}


class TestAltur:
    """A vendor whose list tells no progress."""

    @pytest.fixture
    def client(self, campaign_sandbox: Sandbox) -> AlturClient:
        return AlturClient("key", base_url=campaign_sandbox.base_url("altur"), rate_limit=10_000)

    @pytest.fixture(autouse=True)
    def no_rate_limit(self, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        connection = {**campaign_sandbox.connections()["altur_default"], "extra": {"rate_limit": 1000}}
        monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps(connection))

    @staticmethod
    def launched(client: AlturClient, name: str, channel: str = "whatsapp") -> str:
        campaign = client.create_campaign(name=name, agent_id="a", integration_id="line", integration_type=channel)
        client.add_contacts(campaign.id, [{"contact": f"+52155{place:08d}"} for place in range(20)])
        return client.start_campaign(campaign.id).id

    def test_a_goal_that_needs_only_the_status_pays_for_nothing_but_the_list(
        self, watching: Run, client: AlturClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        campaign_id = self.launched(client, "Winter")

        async def scenario() -> tuple[list[str], list[dict[str, Any]]]:
            before = len(campaign_sandbox.journal("altur")["requests"])
            async with watching(watch(conn_id="altur_default")) as at_work:
                clock.advance(10_000)
                await at_work.look()
                return at_work.ids, (await at_work.requests())[before:]

        announced, requests = asyncio.run(scenario())
        assert announced == [campaign_id]
        assert {request["endpoint"] for request in requests} == {"list_campaigns"}

    def test_a_threshold_asks_in_detail_only_for_running_campaigns_that_fit_until_they_are_announced(
        self, watching: Run, client: AlturClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        campaign_id = self.launched(client, "Winter north")
        self.launched(client, "Summer")
        client.create_campaign(name="Winter draft", agent_id="a", integration_id="line", integration_type="whatsapp")
        client.pause_campaign(self.launched(client, "Winter paused"))

        async def scenario() -> tuple[list[dict[str, Any]], set[str], set[str]]:
            before = len(campaign_sandbox.journal("altur")["requests"])
            trigger = watch(conn_id="altur_default", progress_threshold=50, name_pattern="Winter*")
            async with watching(trigger) as at_work:
                assert at_work.payloads == []
                clock.advance(200)
                await at_work.look()
                asked = {request["path"] for request in (await at_work.requests())[before:]}
                afterwards = len(await at_work.requests())
                await at_work.look()
                later = {request["endpoint"] for request in (await at_work.requests())[afterwards:]}
                return at_work.payloads, asked, later

        payloads, asked, later = asyncio.run(scenario())
        assert [(payload["id"], payload["status"]) for payload in payloads] == [(campaign_id, "running")]
        assert payloads[0]["progress"] >= 50
        assert {path for path in asked if not path.endswith("/campaigns")}
        assert all(f"/campaigns/{campaign_id}" in path for path in asked if not path.endswith("/campaigns"))
        assert later == {"list_campaigns"}

    def test_a_watch_whose_first_look_at_figures_fails_does_not_announce_what_was_reached_before(
        self, watching: Run, client: AlturClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        self.launched(client, "Winter")
        clock.advance(200)
        campaign_sandbox.order_fault(vendor="altur", endpoint="get_campaign", kind="error", status=503, times=2)

        async def scenario() -> list[str]:
            async with watching(watch(conn_id="altur_default", progress_threshold=50)) as at_work:
                for _ in range(3):
                    await at_work.look()
                return list(at_work.ids)

        assert asyncio.run(scenario()) == []


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


class TestAnnounced:
    @staticmethod
    def look(announced: Announced, there: range, on_the_way: range = range(0)) -> set[str]:
        for number in there:
            announced.take(str(number), reached=True)
        for number in on_the_way:
            announced.take(str(number), reached=False)
        news = announced.end_look()
        for campaign_id in news:
            announced.remember(campaign_id)
        return set(news)

    def test_what_is_remembered_stays_below_the_size_that_airflow_advises(self) -> None:
        announced = Announced(None)
        for start in range(0, 100_000, 1000):
            self.look(announced, range(start, start + 1000))
        assert len(json.dumps({"version": 1, "marks": announced.marks()})) < 65_535
        assert len(announced.marks()) == MARK_LENGTH * MOST_REMEMBERED

    def test_campaigns_that_left_the_list_long_ago_give_way_first(self) -> None:
        announced = Announced(None)
        self.look(announced, range(100))
        for start in range(1000, 1000 + 2 * MOST_REMEMBERED, 1000):
            assert self.look(announced, range(50)) == set()
            self.look(announced, range(start, start + 1000))
        assert self.look(announced, range(50)) == set()
        assert not announced.is_crowded

    def test_no_old_campaign_is_announced_where_more_have_finished_than_can_be_remembered(self) -> None:
        announced = Announced(None)
        old = range(MOST_REMEMBERED + 500)
        for _ in range(3):
            assert self.look(announced, old) == set()
        again = Announced(announced.marks())
        assert self.look(again, old) == set()
        assert again.is_crowded

    def test_among_too_many_those_seen_on_their_way_are_announced_once(self) -> None:
        announced = Announced(None)
        old, new = range(MOST_REMEMBERED + 500), range(10**6, 10**6 + 3)
        assert self.look(announced, old, new) == set()
        both = [*old, *new]
        assert self.look(announced, both) == set(map(str, new))  # type: ignore[arg-type]
        assert self.look(announced, both) == set()  # type: ignore[arg-type]

    def test_a_campaign_that_began_and_finished_between_two_looks_is_announced(self) -> None:
        announced = Announced(None)
        self.look(announced, range(3))
        assert self.look(announced, range(4)) == {"3"}


class TestFailures:
    def test_an_outage_within_the_patience_loses_no_campaign_and_is_not_hammered_at(
        self, watching: Run, kinbox: KinboxClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        campaign_id = launched(kinbox)

        async def scenario() -> tuple[list[str], float]:
            async with watching(watch()) as at_work:
                await asyncio.to_thread(
                    lambda: campaign_sandbox.order_fault(
                        vendor="kinbox", endpoint="list_campaigns", kind="error", status=502, times=5
                    )
                )
                clock.advance(FINISHED)

                async def is_over() -> bool:
                    return bool(at_work.payloads)

                await at_work.until(is_over)
                at = [request["at"] for request in await at_work.requests() if request["fault"]]
                assert len(at) == 5
                return at_work.ids, min(later - earlier for earlier, later in pairwise(at))

        announced, shortest = asyncio.run(scenario())
        assert announced == [campaign_id]
        assert shortest >= 0.9 * POLL_INTERVAL

    def test_an_outage_longer_than_the_patience_fails_with_the_connection_in_the_message(
        self, campaign_sandbox: Sandbox
    ) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="list_campaigns", kind="html", times=None)

        with pytest.raises(CampaignUnreachable, match="'kinbox_default'"):
            fired(watch(patience=0.2))

    def test_two_refusals_in_a_row_fail_with_the_connection_in_the_message(self, campaign_sandbox: Sandbox) -> None:
        campaign_sandbox.order_fault(vendor="kinbox", endpoint="list_campaigns", kind="error", status=401, times=None)

        with pytest.raises(CampaignRequestFailed, match="'kinbox_default' cannot be watched"):
            fired(watch())
        assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"] == {"list_campaigns": 2}

    def test_one_refusal_is_borne_and_the_connection_is_read_again(
        self, watching: Run, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = campaign_sandbox.connections()["kinbox_default"]
        monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps({**good, "password": "invalid"}))

        async def scenario() -> list[int]:
            trigger = watch(poll_interval=0.5)
            at_work = Watching(campaign_sandbox, trigger, trigger.run())

            async def is_refused() -> bool:
                return await at_work.looks() == 1

            try:
                await at_work.until(is_refused)
                monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps(good))
                await at_work.look()
                return [request["status"] for request in await at_work.requests()][:2]
            finally:
                at_work.task.cancel()
                await asyncio.wait([at_work.task])

        assert asyncio.run(scenario()) == [401, 200]

    def test_the_vendor_gets_the_pause_that_it_asks_for(self, watching: Run, campaign_sandbox: Sandbox) -> None:
        async def scenario() -> list[float]:
            async with watching(watch()) as at_work:
                await asyncio.to_thread(
                    lambda: campaign_sandbox.order_fault(
                        vendor="kinbox", endpoint="list_campaigns", kind="rate_limited", retry_after=2
                    )
                )
                await at_work.look()
                requests = await at_work.requests()
                asked = next(place for place, request in enumerate(requests) if request["fault"])
                return [request["at"] for request in requests[asked : asked + 2]]

        refused, next_one = asyncio.run(scenario())
        assert next_one - refused >= 1.9

    @pytest.mark.parametrize(
        ("connection", "message"),
        [
            (None, "isn't defined"),
            ({"conn_type": "kinbox"}, "has no password"),
            ({"conn_type": "fs"}, "which runs no campaigns"),
            ({"conn_type": "unheard_of"}, "unheard_of"),
        ],
    )
    def test_a_connection_that_cannot_be_used_fails_after_an_interval_and_says_why(
        self,
        connection: dict[str, str] | None,
        message: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if connection:
            monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))

        began = time.monotonic()
        with pytest.raises(CampaignRequestFailed, match=message) as caught:
            fired(watch(conn_id="tried", poll_interval=0.3))
        assert "'tried'" in str(caught.value)
        assert time.monotonic() - began >= 0.27

    def test_patience_is_half_an_hour_since_the_last_good_answer(self) -> None:
        outage = transport.errors.Unavailable("no answer", vendor="Kinbox", endpoint="GET /v1/campaigns")
        patience = Patience(watch().patience, now=0)
        count_failure(outage, patience, "kinbox_default", now=1790)
        patience.answered(now=1795)
        count_failure(outage, patience, "kinbox_default", now=3590)
        with pytest.raises(CampaignUnreachable, match="'kinbox_default' could not be seen for 30 minutes"):
            count_failure(outage, patience, "kinbox_default", now=3596)


class TestSharing:
    def test_watchers_on_one_connection_share_one_poll_and_each_gets_its_own_campaigns(
        self, campaign_sandbox: Sandbox, kinbox: KinboxClient, clock: ManualClock
    ) -> None:
        need("3.3", "shared streams of triggers")
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
        TestAltur.launched(altur, "Winter")
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


class TestSerialization:
    FULL: dict[str, Any] = {
        "conn_id": "koreai_default",
        "until": "sent",
        "progress_threshold": 50,
        "name_pattern": "Winter*",
        "campaign_ids": {"b", "a"},
        "statuses": ("sent", "running"),
        "announce_existing": True,
        "poll_interval": 30,
        "event_interval": 5,
        "patience": 60,
        "hook_params": {"campaign_type": "voice"},
    }

    def test_the_arguments_are_json_and_make_the_same_trigger_again(self) -> None:
        _, kwargs = CampaignEventTrigger(**self.FULL).serialize()
        stored = json.loads(json.dumps(kwargs))
        assert stored == kwargs
        assert CampaignEventTrigger(**stored).serialize() == CampaignEventTrigger(**self.FULL).serialize()
        assert set(kwargs) == set(self.FULL)

    def test_airflow_takes_the_same_watch_for_the_same_however_it_is_written(self) -> None:
        other = {
            **self.FULL,
            "campaign_ids": ["a", "b", "a"],
            "statuses": ["running", "sent"],
            "poll_interval": 30.0,
            "progress_threshold": 50.0,
        }
        hashes = {BaseEventTrigger.hash(*CampaignEventTrigger(**one).serialize()) for one in (self.FULL, other)}
        assert len(hashes) == 1

    def test_airflow_takes_a_stored_watch_for_the_same(self) -> None:
        need("3.2", "encoders of triggers")
        from airflow.models.trigger import Trigger
        from airflow.serialization.decoders import smart_decode_trigger_kwargs
        from airflow.serialization.encoders import encode_trigger

        trigger = CampaignEventTrigger(**self.FULL)
        encoded = encode_trigger(trigger)
        row = Trigger(classpath=encoded["classpath"], kwargs=encoded["kwargs"])
        assert BaseEventTrigger.hash(row.classpath, row.kwargs) == BaseEventTrigger.hash(**encoded)
        started = CampaignEventTrigger(**{name: smart_decode_trigger_kwargs(one) for name, one in row.kwargs.items()})
        assert started.serialize() == trigger.serialize()

    def test_the_class_path_leads_to_the_class(self) -> None:
        path, _ = watch().serialize()
        module, _, name = path.rpartition(".")
        assert path == "airflow_provider_campaigns.triggers.campaign.CampaignEventTrigger"
        assert getattr(importlib.import_module(module), name) is CampaignEventTrigger

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"conn_id": ""}, "conn_id"),
            ({"until": "done"}, "until"),
            ({"progress_threshold": 0}, "progress_threshold"),
            ({"progress_threshold": "half"}, "progress_threshold"),
            ({"poll_interval": 0}, "poll_interval"),
            ({"patience": -1}, "patience"),
            ({"event_interval": -1}, "event_interval"),
            ({"campaign_ids": []}, "campaign_ids"),
            ({"statuses": ["done"]}, "statuses"),
            ({"statuses": ["sent"]}, "statuses"),
            ({"statuses": ["canceled"], "progress_threshold": 50}, "statuses"),
        ],
    )
    def test_what_cannot_work_is_refused_when_the_dag_is_parsed(self, arguments: dict[str, Any], named: str) -> None:
        with pytest.raises(InvalidRequest, match=named) as caught:
            watch(**arguments)
        # The one exception of a trigger's constructor that does not end the whole triggerer.
        assert isinstance(caught.value, TypeError)


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


@pytest.mark.parametrize("conn_id", ["kinbox_default", "altur_default", "koreai_default"])
def test_the_connection_alone_tells_the_vendor(conn_id: str, watching: Run) -> None:
    async def scenario() -> int:
        async with watching(watch(conn_id=conn_id)) as at_work:
            return int(await at_work.looks())

    assert asyncio.run(scenario()) >= 2


def test_hook_params_reach_the_hook(watching: Run) -> None:
    async def scenario() -> None:
        async with watching(watch(conn_id="koreai_default", hook_params={"campaign_type": "voice"})):
            pass

    asyncio.run(scenario())
