"""What each act of a person on a waiting task does to its campaign with ``on_kill="pause"``, in a whole Airflow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("airflow_standalone")]

ACTS: dict[str, Callable[[Run, str], None]] = {
    "marked as a success": Run.mark_success,
    "cleared": Run.clear,
    "marked failed": Run.mark_failed,
}


@pytest.fixture
def campaign(sandbox: Sandbox) -> str:
    """The id of a campaign that runs for many hours."""
    sandbox.reset()
    client = KinboxClient("token", base_url=sandbox.base_url("kinbox"))
    made = client.create_campaign(
        name="Long",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=100000",
        chunk_size=100_000,
        seconds_between_messages=1,
    )
    sandbox.set_speed(60)
    until("the campaign runs", lambda: status(sandbox) == "executing")
    return made.id


def status(sandbox: Sandbox) -> str:
    (campaign,) = sandbox.journal("kinbox")["campaigns"]
    return str(campaign["status"])


def pauses(sandbox: Sandbox) -> int:
    return int(sandbox.journal("kinbox")["counts"]["kinbox"].get("pause_campaign", 0))


def is_over(run: Run, task: str) -> bool:
    """Whether a task is over; if not, see to it that it will be. On a loaded machine SQLite is busy now and then."""
    if run.task(task)["state"] in ("success", "failed"):
        return True
    with contextlib.suppress(requests.HTTPError):
        run.mark_success(task)
    return False


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("where", ["deferred", "running"])
def test_only_a_task_that_was_marked_failed_pauses_its_campaign(
    act: str, where: str, airflow: Airflow, sandbox: Sandbox, campaign: str
) -> None:
    if where == "deferred":
        need("triggers that are told of a kill")
    run = Run(airflow, "kept", campaign_id=campaign)
    other = {"deferred": "running", "running": "deferred"}[where]
    run.wait_for(where, where)
    run.wait_for(other, other)
    log: Callable[[str], Any] = run.trigger_log if where == "deferred" else run.log
    until("the wait has looked", lambda: "is running (executing)" in log(where))

    ACTS[act](run, where)
    if act == "marked failed":
        until("the campaign is paused", lambda: status(sandbox) == "paused")
        until("the log says so", lambda: f"Campaign {campaign} was paused" in log(where))
        assert pauses(sandbox) == 1
    else:
        until("the log says so", lambda: f"Campaign {campaign} is left alone" in log(where))
        assert status(sandbox) == "executing"
        assert pauses(sandbox) == 0

    # The others of these tests have the few workers to themselves.
    for task in (where, other):
        until(f"{task} is over", lambda task=task: is_over(run, task))
