"""
How often a wait for a percentage asks for figures, where these cost requests of their own: by a fake clock.

The wait is the poller's own state, fed with a status at each tick and with figures whenever it wants them; the campaign
reaches 80 % in eight hours, or as told. Nothing is asked of a vendor, since only the number counts.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Mapping

from table import Row, as_markdown, verdict

from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.runner import observe
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

HOUR = 3600.0
PERCENT = 80.0
INTERVAL = 60.0
TARGET = 24
RUNS = 25


def _steady(now: float) -> float:
    return PERCENT * now / (8 * HOUR)


#: Progress by seconds, and whether the targets hold for it.
CURVES: Mapping[str, tuple[Callable[[float], float], bool]] = {
    "steadily": (_steady, True),
    "twice as fast from half on": (lambda now: _steady(now) + max(0.0, _steady(now) - PERCENT / 2), True),
    "in whole percents": (lambda now: math.floor(_steady(now)), False),
    "in batches of 10 %": (lambda now: 10.0 * math.floor(_steady(now) / 10), False),
    "with a night's rest of 10 hours": (
        lambda now: _steady(min(now, 4 * HOUR) + max(0.0, now - 14 * HOUR)),
        False,
    ),
}


def wait_for(curve: Callable[[float], float], seed: int) -> tuple[int, int, float]:
    """Return how often figures were asked for, how many ticks there were, and by how many seconds the end was late."""
    chance, now = random.Random(seed), 0.0
    wait = WaitState("7", Terms(Goal(progress_threshold=PERCENT), INTERVAL), now)
    requests = ticks = 0
    real = time.time
    time.time = lambda: now
    try:
        while True:
            ticks += 1
            figures = ticks > 1 and wait.wants_figures(now)
            if not figures:
                observe(wait, Campaign("7", "", CampaignStatus.RUNNING, "active"), figures=False)
            if figures or wait.wants_figures(now):
                requests += 1
                seen = Campaign("7", "", CampaignStatus.RUNNING, "active", min(100.0, curve(now)))
                if observe(wait, seen):
                    return (
                        requests,
                        ticks,
                        now - next(second for second in range(int(now) + 1) if curve(second) >= PERCENT),
                    )
            now += wait.pause(now, chance.random())
    finally:
        time.time = real


def rows() -> list[Row]:
    """Return the figures of each curve, the worst of some runs whose ticks are spread differently."""
    logging.getLogger("airflow_provider_campaigns").setLevel(logging.WARNING)
    found = []
    for name, (curve, has_target) in CURVES.items():
        runs = [wait_for(curve, seed) for seed in range(RUNS)]
        requests, ticks, late = max(run[0] for run in runs), max(run[1] for run in runs), max(run[2] for run in runs)
        found.append(
            Row(
                f"a wait for {PERCENT:g} % at an interval of a minute, 8 hours, {name}: requests for figures",
                f"{requests}; ended {late:.0f} s after the goal",
                f"one at each look: {ticks}",
                f"{requests / ticks:.2f}",
                f"<= {TARGET}, <= {INTERVAL:g} s" if has_target else "",
                verdict(requests <= TARGET and late <= INTERVAL) if has_target else "",
            )
        )
    return found


if __name__ == "__main__":
    print(as_markdown(rows()))
