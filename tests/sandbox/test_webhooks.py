"""The sandbox's Altur tells of its campaigns by webhook, and loses, doubles, delays and forges events on order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from at_altur import API_KEY, create, people
from post_office import eventually
from webhooks import SECRET, newer, older
from wire import Server

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def campaign_sandbox_server(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, enforce_limits=False) as server:
        yield server


class Receiver:
    """A receiver on this machine, which takes what it is told to take."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def url(self) -> str:
        return f"{self.server.url}/hooks"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.server.requests]

    def told(self) -> list[tuple[str, str]]:
        return [(one["event_type"].partition(".")[2], one["data"]["campaign"]["status"]) for one in self.events()]


@pytest.fixture
def receiver(serve: Callable[..., Server]) -> Receiver:
    return Receiver(serve())


@pytest.fixture
def altur(campaign_sandbox: Sandbox) -> Iterator[AlturClient]:
    with AlturClient(API_KEY, base_url=campaign_sandbox.base_url("altur"), rate_limit=1000) as client:
        yield client


def ready(client: AlturClient, **fields: Any) -> str:
    """Return a campaign that waits for its activation."""
    campaign = create(client, **fields)
    client.add_contacts(campaign.id, people(20))
    return campaign.id


def sent(sandbox: Sandbox, number: int) -> list[dict[str, Any]]:
    """Wait until so many events have had their answer."""

    def done() -> list[dict[str, Any]]:
        return [one for one in sandbox.webhook_events() if one["attempts"] or one["fault"] == "event_lost"]

    assert eventually(lambda: len(done()) >= number, 10), sandbox.webhook_events()
    return done()


@pytest.mark.parametrize(("scheme", "sign"), [("newer", newer), ("older", older)])
def test_each_change_of_a_status_is_told_with_a_signature(
    campaign_sandbox: Sandbox,
    clock: ManualClock,
    altur: AlturClient,
    receiver: Receiver,
    scheme: str,
    sign: Callable[[bytes], str],
) -> None:
    campaign_id = ready(altur)
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET, scheme)
    altur.start_campaign(campaign_id)
    sent(campaign_sandbox, 1)
    clock.advance(600)
    sent(campaign_sandbox, 2)
    about = [one["data"]["campaign"] for one in receiver.events()]
    # What had happened before anybody listened is not told.
    assert [(one["previous_status"], one["status"]) for one in about] == [("ready", "active"), ("active", "finished")]
    assert {one["campaign_id"] for one in campaign_sandbox.webhook_events()} == {int(campaign_id)}
    for one in receiver.server.requests:
        assert one.headers["x-altur-signature"] == sign(one.body)
    assert "analytics" in receiver.events()[-1]["data"]


def test_the_end_of_a_cycle_is_told(
    campaign_sandbox: Sandbox, clock: ManualClock, altur: AlturClient, receiver: Receiver
) -> None:
    campaign_id = ready(
        altur, cycles={"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 60}
    )
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET)
    altur.start_campaign(campaign_id)
    sent(campaign_sandbox, 1)
    clock.advance(600)
    sent(campaign_sandbox, 3)
    told = {one["event_type"]: one for one in receiver.events()[1:]}
    cycle = told["campaign.cycle_completed"]["data"]
    assert (cycle["cycle_iteration"], cycle["campaign"]["status"]) == (1, "cooldown")
    assert cycle["next_cycle_at"] > told["campaign.cycle_completed"]["occurred_at"]


@pytest.mark.parametrize(
    ("kind", "arrive"),
    [("event_lost", ["finished"]), ("event_doubled", ["active", "active", "finished"])],
)
def test_events_are_lost_and_doubled_on_order(
    campaign_sandbox: Sandbox,
    clock: ManualClock,
    altur: AlturClient,
    receiver: Receiver,
    kind: str,
    arrive: list[str],
) -> None:
    campaign_sandbox.order_fault(kind=kind, vendor="altur")
    campaign_id = ready(altur)
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET)
    altur.start_campaign(campaign_id)
    sent(campaign_sandbox, 1 if kind == "event_lost" else 2)
    clock.advance(600)
    events = sent(campaign_sandbox, len(arrive) + (kind == "event_lost"))
    assert [status for _, status in receiver.told()] == arrive
    assert events[0]["fault"] == kind
    if kind == "event_doubled":
        assert receiver.events()[0] == receiver.events()[1]


def test_a_late_event_is_overtaken(
    campaign_sandbox: Sandbox, clock: ManualClock, altur: AlturClient, receiver: Receiver
) -> None:
    campaign_sandbox.order_fault(kind="event_late", seconds=1.0)
    campaign_id = ready(altur)
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET)
    altur.start_campaign(campaign_id)
    # The order is used up once the event is on its way.
    assert eventually(
        lambda: requests.get(f"{campaign_sandbox.url}/_sandbox/faults", timeout=5).json()["faults"][0]["applied"]
    )
    clock.advance(600)
    sent(campaign_sandbox, 2)
    assert [status for _, status in receiver.told()] == ["finished", "active"]


def test_a_forged_event_comes_with_a_signature_of_somebody_else(
    campaign_sandbox: Sandbox, altur: AlturClient, receiver: Receiver
) -> None:
    campaign_sandbox.order_fault(kind="event_forged")
    campaign_id = ready(altur)
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET)
    altur.start_campaign(campaign_id)
    sent(campaign_sandbox, 2)
    fit = [one.headers["x-altur-signature"] == newer(one.body) for one in receiver.server.requests]
    assert fit == [False, True]


def test_an_event_that_nobody_takes_is_sent_five_times_more(
    campaign_sandbox: Sandbox, altur: AlturClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_campaigns.sandbox.webhooks.FIRST_PAUSE_SECONDS", 0.01)
    # The sandbox itself answers 404 there.
    campaign_id = ready(altur)
    campaign_sandbox.send_webhooks("altur", f"{campaign_sandbox.url}/nobody", SECRET)
    altur.start_campaign(campaign_id)
    assert eventually(lambda: [one["attempts"] for one in campaign_sandbox.webhook_events()] == [6], 10)
    assert campaign_sandbox.webhook_events()[0]["status"] == 404


def test_a_reset_ends_webhooks_and_no_secret_is_shown(campaign_sandbox: Sandbox, receiver: Receiver) -> None:
    campaign_sandbox.send_webhooks("altur", receiver.url, SECRET)
    control = f"{campaign_sandbox.url}/_sandbox/webhooks"
    told = requests.get(control, timeout=5)
    assert told.json()["webhooks"] == [{"vendor": "altur", "url": receiver.url, "scheme": "newer"}]
    assert SECRET not in told.text
    campaign_sandbox.reset()
    assert requests.get(control, timeout=5).json() == {"webhooks": [], "events": []}


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        ({"vendor": "kinbox"}, "vendor: must be one of altur"),
        ({"url": "http://example.com/x"}, "url: must be http on this machine"),
        ({"url": "https://127.0.0.1/x"}, "url: must be http on this machine"),
        ({"scheme": "oldest"}, "scheme: must be one of newer, older"),
        ({"secret": ""}, "must be texts"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(campaign_sandbox: Sandbox, order: dict[str, str], problem: str) -> None:
    given = {"vendor": "altur", "url": "http://127.0.0.1:1/x", "secret": SECRET, **order}
    with pytest.raises(ValueError, match=problem):
        campaign_sandbox.send_webhooks(**given)
