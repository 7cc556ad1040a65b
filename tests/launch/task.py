"""A task instance with a create operator over its tries and clears, for tests of what a launch promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_since import need
from worker import Death, Ended, Store, TaskInstance, context_of, operator_of, run_try, vendor_of

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.launch.intent import launch_key
from airflow_provider_campaigns.sandbox.server import Sandbox

HOOKS: Mapping[str, Callable[[], CampaignHook]] = {
    "kinbox": KinboxHook,
    "altur": AlturHook,
    "koreai sms": KoreAIHook,
    "koreai voice": lambda: KoreAIHook(campaign_type="voice"),
}


class Task:
    """
    A task instance over its tries and clears.

    :param launched: Which of the launches.
    :param stored: Whether its Airflow has a task state store.
    :param changes: Changes to the operator's arguments, for all tries.
    """

    def __init__(self, vendors: Sandbox, launched: str, *, stored: bool = True, **changes: Any) -> None:
        if stored:
            need("3.3", "task_state_store")
        self.vendors = vendors
        self.launched = launched
        self.vendor = vendor_of(launched)
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
        return run_try(operator_of(self.launched, **{**self.changes, **changes}), self.context)

    def resume(self, ended: Ended, **changes: Any) -> Ended:
        """Go on with a try that was deferred, in an operator of its own as Airflow does."""
        return run_try(operator_of(self.launched, **{**self.changes, **changes}), self.context, ended.method or "")

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
        return HOOKS[self.launched]().get_conn()


def at_vendor(vendors: Sandbox, name: str) -> Any:
    """Return a vendor's inside, to change what its API does not."""
    return next(vendor for vendor in vendors.app.vendors if vendor.name == name)
