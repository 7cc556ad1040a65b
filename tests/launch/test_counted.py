"""What a launch and a wait count as in the metrics, and that neither depends on them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from under_test import ALTUR, KINBOX, VENDORS

from airflow_provider_campaigns import metrics
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance import Task, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.guards import send_window
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.gauges import SLICE, Tally, WaitGauges
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms


class Stats:
    """Stands for Airflow's stats, and keeps what it is told."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, ...]] = Counter()
        self.gauges: dict[str, float] = {}

    def incr(self, name: str, number: int, *, tags: dict[str, str]) -> None:
        """Add to a counter."""
        self.counted[name, *tags.values()] += number

    def gauge(self, name: str, value: float, *, tags: dict[str, str]) -> None:
        """Set a gauge."""
        self.gauges[name] = value

    def timing(self, name: str, value: Any, *, tags: dict[str, str]) -> None:
        """Add a time."""

    def launches(self, vendor: str) -> dict[str, int]:
        """Return how many tries of launches ended how."""
        return {key[2]: number for key, number in self.counted.items() if key[:2] == ("campaigns.launches", vendor)}


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Stats:
    """What is counted in the test."""
    stats = Stats()
    monkeypatch.setattr(metrics, "_stats", lambda: stats)
    return stats


def name_of(launched: VendorUnderTest) -> str:
    return str(launched.build().client_class().vendor)


@pytest.mark.parametrize("launched", VENDORS)
def test_a_launch_counts_as_created_and_as_adopted_by_a_later_try(
    vendors: Sandbox, stats: Stats, launched: VendorUnderTest
) -> None:
    task = Task(vendors, launched)
    task.run()
    task.run()
    assert stats.launches(name_of(launched)) == {"created": 1, "adopted": 1}


def test_a_try_that_does_not_know_what_became_of_its_create_counts_as_unknown(vendors: Sandbox, stats: Stats) -> None:
    task = Task(vendors, KINBOX)
    task.lose(endpoint="create_campaign", kind="error", status=503, effect=False)
    assert task.run().outcome == "retry"
    assert stats.launches("Kinbox") == {"unknown": 1}


def test_a_try_that_means_something_else_counts_as_a_conflict(vendors: Sandbox, stats: Stats) -> None:
    task = Task(vendors, KINBOX)
    task.run()
    task.run(name="Another name")
    assert stats.launches("Kinbox") == {"created": 1, "conflict": 1}


@pytest.mark.parametrize(
    ("guards", "guard", "action", "outcome"),
    [
        ({"max_lateness": 1e-6}, "max_lateness", "refuse", "refused"),
        ({"max_recipients": 1}, "recipients", "refuse", "refused"),
        ({"min_recipients": 10_000_000}, "recipients", "refuse", "refused"),
        ({"send_window": send_window(is_open=False)}, "send_window", "refuse", "refused"),
        ({"send_window": send_window(is_open=False), "outside_send_window": "skip"}, "send_window", "skip", "skipped"),
        (
            {"send_window": send_window(is_open=False), "outside_send_window": "defer"},
            "send_window",
            "defer",
            "deferred",
        ),
    ],
)
def test_a_guard_that_says_no_is_counted_by_its_argument(
    vendors: Sandbox, stats: Stats, guards: dict[str, Any], guard: str, action: str, outcome: str
) -> None:
    Task(vendors, ALTUR, **guards).run()
    assert stats.launches("Altur") == {outcome: 1}
    assert stats.counted["campaigns.refusals", "Altur", guard, action] == 1


def test_a_backfill_run_that_is_refused_is_counted_as_such(vendors: Sandbox, stats: Stats) -> None:
    task = Task(vendors, ALTUR)
    task.run_type = "backfill"
    task.run()
    assert stats.counted["campaigns.refusals", "Altur", "allow_backfill", "refuse"] == 1


@pytest.mark.parametrize("launched", VENDORS)
def test_a_launch_and_a_wait_go_on_when_nothing_can_be_counted(
    vendors: Sandbox, launched: VendorUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Any:
        raise OSError("no StatsD")

    monkeypatch.setattr(metrics, "_stats", broken)
    monkeypatch.setattr(metrics, "_told", set())
    vendors.set_speed(3600)
    assert Task(vendors, launched, wait_until="finished", poll_interval=0.1).run().outcome == "success"
    assert caplog.text.count("A metric could not be sent, which changes nothing else: OSError") == 1


# Gauges


def waiting(began: float, seen: float, progress: float | None, status: CampaignStatus) -> WaitState:
    wait = WaitState("7", Terms(Goal("finished")), began)
    wait.answered(Campaign("7", "", status, "word", progress=progress), began)
    wait.answered(Campaign("7", "", status, "word", progress=progress), seen)
    return wait


def test_the_gauges_tell_how_many_wait_and_which_is_the_oldest_the_least_seen_and_the_stillest(stats: Stats) -> None:
    tally = Tally(1000.0)
    tally.add(
        [
            waiting(100.0, 990.0, 10.0, CampaignStatus.RUNNING),
            waiting(500.0, 600.0, 50.0, CampaignStatus.RUNNING),
            waiting(50.0, 995.0, None, CampaignStatus.PAUSED),
        ]
    )
    tally.send("Kinbox")
    assert stats.gauges == {
        "campaigns.waits.under_way": 3,
        "campaigns.waits.oldest_seconds": 950,
        "campaigns.waits.unseen_seconds": 400,
        "campaigns.waits.still_seconds": 900,
        "campaigns.waits.progress_percent": 30.0,
    }


def test_the_gauges_go_to_nothing_with_the_last_wait(stats: Stats) -> None:
    async def wait_and_leave() -> None:
        gauges = WaitGauges.of_this_loop()
        waits = [waiting(time.time(), time.time(), 10.0, CampaignStatus.RUNNING) for _ in range(SLICE + 1)]
        for wait in waits:
            gauges.joined("Kinbox", wait)
        await gauges.refresh("Kinbox", time.time())
        assert stats.gauges["campaigns.waits.under_way"] == SLICE + 1
        for wait in waits:
            gauges.left("Kinbox", wait, time.time())

    asyncio.run(wait_and_leave())
    assert stats.gauges == dict.fromkeys(stats.gauges, 0)
