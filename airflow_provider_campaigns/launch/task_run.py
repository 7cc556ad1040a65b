"""What Airflow tells a launch about its run, and keeps for it between tries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.launch.guards import Facts


class StateStore:
    """A launch's memory in Airflow's task state store, which outlives tries and clears."""

    KEY = "campaign_launch"

    def __init__(self, accessor: Any) -> None:
        self._accessor = accessor

    def load(self) -> Mapping[str, Any] | None:
        """Return what was saved last, or None."""
        stored = self._accessor.get(self.KEY)
        return stored if isinstance(stored, Mapping) else None

    def save(self, record: Mapping[str, Any]) -> None:
        """Keep it for good: a run may be cleared long after the default retention."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        self._accessor.set(self.KEY, dict(record), retention=NEVER_EXPIRE)


def store_of(context: Context) -> StateStore | None:
    """Return where the launch is remembered: Airflow 3.3 and newer have a place for it, older ones have none."""
    accessor = context.get("task_state_store")
    return None if accessor is None else StateStore(accessor)


def earliest_of(context: Context) -> float | None:
    """Return when the run was due, before which nothing of it was launched, or None where Airflow does not tell."""
    run_after = getattr(context.get("dag_run"), "run_after", None)
    return run_after.timestamp() if isinstance(run_after, datetime) else None


def _due(run: Any) -> datetime | None:
    """Return when a run was due, or None where Airflow does not tell."""
    due = getattr(run, "run_after", None)
    if due is None:
        # Airflow 2: a manual run's interval is the last one of the schedule, long over when somebody starts the run.
        manual = str(getattr(run, "run_type", "")).endswith("manual")
        due = getattr(run, "logical_date" if manual else "data_interval_end", None)
    return due if isinstance(due, datetime) else None


def facts_of(context: Context, recipients: int | None = None, sends_at: datetime | None = None) -> Facts:
    """Return what guards decide on, of a run and of what is meant to go out."""
    from airflow_provider_campaigns.launch.guards import Facts

    run: Any = context.get("dag_run")
    run_type = getattr(run, "run_type", None)
    return Facts(
        now=datetime.now(UTC),
        run_type=str(getattr(run_type, "value", run_type)),
        due=_due(run),
        recipients=recipients,
        sends_at=sends_at,
    )


def approval_of(context: Context, task_id: str) -> Mapping[str, Any]:
    """Return what an approval task returned, empty for nothing."""
    answer = context["ti"].xcom_pull(task_ids=task_id, key="return_value", map_indexes=-1)
    return answer if isinstance(answer, Mapping) else {}
