"""When waits are looked after, by numbers alone."""

from __future__ import annotations

import pytest

from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms
from airflow_provider_campaigns.wait.ticks import NEWCOMERS_SECONDS, Ticks


def wait(interval: float, deadline: float | None = None, now: float = 0.0) -> WaitState:
    return WaitState("1", Terms(Goal(), interval, deadline), now)


@pytest.mark.parametrize("interval", [1.0, 7.5, 60.0, 3600.0])
def test_ticks_are_shared_kept_to_and_never_further_apart_than_the_interval(interval: float) -> None:
    ticks = Ticks(1_000_000.0)
    now = ticks.first_due(wait(interval), 1_000_123.4)
    for number in range(200):
        due = ticks.next_due(wait(interval), now)
        assert due == ticks.next_due(wait(interval), now)
        # The first look was at no tick.
        assert (-0.03 if number == 0 else 0.89) * interval < due - now <= interval * 1.000001
        now = due


@pytest.mark.parametrize("interval", [10.0, 60.0])
def test_after_its_first_look_a_wait_is_never_looked_after_later_than_it_asks_for(interval: float) -> None:
    ticks = Ticks(0.0)
    for number in range(1000):
        now = 1e6 + number * 0.0613 * interval
        assert ticks.next_due(wait(interval), now) - now <= interval * 1.000001


def test_newcomers_are_looked_after_within_seconds_and_together() -> None:
    ticks = Ticks(0.0)
    moments = [1e6 + number * 0.01 for number in range(1000)]
    dues = [ticks.first_due(wait(60.0), now) for now in moments]
    assert all(now <= due <= now + NEWCOMERS_SECONDS for now, due in zip(moments, dues, strict=True))
    # A thousand that come within ten seconds are a few looks.
    assert len(set(dues)) <= 10 / NEWCOMERS_SECONDS + 2


def test_a_newcomer_with_a_short_interval_does_not_wait_longer_than_that() -> None:
    assert 1000.1 < Ticks(0.0).first_due(wait(0.2), 1000.1) <= 1000.3


def test_a_deadline_comes_before_the_tick() -> None:
    assert Ticks(0.0).next_due(wait(60.0, 1005.0, 1000.0), 1000.0) == 1005.0
    assert Ticks(0.0).first_due(wait(60.0, 1001.0, 1000.0), 1000.0) == 1001.0
