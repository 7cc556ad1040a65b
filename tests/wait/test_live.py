"""The figures that people see while a task waits: on change, in a queue that neither grows nor hurries."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.wait import live
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.live import LEAST_SECONDS_BETWEEN, LIVE_KEY, LiveFigures, LiveQueue
from airflow_provider_campaigns.wait.poller import Poller
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus


@dataclass
class TaskInstance:
    """A task instance, as far as figures are concerned; unhashable, as Airflow's own may be."""

    task_id: str = "wait"
    dag_id: str = "winter"
    run_id: str = "r1"
    map_index: int = -1
    try_number: int = 1
    pushed: list[dict[str, Any]] = field(default_factory=list)

    def xcom_push(self, key: str, value: dict[str, Any]) -> None:
        if key == LIVE_KEY:
            self.pushed.append(value)

    def xcom_pull(self, **where: Any) -> Any:
        return self.pushed[-1] if self.pushed and where["key"] == LIVE_KEY else None

    def get_first_reschedule_date(self, context: Any) -> None:
        return None


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The line from a trigger to Airflow: what goes over it; an exception put into it first is raised."""
    from airflow.sdk.execution_time import task_runner

    sent: list[Any] = []

    class Line:
        async def asend(self, message: Any) -> None:
            await asyncio.sleep(0)
            if sent and isinstance(sent[0], Exception):
                raise sent.pop(0)
            sent.append(message)

    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Line(), raising=False)
    monkeypatch.setattr(live, "MOST_WRITES_A_SECOND", 1000.0)
    monkeypatch.setattr(live, "PAUSE_AFTER_FAILURE_SECONDS", 0.0)
    return sent


async def emptied(queue: LiveQueue) -> None:
    """Wait until the queue has written all that it holds, however busy the machine is."""
    assert queue._task is not None
    await queue._task


def waiting(number: int = 7) -> WaitState:
    return WaitState(str(number), Terms(Goal()), 0.0)


def looked(wait: WaitState, progress: float, now: float, status: CampaignStatus = S.RUNNING) -> None:
    campaign = Campaign(wait.campaign_id, "Winter", status, status.value, progress, {"sent": round(progress)})
    wait.news(campaign, now)
    wait.answered(campaign, now)


def test_figures_are_shown_on_change_and_at_most_every_so_often_but_a_new_status_at_once() -> None:
    wait = waiting()
    figures = LiveFigures(wait, "kinbox_default", TaskInstance())
    assert not figures.is_due("Kinbox", 0), "nothing was seen yet"
    looked(wait, 10.0, 1000)
    assert figures.is_due("Kinbox", 1000)
    figures.value(1000)
    looked(wait, 10.0, 2000)
    assert not figures.is_due("Kinbox", 2000), "nothing has changed"
    figures.value(2000)
    looked(wait, 20.0, 2001)
    assert not figures.is_due("Kinbox", 2001)
    assert figures.is_due("Kinbox", 2000 + LEAST_SECONDS_BETWEEN)
    looked(wait, 20.0, 2002, S.PAUSED)
    assert figures.is_due("Kinbox", 2002)


def test_they_hold_the_campaign_its_forecast_and_its_curve_and_no_raw_answer() -> None:
    wait = waiting()
    looked(wait, 10.0, 0)
    looked(wait, 20.0, 600)
    shown = LiveFigures(wait, "kinbox_default", TaskInstance()).value(600)
    assert shown == {
        "vendor": "",
        "conn_id": "kinbox_default",
        "id": "7",
        "name": "Winter",
        "status": "running",
        "vendor_status": "running",
        "progress": 20.0,
        "counts": {"sent": 20},
        "goal": "finished",
        "seen_at": "1970-01-01T00:10:00+00:00",
        "moved_at": "1970-01-01T00:10:00+00:00",
        "rate": 1.0,
        "ends_at": "1970-01-01T01:30:00+00:00",
        "curve": [[0, 10.0], [600, 20.0]],
    }


def test_a_campaign_whose_figures_nobody_asks_for_is_not_said_to_stand_still() -> None:
    wait = waiting()
    for now in (0, 9000):
        wait.answered(Campaign("7", "Winter", S.RUNNING, "active"), now)
    assert wait.live()["moved_at"] is None


@needs("XComs that a trigger writes")
def test_the_queue_writes_the_latest_figures_of_each_wait_once(line: list[Any]) -> None:
    waits = [waiting(number) for number in range(50)]

    async def run() -> None:
        queue = LiveQueue.of_this_loop()
        assert queue is LiveQueue.of_this_loop()
        assert queue is not None
        shown = [LiveFigures(wait, "c", TaskInstance(map_index=index)) for index, wait in enumerate(waits)]
        for progress in (10.0, 20.0):
            for wait, figures in zip(waits, shown, strict=True):
                looked(wait, progress, time.time())
                queue.offer(figures)
        queue.withdraw(shown[0])
        await emptied(queue)

    asyncio.run(run())
    assert [message.map_index for message in line] == list(range(1, 50))
    assert {message.value["progress"] for message in line} == {20.0}
    assert {(message.key, message.dag_id, message.run_id, message.task_id) for message in line} == {
        (LIVE_KEY, "winter", "r1", "wait")
    }


@needs("XComs that a trigger writes")
def test_a_write_that_fails_costs_no_wait_and_the_next_change_is_written(line: list[Any]) -> None:
    line.append(OSError("no line"))
    wait = waiting()

    async def run() -> None:
        queue = LiveQueue.of_this_loop()
        assert queue is not None
        figures = LiveFigures(wait, "c", TaskInstance())
        for progress in (10.0, 20.0):
            looked(wait, progress, time.time())
            queue.offer(figures)
            await emptied(queue)

    asyncio.run(run())
    assert [message.value["progress"] for message in line] == [20.0]


@needs("XComs that a trigger writes")
def test_the_shared_poller_shows_a_campaign_while_its_task_is_deferred(
    campaign_sandbox: Sandbox, line: list[Any]
) -> None:
    campaign_sandbox.set_speed(60)
    wait = WaitState(KinboxHook().create_campaign(name="W").id, Terms(Goal(), 0.2), time.time())

    async def connect() -> CampaignClient:
        return KinboxHook().get_conn()

    async def run() -> None:
        poller = Poller(connect, lambda: None)
        await poller.wait(wait, live=LiveFigures(wait, "kinbox_default", TaskInstance()))

    asyncio.run(run())
    shown = [message.value for message in line]
    assert shown
    assert {one["id"] for one in shown} == {wait.campaign_id}
    assert {one["vendor"] for one in shown} == {"Kinbox"}
    assert not any(one["status"] == "finished" for one in shown), "the end is the task's own to show"


def test_a_sensor_in_its_worker_shows_them_at_its_looks(campaign_sandbox: Sandbox) -> None:
    ti = TaskInstance()
    campaign_id = KinboxHook().create_campaign(name="W").id
    result = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, poll_interval=0.1).execute({"ti": ti})
    figures = {name: value for name, value in result.items() if name != "details"}
    assert ti.pushed[-1] == {**ti.pushed[-1], **figures, "vendor": "Kinbox", "conn_id": "kinbox_default"}
    assert result["details"]["active"] is True
    assert ti.pushed[-1]["ends_at"] is None


def test_a_deferred_sensor_shows_at_its_end_what_the_trigger_saw_last(campaign_sandbox: Sandbox) -> None:
    ti = TaskInstance()
    live.announce_wait(ti, "Kinbox", "kinbox_default", "7")
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id="7", deferrable=True)
    campaign = {"id": "7", "name": "W", "status": "finished", "vendor_status": "done", "progress": 100.0, "counts": {}}
    sensor.execute_complete({"ti": ti}, {"reason": "met", "message": "There.", "campaign": campaign})  # type: ignore[typeddict-item]
    assert ti.pushed[-1] == {**campaign, "vendor": "Kinbox", "conn_id": "kinbox_default", "ends_at": None}


def test_airflow_that_takes_no_figures_loses_no_wait(
    campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: TaskInstance, key: str, value: Any) -> None:
        raise OSError("no API server")

    monkeypatch.setattr(TaskInstance, "xcom_push", refuse)
    campaign_id = KinboxHook().create_campaign(name="W").id
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, poll_interval=0.1)
    assert sensor.execute({"ti": TaskInstance()})["progress"] == 100
