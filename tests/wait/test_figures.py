"""When figures are asked for: as seldom as the pace of a campaign allows, by a fake clock."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.api.errors import CampaignAPIError, Unavailable
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.figures import (
    LONGEST_GAP_SECONDS,
    LONGEST_STILL_GAP_SECONDS,
    STALL_SHARE,
    STILL_SHARE,
)
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.runner import observe
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus
EXAMPLES = settings(max_examples=25, deadline=None)
HOUR = 3600.0
#: Progress in percent by seconds.
Curve = Callable[[float], float]


class Played(NamedTuple):
    """How a wait went: its outcome and when, after how many requests for figures, and when its goal was reached."""

    outcome: Outcome | None
    seconds: float
    requests: int
    reached: float


def campaign(status: CampaignStatus, progress: float | None = None, **counts: int) -> Campaign:
    return Campaign("7", "Winter", status, status.value, progress, counts)


def play(
    curve: Curve,
    terms: Terms,
    *,
    status: Callable[[float], CampaignStatus] = lambda now: S.RUNNING,
    seed: int = 0,
    end: float = 200 * HOUR,
) -> Played:
    """Look at each tick, at the status alone unless the wait wants figures, as the poller does."""
    chance, wait = random.Random(seed), WaitState("7", terms, 0.0)
    now, requests, reached = 0.0, 0, math.inf
    previous = 0.0
    threshold = terms.goal.progress_threshold or 100.0
    while now < end:
        if math.isinf(reached) and curve(now) >= threshold:
            reached = exact(curve, threshold, previous, now)
        asked = wait.wants_figures(now) and now > 0
        outcome = None
        if not asked:
            row = campaign(status(now))
            assert wait.wanted_figures is not None
            outcome = wait.answered(wait.wanted_figures.filled_in(row), now, figures=False)
            assert outcome is None
            asked = wait.wants_figures(now)
        if asked:
            requests += 1
            outcome = wait.answered(campaign(status(now), curve(now)), now)
        if outcome:
            return Played(outcome, now, requests, reached)
        previous, now = now, now + wait.pause(now, chance.random())
    return Played(None, now, requests, reached)


def exact(curve: Curve, threshold: float, low: float, high: float) -> float:
    """Return when a progress was reached, between two moments."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if curve(middle) >= threshold else (middle, high)
    return high


def waiting_for(percent: float, interval: float = 60.0, **more: object) -> Terms:
    return Terms(Goal(progress_threshold=percent), interval, **more)  # type: ignore[arg-type]


def steady(hours: float, percent: float = 80.0) -> Curve:
    return lambda now: min(100.0, percent * now / (hours * HOUR))


# How often


@pytest.mark.parametrize("seed", range(20))
def test_eight_hours_to_eighty_percent_at_a_minute_take_at_most_24_requests(seed: int) -> None:
    played = play(steady(8), waiting_for(80.0), seed=seed)
    assert played.requests <= 24
    assert 0 <= played.seconds - played.reached <= 60


@EXAMPLES
@given(hours=st.floats(0.05, 72), percent=st.floats(1, 100), interval=st.floats(5, 600), seed=st.integers(0, 99))
def test_a_steady_campaign_s_wait_ends_within_one_interval(
    hours: float, percent: float, interval: float, seed: int
) -> None:
    played = play(steady(hours, percent), waiting_for(percent, interval), seed=seed)
    assert 0 <= played.seconds - played.reached <= interval
    assert played.requests <= min(hours * HOUR / (0.9 * interval) + 3, 40 + hours)


@EXAMPLES
@given(
    hours=st.floats(0.1, 12),
    bend=st.floats(0.3, 3),
    percent=st.floats(5, 95),
    interval=st.floats(30, 600),
    seed=st.integers(0, 99),
)
def test_a_campaign_that_slows_down_costs_no_delay(
    hours: float, bend: float, percent: float, interval: float, seed: int
) -> None:
    played = play(
        lambda now: 100 * (1 - math.exp(-bend * now / (hours * HOUR))), waiting_for(percent, interval), seed=seed
    )
    assert 0 <= played.seconds - played.reached <= interval


@EXAMPLES
@given(
    hours=st.floats(0.2, 24),
    change=st.floats(0.02, 0.98),
    percent=st.floats(5, 95),
    interval=st.floats(5, 600),
    seed=st.integers(0, 99),
)
def test_a_campaign_that_doubles_its_speed_is_seen_within_two_intervals(
    hours: float, change: float, percent: float, interval: float, seed: int
) -> None:
    # By the change two looks and more have shown how fast it goes.
    at = max(change * hours * HOUR, 2 * interval)
    plain = steady(hours, percent)
    played = play(
        lambda now: plain(now) if now < at else plain(at) + 2 * plain(now - at),
        waiting_for(percent, interval),
        seed=seed,
    )
    assert 0 <= played.seconds - played.reached <= 2 * interval


@EXAMPLES
@given(
    step=st.sampled_from([1.0, 2.0, 5.0, 10.0]),
    minutes=st.floats(1, 60),
    seed=st.integers(0, 99),
)
def test_a_campaign_that_moves_in_batches_is_seen_within_two_intervals(step: float, minutes: float, seed: int) -> None:
    def batches(now: float) -> float:
        return min(100.0, step * math.floor(now / (minutes * 60)))

    played = play(batches, waiting_for(80.0), seed=seed)
    assert 0 <= played.seconds - played.reached <= 120
    assert played.requests <= played.seconds / 54 + 3


@EXAMPLES
@given(
    night=st.floats(1, 16),
    at=st.floats(0.1, 7.9),
    whole=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_night_s_rest_costs_no_delay_in_the_morning(night: float, at: float, whole: bool, seed: int) -> None:
    plain = steady(8)

    def rests(now: float) -> float:
        sent = plain(min(now, at * HOUR) + max(0.0, now - (at + night) * HOUR))
        return math.floor(sent) if whole else sent

    played = play(rests, waiting_for(80.0), seed=seed)
    assert 0 <= played.seconds - played.reached <= 120


@EXAMPLES
@given(
    speeds=st.lists(st.floats(0, 200), min_size=1, max_size=12),
    back=st.booleans(),
    interval=st.floats(10, 300),
    seed=st.integers(0, 99),
)
def test_no_curve_hides_its_goal_for_longer_than_the_longest_gap(
    speeds: list[float], back: bool, interval: float, seed: int
) -> None:
    def bursts(now: float) -> float:
        hours, sent = now / HOUR, 0.0
        for place, speed in enumerate([*speeds, 50.0]):
            last = place == len(speeds)
            sent += speed * max(0.0, hours - place if last else min(1.0, hours - place))
        if not back:
            return min(100.0, sent)
        # Contacts are added once, before the goal.
        return min(79.0, sent) if hours < 2 else min(100.0, sent * 2 / 3)

    played = play(bursts, waiting_for(80.0, interval), seed=seed)
    assert played.outcome is not None
    assert played.seconds - played.reached <= LONGEST_GAP_SECONDS + 2 * interval
    assert played.requests <= played.seconds / (0.9 * interval) + 3


@EXAMPLES
@given(rest=st.floats(0.1, 40), seed=st.integers(0, 99))
def test_a_campaign_that_begins_late_is_seen_soon(rest: float, seed: int) -> None:
    plain = steady(0.2)
    played = play(lambda now: plain(max(0.0, now - rest * HOUR)), waiting_for(80.0), seed=seed)
    assert played.seconds - played.reached <= min(STILL_SHARE * (rest + 0.2) * HOUR, LONGEST_STILL_GAP_SECONDS) + 120


# What each need asks for


def test_no_figures_are_asked_for_before_a_campaign_begins() -> None:
    begins = 10 * HOUR
    plain = steady(8)
    played = play(
        lambda now: plain(max(0.0, now - begins)),
        waiting_for(80.0),
        status=lambda now: S.SCHEDULED if now < begins else S.RUNNING,
    )
    assert played.requests <= 24
    assert played.seconds - played.reached <= 60


def test_the_brake_keeps_its_interval() -> None:
    terms = Terms(Goal(), 60.0, gates=Gates(brake=0.1))
    played = play(steady(2, 99), terms, end=2 * HOUR)
    assert played.requests >= 2 * 60


def test_gates_on_a_finished_campaign_cost_nothing_before_its_end() -> None:
    terms = Terms(Goal(), 60.0, gates=Gates(min_delivered_ratio=0.5))
    played = play(steady(2), terms, status=lambda now: S.RUNNING if now < 2 * HOUR else S.FINISHED)
    # Once when it is seen to run, and once for the verdict.
    assert played.requests == 2
    assert played.outcome is not None
    assert played.outcome.reason is Reason.GATE


@EXAMPLES
@given(timeout=st.floats(300, 7200), still=st.floats(0.1, 5))
def test_a_stall_is_noticed_at_most_a_quarter_late_and_never_early(timeout: float, still: float) -> None:
    plain = steady(8)
    terms = Terms(Goal(), 60.0, stall_timeout=timeout)
    played = play(lambda now: plain(min(now, still * HOUR)), terms)
    assert played.outcome is not None
    assert played.outcome.reason is Reason.STALLED
    assert timeout <= played.seconds - still * HOUR <= timeout * (1 + STALL_SHARE) + 120
    assert played.requests <= (still * HOUR + timeout) / (STALL_SHARE * timeout / 1.5) + 5


# What a status alone decides: nothing


@pytest.mark.parametrize("status", [S.FINISHED, S.SENT, S.CANCELED, S.FAILED])
def test_an_end_that_the_status_tells_is_judged_by_the_figures_at_once(status: CampaignStatus) -> None:
    wait = WaitState("7", waiting_for(80.0), 0.0)
    assert wait.answered(campaign(S.RUNNING, 1.0), 0.0) is None
    assert not wait.wants_figures(1.0)
    assert wait.answered(campaign(status), 20.0, figures=False) is None
    assert wait.wants_figures(20.0)
    assert wait.answered(campaign(status, 85.0, contacts=10), 21.0) is not None
    assert wait.seen is not None
    assert wait.seen["counts"] == {"contacts": 10}


def test_the_deadline_is_judged_by_the_figures() -> None:
    wait = WaitState("7", waiting_for(80.0, deadline=100.0), 0.0)
    assert wait.answered(campaign(S.RUNNING, 1.0), 0.0) is None
    assert wait.answered(campaign(S.RUNNING), 100.0, figures=False) is None
    reached = wait.answered(campaign(S.RUNNING, 80.0), 100.5)
    assert reached is not None
    assert reached.reason is Reason.MET


def test_a_look_at_the_status_keeps_the_figures_last_seen() -> None:
    wait = WaitState("7", waiting_for(80.0), 0.0)
    assert observe(wait, campaign(S.RUNNING, 40.0, sent=4)) is None
    assert observe(wait, campaign(S.RUNNING), figures=False) is None
    assert wait.seen is not None
    assert wait.seen["progress"] == 40.0
    assert wait.seen["counts"] == {"sent": 4}


def test_figures_that_fail_for_longer_than_the_patience_end_the_wait_whatever_the_status_says() -> None:
    wait = WaitState("7", waiting_for(80.0, patience=100.0), 0.0)
    lost: CampaignAPIError = Unavailable("no", vendor="Altur", endpoint="GET /contacts")
    assert wait.answered(campaign(S.RUNNING, 1.0), 0.0) is None
    assert wait.missed(lost, 60.0) is None
    assert wait.answered(campaign(S.RUNNING, 1.0), 90.0, figures=False) is None
    over = wait.missed(lost, 120.0)
    assert over is not None
    assert over.reason is Reason.UNREACHABLE


def test_a_lost_look_at_the_status_is_made_good_by_the_next() -> None:
    wait = WaitState("7", waiting_for(80.0, patience=100.0), 0.0)
    lost = Unavailable("no", vendor="Altur", endpoint="GET /campaigns")
    assert wait.answered(campaign(S.RUNNING, 1.0), 0.0) is None
    assert wait.missed(lost, 60.0, figures=False) is None
    assert wait.answered(campaign(S.RUNNING, 1.0), 90.0, figures=False) is None
    assert wait.missed(lost, 150.0, figures=False) is None


# Which first, and in another process


def test_those_nearest_to_their_goals_come_first() -> None:
    near, far, ended = (WaitState("7", waiting_for(80.0), 0.0) for _ in range(3))
    for wait, rate in ((near, 10.0), (far, 1.0), (ended, 0.1)):
        for now in (0.0, 60.0):
            assert wait.answered(campaign(S.RUNNING, rate * (1 + now / 60)), now) is None
    assert ended.answered(campaign(S.FINISHED), 120.0, figures=False) is None
    wanted = [wait.wanted_figures for wait in (far, near, ended)]
    assert sorted(wanted, key=lambda one: one.urgency if one else 0.0) == [wanted[2], wanted[1], wanted[0]]


def test_the_pace_goes_on_in_another_process() -> None:
    terms = waiting_for(80.0)
    one = WaitState("7", terms, 0.0)
    for now in (0.0, 60.0, 120.0):
        assert one.answered(campaign(S.RUNNING, now / 360, contacts=9), now) is None
    other = WaitState("7", terms, 150.0)
    other.go_on(json.loads(json.dumps(one.carried())))
    assert [other.wants_figures(now) for now in (150.0, 300.0, 900.0)] == [
        one.wants_figures(now) for now in (150.0, 300.0, 900.0)
    ]
    assert other.wanted_figures is not None
    assert other.wanted_figures.filled_in(campaign(S.RUNNING)) == campaign(S.RUNNING, 120 / 360, contacts=9)
    assert json.dumps(other.carried()["figures"]) == json.dumps(one.carried()["figures"])


def test_what_an_older_version_carried_asks_for_figures_anew() -> None:
    terms = waiting_for(80.0)
    one = WaitState("7", terms, 0.0)
    carried = {name: value for name, value in one.carried().items() if name != "figures"}
    other = WaitState("7", terms, 60.0)
    other.go_on(carried)
    assert other.wants_figures(60.0)
