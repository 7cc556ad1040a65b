"""Several requests under way at once: in their order, no more than asked for, and none begun after a flaw."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_campaigns.api.in_flight import in_order


def test_results_come_in_their_order_however_late_the_first_is() -> None:
    others = threading.Semaphore(0)

    def late() -> int:
        for _ in range(3):
            assert others.acquire(timeout=30)
        return 0

    def early(number: int) -> Callable[[], int]:
        def call() -> int:
            others.release()
            return number

        return call

    # The first comes to its end only once the three after it have.
    assert list(in_order(iter([late, *map(early, range(1, 6))]), 4)) == list(range(6))


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_than_asked_for_are_under_way(most: int) -> None:
    lock, under_way, highest = threading.Lock(), 0, 0
    full = threading.Barrier(most)

    def call() -> None:
        nonlocal under_way, highest
        with lock:
            under_way += 1
            highest = max(highest, under_way)
        full.wait(30)
        with lock:
            under_way -= 1

    assert len(list(in_order(iter([call] * (most * 4)), most))) == most * 4
    assert highest == most


def test_with_one_at_a_time_everything_happens_step_by_step_in_the_caller_s_thread() -> None:
    done: list[int] = []

    def calls() -> Iterator[Callable[[], threading.Thread]]:
        for number in range(3):
            done.append(number)
            yield threading.current_thread

    results = in_order(calls(), 1)
    assert done == []
    assert next(results) is threading.current_thread()
    assert done == [0]


@pytest.mark.parametrize("most", [1, 3])
def test_a_call_that_fails_is_told_in_its_turn_and_nothing_is_under_way_then(most: int) -> None:
    ended: list[int] = []

    def call(number: int) -> Callable[[], int]:
        def run() -> int:
            if number == 2:
                raise LookupError("lost")
            ended.append(number)
            return number

        return run

    results = in_order((call(number) for number in range(100)), most)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(LookupError, match="lost"):
        next(results)
    assert not [thread for thread in threading.enumerate() if "campaign-in-flight" in thread.name]
    assert len(ended) <= 2 + most


@pytest.mark.parametrize("most", [1, 3])
def test_a_call_that_cannot_be_made_is_told_after_all_before_it(most: int) -> None:
    def calls() -> Iterator[Callable[[], int]]:
        yield lambda: 1
        yield lambda: 2
        raise ValueError("row 3")

    results = in_order(calls(), most)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="row 3"):
        next(results)
