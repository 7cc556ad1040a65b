"""
What a release has stored at Airflow and at the vendors, the next one reads.

Each file beside this one holds what the release of its name stores. It is never changed again: a test that fails here
has found a break for those who upgrade while tasks wait and launches are retried. Whatever is new gets an example here.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers.base import BaseTrigger

from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.launch.intent import Intent, launch_key
from airflow_provider_campaigns.launch.record import record_in
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.outcome import Outcome
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms
from airflow_provider_campaigns.watch.announcements import Announced

RELEASES = sorted(Path(__file__).parent.glob("*.json"))
STORED: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in RELEASES}
CREATES: dict[str, tuple[type[CreateCampaignOperator], dict[str, Any]]] = {
    "kinbox": (
        KinboxCreateCampaignOperator,
        {
            "name": "Winter",
            "channel_id": "103",
            "channel_type": "1",
            "lead_type": "file",
            "leads_asset_url": "https://files.example.com/winter.csv",
            "message": "Hello",
            "scheduled_to": "2099-01-01T12:00:00+00:00",
        },
    ),
    "altur": (
        AlturCreateCampaignOperator,
        {
            "name": "Winter",
            "agent_id": "agent",
            "integration_id": "integration",
            "integration_type": "phone_call",
            "contacts": [{"contact": "+5215512345601", "name": "Ana"}],
        },
    ),
    "koreai": (
        KoreAICreateCampaignOperator,
        {
            "name": "Winter",
            "description": "Winter sale",
            "contact_lists": ["Sandbox contacts"],
            "message": "Hello",
            "dialing_strategy": {
                "callerId": {"phoneNumber": "+14155550100"},
                "callingHours": {
                    "frequency": "WEEKLY",
                    "timezone": "UTC",
                    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
                },
            },
        },
    ),
}


def examples(of: str) -> list[Any]:
    """Return what the releases have stored of a kind, for a test of each."""
    return [pytest.param(one, id=f"{release}-{place}") for release in STORED for place, one in kept(release, of)]


def kept(release: str, of: str) -> Iterator[tuple[int, Any]]:
    return enumerate(STORED[release].get(of, ()))


def holds_all(new: Any, old: Any) -> bool:
    """Whether a value has all that an older one had; what came later may stand beside it."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and holds_all(new[name], value) for name, value in old.items())
    return bool(json.loads(json.dumps(new)) == old)


@pytest.mark.parametrize("stored", examples("triggers"))
def test_a_stored_trigger_goes_on_with_what_it_was_told(stored: tuple[str, dict[str, Any]]) -> None:
    path, arguments = stored
    module, _, name = path.rpartition(".")
    trigger = getattr(importlib.import_module(module), name)(**arguments)
    again, now = trigger.serialize()
    assert again == path
    assert holds_all(now, arguments)


def test_every_trigger_has_a_stored_example() -> None:
    modules = [module for entry in get_provider_info()["triggers"] for module in entry["python-modules"]]
    classes = {
        value
        for module in modules
        for value in vars(importlib.import_module(module)).values()
        if inspect.isclass(value) and issubclass(value, BaseTrigger) and value.__module__.startswith("airflow_provider")
    }
    stored = {path for release in STORED.values() for path, _ in release["triggers"]}
    assert {
        f"{one.__module__}.{one.__name__}".rpartition(".")[2] for one in classes if not inspect.isabstract(one)
    } <= {path.rpartition(".")[2] for path in stored}


@pytest.mark.parametrize("stored", examples("launch_records"))
def test_a_launch_s_record_is_read_as_it_was_written(stored: dict[str, Any]) -> None:
    record = record_in(stored)
    assert record is not None
    assert holds_all(record.as_dict(), stored)


@pytest.mark.parametrize("stored", examples("launches"))
def test_a_launch_has_the_same_key_and_leaves_the_same_mark(stored: dict[str, Any]) -> None:
    key = launch_key(*stored["identity"])
    intent = Intent(key, stored["fields"])
    assert (key, intent.mark, intent.idempotency_key) == (stored["key"], stored["mark"], stored["idempotency_key"])


@pytest.mark.parametrize("vendor", CREATES)
@pytest.mark.parametrize("release", STORED)
def test_a_retry_after_the_upgrade_means_what_the_first_try_meant(
    release: str, vendor: str, campaign_sandbox: Sandbox
) -> None:
    operator, fields = CREATES[vendor]
    create = operator(task_id="create", **fields)
    assert dict(create.plan(create.hook()).fingerprints) == STORED[release]["plans"][vendor]


@pytest.mark.parametrize("stored", examples("waits"))
def test_a_wait_goes_on_with_what_it_carried(stored: dict[str, Any]) -> None:
    state = WaitState(stored["campaign_id"], Terms(Goal(progress_threshold=50.0)), now=1_790_000_100.0)
    state.go_on(stored)
    carried = state.carried()
    # The silence of the vendor is measured anew by each process, what it was asked for likewise.
    assert holds_all(
        carried, {name: stored[name] for name in ("campaign_id", "began", "moved", "told", "pace", "curve")}
    )


@pytest.mark.parametrize("stored", examples("events"))
def test_a_trigger_s_event_that_was_on_its_way_is_understood(stored: dict[str, Any]) -> None:
    outcome = Outcome.from_event(stored)
    assert holds_all(outcome.as_event(), stored)


@pytest.mark.parametrize("stored", examples("announced"))
def test_what_a_watch_has_announced_is_not_announced_again(stored: dict[str, Any]) -> None:
    assert stored["campaign_id"] in Announced(stored["marks"])
