"""One try of a create operator as a worker runs it, Airflow's part played by stubs; also in a process of its own."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, TaskDeferred

from airflow_provider_campaigns.testing.conformance.declaration import RETRIES
from airflow_provider_campaigns.testing.conformance.store import Death, FileStore, Killed, Store

if TYPE_CHECKING:
    import pytest

    from airflow_provider_campaigns.operators.create import CreateCampaignOperator
    from airflow_provider_campaigns.sandbox.server import Sandbox
    from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest

#: What a process that runs tries should have loaded before it is forked, besides the operators.
PRELOADED = (
    *("requests", "tenacity", "pyrate_limiter", "jwt", "jsonschema"),
    "airflow_provider_campaigns.testing.conformance",
    # Some of them only in some of Airflow's versions.
    *("airflow.models.connection", "airflow.models.dag", "airflow.models.crypto"),
    *("airflow.triggers.base", "airflow.sdk._shared.logging", "airflow.sdk.execution_time.supervisor"),
    # A child imports what its parent's main module does.
    "pytest",
)

#: Every pause that the package makes between the requests of one try, shortened.
HURRIED: Mapping[str, Any] = {
    "airflow_provider_campaigns.api.transport.pause_before": lambda *_: 0.01,
    "airflow_provider_campaigns.launch.lookup.PAUSES_SECONDS": (0.05,),
}


def hurried(vendors: Sequence[VendorUnderTest]) -> Mapping[str, float]:
    """Return the pauses that vendors declare, by dotted name."""
    return {name: seconds for vendor in vendors for name, seconds in vendor.hurried.items()}


def _pauses(declared: Mapping[str, float]) -> Iterator[tuple[Any, str, Any]]:
    for path, shortened in {**HURRIED, **declared}.items():
        module, _, name = path.rpartition(".")
        yield import_module(module), name, shortened


def connections(sandbox: Sandbox, *, timeout: float = 30) -> dict[str, str]:
    """
    Return the connections to a sandbox as environment variables, as fast as they may be.

    :param timeout: Seconds to wait for an answer; few only where one is not to come.
    """
    extra = {"timeout": timeout, "rate_limit": 1000}
    named = {}
    for conn_id, connection in sandbox.connections().items():
        extras = {**connection.get("extra", {}), **extra}
        if "account_id" in extras:
            # A process has one limiter for each account: these tests shall not share it with others.
            extras["account_id"] = "launches"
        named[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps({**connection, "extra": extras})
    return named


def connect(sandbox: Sandbox, vendors: Sequence[VendorUnderTest], patch: pytest.MonkeyPatch) -> None:
    """
    Let operators in this process find the sandbox, and shorten their pauses.

    :param sandbox: The vendors, running.
    :param vendors: Those under test.
    :param patch: Takes all of it back.
    """
    for name, value in connections(sandbox).items():
        patch.setenv(name, value)
    for module, name, shortened in _pauses(hurried(vendors)):
        patch.setattr(module, name, shortened)


@dataclass
class TaskInstance:
    """What the operators use of Airflow's task instance."""

    try_number: int = 1
    max_tries: int = RETRIES
    dag_id: str = "campaigns"
    run_id: str = "scheduled__2026-11-21T09:00:00+00:00"
    task_id: str = "create"
    map_index: int = -1
    xcoms: dict[str, Any] = field(default_factory=dict)
    #: XComs of other tasks of the run, by task and key.
    others: dict[tuple[str, str], Any] = field(default_factory=dict)

    #: When the task was first rescheduled, if it was.
    first_reschedule: datetime | None = None

    def was_rescheduled(self) -> None:
        """Note that the task was rescheduled."""
        self.first_reschedule = self.first_reschedule or datetime.now(UTC)

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        """Return when the task was first rescheduled, as Airflow 3 does."""
        return self.first_reschedule

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep an XCom, which must be plain JSON."""
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
        """Return an XCom of the task itself, or of one that is not mapped."""
        assert map_indexes == (self.map_index if task_ids == self.task_id else -1)
        return self.xcoms.get(key) if task_ids == self.task_id else self.others.get((task_ids, key))


def context_of(
    ti: TaskInstance, store: Store | None, run_after: datetime | None = None, run_type: str = "scheduled"
) -> dict[str, Any]:
    """Return the context of a try; without a store it is that of an Airflow before 3.3."""
    run = SimpleNamespace(run_id=ti.run_id, run_after=run_after or datetime.now(UTC), run_type=run_type)
    events: Any = defaultdict(lambda: SimpleNamespace(extra={}))
    context = {"ti": ti, "dag_run": run, "outlet_events": events}
    return context if store is None else {**context, "task_state_store": store}


@dataclass(frozen=True)
class Ended:
    """
    How a try ended.

    :param outcome: ``success``, ``deferred``, ``skipped``, ``retry`` (Airflow would), ``failed`` or ``killed``.
    :param value: What the task returned.
    :param error: The exception's class and message.
    :param receipt: XCom ``campaign``.
    :param trigger: The class path and the arguments of the trigger it deferred to.
    :param method: The method to go on with after that.
    """

    outcome: str
    value: Any = None
    error: str = ""
    receipt: Mapping[str, Any] | None = None
    trigger: tuple[str, Mapping[str, Any]] | None = None
    method: str | None = None


def run_try(operator: CreateCampaignOperator, context: Any, method: str = "execute", **event: Any) -> Ended:
    """
    Run a try, or the rest of one that was deferred, and tell what Airflow would make of its end.

    :param operator: The task.
    :param context: What Airflow tells the try.
    :param method: The method to run.
    :param event: What the trigger's ``event`` holds, if it was deferred to one.
    """
    outcome, value, error, trigger, next_method = "success", None, "", None, None
    try:
        value = getattr(operator, method)(context, **event)
    except TaskDeferred as deferred:
        outcome, trigger, next_method = "deferred", deferred.trigger.serialize(), deferred.method_name
    except Killed:
        return Ended("killed")
    except Exception as raised:
        kinds = {AirflowSkipException: "skipped", AirflowFailException: "failed"}
        outcome = next((word for kind, word in kinds.items() if isinstance(raised, kind)), "retry")
        error = f"{type(raised).__name__}: {raised}"
    return Ended(outcome, value, error, context["ti"].xcoms.get("campaign"), trigger, next_method)


@dataclass(frozen=True)
class Order:
    """
    A try to run in a process of its own.

    :param operator: The create operator's class.
    :param arguments: Its arguments.
    :param hurried: Further pauses to shorten, in seconds by dotted name.
    :param environment: What to set in the process's environment, the connections mostly.
    :param folder: Where the store is, None for none.
    :param run_after: When the run was due.
    """

    operator: type[CreateCampaignOperator]
    arguments: Mapping[str, Any]
    hurried: Mapping[str, float]
    environment: Mapping[str, str]
    try_number: int
    run_after: datetime
    folder: Path | None = None
    death: Death | None = None


def work(order: Order, answer: Connection) -> None:
    """Run a try in this process, and send how it ended; nothing is sent if the process dies before."""
    os.environ.update(order.environment)
    for module, name, shortened in _pauses(order.hurried):
        setattr(module, name, shortened)
    store = FileStore(order.folder, order.try_number, order.death) if order.folder else None
    context = context_of(TaskInstance(order.try_number), store, order.run_after)
    answer.send(run_try(order.operator(**order.arguments), context))
