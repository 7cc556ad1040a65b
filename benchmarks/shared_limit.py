"""
A thousand waits at Kore.ai's 50 requests a minute: how long a campaign goes unseen, and a launch in the middle of it.

The waits are triggers' own, at an interval of five seconds on one shared poller; the launch is a create and a start by
another client of the account in the same process. The vendor is the sandbox in a process of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from launch_requests import KOREAI, KOREAI_STRATEGY
from server import Server, running
from table import Row, as_markdown, verdict

from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.poller import shared_poller
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

WAITS = 1_000
INTERVAL_SECONDS = 5.0
#: Three walks of the list at two thirds of 50 requests a minute, and a rest.
SECONDS = 75.0
MAX_LAG_SECONDS = 25.0
MAX_DELAY_SECONDS = 2.0


class Seen(WaitState):
    """A wait that notes when it was seen."""

    __slots__ = ("moments",)

    def __init__(self, campaign_id: str, terms: Terms, now: float) -> None:
        super().__init__(campaign_id, terms, now)
        self.moments: list[float] = []

    def answered(self, campaign: Campaign, now: float, *, figures: bool = True) -> Any:
        """Note the moment."""
        self.moments.append(now)
        return super().answered(campaign, now, figures=figures)


def connected(server: Server, **options: Any) -> KoreAIClient:
    """Return a client of the account."""
    return KoreAIClient(
        "client", "benchmark-secret-of-some-length-and-more", app_id="app", account_id="account", campaign_type="sms",
        base_url=f"{server.url}/koreai", **options,
    )  # fmt: skip


def launch(client: KoreAIClient, name: str) -> str:
    """Create a campaign and start it, which is two requests."""
    made = client.create_campaign(name=name, dialing_strategy=KOREAI_STRATEGY, message="Sale", **KOREAI)  # type: ignore[arg-type]
    client.start_campaign(made.id)
    return made.id


def timed(act: Callable[[], Any]) -> float:
    """Return the seconds that something takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


async def watch(server: Server, ids: list[str]) -> tuple[list[float], float]:
    """Watch for a while; return the longest time for which each campaign was not seen, and what a launch took."""

    async def connect() -> KoreAIClient:
        return connected(server)

    terms = Terms(Goal(), INTERVAL_SECONDS)
    waits = [Seen(campaign_id, terms, time.time()) for campaign_id in ids]
    poller = shared_poller("benchmark", connect)
    tasks = [asyncio.create_task(poller.wait(wait)) for wait in waits]
    await asyncio.sleep(SECONDS / 2)
    with connected(server) as client:
        took = await asyncio.to_thread(timed, lambda: launch(client, "In the middle"))
    await asyncio.sleep(SECONDS / 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    lags = [
        max((after - before for before, after in zip(one.moments, one.moments[1:], strict=False)), default=SECONDS)
        for one in waits
    ]
    return lags, took


def rows() -> list[Row]:
    """Return the two figures."""
    logging.getLogger("airflow_provider_campaigns").setLevel(logging.ERROR)
    with running() as server:
        with connected(server, rate_limit=1000) as client:
            alone = timed(lambda: launch(client, "Alone"))
            ids = [launch(client, f"Wait {number}") for number in range(WAITS)]
        # The account's limit counts what was prepared, for a minute.
        time.sleep(60)
        lags, took = asyncio.run(watch(server, ids))
    title = f"{WAITS:,} waits at Kore.ai's 50 requests a minute, interval {INTERVAL_SECONDS:g} s: "
    return [
        Row(
            f"{title}longest time unseen",
            f"{max(lags):.1f} s",
            "one request for each campaign: 20 minutes",
            f"{max(lags) / 1200:.3f}",
            f"<= {MAX_LAG_SECONDS:g} s",
            verdict(max(lags) <= MAX_LAG_SECONDS),
        ),
        Row(
            f"{title}a launch meanwhile",
            f"{took:.2f} s",
            f"without waits: {alone:.2f} s",
            f"{took / alone:.1f}",
            f"<= {MAX_DELAY_SECONDS:g} s more",
            verdict(took - alone <= MAX_DELAY_SECONDS),
        ),
    ]


if __name__ == "__main__":
    print(as_markdown(rows()))
