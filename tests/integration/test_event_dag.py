"""Event-driven DAGs in a whole Airflow: watchers share a poll, a DAG runs once for each campaign, webhooks wake."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from at_altur import create, people
from webhooks import SECRET
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

need("triggers that share and remember")
# Never at the same time as the other whole Airflow.
pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("airflow_standalone")]

POLL_INTERVAL = 0.5
EVENT_INTERVAL = 8.0

DAGS = f"""
import json
import os

import pendulum
from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor
from airflow_provider_campaigns.triggers.campaign import CampaignEventTrigger

START = pendulum.datetime(2026, 1, 1, tz="UTC")


def watched(name, **arguments):
    intervals = {{"poll_interval": {POLL_INTERVAL}, "event_interval": {EVENT_INTERVAL}}}
    trigger = CampaignEventTrigger(conn_id="kinbox_default", **intervals, **arguments)
    return Asset(name, watchers=[AssetWatcher(name=name, trigger=trigger)])


@task
def note(triggering_asset_events=None, dag_run=None):
    for events in triggering_asset_events.values():
        for event in events:
            line = {{"dag": dag_run.dag_id, "run": dag_run.run_id, "asset": event.asset.name, "extra": event.extra}}
            with open(os.environ["NOTES"], "a") as notes:
                notes.write(json.dumps(line) + chr(10))


ASSETS = [watched("winter_finished", name_pattern="Winter*"), watched("half_sent", progress_threshold=50)]
for asset in ASSETS:
    with DAG("after_" + asset.name, schedule=[asset], start_date=START):
        note()

NEWS = Asset("altur_news", uri="x-campaigns-webhook://altur_default")
with DAG("after_altur_news", schedule=[NEWS], start_date=START):
    note()

with DAG("woken", schedule=None, start_date=START):
    AlturCampaignSensor(
        task_id="wait", campaign_id="{{{{ dag_run.conf['campaign_id'] }}}}", poll_interval=3600, deferrable=True
    )
"""


class Watching(Airflow):
    """
    An Airflow that watches the vendor, and whose DAGs write down what they are told.

    :param home: Its folder.
    :param sandbox: The vendor.
    """

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self._notes = home / "notes"
        super().__init__(
            home,
            connections={
                **{name: sandbox.connections()[name] for name in ("kinbox_default", "altur_default")},
                "altur_webhook": {"conn_type": "generic", "password": SECRET},
            },
            dags={"watched.py": DAGS},
            dag_ids={"after_winter_finished", "after_half_sent", "after_altur_news", "woken"},
            parts=("dag-processor", "triggerer", "api-server", "scheduler"),
            settings={
                "NOTES": str(self._notes),
                "AIRFLOW__CAMPAIGNS__ALTUR_WEBHOOKS": '{"altur_default": "altur_webhook"}',
                # A triggerer that was killed is taken for dead after some seconds.
                "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
                "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",
            },
        )

    def noted(self, dag_id: str) -> list[dict[str, Any]]:
        """Return what the runs of a DAG wrote down, one entry for each event."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["dag"] == dag_id]


class Kinbox:
    """What the tests do and see at the vendor."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._client = KinboxClient("token", base_url=sandbox.base_url("kinbox"))

    def launch(self, name: str) -> str:
        """Return the id of a new campaign, whose time stands still."""
        url = "https://files.example.com/leads.csv?leads=20"
        return self._client.create_campaign(name=name, lead_type="file", leads_asset_url=url).id

    def let_finish(self) -> None:
        """Let some minutes pass, in which all campaigns finish, and then stop time again."""
        self._sandbox.set_speed(1000)
        until("all have finished", lambda: {one["status"] for one in self._journal()["campaigns"]} == {"done"})
        self._sandbox.set_speed(0)

    def looks(self) -> list[float]:
        """Return when the list of campaigns was asked for."""
        return [one["at"] for one in self._journal()["requests"] if one["endpoint"] == "list_campaigns"]

    def wait_for_look(self) -> None:
        """Wait until all that there is now has been looked at."""
        before = len(self.looks())
        until("another look", lambda: len(self.looks()) >= before + 2)

    def _journal(self) -> dict[str, Any]:
        return self._sandbox.journal("kinbox")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The vendors, whose time the tests let go on."""
    with Sandbox(speed=0) as server:
        yield server


@pytest.fixture(scope="module")
def kinbox(sandbox: Sandbox) -> Kinbox:
    """The vendor, with one campaign that had finished before anybody watched."""
    kinbox = Kinbox(sandbox)
    kinbox.launch("Winter of last year")
    kinbox.let_finish()
    return kinbox


@pytest.fixture(scope="module")
def airflow(sandbox: Sandbox, kinbox: Kinbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """The running Airflow, one for all tests of this file."""
    with Watching(tmp_path_factory.mktemp("event_dag") / "airflow", sandbox) as running:
        try:
            until("the watchers look", lambda: len(kinbox.looks()) >= 2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{running.log_tails()}") from None
        yield running


def test_two_watchers_on_one_connection_share_one_poll(airflow: Watching, kinbox: Kinbox) -> None:
    kinbox.wait_for_look()
    began = time.time()
    time.sleep(10 * POLL_INTERVAL)
    looks = [at for at in kinbox.looks() if at >= began]
    # At the shortest, an interval is nine tenths; two polls would be twice as many.
    assert 4 <= len(looks) <= (time.time() - began) / (0.9 * POLL_INTERVAL) + 1


def test_a_dag_runs_once_for_each_campaign_with_the_event_that_triggered_it(airflow: Watching, kinbox: Kinbox) -> None:
    # One after the other: what a busy scheduler does with events that come together is not this package's to promise.
    ids = []
    for place, (name, winter) in enumerate((("Winter north", 1), ("Winter south", 2), ("Summer", 2)), start=1):
        ids.append(kinbox.launch(name))
        kinbox.let_finish()
        until(f"{name} is noted as half sent", lambda place=place: len(airflow.noted("after_half_sent")) >= place)
        until(f"{name} is noted", lambda winter=winter: len(airflow.noted("after_winter_finished")) >= winter)
    north, south, summer = ids
    kinbox.wait_for_look()

    noted = airflow.noted("after_winter_finished")
    assert {entry["asset"] for entry in noted} == {"winter_finished"}
    assert [entry["extra"]["from_trigger"] for entry in noted] == [True, True]
    payloads = {entry["extra"]["payload"]["id"]: entry["extra"]["payload"] for entry in noted}
    assert set(payloads) == {north, south}
    assert {name: payloads[north][name] for name in ("name", "status", "vendor", "conn_id")} == {
        "name": "Winter north",
        "status": "finished",
        "vendor": "Kinbox",
        "conn_id": "kinbox_default",
    }
    for dag_id, ids in (("after_winter_finished", {north, south}), ("after_half_sent", {north, south, summer})):
        by_run = {entry["run"]: entry["extra"]["payload"]["id"] for entry in airflow.noted(dag_id)}
        assert Counter(by_run.values()) == dict.fromkeys(ids, 1)
        assert len(airflow.noted(dag_id)) == len(ids)


def test_a_campaign_that_finishes_while_the_triggerer_is_dead_is_announced_and_no_other_again(
    airflow: Watching, kinbox: Kinbox
) -> None:
    before = {dag_id: airflow.noted(dag_id) for dag_id in ("after_winter_finished", "after_half_sent")}
    airflow.kill("triggerer")
    meanwhile = kinbox.launch("Winter meanwhile")
    kinbox.let_finish()
    airflow.start("triggerer")
    for dag_id, noted in before.items():
        until("it is noted", lambda dag_id=dag_id, noted=noted: len(airflow.noted(dag_id)) > len(noted))
    kinbox.wait_for_look()
    for dag_id, noted in before.items():
        new = airflow.noted(dag_id)[len(noted) :]
        assert [entry["extra"]["payload"]["id"] for entry in new] == [meanwhile]


def test_a_webhook_starts_a_dag_and_wakes_a_wait_that_would_look_in_an_hour(
    airflow: Watching, kinbox: Kinbox, sandbox: Sandbox
) -> None:
    with AlturClient("key", base_url=sandbox.base_url("altur")) as altur:
        campaign = create(altur)
        altur.add_contacts(campaign.id, people(20))
        altur.start_campaign(campaign.id)
    before = len(sandbox.journal("altur")["requests"])
    run = Run(airflow, "woken", campaign_id=campaign.id)
    run.wait_for("deferred")
    until("the wait has looked", lambda: len(sandbox.journal("altur")["requests"]) > before)

    sandbox.order_fault(kind="event_doubled", vendor="altur")
    sandbox.send_webhooks("altur", f"{airflow.url}/campaigns-webhooks/altur/altur_default", SECRET)
    # While time stands still, everybody sees a campaign that is sending.
    sandbox.set_speed(1000)
    until("it has finished", lambda: sandbox.journal("altur")["campaigns"][-1]["status"] == "finished")
    sandbox.set_speed(0)

    assert run.wait_for_end() == "success"
    events = until("a DAG has started", lambda: airflow.noted("after_altur_news"))
    (sent,) = {event["event_id"] for event in sandbox.webhook_events()}
    # It came twice, and was noted once.
    assert [event["status"] for event in sandbox.webhook_events()] == [200, 200]
    assert [event["extra"]["event_id"] for event in events] == [sent]
    assert events[0]["extra"]["campaign_id"] == campaign.id
    assert len(airflow.noted("after_altur_news")) == 1
