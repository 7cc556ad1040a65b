"""One try of a create operator as a worker runs it, Airflow's part played by stubs; also in a process of its own."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, TaskDeferred

from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.launch import lookup
from airflow_provider_campaigns.operators import koreai
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.server import Sandbox

#: What a process that runs tries should have loaded before it is forked.
PRELOADED = [
    *(f"airflow_provider_campaigns.operators.{vendor}" for vendor in ("altur", "kinbox", "koreai")),
    *("requests", "tenacity", "pyrate_limiter", "jwt", "jsonschema"),
    "airflow_provider_campaigns.sandbox.server",
    # Some of them only in some of Airflow's versions.
    *("airflow.models.connection", "airflow.models.dag", "airflow.models.crypto"),
    *("airflow.triggers.base", "airflow.sdk._shared.logging", "airflow.sdk.execution_time.supervisor"),
]
RETRIES = 2

#: The first batch at Altur is of 1,000: these fill two.
ALTUR_CONTACTS = 1100
KOREAI_CONTACTS = 120
KINBOX_CONTACTS = 5
CONTACTS = {"kinbox": KINBOX_CONTACTS, "altur": ALTUR_CONTACTS, "koreai": KOREAI_CONTACTS}

_HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}
_ATTEMPTS = {"dialingOrder": "FIFO", "maxAttemptsPerRecord": 1, "defaultRetryPeriod": 5, "maxRingTime": 30}
_KOREAI = {"name": "Winter", "description": "Winter sale", "contact_lists": ["Sandbox contacts"]}

#: A launch at each vendor; Kore.ai has two ways.
LAUNCHES: Mapping[str, tuple[type[CreateCampaignOperator], Mapping[str, Any]]] = {
    "kinbox": (
        KinboxCreateCampaignOperator,
        {"name": "Winter", "leads_asset_url": f"https://files.example.com/leads.csv?leads={KINBOX_CONTACTS}"},
    ),
    "altur": (
        AlturCreateCampaignOperator,
        {
            "name": "Winter",
            "agent_id": "agent",
            "integration_id": "integration",
            "integration_type": "phone_call",
            "contacts": [{"contact": f"+52155{number:08d}"} for number in range(ALTUR_CONTACTS)],
        },
    ),
    "koreai sms": (
        KoreAICreateCampaignOperator,
        {
            **_KOREAI,
            "message": "Sale",
            "dialing_strategy": {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": _HOURS},
        },
    ),
    "koreai voice": (
        KoreAICreateCampaignOperator,
        {
            **_KOREAI,
            "campaign_type": "voice",
            "dialing_mode": "Agentless",
            "experience_flow_name": "Welcome",
            "dialing_strategy": {
                "callerId": {"phoneNumber": "+14155550100"},
                "callingHours": _HOURS,
                **_ATTEMPTS,
            },
        },
    ),
}


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


def vendor_of(launched: str) -> str:
    """Return the sandbox's vendor of one of the launches."""
    return launched.split()[0]


def operator_of(launched: str, **changes: Any) -> CreateCampaignOperator:
    """Return the operator of one of the launches."""
    operator, arguments = LAUNCHES[launched]
    return operator(**{"task_id": "create", "retries": RETRIES, **arguments, **changes})


#: Every pause that the package makes between the requests of one try, shortened: where, what, how long.
HURRIED = (
    (transport, "pause_before", lambda *_: 0.01),
    (lookup, "PAUSES_SECONDS", (0.05,)),
    (koreai, "READY_POLL_SECONDS", 0.02),
)


@dataclass(frozen=True)
class Death:
    """
    The end of the process at a write to the store.

    :param write: At which one, from 1.
    :param done: Whether it is written by then.
    """

    write: int
    done: bool


class Killed(BaseException):
    """Stands for the death of the process where a test plays it inside of its own."""


class Store:
    """
    Airflow's ``task_state_store`` of one try.

    It keeps values in memory, ends the process where it is told to, and like Airflow's own takes nothing any more from
    a try that another has followed.

    :param values: What is kept, shared by the tries.
    :param try_number: Whose it is.
    :param death: When to end the process.
    """

    def __init__(self, values: dict[str, Any], try_number: int = 1, death: Death | None = None) -> None:
        self._values = values
        self._try_number = try_number
        self._death = death
        self._writes = 0
        self.begin()

    def begin(self) -> None:
        """Begin a try, which ends those before."""
        self._values["try"] = max(self._try_number, self._values.get("try", 0))

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is kept."""
        text = self._read().get(key)
        return default if text is None else json.loads(text)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a JSON value, or die before or after."""
        self._writes += 1
        dying = self._death is not None and self._death.write == self._writes
        if dying and self._death and not self._death.done:
            self._die()
        if self._read().get("try") != self._try_number:
            raise RuntimeError("Airflow knows no such task instance")
        self._write(key, json.dumps(value))
        if dying:
            self._die()

    def _read(self) -> Mapping[str, Any]:
        return self._values

    def _write(self, key: str, value: Any) -> None:
        self._values[key] = value

    def _die(self) -> None:
        raise Killed


class FileStore(Store):
    """The same in a folder, for tries in processes of their own, which really die."""

    def __init__(self, folder: Path, try_number: int, death: Death | None = None) -> None:
        self._folder = folder
        super().__init__({}, try_number, death)

    def begin(self) -> None:
        """Begin a try, which ends those before."""
        self._write("try", self._try_number)

    def _read(self) -> Mapping[str, Any]:
        return {path.stem: json.loads(path.read_text()) for path in self._folder.glob("*.json")}

    def _write(self, key: str, value: Any) -> None:
        new = self._folder / f"{key}.{os.getpid()}"
        new.write_text(json.dumps(value))
        new.replace(self._folder / f"{key}.json")

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


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


def run_try(operator: CreateCampaignOperator, context: Any, method: str = "execute") -> Ended:
    """Run a try, or the rest of one that was deferred, and tell what Airflow would make of its end."""
    outcome, value, error, trigger, next_method = "success", None, "", None, None
    try:
        value = getattr(operator, method)(context)
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

    :param launched: One of the launches.
    :param changes: Changes to the operator's arguments.
    :param environment: What to set in the process's environment, the connections mostly.
    :param folder: Where the store is, None for none.
    :param run_after: When the run was due.
    """

    launched: str
    changes: Mapping[str, Any]
    environment: Mapping[str, str]
    try_number: int
    run_after: datetime
    folder: Path | None = None
    death: Death | None = None


def work(order: Order, answer: Connection) -> None:
    """Run a try in this process, and send how it ended; nothing is sent if the process dies before."""
    os.environ.update(order.environment)
    for module, name, shortened in HURRIED:
        setattr(module, name, shortened)
    store = FileStore(order.folder, order.try_number, order.death) if order.folder else None
    context = context_of(TaskInstance(order.try_number), store, order.run_after)
    answer.send(run_try(operator_of(order.launched, **order.changes), context))
