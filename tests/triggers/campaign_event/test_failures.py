"""A watch whose looks fail: patience, refusals, and the pause that a vendor asks for."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise

import pytest
from event_watch import FINISHED, POLL_INTERVAL, Run, Watching, fired, launched, watch

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignUnreachable
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.wait.state import Patience
from airflow_provider_campaigns.watch.list_poller import count_failure

pytestmark = needs("asset watchers")


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
