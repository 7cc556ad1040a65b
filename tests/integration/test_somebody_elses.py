"""Waiting for campaigns that somebody else launches, through Airflow: the same result in each mode."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("airflow_db")

MODES = ("poke", "reschedule", "deferrable")
FILE = {"lead_type": "file", "leads_asset_url": "https://files.example.com/leads.csv?leads=20"}


def ends(run: Any) -> dict[str, tuple[str, Any]]:
    return {one.task_id: (str(one.state), one.xcom_pull(task_ids=one.task_id)) for one in run.get_task_instances()}


@pytest.fixture
def client(campaign_sandbox: Sandbox) -> KinboxClient:
    campaign_sandbox.set_speed(3600)
    return KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))


def test_a_campaign_that_appears_later_is_found_by_its_name_and_waited_for(
    campaign_sandbox: Sandbox, client: KinboxClient, load_dag: Callable[..., Any]
) -> None:
    over = threading.Event()
    launched: dict[str, str] = {}

    def launch_what_was_looked_for_twice() -> None:
        looks = 0
        while len(launched) < len(MODES) and not over.wait(0.05):
            requests = campaign_sandbox.journal("kinbox")["requests"]
            if sum(request["endpoint"] == "list_campaigns" for request in requests) >= looks + 2:
                mode = MODES[len(launched)]
                launched[mode] = client.create_campaign(
                    name=f"Winter {mode} sale [airflow 0123456789ab-0a1b2c]", **FILE
                ).id
                looks = sum(r["endpoint"] == "list_campaigns" for r in campaign_sandbox.journal("kinbox")["requests"])

    thread = threading.Thread(target=launch_what_was_looked_for_twice)
    thread.start()
    try:
        found = ends(load_dag("somebody_elses.py", "by_name").test())
    finally:
        over.set()
        thread.join()
    assert {mode: state for mode, (state, _) in found.items()} == dict.fromkeys(MODES, "success")
    assert {mode: campaign["id"] for mode, (_, campaign) in found.items()} == launched
    assert {campaign["status"] for _, campaign in found.values()} == {"finished"}


def test_several_campaigns_are_waited_for_in_one_task(client: KinboxClient, load_dag: Callable[..., Any]) -> None:
    one, two = (client.create_campaign(name=name, **FILE).id for name in ("One", "Two"))
    conf = {"one": one, "two": two, "wait_for": "all"}
    found = ends(load_dag("somebody_elses.py", "several").test(run_conf=conf))
    for state, campaigns in found.values():
        assert state == "success"
        told = [(campaign["id"], campaign["status"], campaign["reached"]) for campaign in campaigns]
        assert told == [(one, "finished", True), (two, "finished", True)]


def test_any_of_several_is_enough(client: KinboxClient, load_dag: Callable[..., Any]) -> None:
    one = client.create_campaign(name="One", **FILE, scheduled_to="2100-01-01T00:00:00Z").id
    two = client.create_campaign(name="Two", **FILE).id
    conf = {"one": one, "two": two, "wait_for": "any"}
    found = ends(load_dag("somebody_elses.py", "several").test(run_conf=conf))
    for state, campaigns in found.values():
        assert state == "success"
        assert [(campaign["id"], campaign["reached"]) for campaign in campaigns] == [(one, False), (two, True)]
