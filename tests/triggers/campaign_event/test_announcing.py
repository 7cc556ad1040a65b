"""Which campaigns a watch announces, and when: each once, when it has reached the goal."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from event_watch import FINISHED, HALFWAY, SENT, Run, launched, launched_at_altur, watch

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs

pytestmark = needs("asset watchers")


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


class TestAltur:
    """A vendor whose list tells no progress."""

    @pytest.fixture
    def client(self, campaign_sandbox: Sandbox) -> AlturClient:
        return AlturClient("key", base_url=campaign_sandbox.base_url("altur"), rate_limit=10_000)

    @pytest.fixture(autouse=True)
    def no_rate_limit(self, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        connection = {**campaign_sandbox.connections()["altur_default"], "extra": {"rate_limit": 1000}}
        monkeypatch.setenv("AIRFLOW_CONN_ALTUR_DEFAULT", json.dumps(connection))

    def test_a_goal_that_needs_only_the_status_pays_for_nothing_but_the_list(
        self, watching: Run, client: AlturClient, clock: ManualClock, campaign_sandbox: Sandbox
    ) -> None:
        campaign_id = launched_at_altur(client, "Winter")

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
        campaign_id = launched_at_altur(client, "Winter north")
        launched_at_altur(client, "Summer")
        client.create_campaign(name="Winter draft", agent_id="a", integration_id="line", integration_type="whatsapp")
        client.pause_campaign(launched_at_altur(client, "Winter paused"))

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
        launched_at_altur(client, "Winter")
        clock.advance(200)
        campaign_sandbox.order_fault(vendor="altur", endpoint="get_campaign", kind="error", status=503, times=2)

        async def scenario() -> list[str]:
            async with watching(watch(conn_id="altur_default", progress_threshold=50)) as at_work:
                for _ in range(3):
                    await at_work.look()
                return list(at_work.ids)

        assert asyncio.run(scenario()) == []
