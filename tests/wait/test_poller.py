"""The shared poller: one look for many waits, against the sandbox over real HTTP."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.api.transport import Transport
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.poller import Poller, active_pollers, shared_poller
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms
from airflow_provider_campaigns.wait.ticks import NEWCOMERS_SECONDS

# It knows nothing of Airflow but the hook that it is given.
pytestmark = pytest.mark.thorough

Connect = Callable[[], Coroutine[Any, Any, CampaignClient]]


def connecting(client: Callable[[], CampaignClient]) -> Connect:
    async def connect() -> CampaignClient:
        return client()

    return connect


def watch(campaign_id: str, *, interval: float = 0.2, timeout: float = 30.0, **goal: Any) -> WaitState:
    now = time.time()
    return WaitState(campaign_id, Terms(Goal(**goal), interval, now + timeout), now)


def kinbox() -> KinboxClient:
    client = KinboxHook().get_conn()
    assert isinstance(client, KinboxClient)
    client.transport._sleep = lambda seconds: None
    return client


def altur() -> AlturClient:
    client = AlturHook().get_conn()
    assert isinstance(client, AlturClient)
    client.transport._sleep = lambda seconds: None
    return client


def waits(client: Callable[[], CampaignClient], *watches: WaitState) -> list[Outcome]:
    async def run() -> list[Outcome]:
        poller = shared_poller("key", connecting(client))
        outcomes = await asyncio.gather(*(poller.wait(one) for one in watches))
        assert not active_pollers()
        return outcomes

    return asyncio.run(run())


def lists(sandbox: Sandbox, vendor: str) -> int:
    return int(sandbox.journal(vendor)["counts"].get(vendor, {}).get("list_campaigns", 0))


def test_many_waits_are_served_by_the_list_and_each_gets_its_campaign(campaign_sandbox: Sandbox) -> None:
    # All finish at once: of a few that were left, each would be asked for by its id.
    campaign_sandbox.set_speed(0)
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(60)]
    campaign_sandbox.set_speed(600)
    before = len(campaign_sandbox.journal("kinbox")["requests"])
    outcomes = waits(kinbox, *(watch(campaign_id) for campaign_id in ids))
    assert [outcome.campaign and outcome.campaign["id"] for outcome in outcomes] == ids
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}
    counts = campaign_sandbox.journal("kinbox")["counts"]["kinbox"]
    assert counts.get("get_campaign", 0) == 0
    assert len(campaign_sandbox.journal("kinbox")["requests"]) - before < 60


def test_a_wait_that_is_canceled_takes_nobody_along(campaign_sandbox: Sandbox) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(3)]

    async def run() -> list[Any]:
        poller = shared_poller("key", connecting(kinbox))
        tasks = [asyncio.create_task(poller.wait(watch(campaign_id))) for campaign_id in ids]
        await asyncio.sleep(0.3)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(run())
    assert isinstance(first, asyncio.CancelledError)
    assert [outcome.reason for outcome in others] == [Reason.MET, Reason.MET]


def test_nothing_is_asked_when_nobody_waits_and_no_thread_stays(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    campaign_id = KinboxHook().create_campaign(name="W").id

    async def run() -> tuple[int, int]:
        poller = shared_poller("key", connecting(kinbox))
        task = asyncio.create_task(poller.wait(watch(campaign_id)))
        await asyncio.sleep(0.6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.3)
        seen = len(campaign_sandbox.journal("kinbox")["requests"])
        await asyncio.sleep(1.0)
        return seen, len(campaign_sandbox.journal("kinbox")["requests"])

    before, after = asyncio.run(run())
    assert before == after
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any("campaign-poller" in one.name for one in threading.enumerate()):
        time.sleep(0.05)
    assert not [one.name for one in threading.enumerate() if "campaign-poller" in one.name]


def test_a_late_joiner_comes_into_step_with_those_who_wait_already(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(8)]

    async def run() -> None:
        poller = shared_poller("key", connecting(kinbox))
        tasks = []
        for campaign_id in ids:
            tasks.append(asyncio.create_task(poller.wait(watch(campaign_id, interval=1))))
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    # Eight waits over five seconds would be forty looks of their own; together they are one page of the list each.
    requests = campaign_sandbox.journal("kinbox")["counts"]["kinbox"]
    assert 3 <= requests["list_campaigns"] <= 8
    assert requests.get("get_campaign", 0) <= 5


def test_waits_for_a_status_never_pay_for_figures(campaign_sandbox: Sandbox) -> None:
    client = AlturHook().get_conn()
    assert isinstance(client, AlturClient)
    ids = []
    for number in range(5):
        fields = {"name": f"W{number}", "agent_id": "a", "integration_id": "i", "integration_type": "whatsapp"}
        made = client.create_campaign(**fields, template="t")  # type: ignore[arg-type]
        client.add_contacts(made.id, [{"contact": f"+52555000000{number}"}])
        client.activate_campaign(made.id)
        ids.append(made.id)
    outcomes = waits(altur, *(watch(campaign_id) for campaign_id in ids))
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}
    assert "list_contacts" not in campaign_sandbox.journal("altur")["counts"]["altur"]


def test_two_waits_of_different_needs_share_the_connection_and_both_end(campaign_sandbox: Sandbox) -> None:
    client = AlturHook().get_conn()
    assert isinstance(client, AlturClient)
    made = client.create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    client.add_contacts(made.id, [{"contact": f"+5255500{number:05d}"} for number in range(20)])
    client.activate_campaign(made.id)
    half, whole = waits(altur, watch(made.id, progress_threshold=50.0), watch(made.id))
    assert half.reason is Reason.MET
    assert whole.reason is Reason.MET
    assert half.campaign is not None
    assert half.campaign["progress"] >= 50


def test_each_interval_is_kept_for_itself(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(2)]

    async def run() -> None:
        poller = shared_poller("key", connecting(kinbox))
        often = asyncio.create_task(poller.wait(watch(ids[0], interval=0.3)))
        seldom = asyncio.create_task(poller.wait(watch(ids[1], interval=60)))
        await asyncio.sleep(2.5)
        for task in (often, seldom):
            task.cancel()
        await asyncio.gather(often, seldom, return_exceptions=True)

    asyncio.run(run())
    paths = [request["path"] for request in campaign_sandbox.journal("kinbox")["requests"]]
    assert sum(path.endswith(ids[0]) for path in paths) >= 4
    assert sum(path.endswith(ids[1]) for path in paths) <= 2


@pytest.mark.parametrize("kind", ["error", "reset", "html", "cut_off", "rate_limited"])
def test_a_look_that_fails_is_only_a_look_that_fails(kind: str, campaign_sandbox: Sandbox) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(3)]
    campaign_sandbox.order_fault(vendor="kinbox", endpoint="*", kind=kind, times=9, retry_after=0)
    outcomes = waits(kinbox, *(watch(campaign_id) for campaign_id in ids))
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}


def test_a_campaign_that_is_not_there_ends_its_own_wait_only(campaign_sandbox: Sandbox) -> None:
    there = KinboxHook().create_campaign(name="W").id
    gone, met = waits(kinbox, watch("674c1a2be4b0a1c2d3e4f501"), watch(there))
    assert gone.reason is Reason.REFUSED
    assert "knows no campaign" in gone.message
    assert met.reason is Reason.MET


class Stumbling(KinboxClient):
    """A client to which the answer about one campaign is an answer that nobody expected."""

    odd: str

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        campaign = super().get_campaign(campaign_id, progress=progress)
        if campaign_id == self.odd:
            raise self.error
        return campaign

    error: Exception = TypeError("unhashable type: 'dict'")


def stumbling(sandbox: Sandbox, odd: str, error: Exception) -> KinboxClient:
    client = Stumbling("token", base_url=sandbox.base_url("kinbox"))
    client.transport._sleep = lambda seconds: None
    client.odd, client.error = odd, error
    return client


def vendor_error(kind: type[errors.CampaignAPIError], **more: Any) -> errors.CampaignAPIError:
    return kind("odd", vendor="Kinbox", endpoint="GET /v1/campaigns/{campaign_id}", **more)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TypeError("unhashable type: 'dict'"), Reason.TIMEOUT),
        (vendor_error(errors.UnreadableAnswer), Reason.TIMEOUT),
        (vendor_error(errors.Unavailable, status=500), Reason.TIMEOUT),
        (vendor_error(errors.Rejected, status=422), Reason.REFUSED),
        (vendor_error(errors.PermissionDenied, status=403), Reason.REFUSED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_goes_wrong_with_one_campaign_is_that_campaign_s_failed_look(
    error: Exception, reason: Reason, campaign_sandbox: Sandbox
) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(4)]
    odd, *others = waits(
        lambda: stumbling(campaign_sandbox, ids[0], error),
        *(watch(campaign_id, timeout=2.0 if campaign_id == ids[0] else 30.0) for campaign_id in ids),
    )
    assert {outcome.reason for outcome in others} == {Reason.MET}
    assert odd.reason is reason


def test_an_id_that_is_none_ends_its_own_wait_among_many(campaign_sandbox: Sandbox) -> None:
    client = AlturHook().get_conn()
    assert isinstance(client, AlturClient)
    campaign_sandbox.set_speed(1_000_000)
    ids = []
    for number in range(25):
        made = client.create_campaign(
            name=f"W{number}", agent_id="a", integration_id="i", integration_type="phone_call"
        )
        client.add_contacts(made.id, [{"contact": f"+52555000{number:04d}"}])
        client.activate_campaign(made.id)
        ids.append(made.id)
    odd, *others = waits(altur, watch("not-a-number"), *(watch(campaign_id) for campaign_id in ids))
    assert {outcome.reason for outcome in others} == {Reason.MET}
    assert odd.reason is Reason.REFUSED
    assert "not-a-number" in odd.message


class Counted(AlturClient):
    """A client that notes for which campaigns figures were asked, and takes its time for each."""

    slow = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: list[str] = []

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        if progress:
            self.asked.append(campaign_id)
            time.sleep(self.slow)
        return super().get_campaign(campaign_id, progress=progress)


def called(sandbox: Sandbox, campaigns: int, people: int) -> tuple[Counted, list[str]]:
    client = Counted("token", base_url=sandbox.base_url("altur"), rate_limit=1000)
    ids = []
    for number in range(campaigns):
        made = client.create_campaign(
            name=f"W{number}", agent_id="a", integration_id="i", integration_type="phone_call"
        )
        client.add_contacts(made.id, [{"contact": f"+52555{place:07d}"} for place in range(people)])
        client.activate_campaign(made.id)
        ids.append(made.id)
    return client, ids


def watched_for(client: Counted, seconds: float, *watches: WaitState) -> list[Outcome | None]:
    async def run() -> list[Outcome | None]:
        poller = shared_poller("key", connecting(lambda: client))
        tasks = [asyncio.create_task(poller.wait(one)) for one in watches]
        await asyncio.sleep(seconds)
        outcomes = [task.result() if task.done() else None for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes

    return asyncio.run(run())


def test_waits_for_a_percentage_far_away_look_at_the_list_and_seldom_at_figures(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    client, ids = called(campaign_sandbox, 6, 900)
    watched_for(client, 6.0, *(watch(campaign_id, interval=0.3, progress_threshold=90.0) for campaign_id in ids))
    # Twenty looks; the figures of a campaign of hours are wanted in the first of them and then less and less.
    assert lists(campaign_sandbox, "altur") >= 10
    assert len(ids) <= len(client.asked) <= 12 * len(ids)


def test_an_end_is_judged_by_figures_that_were_asked_for(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(100_000)
    client, ids = called(campaign_sandbox, 5, 20)
    gates = Gates(max_failed_ratio=1.0)
    now = time.time()
    waits_ = [WaitState(campaign_id, Terms(Goal(), 0.2, now + 30, gates=gates), now) for campaign_id in ids]
    outcomes = waits(lambda: client, *waits_)
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}
    assert all(outcome.campaign and outcome.campaign["counts"]["contacts"] == 20 for outcome in outcomes)
    assert sorted(set(client.asked)) == sorted(ids)


def test_a_brake_keeps_its_interval(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0.001)
    client, (campaign_id,) = called(campaign_sandbox, 1, 200)
    now = time.time()
    watched_for(client, 4.0, WaitState(campaign_id, Terms(Goal(), 0.5, gates=Gates(brake=0.5)), now))
    # Altur's answer by id tells the figures unasked, so that they may come with the status.
    looks = campaign_sandbox.journal("altur")["counts"]["altur"]["get_campaign"]
    assert looks >= 5


def test_when_figures_cannot_keep_up_the_nearest_come_first_and_a_warning_says_by_how_much(
    campaign_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_sandbox.set_speed(0.001)
    client, ids = called(campaign_sandbox, 25, 10)
    client.slow = 0.05
    now = time.time()
    watches = [watch(campaign_id, interval=0.5, progress_threshold=90.0) for campaign_id in ids]
    nearest = watches[-1]
    # It is known to be nearly there.
    for before, progress in ((60, 80.0), (30, 85.0)):
        nearest.answered(Campaign(nearest.campaign_id, "W", CampaignStatus.RUNNING, "active", progress), now - before)
    assert nearest.wanted_figures is not None
    nearest.wanted_figures.due = now
    watched_for(client, 5.0, *watches)
    assert client.asked[0] == nearest.campaign_id
    assert "times the poll_interval of 0 s" in caplog.text or "times the poll_interval of 1 s" in caplog.text
    assert "Those nearest to their goals are asked for first" in caplog.text


def spoil(transport: Transport, spoiled: Callable[[str, Any], None]) -> None:
    """Have each answer's data changed by its endpoint before the client reads it."""
    call = transport.call

    def answer(endpoint: Endpoint, **asked: Any) -> Answer:
        told = call(endpoint, **asked)
        spoiled(str(endpoint), told.data)
        return told

    transport.call = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("by_id", [True, False], ids=["readable by its id", "unreadable by its id, too"])
def test_an_odd_row_among_many_is_that_campaign_s_failed_look(
    by_id: bool, campaign_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(30)]

    def spoiled(endpoint: str, data: Any) -> None:
        rows = data["data"] if endpoint == "GET /v1/campaigns" else [] if by_id else [data]
        for row in rows:
            if ids[7] in (row.get("id"), row.get("_id")):
                row.update(id=None, _id={"name": "x"})
        if endpoint == "GET /v1/campaigns":
            data["data"].insert(3, None)

    def connect() -> KinboxClient:
        client = kinbox()
        spoil(client.transport, spoiled)
        return client

    outcomes = waits(connect, *(watch(one, timeout=5.0 if one == ids[7] else 60.0) for one in ids))
    reasons = [outcome.reason for outcome in outcomes]
    assert reasons.pop(7) is (Reason.MET if by_id else Reason.TIMEOUT)
    assert set(reasons) == {Reason.MET}
    failed = {one for one in ids if f"Could not look at campaign {one}" in caplog.text}
    assert failed == (set() if by_id else {ids[7]})


class Confused(KinboxClient):
    """A client to which a page of the list is something that nobody expected, so many times."""

    times = 2

    def get_campaigns(self, campaign_ids: Any, **how: Any) -> dict[str, Campaign]:
        if self.times:
            self.times -= 1
            raise RecursionError("maximum recursion depth exceeded")
        return super().get_campaigns(campaign_ids, **how)


def test_what_goes_wrong_with_a_page_is_one_failed_look_for_all(campaign_sandbox: Sandbox) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(30)]
    url = campaign_sandbox.base_url("kinbox")
    outcomes = waits(lambda: Confused("token", base_url=url), *(watch(campaign_id) for campaign_id in ids))
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}


def test_a_connection_that_cannot_be_read_again_is_a_failed_look(campaign_sandbox: Sandbox) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(2)]
    url = campaign_sandbox.base_url("kinbox")
    steps: list[Any] = [KinboxClient("invalid", base_url=url), OSError("Airflow is away"), kinbox()]

    def connect() -> CampaignClient:
        step = steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def run() -> list[Outcome]:
        poller = shared_poller("key", connecting(connect))
        # Two looks are lost: one is refused, and then the connection cannot be read.
        first = [WaitState(one, Terms(Goal(), 0.2), time.time(), refusals=-1) for one in ids]
        return await asyncio.gather(*(poller.wait(one) for one in first))

    assert {outcome.reason for outcome in asyncio.run(run())} == {Reason.MET}


def test_figures_that_nobody_expected_are_a_failed_look(
    campaign_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(3)]

    class WithOddFigures(KinboxClient):
        def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
            campaign = super().get_campaign(campaign_id, progress=progress)
            return replace(campaign, counts={"sent": None}) if campaign_id == ids[0] else campaign  # type: ignore[dict-item]

    url = campaign_sandbox.base_url("kinbox")
    outcomes = waits(lambda: WithOddFigures("token", base_url=url), *(watch(campaign_id) for campaign_id in ids))
    assert {outcome.reason for outcome in outcomes} == {Reason.MET}
    assert f"Could not look at campaign {ids[0]}: Kinbox's answer was not understood (TypeError" in caplog.text


def test_newcomers_share_their_first_look(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(50)]

    async def run() -> None:
        poller = shared_poller("key", connecting(kinbox))
        tasks = []
        for campaign_id in ids:
            tasks.append(asyncio.create_task(poller.wait(watch(campaign_id, interval=60))))
            await asyncio.sleep(0.01)
        await asyncio.sleep(NEWCOMERS_SECONDS + 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    requests = campaign_sandbox.journal("kinbox")["counts"]["kinbox"]
    # Soon, though the interval is a minute; and together: two pages of the list at most. On a loaded machine some come
    # late, a few of whom are asked for one by one.
    assert 1 <= requests["list_campaigns"] <= 2
    assert requests.get("get_campaign", 0) <= 10


def test_a_new_credential_is_picked_up_while_waiting(campaign_sandbox: Sandbox) -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    tokens = iter(["invalid", "good"])
    url = campaign_sandbox.base_url("kinbox")
    (outcome,) = waits(lambda: KinboxClient(next(tokens), base_url=url), watch(campaign_id))
    assert outcome.reason is Reason.MET


def test_a_credential_that_stays_wrong_ends_every_wait_within_two_looks(campaign_sandbox: Sandbox) -> None:
    url = campaign_sandbox.base_url("kinbox")
    outcomes = waits(lambda: KinboxClient("invalid", base_url=url, label="connection 'x'"), watch("a1"), watch("b2"))
    assert {outcome.reason for outcome in outcomes} == {Reason.REFUSED}
    assert all("connection 'x'" in outcome.message for outcome in outcomes)


def test_a_connection_that_cannot_be_used_ends_the_wait_with_its_error() -> None:
    async def refuse() -> CampaignClient:
        raise RuntimeError("no such connection")

    async def run() -> None:
        await shared_poller("key", refuse).wait(watch("1"))

    with pytest.raises(RuntimeError, match="no such connection"):
        asyncio.run(run())


def test_a_deadline_gets_one_last_look(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    campaign_id = KinboxHook().create_campaign(name="W").id
    began = time.monotonic()
    (outcome,) = waits(kinbox, watch(campaign_id, interval=60, timeout=1.5))
    assert outcome.reason is Reason.TIMEOUT
    assert time.monotonic() - began < 30
    assert outcome.campaign is not None


def test_a_poller_belongs_to_one_event_loop(campaign_sandbox: Sandbox) -> None:
    async def poller() -> Poller:
        return shared_poller("key", connecting(kinbox))

    assert asyncio.run(poller()) is not asyncio.run(poller())


def test_a_list_that_breaks_off_is_one_lost_look_and_not_a_request_for_each_wait(campaign_sandbox: Sandbox) -> None:
    ids = [KinboxHook().create_campaign(name=f"W{number}").id for number in range(250)]
    campaign_sandbox.order_fault(vendor="kinbox", kind="repeated_cursor")

    async def run() -> None:
        poller = shared_poller("key", connecting(kinbox))
        tasks = [asyncio.create_task(poller.wait(watch(campaign_id, interval=0.5))) for campaign_id in ids]
        await asyncio.sleep(2)
        assert not any(task.done() for task in tasks)
        campaign_sandbox.clear_faults()
        assert {outcome.reason for outcome in await asyncio.gather(*tasks)} == {Reason.MET}

    asyncio.run(run())
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"].get("get_campaign", 0) <= 20
