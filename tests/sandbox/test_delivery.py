"""What the progress of a delivery promises."""

from __future__ import annotations

import pytest

from airflow_provider_campaigns.sandbox.clock import Clock, ManualClock
from airflow_provider_campaigns.sandbox.delivery import Delivery, Spans

START = 1_750_000_000.0


def started(total: int = 10, seconds_per_item: float = 2.0, stalls: Spans | None = None) -> Delivery:
    delivery = Delivery(total, seconds_per_item, stalls or Spans())
    delivery.start(START)
    return delivery


def test_nothing_is_delivered_before_the_start():
    delivery = Delivery(10, 2.0)
    assert (delivery.done(START), delivery.is_finished(START), delivery.finished_at) == (0, False, None)
    delivery.resume(START)
    assert delivery.started_at is None


def test_items_are_delivered_one_by_one_until_all_are():
    delivery = started()
    assert [delivery.done(START + after) for after in (-5, 0, 1.9, 2, 7, 19.9, 20, 999)] == [0, 0, 0, 1, 3, 9, 10, 10]
    assert delivery.finished_at == START + 20


@pytest.mark.parametrize("seconds_per_item", [0.1, 0.01, 1 / 3, 7.7])
def test_with_fractions_of_a_second_every_item_is_there_when_it_is_due(seconds_per_item):
    delivery = started(500, seconds_per_item)
    assert [delivery.done(START + due * seconds_per_item) for due in range(501)] == list(range(501))
    assert delivery.is_finished(delivery.finished_at)


def test_an_empty_delivery_is_finished_when_it_starts():
    assert not Delivery(0, 1.0).is_finished(START)
    assert started(0).finished_at == START


def test_starting_again_changes_nothing():
    delivery = started()
    delivery.start(START + 5)
    assert delivery.done(START + 6) == 3


def test_a_pause_stops_progress_and_a_resume_goes_on_where_it_was():
    delivery = started()
    delivery.pause(START + 7)
    assert (delivery.done(START + 100), delivery.finished_at, delivery.is_running) == (3, None, False)
    delivery.resume(START + 100)
    assert (delivery.done(START + 101), delivery.finished_at) == (4, START + 113)


def test_a_stopped_delivery_never_goes_on():
    delivery = started()
    delivery.stop(START + 7)
    delivery.resume(START + 8)
    delivery.start(START + 8)
    assert (delivery.done(START + 100), delivery.is_finished(START + 100), delivery.stopped_at) == (3, False, START + 7)


def test_a_pause_or_stop_after_the_end_leaves_it_finished():
    delivery = started()
    delivery.pause(START + 30)
    delivery.stop(START + 40)
    assert delivery.finished_at == START + 20


def test_items_added_after_the_end_take_their_time():
    delivery = started()
    delivery.extend(2, START + 100)
    assert [delivery.done(START + at) for at in (100, 102, 104)] == [10, 11, 12]


def test_items_added_while_running_come_after_the_others():
    delivery = started()
    delivery.extend(2, START + 10)
    assert (delivery.done(START + 10), delivery.finished_at) == (5, START + 24)


def test_a_stall_freezes_progress_until_it_ends():
    stalls = Spans()
    delivery = started(stalls=stalls)
    stalls.begin(START + 6)
    assert (delivery.done(START + 500), delivery.finished_at) == (3, None)
    stalls.end(START + 500)
    assert (delivery.done(START + 502), delivery.finished_at) == (4, START + 514)


def test_a_delivery_started_or_paused_in_a_stall_counts_no_second_twice():
    stalls = Spans()
    stalls.begin(START - 10)
    delivery = started(stalls=stalls)
    delivery.pause(START + 10)
    stalls.end(START + 20)
    delivery.resume(START + 30)
    assert delivery.finished_at == START + 50


@pytest.mark.parametrize(("total", "seconds_per_item"), [(-1, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_an_impossible_delivery_is_refused(total, seconds_per_item):
    with pytest.raises(ValueError, match="must be"):
        Delivery(total, seconds_per_item)


def test_vendor_time_passes_faster_and_changes_speed_without_a_jump():
    real = [100.0]
    clock = Clock(60, monotonic=lambda: real[0], epoch=lambda: START)
    real[0] += 10
    assert clock.seconds() == START + 600
    clock.set_speed(1)
    assert clock.seconds() == START + 600
    real[0] += 10
    assert clock.seconds() == START + 610
    clock.restart()
    assert (clock.seconds(), clock.speed) == (START, 60)


def test_a_manual_clock_passes_only_by_hand():
    clock = ManualClock(START)
    clock.advance(90)
    assert clock.seconds() == START + 90
    assert clock.now().utcoffset().total_seconds() == 0


@pytest.mark.parametrize("speed", [-1, float("inf"), True, "fast"])
def test_an_impossible_speed_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        Clock(speed)
