"""Whether somebody ended a task: each state by table, and the ways in which Airflow is asked."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.wait import ending
from airflow_provider_campaigns.wait.ending import TaskStates, end_by_time, end_of, judge_end, states_of


@pytest.mark.parametrize(
    ("task", "run", "is_genuine"),
    [
        ("failed", "running", True),
        ("failed", "failed", True),
        ("removed", "running", True),
        ("skipped", "failed", True),
        ("skipped", "running", False),
        ("success", "running", False),
        ("success", "success", False),
        (None, "running", False),
        ("scheduled", "running", False),
        ("queued", "running", False),
        ("running", "running", False),
        ("restarting", "running", False),
        ("deferred", "running", False),
        ("up_for_retry", "running", False),
        ("up_for_reschedule", "running", False),
        ("a_state_of_tomorrow", "running", False),
    ],
)
def test_only_a_task_that_failed_was_ended_for_good(task: str | None, run: str, is_genuine: bool) -> None:
    assert judge_end(TaskStates(task, run)).is_genuine is is_genuine


def refuses(ti: Any) -> TaskStates:
    raise RuntimeError("the API server is away")


def dawdles(ti: Any) -> TaskStates:
    time.sleep(30)
    return TaskStates("failed")


@pytest.mark.parametrize(("states", "why"), [(refuses, "the API server is away"), (dawdles, "no answer within 0.1 s")])
def test_a_task_of_which_nothing_is_known_was_not_ended(states: Any, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "states_of", states)
    monkeypatch.setattr(ending, "ANSWER_SECONDS", 0.1)
    end = end_of(SimpleNamespace())
    assert not end.is_genuine
    assert why in end.why
    assert "pause the campaign at the vendor" in end.why


def test_an_execution_timeout_is_an_end_whatever_the_state() -> None:
    assert end_by_time() is None
    try:
        raise AirflowTaskTimeout
    except AirflowTaskTimeout:
        end = end_by_time()
    assert end is not None
    assert end.is_genuine


class Line:
    """The line to Airflow, with the answers that it gives to its own kinds of requests."""

    def __init__(self, states: dict[str, dict[str, str | None]], run: str) -> None:
        self.states = states
        self.run = run
        self.asked: list[Any] = []

    def send(self, msg: Any) -> Any:
        from airflow.sdk.execution_time.comms import DagRunStateResult, GetDagRunState, TaskStatesResult

        self.asked.append(msg)
        if isinstance(msg, GetDagRunState):
            return DagRunStateResult(state=self.run)
        return TaskStatesResult(task_states=self.states)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a line to Airflow in place."""
    need("one line to Airflow over which a task asks")
    from airflow.sdk.execution_time import task_runner

    def put(states: dict[str, dict[str, str | None]], run: str = "running") -> Line:
        made = Line(states, run)
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", made, raising=False)
        return made

    return put


def instance(map_index: int = -1) -> Any:
    return SimpleNamespace(dag_id="d", run_id="r", task_id="wait", map_index=map_index)


def test_the_state_of_one_s_own_task_is_asked_for(line: Any) -> None:
    asked = line({"r": {"wait": "failed"}}).asked
    assert states_of(instance()) == TaskStates("failed")
    assert (asked[0].dag_id, asked[0].task_ids, asked[0].run_ids, asked[0].map_index) == ("d", ["wait"], ["r"], None)


def test_of_a_mapped_task_only_its_own_instance_counts(line: Any) -> None:
    line({"r": {"wait_2": "failed", "wait_3": "deferred"}})
    assert states_of(instance(3)) == TaskStates("deferred")


def test_a_cleared_task_has_no_state_yet(line: Any) -> None:
    line({"r": {"wait": None}})
    assert states_of(instance()) == TaskStates(None)


def test_the_run_is_asked_for_where_it_matters(line: Any) -> None:
    line({"r": {"wait": "skipped"}}, run="failed")
    assert judge_end(states_of(instance())).is_genuine


@pytest.mark.parametrize("states", [{}, {"r": {}}, {"another": {"wait": "failed"}}])
def test_a_task_that_is_not_there_any_more_is_unknown(states: Any, line: Any) -> None:
    line(states)
    with pytest.raises(LookupError):
        states_of(instance())
