"""The triggers that wait for a name and for several campaigns: stored and restored, sharing looks, ended by time."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from acted_upon import altur_campaign, koreai_campaign

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.triggers.campaign_group import CampaignGroupTrigger
from airflow_provider_campaigns.triggers.campaign_name import CampaignNameTrigger

HOOKS = "airflow_provider_campaigns.hooks"
NAMED: dict[str, Any] = {
    "conn_id": "kinbox_default",
    "hook_class": f"{HOOKS}.kinbox.KinboxHook",
    "campaign_name": "Winter*",
    "since": 1_790_000_000.0,
    "match": "newest",
    "hook_params": None,
    "poll_interval": 0.2,
    "deadline": None,
    "patience": 60.0,
}


def named(**changes: Any) -> CampaignNameTrigger:
    return CampaignNameTrigger(**{**NAMED, "since": None, **changes})


def several(*campaign_ids: str, **changes: Any) -> CampaignGroupTrigger:
    given = {"conn_id": "kinbox_default", "hook_class": f"{HOOKS}.kinbox.KinboxHook", "poll_interval": 0.2}
    return CampaignGroupTrigger(campaign_ids=list(campaign_ids), **{**given, **changes})


async def first_event(one: Any) -> dict[str, Any]:
    async for event in one.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("The trigger ended without an event.")


def test_they_come_back_from_storage_as_they_were() -> None:
    for one in (CampaignNameTrigger(**NAMED), several("1", "2", wait_for="any", brake=0.25, on_kill="pause")):
        path, arguments = one.serialize()
        assert path == f"{type(one).__module__}.{type(one).__name__}"
        stored = json.loads(json.dumps(arguments))
        assert type(one)(**stored).serialize() == (path, arguments)


def test_many_that_wait_for_names_on_one_connection_look_through_the_list_together(campaign_sandbox: Sandbox) -> None:
    names = [f"Winter {number}" for number in range(30)]
    for name in names:
        KinboxHook().create_campaign(name=name)

    async def all_found() -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(first_event(named(campaign_name=name)) for name in names)))

    events = asyncio.run(all_found())
    assert [event["campaign"]["name"] for event in events] == names
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"]["list_campaigns"] < 10


def test_several_of_a_name_end_the_search_that_wants_the_only_one(campaign_sandbox: Sandbox) -> None:
    first, second = (KinboxHook().create_campaign(name="Winter sale").id for _ in range(2))
    ambiguous = asyncio.run(first_event(named(match="only")))
    assert ambiguous["reason"] == "ambiguous"
    assert first in ambiguous["message"]
    assert second in ambiguous["message"]
    assert asyncio.run(first_event(named(match="newest")))["campaign"]["id"] == second


@pytest.mark.parametrize("vendor", ["kinbox", "altur", "koreai"])
def test_only_campaigns_that_are_new_enough_count_at_each_vendor(vendor: str, campaign_sandbox: Sandbox) -> None:
    hook: Any = {"kinbox": KinboxHook, "altur": AlturHook, "koreai": KoreAIHook}[vendor]()
    made = {"altur": altur_campaign, "koreai": koreai_campaign}.get(vendor, lambda: hook.create_campaign(name="W").id)()
    client = hook.get_conn()
    created = next(client.created_at(one) for one in client.created_since(None) if one.id == made)
    given = {"conn_id": f"{vendor}_default", "hook_class": hook.class_path, "campaign_name": "W"}
    found = asyncio.run(first_event(named(**given, since=created.timestamp())))
    assert found["campaign"]["id"] == made
    late = asyncio.run(first_event(named(**given, since=created.timestamp() + 60, deadline=time.time() + 0.5)))
    assert late["reason"] == "timeout"
    assert "created since" in late["message"]


def test_what_ends_by_time_is_dealt_with_for_each_of_several(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    ids = [KinboxHook().create_campaign(name="W").id for _ in range(3)]
    event = asyncio.run(first_event(several(*ids, deadline=time.time() + 0.5, on_kill="pause")))
    assert event["reason"] == "timeout"
    assert [one["reached"] for one in event["campaign"]["campaigns"]] == [False] * 3
    assert {KinboxHook().get_campaign(one).status.value for one in ids} == {"paused"}


def test_one_that_is_unknown_ends_the_wait_for_all_and_not_that_for_any(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(100_000)
    known, unknown = KinboxHook().create_campaign(name="W").id, "674c1a2be4b0a1c2d3e4f501"
    assert asyncio.run(first_event(several(known, unknown, wait_for="any")))["reason"] == "met"
    lost = asyncio.run(first_event(several(known, unknown)))
    assert lost["reason"] == "refused"
    assert unknown in lost["message"]
