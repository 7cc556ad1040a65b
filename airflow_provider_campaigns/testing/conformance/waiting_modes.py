"""The ways to wait for a campaign, poke, reschedule and deferred, end alike."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException, TaskDeferred

from airflow_provider_campaigns.exceptions import CampaignRequestFailed
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sensors.campaign import CampaignSensor
from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.suite import Suite
from airflow_provider_campaigns.testing.conformance.task import Task
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

MODES = ("poke", "reschedule", "deferred")
#: Vendor seconds per real second: campaigns are over in a moment, but not at the first look.
SPEED = 1500.0
POLL_INTERVAL = 0.05
#: Real seconds after which a wait in reschedule mode counts as endless.
DEADLINE = 30.0

in_each_mode = pytest.mark.parametrize("mode", MODES)


def wait(launched: VendorUnderTest, campaign_id: str, mode: str, **arguments: Any) -> dict[str, Any]:
    """
    Wait with a sensor as Airflow runs it in one of the modes, and return the campaign.

    :param launched: The vendor under test.
    :param campaign_id: The campaign.
    :param mode: One of :data:`MODES`.
    :param arguments: Further arguments of the sensor.
    :raises Exception: What the sensor raises in the end.
    """
    create = launched.build()
    given = {
        "task_id": "wait",
        "campaign_id": campaign_id,
        "conn_id": create.conn_id,
        "hook_params": create.hook_params(),
        "poll_interval": POLL_INTERVAL,
        "deferrable": mode == "deferred",
        "mode": "reschedule" if mode == "reschedule" else "poke",
        **arguments,
    }
    context: Any = context_of(TaskInstance(task_id="wait"), None)
    if mode == "reschedule":
        return _rescheduled(given, context)
    try:
        campaign: dict[str, Any] = CampaignSensor(**given).execute(context)
        return campaign
    except TaskDeferred as deferred:
        event = event_of(deferred.trigger.serialize())
        return CampaignSensor(**given).execute_complete(context, event)


def _rescheduled(given: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Look again and again, each time with a sensor of its own, as each look is a process of its own."""
    need("reschedules that a sensor is told of and does not read from the database")
    # Airflow 3.1 has it nowhere else.
    from airflow.exceptions import AirflowRescheduleException

    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        try:
            campaign: dict[str, Any] = CampaignSensor(**given).execute(context)
            return campaign
        except AirflowRescheduleException:
            context["ti"].was_rescheduled()
            time.sleep(POLL_INTERVAL)
    raise TimeoutError(f"The wait did not end within {DEADLINE:g} s")


def event_of(stored: tuple[str, Mapping[str, Any]]) -> Any:
    """
    Run a trigger as a triggerer does, from what Airflow stores of it, and return what its first event holds.

    :param stored: The trigger's class path and arguments.
    """
    path, arguments = stored
    module, _, name = path.rpartition(".")
    trigger = getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))

    async def first() -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError("The trigger ended without an event.")

    return asyncio.run(first())


class WaitingModes(Suite):
    """A sensor gives the same result, or the same exception, in each mode, and changes nothing at the vendor."""

    @in_each_mode
    @pytest.mark.parametrize("until", ["sent", "finished"])
    def test_a_wait_ends_with_the_campaign_and_changes_nothing(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str, until: str
    ) -> None:
        task = self._launched(sandbox, launched)
        before = self._acts(task)
        campaign = wait(launched, self._id(task), mode, until=until)
        assert campaign["id"] == self._id(task)
        assert campaign["status"] in {"finished", until}
        assert campaign["vendor_status"] not in launched.sending_words
        assert self._acts(task) == before

    @in_each_mode
    def test_a_threshold_ends_the_wait_when_the_progress_has_reached_it(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str
    ) -> None:
        task = self._launched(sandbox, launched)
        campaign = wait(launched, self._id(task), mode, progress_threshold=50)
        assert campaign["progress"] >= 50

    @in_each_mode
    def test_a_vendor_in_trouble_does_not_end_a_wait(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str
    ) -> None:
        task = self._launched(sandbox, launched)
        task.lose(kind="error", times=12)
        assert wait(launched, self._id(task), mode)["status"] == "finished"

    @in_each_mode
    def test_a_status_that_is_not_known_does_not_end_a_wait(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str
    ) -> None:
        task = self._launched(sandbox, launched)
        task.lose(kind="unknown_status", value="hibernating")
        with pytest.raises(AirflowSensorTimeout):
            wait(launched, self._id(task), mode, timeout=0.5)

    @in_each_mode
    def test_a_wait_for_a_campaign_that_still_sends_times_out(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str
    ) -> None:
        # Slowly at first: on a busy machine the campaign must not end before its time stands still.
        task = self._launched(sandbox, launched, speed=10)
        sandbox.set_speed(0)
        with pytest.raises(AirflowSensorTimeout):
            wait(launched, self._id(task), mode, timeout=0.5)

    @in_each_mode
    @pytest.mark.parametrize(("soft", "raised"), [(False, CampaignRequestFailed), (True, AirflowSkipException)])
    def test_a_campaign_that_the_vendor_does_not_know_fails_the_wait_and_names_the_connection(
        self, sandbox: Sandbox, launched: VendorUnderTest, mode: str, soft: bool, raised: type[Exception]
    ) -> None:
        task = self._launched(sandbox, launched)
        campaign_id = self._id(task)
        sandbox.reset()
        with pytest.raises(raised, match=f"connection '{launched.build().conn_id}'"):
            wait(launched, campaign_id, mode, soft_fail=soft)

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_a_launch_that_waits_returns_the_id_and_its_receipt_tells_the_end(
        self, sandbox: Sandbox, launched: VendorUnderTest, deferrable: bool
    ) -> None:
        sandbox.set_speed(SPEED)
        task = Task(sandbox, launched, wait_until="finished", poll_interval=POLL_INTERVAL, deferrable=deferrable)
        ended = task.run()
        if deferrable:
            assert ended.trigger is not None
            ended = task.resume(ended, event=event_of(ended.trigger))
        assert (ended.outcome, ended.value) == ("success", self._id(task)), ended
        assert ended.receipt is not None
        assert ended.receipt["status"] == "finished"

    def _launched(self, sandbox: Sandbox, launched: VendorUnderTest, speed: float = SPEED) -> Task:
        sandbox.set_speed(speed)
        task = Task(sandbox, launched, stored=False)
        assert task.run().outcome == "success"
        return task

    def _id(self, task: Task) -> str:
        return str(task.campaigns[0]["id"])

    def _acts(self, task: Task) -> dict[str, int]:
        reading = {step.endpoint for step in task.launched.steps if step.reads}
        return {step.endpoint: task.requests[step.endpoint] for step in task.launched.steps} | dict.fromkeys(reading, 0)
