"""A task instance with a create operator over its tries and clears, in this process."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.launch.intent import launch_key
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.store import Death, Store
from airflow_provider_campaigns.testing.conformance.worker import Ended, TaskInstance, context_of, run_try


class Task:
    """
    A task instance over its tries and clears.

    :param vendors: The sandbox; :func:`~airflow_provider_campaigns.testing.conformance.worker.connect` leads to it.
    :param launched: The vendor under test.
    :param stored: Whether its Airflow has a task state store.
    :param changes: Changes to the operator's arguments, for all tries.
    """

    def __init__(self, vendors: Sandbox, launched: VendorUnderTest, *, stored: bool = True, **changes: Any) -> None:
        if stored:
            need("task_state_store")
        self.vendors = vendors
        self.launched = launched
        self.vendor = launched.vendor
        self.changes = {"lookup_timeout": 0.2, **changes}
        self.ti = TaskInstance(try_number=0)
        self.values: dict[str, Any] | None = {} if stored else None
        self.run_after = datetime.now(UTC)
        self.run_type = "scheduled"
        self.context: dict[str, Any] = {}

    def run(self, *, death: Death | None = None, **changes: Any) -> Ended:
        """Run the next try."""
        self.ti = dataclasses.replace(self.ti, try_number=self.ti.try_number + 1, xcoms={})
        store = None if self.values is None else Store(self.values, self.ti.try_number, death)
        self.context = context_of(self.ti, store, self.run_after, self.run_type)
        return run_try(self.launched.build(**{**self.changes, **changes}), self.context)

    def resume(self, ended: Ended, *, event: Any = None, **changes: Any) -> Ended:
        """Go on with a try that was deferred, in an operator of its own as Airflow does."""
        operator = self.launched.build(**{**self.changes, **changes})
        return run_try(operator, self.context, ended.method or "", event=event)

    def clear(self, retries: int = 2) -> None:
        """Clear the task, as Airflow does it."""
        self.ti.max_tries = self.ti.try_number + retries

    def lose(self, **order: Any) -> None:
        """Order a fault at the vendor."""
        self.vendors.order_fault(vendor=self.vendor, **order)

    @property
    def campaigns(self) -> list[dict[str, Any]]:
        """What exists at the vendor."""
        listed: list[dict[str, Any]] = self.vendors.journal(self.vendor)["campaigns"]
        return listed

    @property
    def requests(self) -> dict[str, int]:
        """How many requests arrived at each endpoint."""
        counts: dict[str, int] = self.vendors.journal(self.vendor)["counts"].get(self.vendor, {})
        return counts

    @property
    def mark(self) -> str:
        """A mark that another try of this task would leave."""
        return f"[airflow {launch_key(self.ti.dag_id, self.ti.run_id, self.ti.task_id, -1)[:12]}-012345]"

    def client(self) -> Any:
        """Return a client of its own, for what a person does at the vendor."""
        return self.launched.build().hook().get_conn()

    def forget_keys(self) -> None:
        """Let the time pass for which the vendor knows idempotency keys."""
        self.launched.forget_keys(next(one for one in self.vendors.app.vendors if one.name == self.vendor))
