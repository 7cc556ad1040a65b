"""Handing contacts over at the sandbox: contacts, tries that die, and what then is in."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.contact_lists import (
    KoreAICreateContactListOperator,
)
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

#: Three batches at Altur, and three at Kore.ai.
ALTUR = [{"contact": f"+52155{number:08d}"} for number in range(2100)]
KOREAI = [{"phoneNumber": f"+1415{number:07d}", "plan": "gold"} for number in range(220)]
#: A number of Niue, whole and shorter than the sandbox's Altur takes.
REFUSED = {"contact": "+6834002"}
NONE_BROKEN: dict[str, Any] = {"duplicates": 0, "broken": 0, "broken_rows": []}
ALL_IN = {"rows": 2100, "created": 2100, "updated": 0, "skipped": 0, "refused": 0, "refused_rows": [], **NONE_BROKEN}


def connections(sandbox: Sandbox, **more: Any) -> dict[str, str]:
    named = {}
    for conn_id, connection in sandbox.connections().items():
        extra = {**connection.get("extra", {}), "rate_limit": 1000, "timeout": 5, **more}
        if "account_id" in extra:
            extra["account_id"] = "contacts"
        named[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps({**connection, "extra": extra})
    return named


class Killed(BaseException):
    """Stands for the death of the process."""


class Store:
    """Airflow's ``task_state_store``, in a file or in memory; it can bring death, before or after a write."""

    def __init__(self, path: Path | None = None, *, death: int = 0, done: bool = True, real: bool = False) -> None:
        need("task_state_store")
        self.values: dict[str, Any] = {}
        self.path, self.death, self.done, self.real = path, death, done, real

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is kept."""
        text = (self.path.read_text() if self.path.exists() else None) if self.path else self.values.get(key)
        return default if text is None else json.loads(text)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value."""
        self.death -= 1
        if self.death == 0 and not self.done:
            self.die()
        if self.path:
            self.path.write_text(json.dumps(value))
        self.values[key] = json.dumps(value)
        if self.death == 0:
            self.die()

    def die(self) -> None:
        """End the process, or what stands for it."""
        if self.real:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Killed


def run(operator: Any, try_number: int = 1, store: Store | None = None, **more: Any) -> Any:
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=try_number, max_tries=2)
    context = {"ti": ti, "dag_run": SimpleNamespace(run_type="scheduled", run_after=datetime.now(UTC)), **more}
    if store is not None:
        context["task_state_store"] = store
    return operator.execute(context)


def altur_campaign() -> str:
    campaign = (
        AlturHook()
        .get_conn()
        .create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    )
    return campaign.id


def adding(campaign_id: str, contacts: Any = ALTUR, **arguments: Any) -> AlturAddContactsOperator:
    # One batch after another, unless a test says otherwise: these count the requests.
    arguments = {"batches_in_flight": 1, **arguments}
    return AlturAddContactsOperator(task_id="t", campaign_id=campaign_id, contacts=contacts, **arguments)


def listing(contacts: Any = KOREAI, **arguments: Any) -> KoreAICreateContactListOperator:
    return KoreAICreateContactListOperator(**{"task_id": "t", "name": "Clinic", "contacts": contacts, **arguments})


def in_altur(sandbox: Sandbox) -> tuple[int, int]:
    """Return how many contacts the one campaign has, and how many rows it ever took."""
    (campaign,) = sandbox.journal("altur")["campaigns"]
    return campaign["contacts"], campaign["contact_rows"]


def in_list(name: str = "Clinic") -> list[str]:
    """Return the numbers in the one list of that name."""
    client = KoreAIHook().get_conn()
    (known,) = [known for known in client.list_contact_lists() if known.name == name]
    return sorted(str(contact.phone_number) for contact in client.list_contacts(known.id))


def requests_of(sandbox: Sandbox, endpoint: str) -> int:
    counts = sandbox.journal()["counts"]
    return sum(by_endpoint.get(endpoint, 0) for by_endpoint in counts.values())


NUMBERS = sorted(str(row["phoneNumber"]).lstrip("+") for row in KOREAI)
