"""A wait looks at once when it is told that something has happened, and never believes more than that."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.wait import wakeups
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.outcome import Reason
from airflow_provider_campaigns.wait.poller import Poller
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms
from airflow_provider_campaigns.wait.wakeups import Bell, bell_of, campaigns_since, with_campaign


def test_the_last_campaigns_are_noted_and_no_more() -> None:
    noted = None
    for number in range(300):
        noted = with_campaign(noted, str(number), float(number + 1))
    assert list(campaigns_since(noted, 0.0)) == [str(number) for number in range(100, 300)]
    assert campaigns_since(noted, 298.0) == {"298": 299.0, "299": 300.0}
    assert campaigns_since(with_campaign(noted, "150", 500.0), 300.0) == {"150": 500.0}


@pytest.mark.parametrize("text", [None, "", "nonsense", "[]", "7", '{"1": "x", "2": null, "3": true}'])
def test_a_note_that_somebody_spoilt_wakes_nobody_and_is_written_anew(text: str | None) -> None:
    assert campaigns_since(text, 0.0) == {}
    assert campaigns_since(with_campaign(text, "1", 5.0), 0.0) == {"1": 5.0}


def test_a_connection_whose_webhooks_are_not_received_has_no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bell_of("altur_default") is None
    monkeypatch.setenv("AIRFLOW__CAMPAIGNS__ALTUR_WEBHOOKS", '{"altur_default": "altur_webhook"}')
    assert bell_of("altur_default") is not None
    assert bell_of("altur_other") is None
    monkeypatch.setenv("AIRFLOW__CAMPAIGNS__ALTUR_WEBHOOKS", "nonsense")
    assert bell_of("altur_default") is None


class Noted:
    """A Variable that changes with each look."""

    def __init__(self, *texts: str | Exception) -> None:
        self.texts = list(texts)

    def get(self, name: str, default: str) -> str:
        text = self.texts.pop(0) if self.texts else default
        if isinstance(text, Exception):
            raise text
        return text


def heard(monkeypatch: pytest.MonkeyPatch, *texts: str | Exception) -> list[set[str]]:
    noted, rung = Noted(*texts), []
    monkeypatch.setattr(wakeups, "Variable", noted)
    monkeypatch.setattr(wakeups, "RING_SECONDS", 0.0)

    async def run() -> None:
        listening = asyncio.create_task(Bell("altur_default").listen(lambda ids: rung.append(set(ids))))
        while noted.texts:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        listening.cancel()

    asyncio.run(run())
    return rung


def test_each_event_rings_once_whatever_the_clocks_of_the_machines_say(monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = time.time() - 86_400
    first = json.dumps({"1": long_ago})
    second = json.dumps({"1": long_ago, "2": long_ago + 1})
    assert heard(monkeypatch, first, first, second, second) == [{"2"}]
    assert heard(monkeypatch, json.dumps({"1": time.time()}), first) == [{"1"}]


def test_a_note_that_cannot_be_read_is_no_reason_to_stop_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard(monkeypatch, OSError("away"), json.dumps({"1": time.time()})) == [{"1"}]


class AtOnce(Bell):
    """Rings for a campaign as soon as it was looked at once."""

    def __init__(self, sandbox: Sandbox, *campaign_ids: str) -> None:
        super().__init__("kinbox_default")
        self._sandbox = sandbox
        self._ids = campaign_ids

    async def listen(self, wake: Any) -> None:
        while looks(self._sandbox) < 1:
            await asyncio.sleep(0.05)
        self._sandbox.set_speed(100_000)
        await asyncio.sleep(0.1)
        wake(self._ids)
        await asyncio.sleep(3600)


def looks(sandbox: Sandbox) -> int:
    return int(sandbox.journal("kinbox")["counts"].get("kinbox", {}).get("get_campaign", 0))


def wait_for(sandbox: Sandbox, campaign_id: str, *woken: str) -> Any:
    async def connect() -> Any:
        return KinboxHook().get_conn()

    async def run() -> Any:
        poller = Poller(connect, lambda: None, AtOnce(sandbox, *woken))
        terms = Terms(Goal(), 3600.0, time.time() + 8.0)
        return await poller.wait(WaitState(campaign_id, terms, time.time()))

    return asyncio.run(run())


def test_a_wait_that_is_woken_looks_and_ends_long_before_its_interval(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    campaign_id = KinboxHook().create_campaign(name="Natal").id
    outcome = wait_for(campaign_sandbox, campaign_id, campaign_id)
    assert outcome.reason is Reason.MET
    assert looks(campaign_sandbox) == 2
