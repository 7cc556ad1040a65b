"""Whether somebody ended a task: only then does `on_kill` act on its campaign."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

#: How long Airflow may take to say what became of a task.
ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """
    What became of a task whose wait was cut off.

    :param is_genuine: Whether the task was ended for good and failed, so that ``on_kill`` is due.
    :param why: The reason in words, for people.
    """

    is_genuine: bool
    why: str


@dataclass(frozen=True, slots=True)
class TaskStates:
    """
    What Airflow says about a task and its run.

    :param task: The task instance's state, or None if it was cleared and not yet scheduled again.
    :param run: The run's state, where it was asked for.
    """

    task: str | None
    run: str | None = None


def judge_end(states: TaskStates) -> TaskEnd:
    """
    Return whether a task was ended for good.

    Airflow cuts a wait off in the same way for quite different reasons: somebody marked the task failed, marked it as
    a success or cleared it, its run ran out of time, a worker shuts down, or another triggerer took the wait over.
    """
    if states.task == "failed":
        return TaskEnd(True, "its task was marked failed")
    if states.task == "removed":
        return TaskEnd(True, "its task was removed from the DAG")
    if states.task == "skipped" and states.run == "failed":
        return TaskEnd(True, "its task was skipped since the DAG run failed")
    if states.task in ("success", "skipped"):
        return TaskEnd(False, f"its task was marked as {states.task}")
    if states.task == "deferred":
        return TaskEnd(False, "its task still waits, in another triggerer")
    if states.task == "running":
        return TaskEnd(False, "its task was not ended by anybody; the worker shuts down, or the task was cleared")
    return TaskEnd(False, f"its task goes on: it was cleared or is to be retried ({states.task or 'no state yet'})")


def end_of(ti: Any) -> TaskEnd:
    """
    Ask Airflow what became of a task, and return whether it was ended for good; blocks for :data:`ANSWER_SECONDS`.

    :param ti: The task instance: anything with ``dag_id``, ``run_id``, ``task_id`` and ``map_index``.
    """
    answer: list[TaskStates | Exception] = []

    def ask() -> None:
        try:
            answer.append(states_of(ti))
        except Exception as error:
            answer.append(error)

    # In a thread, since the line to Airflow knows no time limit.
    thread = threading.Thread(target=ask, name="campaign-task-state", daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    if answer and isinstance(answer[0], TaskStates):
        return judge_end(answer[0])
    problem = answer[0] if answer else f"no answer within {ANSWER_SECONDS:g} s"
    return TaskEnd(
        False,
        f"Airflow did not say whether its task was ended ({problem}). If it was, pause the campaign at the vendor",
    )


def has_line_to_airflow() -> bool:
    """Whether tasks ask Airflow over one line to the process above them, as from Airflow 3 on."""
    return find_spec("airflow.sdk.execution_time") is not None


def end_by_time() -> TaskEnd | None:
    """Return the end of a task that its ``execution_timeout`` has just ended in this process, or None."""
    if isinstance(sys.exception(), AirflowTaskTimeout):
        return TaskEnd(True, "its task reached the execution_timeout")
    return None


def states_of(ti: Any) -> TaskStates:
    """
    Return what Airflow says about a task and, where it matters, its run.

    :raises LookupError: Airflow does not know the task instance, or this version of Airflow cannot be asked.
    """
    try:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    except ImportError:
        # Airflow 2 reads it from the database, on a worker only; its triggerer does not tell triggers of a kill.
        if not hasattr(ti, "current_state"):
            raise LookupError("this version of Airflow cannot be asked") from None
        return TaskStates(_word(ti.current_state()))
    if ti is None:
        raise LookupError("the wait belongs to no task instance")
    mapped = ti.map_index is not None and ti.map_index >= 0
    found = RuntimeTaskInstance.get_task_states(
        dag_id=ti.dag_id,
        map_index=ti.map_index if mapped else None,
        task_ids=[ti.task_id],
        run_ids=[ti.run_id],
    ).get(ti.run_id, {})
    name = f"{ti.task_id}_{ti.map_index}" if mapped else ti.task_id
    if name not in found:
        raise LookupError("it knows no such task instance")
    state = _word(found[name])
    run = RuntimeTaskInstance.get_dagrun_state(ti.dag_id, ti.run_id) if state == "skipped" else None
    return TaskStates(state, _word(run))


def _word(state: Any) -> str | None:
    """Return a state's word; some of Airflow's come as members of its enumerations."""
    return None if state is None else str(getattr(state, "value", state))
