"""Deferred waits in the cluster, for campaigns that run on while something breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cluster import Cluster, until
from vendors import FAST, SLOW, Vendor

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient

DAG, TASK = "waits", "wait"
#: Requests by which a wait looks.
_LOOKS = {"get_campaign", "list_campaigns", "find_campaigns", "get_status"}
_LIVE = {"executing", "awaiting-chunk", "active", "cooldown", "Active"}


class Waits:
    """
    A run that waits for campaigns.

    :param cluster: The Airflow.
    :param vendors: Where the campaigns are.
    :param number: How many at each vendor.
    :param on_kill: What is done to a campaign when its task is killed: left, or paused (stopped where there is none).
    """

    def __init__(self, cluster: Cluster, vendors: Sequence[Vendor], number: int, *, on_kill: str) -> None:
        self.cluster = cluster
        self.vendors = vendors
        self.number = number * len(vendors)
        self._on_kill = on_kill
        self._each = number
        self.run_id = ""
        self._seen: dict[str, int] = {}

    def begin(self) -> None:
        """Launch the campaigns without Airflow, and wait until all are waited for."""
        campaigns = []
        for vendor in self.vendors:
            on_kill = "stop" if vendor.name == "koreai" and self._on_kill == "pause" else self._on_kill
            for place in range(self._each):
                launched = _launched(vendor, f"Waited for {place}")
                campaigns.append({"campaign_id": launched, "conn_id": vendor.conn_id, "on_kill": on_kill})
            vendor.sandbox.set_speed(60)
        for vendor in self.vendors:
            until("all campaigns run", lambda vendor=vendor: {one["status"] for one in vendor.campaigns} <= _LIVE)
            vendor.sandbox.set_speed(SLOW)
        self.run_id = self.cluster.trigger(DAG, campaigns=campaigns)
        until("all campaigns are waited for", self.are_deferred)
        until("all waits are with a triggerer", lambda: sum(self.cluster.shares().values()) >= self.number)
        self.note()

    def note(self) -> None:
        """Note what was seen so far: what comes after is what comes of the next break."""
        self._seen = {vendor.conn_id: len(vendor.requests) for vendor in self.vendors}

    def are_deferred(self) -> bool:
        """
        Whether all tasks are deferred.

        :raises AssertionError: One is over already.
        """
        states = self.states()
        assert not {"success", "failed"} & set(states), f"waits: {_listed(states)}"
        return states == {"deferred": self.number}

    def states(self) -> Counter[str]:
        """Return how many tasks are in each state."""
        return self.cluster.states(DAG, self.run_id, TASK)

    def statuses(self) -> set[str]:
        """Return the words that the vendors have for their campaigns' status."""
        return {one["status"] for vendor in self.vendors for one in vendor.campaigns}

    @property
    def tries(self) -> int:
        """How many tries a task has had."""
        return self.cluster.tries(DAG, self.run_id, TASK)

    def mark(self, state: str) -> None:
        """Mark all tasks, as a person does."""
        for index in range(self.number):
            path = f"dags/{DAG}/dagRuns/{self.run_id}/taskInstances/{TASK}/{index}"
            self.cluster.call("PATCH", path, json={"new_state": state})

    def clear(self) -> None:
        """Clear all tasks, as a person does."""
        what = {"dag_run_id": self.run_id, "task_ids": [TASK], "only_failed": False, "dry_run": False}
        self.cluster.call("POST", f"dags/{DAG}/clearTaskInstances", json=what)

    def problems(self, state: str = "deferred") -> list[str]:
        """
        Return what is not as it was promised after a break: every wait goes on, and nothing came of it but looks.

        :param state: In which state the tasks should be.
        """
        states = self.states()
        found = [] if states == {state: self.number} else [f"waits: {_listed(states)}"]
        for vendor in self.vendors:
            later = vendor.requests[self._seen[vendor.conn_id] :]
            acts = Counter(one["endpoint"] for one in later if one["endpoint"] not in _LOOKS)
            if acts:
                found.append(f"{vendor.name}: {_listed(acts)}")
            statuses = Counter(one["status"] for one in vendor.campaigns)
            if not set(statuses) <= _LIVE:
                found.append(f"{vendor.name}'s campaigns: {_listed(statuses)}")
        return found

    def go_on(self) -> None:
        """Wait until every vendor was looked at twice more."""
        before = {vendor.conn_id: len(vendor.requests) for vendor in self.vendors}
        for vendor in self.vendors:
            seen = before[vendor.conn_id]
            until(f"{vendor.name} is looked at", lambda vendor=vendor, seen=seen: len(vendor.requests) >= seen + 2)

    def end(self) -> list[str]:
        """Let all campaigns finish; return what is not as it was promised."""
        for vendor in self.vendors:
            vendor.sandbox.set_speed(FAST)
        until("all waits are over", lambda: set(self.states()) <= {"success", "failed"})
        states = self.states()
        return [] if states == {"success": self.number} else [f"waits: {_listed(states)}"]

    def told(self) -> str:
        """Return what came of it."""
        return f"{_listed(self.states())}"

    def __str__(self) -> str:
        return f"{self.number} deferred waits"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))


def _launched(vendor: Vendor, name: str) -> str:
    """Launch a campaign at a vendor that goes on for long, and return its id."""
    client = client_of(vendor)
    if isinstance(client, KinboxClient):
        return client.create_campaign(name=name, leads_asset_url="https://files.example.com/leads.csv?leads=1000").id
    if isinstance(client, AlturClient):
        ids = {"agent_id": "agent", "integration_id": "integration", "integration_type": "phone_call"}
        campaign = client.create_campaign(name=name, **ids)
        client.add_contacts(campaign.id, [{"contact": f"+52155{number:08d}"} for number in range(50)])
    else:
        days = [
            {"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
        ]
        hours = {"frequency": "WEEKLY", "timezone": "America/Chicago", "days": days}
        campaign = client.create_campaign(
            name=name,
            description=name,
            contact_lists=["Sandbox contacts"],
            message="Sale",
            dialing_strategy={"callerId": {"phoneNumber": "+14155550100"}, "callingHours": hours},
        )
    client.start_campaign(campaign.id)
    return str(campaign.id)


def client_of(vendor: Vendor) -> Any:
    """Return a client of a vendor, for what is done without Airflow."""
    connection = vendor.connection
    base_url, secret, extra = connection["host"], connection["password"], connection["extra"]
    if vendor.name == "kinbox":
        return KinboxClient(secret, base_url=base_url, **extra)
    if vendor.name == "altur":
        return AlturClient(secret, base_url=base_url, **extra)
    return KoreAIClient(connection["login"], secret, base_url=base_url, **extra)
