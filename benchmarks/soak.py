"""
The soak: 2,000 waits at three vendors for ten minutes of vendor time, with 5 % faults of every kind.

Every kind of fault that concerns one answer hits 5 % of all the requests that waits make, whichever; every kind that
changes how a vendor behaves is on for 5 % of the time. A campaign meets one of these fates, and its wait has one right
outcome for it:

* it finishes, or is done sending: met;
* it is canceled or stopped at the vendor: failed;
* it goes on for longer than the soak: the wait runs until its deadline, and times out.

When the ten minutes are over the faults end, and a little later the deadline comes, so that a look that was in the
middle of something can still come to its end. Then no wait may be without its outcome, none may have been met before
its campaign was, nothing may be left over in the event loop or in threads, and in the second half memory may not have
grown. Exits with 1 where that is not so.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from server import Server, running
from table import Row, as_markdown, verdict

WAITS = 2_000
SPEED = 5.0
VENDOR_SECONDS = 600.0
SECONDS = VENDOR_SECONDS / SPEED
INTERVAL = 2.0
#: Real seconds from the end of the faults to the deadline of all waits.
GRACE_SECONDS = 30.0
SHARE = 0.05
MAX_GROWTH = 0.05

ANSWER_FAULTS: dict[str, dict[str, Any]] = {
    "reset": {},
    "timeout": {"seconds": 3},
    "error": {},
    "cut_off": {},
    "html": {},
    "slow": {"seconds": 0.5},
    "rate_limited": {"retry_after": 1},
}
STATE_FAULTS = ("unknown_status", "status_missing", "stall", "list_lag", "repeated_cursor")
SEALING_TURNS = 4
#: What waits ask; actions at the vendors stay without faults, so that the fates are certain.
ENDPOINTS = {
    "kinbox": ("get_campaign", "list_campaigns"),
    "altur": ("get_campaign", "list_campaigns", "list_contacts"),
    "koreai": ("get_campaign", "list_campaigns", "list_contact_lists"),
}
#: The words of a campaign whose wait may be met.
DONE = {"kinbox": {"done"}, "altur": {"finished"}, "koreai": {"Completed"}}
HOOKS = {"kinbox": "kinbox.KinboxHook", "altur": "altur.AlturHook", "koreai": "koreai.KoreAIHook"}


@dataclass
class Wait:
    """
    A wait of the soak.

    :param expected: The reason with which it must end.
    :param threshold: Percent, or None.
    :param event: What the trigger said.
    :param at: When it said so.
    :param done_at: When the campaign was first seen to be done at the vendor, to the second.
    """

    vendor: str
    campaign_id: str
    expected: str
    threshold: float | None = None
    event: dict[str, Any] | None = None
    at: float = 0.0
    done_at: float | None = None


class Launcher:
    """Launches the campaigns, through the package's own clients."""

    def __init__(self, server: Server) -> None:
        from airflow_provider_campaigns.hooks.altur import AlturHook
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        self.kinbox: Any = KinboxHook().get_conn()
        self.altur: Any = AlturHook().get_conn()
        self.koreai: Any = KoreAIHook().get_conn()
        self.server = server

    def of_kinbox(self, place: int) -> Wait:
        """Launch a campaign that finishes at any time of the soak, is canceled, or goes on for longer."""
        fate = place % 10
        # A second for each recipient: the last ones finish some two minutes before the end, stalls counted in.
        leads = 5000 if fate in (0, 1) else 20 + place * 7919 % 400
        url = f"https://files.example.com/leads.csv?leads={leads}"
        campaign = self.kinbox.create_campaign(
            name=f"K{place}", leads_asset_url=url, seconds_between_messages=1, chunk_size=5000
        )
        expected = {0: "campaign_failed", 1: "timeout"}.get(fate, "met")
        return Wait("kinbox", campaign.id, expected, 50.0 if fate == 2 else None)

    def of_altur(self, place: int) -> Wait:
        """Launch a campaign that takes five minutes; some are paused for good."""
        campaign = self.altur.create_campaign(
            name=f"A{place}", agent_id="a", integration_id="i", integration_type="whatsapp", template="t"
        )
        self.altur.add_contacts(campaign.id, [{"contact": f"+52155{place:05d}{number:03d}"} for number in range(4)])
        self.altur.activate_campaign(campaign.id)
        # A threshold costs requests for each campaign there, so only a few ask for one.
        return Wait("altur", campaign.id, "timeout" if place % 10 == 0 else "met", 50.0 if place % 50 == 1 else None)

    def of_koreai(self, place: int) -> Wait:
        """Launch a campaign that takes five minutes; some are stopped."""
        from launch_requests import KOREAI, KOREAI_STRATEGY

        campaign = self.koreai.create_campaign(
            name=f"R{place}", message="Sale", **KOREAI, dialing_strategy=KOREAI_STRATEGY
        )
        self.koreai.start_campaign(campaign.id)
        return Wait("koreai", campaign.id, "campaign_failed" if place % 10 == 0 else "met")

    def launch(self) -> list[Wait]:
        """Launch all."""
        makers = (self.of_kinbox, self.of_altur, self.of_koreai)
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda place: makers[place % 3](place // 3), range(WAITS)))

    def seal(self, wait: Wait) -> None:
        """Bring about at the vendor what the wait's fate asks for, some time into the soak."""
        from airflow_provider_campaigns.api.errors import CampaignAPIError

        try:
            if wait.vendor == "kinbox" and wait.expected == "campaign_failed":
                self.kinbox.update_campaign(wait.campaign_id, extra_fields={"status": "canceled"})
            elif wait.vendor == "altur" and wait.expected == "timeout":
                self.altur.pause_campaign(wait.campaign_id)
            elif wait.vendor == "koreai" and wait.expected == "campaign_failed":
                self.koreai.stop_campaign(wait.campaign_id)
        except CampaignAPIError:
            # The action itself meets no fault, only the look at what it brought about.
            pass


def order_faults(server: Server) -> None:
    """Order every kind of fault of an answer, for every request that waits make."""
    orders = [
        {"vendor": vendor, "endpoint": endpoint, "kind": kind, "times": None, "probability": SHARE, **more}
        for vendor, endpoints in ENDPOINTS.items()
        for endpoint in endpoints
        for kind, more in ANSWER_FAULTS.items()
    ]
    server.control("POST", "faults", json=orders)


def state_faults(server: Server) -> Iterator[None]:
    """Switch one state fault after the other on and off; each step takes a share of the time."""
    for kind in STATE_FAULTS:
        (number,) = server.control("POST", "faults", json={"vendor": "*", "kind": kind})["ids"]
        yield
        server.control("DELETE", "faults", params={"id": number})
        yield


async def stir(server: Server, launcher: Launcher, waits: list[Wait]) -> None:
    """Do at the vendors what happens during the soak: state faults by turns, and the fates of campaigns."""
    steps = state_faults(server)
    todo = [wait for wait in waits if wait.expected != "met"]
    for turn in range(2 * len(STATE_FAULTS)):
        await asyncio.sleep(SECONDS * SHARE)
        next(steps)
        # In the first part, while all of them are under way.
        for wait in todo[turn::SEALING_TURNS] if turn < SEALING_TURNS else ():
            await asyncio.to_thread(launcher.seal, wait)
    await asyncio.sleep(SECONDS * SHARE)
    next(steps, None)


def trigger_of(wait: Wait, deadline: float) -> Any:
    """Return the trigger of a wait."""
    from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

    return CampaignTrigger(
        conn_id=f"{wait.vendor}_default",
        hook_class=f"airflow_provider_campaigns.hooks.{HOOKS[wait.vendor]}",
        campaign_id=wait.campaign_id,
        progress_threshold=wait.threshold,
        poll_interval=INTERVAL,
        deadline=deadline,
    )


async def run(wait: Wait, deadline: float) -> None:
    """Wait as a triggerer does."""
    async for event in trigger_of(wait, deadline).run():
        wait.event, wait.at = event.payload, time.time()


def wrongly_met(new: list[Wait], campaigns: dict[str, dict[str, Any]]) -> list[Wait]:
    """Return the waits that have just been met though their campaign is not that far."""
    wrong = []
    for wait in new:
        event = wait.event or {}
        if event["reason"] != "met":
            continue
        row = campaigns[wait.campaign_id]
        share = 100 * row["messages"] / max(1, row["contacts"])
        reached = row["status"] in DONE[wait.vendor] or (wait.threshold is not None and share >= wait.threshold)
        if not reached or event["campaign"]["id"] != wait.campaign_id:
            wrong.append(wait)
    return wrong


@dataclass
class Report:
    """What the soak saw."""

    waits: list[Wait]
    wrong: list[Wait]
    memory_kb: list[float]
    tasks_left: int
    threads_left: list[str]
    faults: Counter[str]
    requests: int

    @property
    def amiss(self) -> list[Wait]:
        """The waits that did not end, or not as they had to."""
        return [wait for wait in self.waits if not wait.event or wait.event["reason"] != wait.expected]

    @property
    def lags(self) -> list[float]:
        """How long after its campaign was done each wait was met."""
        return [
            max(0.0, wait.at - wait.done_at)
            for wait in self.waits
            if wait.done_at and wait.event and wait.event["reason"] == "met" and wait.threshold is None
        ]

    @property
    def growth(self) -> float:
        """How much larger the memory was in the last quarter of the soak than in the one before, as a share."""
        quarter = len(self.memory_kb) // 4
        return mean(self.memory_kb[-quarter:]) / mean(self.memory_kb[-2 * quarter : -quarter]) - 1


async def soak(server: Server, resident_kb: Callable[[], float]) -> Report:
    """Run it."""
    launcher = await asyncio.to_thread(Launcher, server)
    server.set_speed(0.001)
    waits = await asyncio.to_thread(launcher.launch)
    order_faults(server)
    server.set_speed(SPEED)
    over = time.time() + SECONDS
    deadline = over + GRACE_SECONDS
    tasks = [asyncio.create_task(run(wait, deadline)) for wait in waits]
    stirring = asyncio.create_task(stir(server, launcher, waits))
    seen: set[int] = set()
    wrong: list[Wait] = []
    record = []
    faulty = True
    while time.time() < deadline + GRACE_SECONDS and not all(task.done() for task in tasks):
        await asyncio.sleep(1)
        new = [wait for wait in waits if wait.event and id(wait) not in seen]
        seen |= set(map(id, new))
        campaigns = await asyncio.to_thread(server.campaigns)
        wrong += wrongly_met(new, campaigns)
        for wait in waits:
            if wait.done_at is None and campaigns[wait.campaign_id]["status"] in DONE[wait.vendor]:
                wait.done_at = time.time()
        if time.time() < over:
            record.append(resident_kb())
        elif faulty:
            await stirring
            await asyncio.to_thread(server.control, "DELETE", "faults")
            faulty = False
    await stirring
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(5)
    requests = await asyncio.to_thread(server.requests)
    return Report(
        waits,
        wrong,
        record,
        len(asyncio.all_tasks()) - 1,
        [thread.name for thread in threading.enumerate() if "campaign-poller" in thread.name],
        Counter(request["fault"] for request in requests if request["fault"]),
        len(requests),
    )


def rows() -> list[Row]:
    """Return the figures."""
    from waits import prepare_process, resident_kb

    with running() as server:
        for connection in server.connections.values():
            # As impatient as a connection may be; the sandbox's limits are off, as its time is not ours.
            connection["extra"] = {**connection.get("extra", {}), "timeout": 2, "rate_limit": 1000}
        prepare_process(server)
        gc.collect()
        report = asyncio.run(soak(server, resident_kb))
    ends = Counter(wait.event["reason"] if wait.event else "lost" for wait in report.waits)
    for wait in report.amiss[:10] + report.wrong[:10]:
        print("Not as it should be:", wait, file=sys.stderr)
    hit = sum(report.faults.values())
    title = f"soak, {WAITS:,} waits for {VENDOR_SECONDS / 60:g} minutes of vendor time: "
    return [
        Row(
            f"{title}outcomes",
            ", ".join(f"{number:,} {reason}" for reason, number in sorted(ends.items())),
            f"{len(report.amiss)} lost or otherwise than their campaigns' fates; {hit:,} faults in "
            f"{report.requests:,} requests, of {len(report.faults)} kinds, and {len(STATE_FAULTS)} kinds by turns",
            "",
            "none lost",
            verdict(not report.amiss),
        ),
        Row(f"{title}met too early", f"{len(report.wrong)}", "", "", "none", verdict(not report.wrong)),
        Row(
            f"{title}from finished to the event, interval {INTERVAL:g} s",
            f"{median(report.lags):.0f} s in the middle, {max(report.lags):.0f} s at most",
        ),
        Row(
            f"{title}tasks and threads left over",
            f"{report.tasks_left} and {len(report.threads_left)}",
            "",
            "",
            "none",
            verdict(not report.tasks_left and not report.threads_left),
        ),
        Row(
            f"{title}growth of memory, last quarter to the one before",
            f"{report.growth:+.1%}",
            "",
            "",
            f"<= {MAX_GROWTH:.0%}",
            verdict(report.growth <= MAX_GROWTH),
        ),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        table = rows()
    print(as_markdown(table))
    sys.exit(any(row.met not in ("yes", "") for row in table))
