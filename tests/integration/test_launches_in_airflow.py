"""Launches in a whole Airflow: a person's approval, a send window that opens, and the link to the campaign."""

from __future__ import annotations

from typing import Any

import pendulum
import pytest
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("airflow_standalone")]

#: What the connection says of where campaigns are shown.
CONSOLE = "https://console.example.com/campaigns"
ANY_TIME = [{"timezone": "UTC"}]


@pytest.fixture
def vendors(sandbox: Sandbox) -> Sandbox:
    """The vendors without campaigns, an hour of theirs in a minute."""
    sandbox.reset()
    sandbox.set_speed(60)
    return sandbox


def link(run: Run, task_id: str) -> str | None:
    """Return where the task's link leads, as Airflow's UI asks for it."""
    links: dict[str, str | None] = run.ask("GET", f"taskInstances/{task_id}/links")["extra_links"]
    return links["Campaign"]


def answered(run: Run, choice: str) -> dict[str, Any]:
    """Answer the approval and return what it showed."""
    run.wait_for("awaiting_input" if airflow_has("the state awaiting_input") else "deferred", "approve")
    asked = run.ask("GET", "taskInstances/approve/-1/hitlDetails")
    # Airflow takes a task for lost that goes on before the end of its first part was noted: people answer later.
    until("the first part's end is noted", lambda: run.noted_by_scheduler("approve"))
    run.ask("PATCH", "taskInstances/approve/-1/hitlDetails", json={"chosen_options": [choice], "params_input": {}})
    return asked


def test_a_launch_goes_out_when_a_person_has_approved_it_and_says_who_did(airflow: Airflow, vendors: Sandbox) -> None:
    run = Run(airflow, "example_approval", send_window=ANY_TIME)
    shown = answered(run, "Approve")["body"]
    assert "For last year's customers." in shown
    assert "| Connection | altur_default |" in shown
    assert "We have kept your discount" in shown
    assert vendors.journal("altur")["campaigns"] == []
    assert run.wait_for_end() == "success"
    (campaign,) = vendors.journal("altur")["campaigns"]
    receipt = run.xcom("create", "campaign")
    assert receipt["approved_by"]["name"]
    assert receipt["approved_at"].startswith(pendulum.now("UTC").format("YYYY-MM-DD"))
    assert f"Campaign {campaign['id']} was approved by {receipt['approved_by']['name']}" in run.xcom("report")


def test_a_launch_that_a_person_rejects_is_skipped_and_sends_nothing(airflow: Airflow, vendors: Sandbox) -> None:
    run = Run(airflow, "example_approval", send_window=ANY_TIME)
    answered(run, "Reject")
    assert run.wait_for_end() == "success"
    assert run.task("create")["state"] == "skipped"
    assert vendors.journal("altur")["requests"] == []


def test_a_launch_is_deferred_until_the_window_opens_and_its_link_shows_while_it_waits_for_the_end(
    airflow: Airflow, vendors: Sandbox
) -> None:
    opens = pendulum.now("UTC").add(minutes=1)
    hours = [opens.format("HH:mm"), "24:00"]
    run = Run(airflow, "guarded", send_window={"timezone": "UTC", "hours": hours})
    run.wait_for("deferred", "create")
    assert "is outside of the send window" in run.log("create")
    assert vendors.journal("kinbox")["requests"] == []
    assert link(run, "create") is None
    (campaign,) = until("the window opens", lambda: vendors.journal("kinbox")["campaigns"])
    assert pendulum.parse(campaign["created_at"]) >= opens.start_of("minute")
    until("the link shows", lambda: link(run, "create"))
    assert run.task("create")["state"] in ("deferred", "running")
    assert link(run, "create") == f"{CONSOLE}/{campaign['id']}"
    vendors.set_speed(100_000)
    assert run.wait_for_end() == "success"
    assert link(run, "create") == f"{CONSOLE}/{campaign['id']}"
    assert len(vendors.journal("kinbox")["campaigns"]) == 1
