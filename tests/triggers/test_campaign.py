"""The trigger of a deferred wait: stored and restored, ended by the vendor, by time and by people."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

import pytest
from task_states import Say

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

HOOK = "airflow_provider_campaigns.hooks.kinbox.KinboxHook"


def trigger(campaign_id: str, **changes: Any) -> CampaignTrigger:
    arguments = {"conn_id": "kinbox_default", "hook_class": HOOK, "campaign_id": campaign_id, "poll_interval": 0.2}
    return CampaignTrigger(**{**arguments, **changes})


async def first_event(one: CampaignTrigger) -> dict[str, Any]:
    async for event in one.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("The trigger ended without an event.")


def test_it_comes_back_from_storage_as_it_was() -> None:
    need("airflow.sdk.serde")
    from airflow.sdk import serde

    one = trigger(
        "7",
        until="sent",
        deadline=1_900_000_000.5,
        patience=60.0,
        hook_params={"campaign_type": "voice"},
        stall_timeout=30.0,
        brake=0.25,
        on_kill="pause",
    )
    path, arguments = one.serialize()
    restored = CampaignTrigger(**serde.deserialize(serde.serialize(arguments)))
    assert path == "airflow_provider_campaigns.triggers.campaign.CampaignTrigger"
    assert restored.serialize() == one.serialize()


def test_its_arguments_are_plain_json() -> None:
    arguments = trigger("7", hook_params={"campaign_type": "voice"}, brake=0.25).serialize()[1]
    assert json.loads(json.dumps(arguments)) == arguments


#: What is in the database of an Airflow that has run until now. Never change it; add what comes after.
STORED = {
    "conn_id": "kinbox_default",
    "hook_class": HOOK,
    "campaign_id": "7",
    "until": "sent",
    "progress_threshold": 40.0,
    "poll_interval": 30.0,
    "deadline": 1_900_000_000.5,
    "patience": 60.0,
    "hook_params": {"campaign_type": "voice"},
    "stall_timeout": 30.0,
    "min_delivered_ratio": None,
    "max_failed_ratio": None,
    "brake": 0.25,
    "on_kill": "pause",
    "refusals": 1,
}


def test_what_is_stored_today_loads_and_is_stored_again_as_it_was() -> None:
    path, arguments = CampaignTrigger(**STORED).serialize()  # type: ignore[arg-type]
    assert path == "airflow_provider_campaigns.triggers.campaign.CampaignTrigger"
    assert arguments.items() >= STORED.items()


@pytest.mark.parametrize("name", [name for name in STORED if name not in ("conn_id", "hook_class", "campaign_id")])
def test_an_argument_that_was_not_stored_has_its_default(name: str) -> None:
    stored = {key: value for key, value in STORED.items() if key != name}
    default = CampaignTrigger(conn_id="c", hook_class=HOOK, campaign_id="7").serialize()[1][name]
    assert CampaignTrigger(**stored).serialize()[1][name] == default  # type: ignore[arg-type]


def test_an_argument_that_nobody_knows_fails_this_trigger_alone() -> None:
    # A TypeError of the constructor is what Airflow's triggerer takes so; anything else ends it with all triggers.
    with pytest.raises(TypeError, match="has no argument of_tomorrow"):
        CampaignTrigger(**STORED, of_tomorrow=1)  # type: ignore[arg-type]


def test_terms_that_make_no_sense_any_more_are_an_outcome() -> None:
    event = asyncio.run(first_event(trigger("7", poll_interval=-1)))
    assert event["reason"] == "refused"
    assert "poll_interval must be above 0" in event["message"]


def test_what_an_older_version_stored_is_still_understood() -> None:
    stored = {"conn_id": "kinbox_default", "hook_class": HOOK, "campaign_id": "7"}
    assert CampaignTrigger(**stored).serialize()[1]["on_kill"] == "leave"


def test_it_holds_no_secret(campaign_sandbox: Sandbox) -> None:
    one = trigger(KinboxHook().create_campaign(name="W").id)
    asyncio.run(first_event(one))
    assert "sandbox-token" not in f"{one.serialize()!r} {one!r} {vars(one)!r}"


def test_it_yields_the_campaign_that_reached_the_goal(campaign_sandbox: Sandbox) -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    event = asyncio.run(first_event(trigger(campaign_id)))
    assert event["reason"] == "met"
    assert event["campaign"]["id"] == campaign_id
    assert event["campaign"]["status"] == "finished"


def test_a_deadline_that_passed_while_no_triggerer_ran_still_gets_its_look(campaign_sandbox: Sandbox) -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    campaign_sandbox.set_speed(1_000_000)
    time.sleep(0.05)
    event = asyncio.run(first_event(trigger(campaign_id, deadline=time.time() - 3600)))
    assert event["reason"] == "met"


def test_a_connection_that_is_wrong_ends_the_wait_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", '{"conn_type": "kinbox"}')
    event = asyncio.run(first_event(trigger("7", conn_id="tried")))
    assert event["reason"] == "refused"
    assert "'tried' has no password" in event["message"]


async def run_for_a_while(one: CampaignTrigger) -> None:
    task = asyncio.create_task(first_event(one))
    await asyncio.sleep(0.6)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize(("policy", "status"), [("leave", "executing"), ("pause", "paused")])
def test_a_kill_by_a_user_does_what_the_policy_says(
    policy: str, status: str, campaign_sandbox: Sandbox, airflow_says: Say
) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    one = trigger(campaign_id, on_kill=policy)
    airflow_says("failed")

    async def killed() -> None:
        await run_for_a_while(one)
        await one.on_kill()

    asyncio.run(killed())
    assert KinboxHook().get_campaign(campaign_id).vendor_status == status


@pytest.mark.parametrize("state", [None, "scheduled", "running", "deferred", "success", "unheard-of"])
def test_what_is_no_end_for_good_leaves_the_campaign_alone_and_says_so(
    state: str | None, campaign_sandbox: Sandbox, airflow_says: Say, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    one = trigger(campaign_id, on_kill="pause")
    one._log = logging.getLogger("trigger")
    airflow_says(state)
    asyncio.run(one.on_kill())
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"].get("pause_campaign", 0) == 0
    assert f"Campaign {campaign_id} is left alone: its task" in caplog.text


def test_a_pause_survives_being_canceled_again_and_again_and_is_logged_before_the_trigger_ends(
    campaign_sandbox: Sandbox, airflow_says: Say, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    campaign_sandbox.order_fault(vendor="kinbox", endpoint="pause_campaign", kind="slow", seconds=1)
    one = trigger(campaign_id, on_kill="pause")
    one._log = logging.getLogger("trigger")
    caplog.set_level("INFO")
    airflow_says("failed")

    async def as_airflow_runs_it() -> None:
        try:
            await first_event(one)
        except asyncio.CancelledError:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(one.on_kill(), timeout=30)
            raise
        finally:
            with contextlib.suppress(Exception):
                await one.cleanup()

    async def killed() -> None:
        task = asyncio.create_task(as_airflow_runs_it())
        await asyncio.sleep(0.6)
        # Airflow's triggerer cancels once a second until the trigger is gone.
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.1)
        assert task.cancelled()
        assert f"Campaign {campaign_id} was paused" in caplog.text

    asyncio.run(killed())
    assert KinboxHook().get_campaign(campaign_id).vendor_status == "paused"


def test_a_restart_of_the_triggerer_leaves_the_campaign_alone(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    one = trigger(campaign_id, on_kill="pause")

    async def restarted() -> None:
        await run_for_a_while(one)
        await one.cleanup()

    asyncio.run(restarted())
    assert KinboxHook().get_campaign(campaign_id).vendor_status == "executing"


def test_a_timeout_does_what_the_policy_says(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    event = asyncio.run(first_event(trigger(campaign_id, on_kill="pause", deadline=time.time() + 0.7)))
    assert event["reason"] == "timeout"
    assert event["message"].endswith("It was paused.")
    assert KinboxHook().get_campaign(campaign_id).vendor_status == "paused"


def test_a_timeout_that_leaves_the_campaign_alone_says_so(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    campaign_id = KinboxHook().create_campaign(name="W").id
    event = asyncio.run(first_event(trigger(campaign_id, deadline=time.time() + 0.3)))
    assert event["message"].endswith("It goes on.")


def test_a_hold_that_fails_is_not_raised_over_the_outcome(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    campaign_sandbox.order_fault(
        vendor="kinbox", endpoint="pause_campaign", kind="error", status=400, times=None, effect=False
    )
    event = asyncio.run(first_event(trigger(campaign_id, on_kill="pause", deadline=time.time() + 0.7)))
    assert event["reason"] == "timeout"
    assert event["message"].endswith("It could not be paused and may go on.")


def test_the_brake_pauses_a_campaign_that_fails_too_often(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(100)
    client = AlturHook().get_conn()
    made = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    rows = [{"contact": f"+5255500{number:05d}"} for number in range(100)]
    client.add_contacts(made.id, rows)  # type: ignore[attr-defined]
    client.start_campaign(made.id)
    event = asyncio.run(
        first_event(
            trigger(
                made.id,
                conn_id="altur_default",
                hook_class="airflow_provider_campaigns.hooks.altur.AlturHook",
                brake=0.0,
                poll_interval=0.05,
            )
        )
    )
    assert event["reason"] == "brake"
    assert client.get_campaign(made.id, progress=False).vendor_status == "inactive"


def test_a_campaign_that_stands_still_is_told(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    time.sleep(0.5)
    campaign_sandbox.order_fault(vendor="kinbox", kind="stall")
    event = asyncio.run(first_event(trigger(campaign_id, stall_timeout=0.8)))
    assert event["reason"] == "stalled"
