"""How fast a campaign gets on: only the time in which it sends counts, and a chart of it stays small."""

from __future__ import annotations

import json

import pytest

from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.pace import MOST_POINTS, Pace, ProgressCurve

S = CampaignStatus
HOUR = 3600.0


def at(progress: float | None, status: CampaignStatus = S.RUNNING) -> Campaign:
    return Campaign("7", "Winter", status, status.value, progress)


def after(*looks: tuple[float, Campaign]) -> Pace:
    pace = Pace()
    for now, campaign in looks:
        pace.seen(campaign, now)
    return pace


def test_one_figure_gives_no_forecast() -> None:
    assert after((0, at(None)), (60, at(10.0)), (120, at(10.0))).seconds_left() is None


def test_a_steady_campaign_ends_where_its_line_meets_the_goal() -> None:
    pace = after(*((60.0 * minute, at(float(minute))) for minute in range(41)))
    assert pace.rate == pytest.approx(1.0)
    assert pace.ends_at(40 * 60.0) == pytest.approx(100 * 60.0)
    assert pace.ends_at(40 * 60.0, goal=50) == pytest.approx(50 * 60.0)


def test_a_night_in_which_the_vendor_says_paused_does_not_slow_it() -> None:
    pace = after((0, at(0.0)), (HOUR, at(30.0)), (HOUR + 60, at(30.0, S.PAUSED)), (13 * HOUR, at(30.0)))
    pace.seen(at(60.0), 14 * HOUR)
    assert pace.seconds_left() == pytest.approx(40 / 30 * HOUR, rel=0.02)


def test_a_night_in_which_the_vendor_says_running_does_not_slow_it_either() -> None:
    looks = [(60.0 * minute, at(minute / 2)) for minute in range(61)]
    night = [(HOUR + 600.0 * step, at(30.0)) for step in range(1, 73)]
    pace = after(*looks, *night)
    assert pace.is_resting
    assert pace.ends_at(13 * HOUR) is None, "while it rests, nobody can tell when it goes on"
    for minute in range(1, 31):
        pace.seen(at(30 + minute / 2), 13 * HOUR + 60.0 * minute)
    assert pace.seconds_left() == pytest.approx(110 * 60, rel=0.05)


def test_batches_an_hour_apart_are_its_pace_and_no_rest() -> None:
    pace = after(*((HOUR * step, at(10.0 * step)) for step in range(5)))
    assert pace.rate == pytest.approx(10 / 60)
    pace.seen(at(40.0), 4.9 * HOUR)
    assert not pace.is_resting


def test_a_campaign_that_slows_is_forecast_later() -> None:
    pace = after(*((60.0 * minute, at(float(minute))) for minute in range(11)))
    before = pace.seconds_left()
    pace.seen(at(10.0), 20 * 60.0)
    assert before is not None
    assert pace.seconds_left() > before * 1.5  # type: ignore[operator]


def test_a_paused_campaign_has_sending_time_left_but_no_end() -> None:
    pace = after((0, at(0.0)), (60, at(10.0)), (120, at(10.0, S.PAUSED)))
    assert pace.seconds_left() is not None
    assert pace.ends_at(120) is None


def test_progress_that_goes_back_is_measured_anew() -> None:
    pace = after((0, at(80.0)), (60, at(81.0)), (120, at(10.0)), (180, at(20.0)))
    assert pace.rate == pytest.approx(10.0)


def test_another_process_goes_on_where_one_left_off() -> None:
    first = after((0, at(0.0)), (60, at(10.0)))
    second = Pace()
    second.go_on(json.loads(json.dumps(first.carried())))
    for pace in (first, second):
        pace.seen(at(15.0), 120)
    assert second.ends_at(120) == first.ends_at(120)


def test_a_curve_of_any_length_keeps_its_ends_and_few_points() -> None:
    curve = ProgressCurve(1_000_000)
    for step in range(1000):
        curve.add(step / 10, 1_000_000 + 60 * step)
    points = curve.points()
    assert len(points) <= MOST_POINTS
    assert points[0] == [1_000_000, 0.0]
    assert points[-1] == [1_000_000 + 60 * 999, 99.9]
    assert points == sorted(points)
    again = ProgressCurve(0)
    again.go_on(json.loads(json.dumps(points)))
    assert again.points() == points


def test_a_curve_has_a_point_only_where_progress_is_known_and_new() -> None:
    curve = ProgressCurve(0)
    for now, progress in enumerate((None, 5.0, 5.0, None, 6.0)):
        curve.add(progress, now)
    assert curve.points() == [[1, 5.0], [4, 6.0]]
