"""Each rule of the vendors' pages that the sandbox lists holds there, at the paces that the list says."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from at_altur import API_KEY, create, launched
from at_koreai import HOURS, SECRET, SMS, VOICE, numbers

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.pace import PACES
from airflow_provider_campaigns.sandbox.rules import RULES, Rule
from airflow_provider_campaigns.sandbox.server import Sandbox

DOCS = Path(__file__).parents[2] / "docs/guides"
HOUR, DAY = 3600.0, 86400.0
#: A Monday, five in the morning in Mexico City and eight in São Paulo.
MONDAY = datetime(2030, 6, 3, 11, tzinfo=UTC).timestamp()
LEADS = "https://files.example.com/leads.csv?leads=20"


class Stage:
    """
    A sandbox at one pace, its clock, and clients of it.

    :param sandbox: The server.
    :param clock: Its vendor time.
    :param pace: Its pace.
    :param closing: What closes the clients.
    """

    def __init__(self, sandbox: Sandbox, clock: ManualClock, pace: str, closing: ExitStack) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.pace = pace
        self._closing = closing

    @property
    def is_slow(self) -> bool:
        return self.pace == "vendor"

    @property
    def kinbox(self) -> KinboxClient:
        return self._closing.enter_context(KinboxClient("token", base_url=self.sandbox.base_url("kinbox")))

    @property
    def altur(self) -> AlturClient:
        url = self.sandbox.base_url("altur")
        return self._closing.enter_context(AlturClient(API_KEY, base_url=url, rate_limit=1000))

    def koreai(self, kind: str = "sms", version: str = "v1") -> KoreAIClient:
        return self._closing.enter_context(
            KoreAIClient(
                "cs-1",
                SECRET,
                app_id="st-1",
                account_id="a1",
                campaign_type=kind,
                api_version=version,
                base_url=self.sandbox.base_url("koreai"),
                rate_limit=1000,
            )
        )

    def campaigns(self, vendor: str) -> list[dict[str, Any]]:
        campaigns: list[dict[str, Any]] = self.sandbox.journal(vendor)["campaigns"]
        return campaigns

    def messages(self, vendor: str) -> int:
        return int(self.campaigns(vendor)[-1]["messages"])

    def statuses(self, vendor: str, steps: int, seconds: float) -> list[str]:
        """Return the words for the last campaign's status from now on, each change once."""
        seen = []
        for _ in range(steps):
            seen.append(self.campaigns(vendor)[-1]["status"])
            self.clock.advance(seconds)
        return [word for word, _ in itertools.groupby(seen)]


PROOFS: dict[tuple[str, str], Callable[[Stage], None]] = {}


def proves(vendor: str, says: str) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register what proves a rule; a rule of the pace ``vendor`` is also shown not to hold at the other."""

    def register(proof: Callable[[Stage], None]) -> Callable[[Stage], None]:
        PROOFS[vendor, says] = proof
        return proof

    return register


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, tuple[Sandbox, ManualClock]]]:
    with ExitStack() as stack:
        clocks = {pace: ManualClock(MONDAY) for pace in PACES}
        yield {
            pace: (stack.enter_context(Sandbox(clock=clock, enforce_limits=False, pace=pace)), clock)
            for pace, clock in clocks.items()
        }


@pytest.fixture
def stage(request: pytest.FixtureRequest, servers: dict[str, tuple[Sandbox, ManualClock]]) -> Iterator[Stage]:
    sandbox, clock = servers[request.param]
    sandbox.reset()
    clock.advance(MONDAY - clock.seconds())
    with ExitStack() as closing:
        yield Stage(sandbox, clock, request.param, closing)


@pytest.mark.parametrize("stage", PACES, indirect=True)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.vendor}: {rule.says}")
def test_what_the_sandbox_lists_as_a_rule_holds(rule: Rule, stage: Stage) -> None:
    PROOFS[rule.vendor, rule.says](stage)


def test_each_rule_is_proved_and_nothing_else() -> None:
    assert PROOFS.keys() == {(rule.vendor, rule.says) for rule in RULES}


@pytest.mark.parametrize("vendor", ["kinbox", "altur", "koreai"])
def test_the_vendors_page_lists_its_rules(vendor: str) -> None:
    page = (DOCS / f"sandbox_{vendor}.md").read_text()
    rows = {
        f"| {rule.says} | {'both' if rule.at_any_pace else '`vendor`'} |" for rule in RULES if rule.vendor == vendor
    }
    assert {line for line in page.splitlines() if line.endswith(("| both |", "| `vendor` |"))} == rows


# Kinbox


@proves("kinbox", "a campaign starts by itself, at `scheduledTo` if it has one")
def _(stage: Stage) -> None:
    stage.kinbox.create_campaign(name="Later", scheduled_to="2030-06-03T11:30:00Z", leads_asset_url=LEADS)
    stage.clock.advance(29 * 60)
    assert stage.campaigns("kinbox")[0]["status"] == "scheduled"
    stage.clock.advance(2 * 60)
    assert stage.campaigns("kinbox")[0]["starts"] == 1


@proves("kinbox", "a page has 1 to 100 campaigns")
def _(stage: Stage) -> None:
    url = stage.sandbox.base_url("kinbox") + "/v1/campaigns"
    for limit, status in ((0, 400), (1, 200), (100, 200), (101, 400)):
        answer = requests.get(url, {"limit": limit}, headers={"Authorization": "Bearer token"}, timeout=10)
        assert answer.status_code == status


@proves("kinbox", "a campaign without readable recipients ends as `failed`")
def _(stage: Stage) -> None:
    stage.kinbox.create_campaign(name="Nobody", lead_type="file")
    assert stage.statuses("kinbox", 3, 60) == ["processing", "failed"]


@proves("kinbox", "between two batches a campaign is `awaiting-chunk` for `secondsBetweenChunks`")
def _(stage: Stage) -> None:
    stage.kinbox.create_campaign(
        name="Two", leads_asset_url=LEADS, chunk_size=10, seconds_between_messages=1, seconds_between_chunks=100
    )
    stage.clock.advance(16)
    assert stage.statuses("kinbox", 10, 11) == ["awaiting-chunk", "executing"] or stage.messages("kinbox") == 20


@proves("kinbox", "out of its business hours a campaign is `awaiting-business-hours`")
def _(stage: Stage) -> None:
    # Eight in the morning; the hours begin at nine.
    stage.kinbox.create_campaign(
        name="Hours", leads_asset_url=LEADS, business_hours_id="office", seconds_between_messages=1800
    )
    stage.clock.advance(60)
    word = stage.campaigns("kinbox")[0]["status"]
    assert word == ("awaiting-business-hours" if stage.is_slow else "executing")
    if stage.is_slow:
        shown = stage.kinbox.get_campaign(stage.campaigns("kinbox")[0]["id"])
        assert shown.raw["nextScheduledTo"] == "2030-06-03T12:00:00.000Z"
        # Nine hours at two an hour are one day's work of 18; the others have theirs on Tuesday.
        stage.clock.advance(12 * HOUR)
        assert (stage.messages("kinbox"), stage.campaigns("kinbox")[0]["status"]) == (18, "awaiting-business-hours")
        stage.clock.advance(DAY)
        assert stage.messages("kinbox") == 20


@proves("kinbox", "while its channel sends another campaign, one is `awaiting-other-campaign`")
def _(stage: Stage) -> None:
    for name, channels in (("First", ["7"]), ("Other", ["8"]), ("Second", ["7", "9"])):
        stage.kinbox.create_campaign(
            name=name, channel_ids=channels, leads_asset_url=LEADS, seconds_between_messages=60
        )
    stage.clock.advance(60)
    words = [one["status"] for one in stage.campaigns("kinbox")]
    assert words == ["executing", "executing", "awaiting-other-campaign" if stage.is_slow else "executing"]
    stage.clock.advance(20 * 60)
    assert stage.messages("kinbox") == (0 if stage.is_slow else 20)
    stage.clock.advance(20 * 60)
    assert stage.messages("kinbox") == 20


@proves("kinbox", "replies are tracked for `trackMaxHours`, 96 by default, before `done`")
def _(stage: Stage) -> None:
    stage.kinbox.create_campaign(name="Tracked", leads_asset_url=LEADS)
    stage.clock.advance(95 * HOUR)
    assert stage.campaigns("kinbox")[0]["status"] == ("done-sent" if stage.is_slow else "done")
    stage.clock.advance(2 * HOUR)
    assert stage.campaigns("kinbox")[0]["status"] == "done"


# Altur


@proves("altur", "12 requests a second")
def _(stage: Stage) -> None:
    with Sandbox(vendors=["altur"], pace=stage.pace) as limited, requests.Session() as session:
        began, url = time.monotonic(), limited.base_url("altur") + "/campaigns"
        answers = [session.get(url, headers={"Authorization": "api-key k"}, timeout=10) for _ in range(60)]
        accepted = sum(answer.ok for answer in answers)
        assert 12 <= accepted <= 12 * (time.monotonic() - began + 1)
    assert {answer.status_code for answer in answers if not answer.ok} == {429}


@proves("altur", "an `Idempotency-Key` is answered with the first answer again")
def _(stage: Stage) -> None:
    body = {"name": "June", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
    headers = {"Authorization": "api-key k", "Idempotency-Key": "k1"}
    url = stage.sandbox.base_url("altur") + "/campaigns"
    first, again = (requests.post(url, json=body, headers=headers, timeout=10).json() for _ in range(2))
    assert first == again
    assert len(stage.campaigns("altur")) == 1


@proves("altur", "an action that the status does not allow is refused with 409")
def _(stage: Stage) -> None:
    url = f"{stage.sandbox.base_url('altur')}/campaigns/{launched(stage.altur).id}/activate"
    answer = requests.post(url, headers={"Authorization": "api-key k"}, timeout=10)
    assert (answer.status_code, answer.json()["current_status"]) == (409, "active")


@proves("altur", "a finished campaign is read-only")
def _(stage: Stage) -> None:
    campaign = create(stage.altur)
    stage.altur.start_campaign(campaign.id)
    with pytest.raises(errors.Conflict):
        stage.altur.update_campaign(campaign.id, name="July")


def _week(**days: tuple[str, str]) -> dict[str, Any]:
    return {day: {"startTime": begin, "stopTime": end, "active": True} for day, (begin, end) in days.items()}


@proves("altur", "a campaign that is off on all days calls nobody")
def _(stage: Stage) -> None:
    off = {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": False}}
    launched(stage.altur, scheduling=off)
    stage.clock.advance(30 * DAY)
    assert (stage.messages("altur"), stage.campaigns("altur")[0]["status"]) == (0, "active")


def _cycles(**more: Any) -> dict[str, Any]:
    return {"enabled": True, "mode": "scheduled", "max_iterations": 3, **more}


@proves("altur", "a campaign whose scheduled cycles are over calls nobody, and has finished")
def _(stage: Stage) -> None:
    week = _week(mon=("09:00", "18:00"))
    over = _cycles(schedule=week, schedule_start_date="2026-01-01", schedule_end_date="2026-05-31")
    launched(stage.altur, cycles=over)
    stage.clock.advance(7 * DAY)
    assert (stage.messages("altur"), stage.campaigns("altur")[0]["status"]) == (0, "finished")


@proves("altur", "a round of scheduled cycles begins when their week opens, within their dates")
def _(stage: Stage) -> None:
    week = _week(mon=("09:00", "18:00"), thu=("10:00", "18:00"))
    dates = {"schedule_start_date": "2030-06-03", "schedule_end_date": "2030-06-07"}
    campaign = launched(stage.altur, cycles=_cycles(schedule=week, **dates), timezone="UTC")
    stage.clock.advance(HOUR)
    assert stage.campaigns("altur")[0]["status"] == "cooldown"
    first = stage.messages("altur")
    assert first == 120
    stage.clock.advance(2 * DAY + 22 * HOUR - 60)
    assert stage.messages("altur") == first
    stage.clock.advance(10 * 60)
    assert stage.messages("altur") > first
    # The week would open again on Monday, after its last day.
    assert stage.altur.get_campaign(campaign.id).vendor_status == "finished"


@proves("altur", "a campaign sends in the hours of its active days, in its time zone")
def _(stage: Stage) -> None:
    # In Mexico City it is five in the morning.
    launched(stage.altur, scheduling=_week(mon=("06:00", "06:01"), wed=("06:00", "18:00")))
    stage.clock.advance(30 * 60)
    assert stage.messages("altur") == (0 if stage.is_slow else 120)
    stage.clock.advance(HOUR)
    # A minute's work of the five that a round takes.
    assert stage.messages("altur") == (24 if stage.is_slow else 120)
    stage.clock.advance(2 * DAY)
    assert stage.messages("altur") == 120


@proves("altur", "over WhatsApp at most `message_limit` messages go out a day")
def _(stage: Stage) -> None:
    launched(stage.altur, "whatsapp", number=3, message_limit=1, timezone="UTC")
    sent = []
    for _ in range(4):
        stage.clock.advance(10 * HOUR)
        sent.append(stage.messages("altur"))
        stage.clock.advance(14 * HOUR)
    assert sent == ([1, 2, 3, 3] if stage.is_slow else [3, 3, 3, 3])


# Kore.ai


@proves("koreai", "60 requests a minute for an account")
def _(stage: Stage) -> None:
    token = jwt.encode({"appId": "cs-1"}, SECRET, "HS256")
    headers = {"auth": token, "iid": "st-1", "accountid": "a1"}
    with Sandbox(vendors=["koreai"], pace=stage.pace) as limited, requests.Session() as session:
        url = limited.base_url("koreai") + "/agentassist/api/v1/public/st-1/campaign/getAllCampaignDetails"
        answers = [session.post(url, json={"type": "sms"}, headers=headers, timeout=10) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    # No page shows one.
    assert "retry-after" not in answers[-1].headers


@proves("koreai", "a contact list, flow, queue or do-not-call list that is not there is refused")
def _(stage: Stage) -> None:
    for field, value in (("contact_lists", ["Nowhere"]), ("dnc_list", "Unknown list")):
        with pytest.raises(errors.NotFound):
            stage.koreai(version="v2").create_campaign(**{**SMS, field: value})
    with pytest.raises(errors.NotFound):
        stage.koreai("voice").create_campaign(**{**VOICE, "experience_flow_name": "Unknown flow"})
    assert stage.campaigns("koreai") == []


def _list(stage: Stage, name: str, contacts: list[dict[str, Any]]) -> None:
    client = stage.koreai()
    client.create_contact_list(name, description="x")
    client.add_contacts(name, contacts)
    stage.clock.advance(2)


def _strategy(begin: str, end: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    hours = {"frequency": "WEEKLY", "timezone": zone, "days": [{"day": "MO", "start": begin, "end": end}]}
    return {**HOURS, "callingHours": hours, **more}


@proves("koreai", "two running campaigns cannot share a contact list")
def _(stage: Stage) -> None:
    client = stage.koreai()
    _list(stage, "Clinic", numbers(5))
    strategy = _strategy("9:00 AM", "6:00 PM")
    ids = [
        client.create_campaign(**{**SMS, "contact_lists": ["Clinic"], "dialing_strategy": strategy}).id for _ in "ab"
    ]
    client.start_campaign(ids[0])
    with pytest.raises(errors.CampaignAPIError, match="in use"):
        client.start_campaign(ids[1])


@proves("koreai", "a scheduled campaign cannot be started by hand")
def _(stage: Stage) -> None:
    client = stage.koreai()
    campaign = client.create_campaign(**SMS)
    _schedule(client, start=MONDAY + DAY, end=MONDAY + 9 * DAY)
    with pytest.raises(errors.CampaignAPIError, match="Scheduled"):
        client.start_campaign(campaign.id)


def _schedule(client: KoreAIClient, start: float, end: float) -> None:
    moments = (datetime.fromtimestamp(at, UTC) for at in (start, end))
    client.enable_schedule(SMS["name"], start=next(moments), end=next(moments), every_days=1)


@proves("koreai", "a run is over at the end of its schedule")
def _(stage: Stage) -> None:
    client = stage.koreai()
    client.create_campaign(**{**SMS, "dialing_strategy": _strategy("9:00 AM", "6:00 PM")})
    _schedule(client, start=MONDAY + HOUR, end=MONDAY + HOUR + 150)
    stage.clock.advance(HOUR + 100)
    assert stage.campaigns("koreai")[0]["status"] == "Active"
    stage.clock.advance(60)
    assert stage.campaigns("koreai")[0]["status"] == "Completed"
    assert stage.messages("koreai") == (2 if stage.is_slow else 60)


@proves("koreai", "a stop resets the figures")
def _(stage: Stage) -> None:
    client = stage.koreai()
    campaign = client.create_campaign(**{**SMS, "dialing_strategy": _strategy("9:00 AM", "6:00 PM")})
    client.start_campaign(campaign.id)
    stage.clock.advance(200)
    assert client.get_campaign(campaign.id).counts["sent"] > 0
    client.stop_campaign(campaign.id)
    assert client.get_campaign(campaign.id).counts["sent"] == 0


@proves("koreai", "one SMS a minute")
def _(stage: Stage) -> None:
    client = stage.koreai()
    campaign = client.create_campaign(**{**SMS, "dialing_strategy": _strategy("9:00 AM", "6:00 PM")})
    client.start_campaign(campaign.id)
    stage.clock.advance(10 * 60)
    assert stage.messages("koreai") == (10 if stage.is_slow else 120)
    stage.clock.advance(110 * 60)
    assert (stage.messages("koreai"), stage.campaigns("koreai")[0]["status"]) == (120, "Completed")


@proves("koreai", "contacts out of their calling hours are skipped, in their own time zone")
def _(stage: Stage) -> None:
    client = stage.koreai()
    # At eleven in London it is eight in São Paulo, and the window of a minute a week has passed in none but there.
    contacts = [
        {**one, "timeZone": zone} for one, zone in zip(numbers(3), ("", "America/Sao_Paulo", "UTC"), strict=True)
    ]
    _list(stage, "Clinic", contacts)
    strategy = _strategy("8:00 AM", "8:01 AM")
    campaign = client.create_campaign(**{**SMS, "contact_lists": ["Clinic"], "dialing_strategy": strategy})
    client.start_campaign(campaign.id)
    stage.clock.advance(HOUR)
    assert stage.campaigns("koreai")[0]["status"] == "Completed"
    assert client.get_campaign(campaign.id).counts["sent"] == (1 if stage.is_slow else 3)


@proves("koreai", "a call that fails is repeated after `defaultRetryPeriod`, up to `maxAttemptsPerRecord`")
def _(stage: Stage) -> None:
    client = stage.koreai("voice")
    _list(stage, "Clinic", numbers(20))
    calling = {"dialingOrder": "FIFO", "maxAttemptsPerRecord": 2, "defaultRetryPeriod": 60, "maxRingTime": 30}
    campaign = client.create_campaign(
        **{**VOICE, "contact_lists": ["Clinic"], "dialing_strategy": _strategy("9:00 AM", "6:00 PM", **calling)}
    )
    stage.clock.advance(10)
    client.start_campaign(campaign.id)
    stage.clock.advance(30 * 60)
    assert (stage.messages("koreai"), stage.campaigns("koreai")[0]["status"]) == (
        (20, "Active") if stage.is_slow else (20, "Completed")
    )
    stage.clock.advance(60 * 60)
    assert stage.campaigns("koreai")[0]["status"] == "Completed"
    tries = [result.attempts for result in client.list_contact_results(campaign.id)]
    assert sorted(tries) == ([1] * 17 + [2] * 3 if stage.is_slow else [1] * 20)
