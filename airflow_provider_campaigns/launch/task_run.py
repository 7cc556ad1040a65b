"""What Airflow's context says about a task's run, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.launch.intent import launch_key
from airflow_provider_campaigns.launch.persistence import DEFAULT_RECORD_TIMEOUT_SECONDS
from airflow_provider_campaigns.launch.record_store import StateStore

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.launch.guards import Facts


@dataclass(frozen=True, slots=True)
class TaskRun:
    """
    One try of a task instance, and what Airflow keeps for it.

    :param dag_id: The DAG.
    :param run_id: The DAG run.
    :param task_id: The task.
    :param map_index: The index of a mapped task instance, -1 for a task that is not mapped.
    :param try_number: Which try it is, from 1.
    :param max_tries: Airflow's count of the tries allowed: at first the task's retries; a clear raises it.
    :param run_type: Airflow's word for the kind of run, such as ``scheduled`` or ``backfill``, or None.
    :param due: When the run was due, or None where Airflow does not say.
    :param earliest: The time before which nothing of the run was launched, in seconds since the epoch, or None where
        Airflow does not say.
    :param store: Where a launch's record is kept between tries: Airflow 3.3 and newer have a place, older ones None.
    :param ti: Airflow's task instance, for XComs.
    :param outlet_events: The asset events of the task's outlets, by outlet.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    max_tries: int
    run_type: str | None = None
    due: datetime | None = None
    earliest: float | None = None
    store: StateStore | None = None
    ti: Any = field(default=None, repr=False, compare=False)
    outlet_events: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, context: Context, record_timeout: float = DEFAULT_RECORD_TIMEOUT_SECONDS) -> TaskRun:
        """
        Return what a try's context says.

        :param context: Airflow's context.
        :param record_timeout: Seconds to go on telling Airflow what was done, while it cannot be reached.
        """
        ti: Any = context["ti"]
        dag_run: Any = context.get("dag_run")
        run_type = getattr(dag_run, "run_type", None)
        run_after = getattr(dag_run, "run_after", None)
        accessor = context.get("task_state_store")
        return cls(
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            map_index=getattr(ti, "map_index", -1),
            try_number=ti.try_number,
            max_tries=int(getattr(ti, "max_tries", 0)),
            run_type=None if run_type is None else str(getattr(run_type, "value", run_type)),
            due=_due(dag_run),
            earliest=run_after.timestamp() if isinstance(run_after, datetime) else None,
            store=None if accessor is None else StateStore(accessor, record_timeout),
            ti=ti,
            outlet_events=context.get("outlet_events"),
        )

    def key(self, relaunch: int = 0) -> str:
        """Return the key of a launch of this task instance, see :func:`~.intent.launch_key`."""
        return launch_key(self.dag_id, self.run_id, self.task_id, self.map_index, relaunch)

    def facts(self, recipients: int | None = None, sends_at: datetime | None = None) -> Facts:
        """
        Return what the guards decide on, now.

        :param recipients: How many people would be reached, or None if not known.
        :param sends_at: When the vendor is told to begin sending, or None for at once.
        """
        from airflow_provider_campaigns.launch.guards import Facts

        return Facts(datetime.now(UTC), self.run_type, self.due, recipients, sends_at)

    def tell_outlets(self, outlets: Iterable[Any] | None, extra: Mapping[str, Any]) -> None:
        """Let the asset events of a task's outlets carry some values."""
        for outlet in outlets or ():
            self.outlet_events[outlet].extra = dict(extra)

    def xcom(self, key: str) -> Mapping[str, Any]:
        """Return an XCom of this task instance, empty if it is no mapping."""
        return _mapping(self.ti.xcom_pull(task_ids=self.task_id, key=key, map_indexes=self.map_index))

    def xcom_of(self, task_id: str, key: str) -> Mapping[str, Any]:
        """Return an XCom of another task of the run that is not mapped, empty if it is no mapping."""
        return _mapping(self.ti.xcom_pull(task_ids=task_id, key=key, map_indexes=-1))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _due(dag_run: Any) -> datetime | None:
    due = getattr(dag_run, "run_after", None)
    if due is None:
        # Airflow 2: a manual run's interval is the last one of the schedule, long over when somebody starts the run.
        manual = str(getattr(dag_run, "run_type", "")).endswith("manual")
        due = getattr(dag_run, "logical_date" if manual else "data_interval_end", None)
    return due if isinstance(due, datetime) else None
