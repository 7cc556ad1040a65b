"""Guards at work in the create operators: nothing is sent that they do not let, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pendulum
import pytest
from task import Task
from worker import ALTUR_CONTACTS, KOREAI_CONTACTS, LAUNCHES, Death, operator_of

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.launch.guards import WEEKDAYS
from airflow_provider_campaigns.sandbox.server import Sandbox

every_launch = pytest.mark.parametrize("launched", LAUNCHES)
#: Those that are created first and started then.
STARTED = ["altur", "koreai sms", "koreai voice"]
COUNTS = {"altur": ALTUR_CONTACTS, "koreai sms": KOREAI_CONTACTS, "koreai voice": KOREAI_CONTACTS}


def window(*, is_open: bool, days: int = 1) -> dict[str, Any]:
    """Return a send window of whole days that is open now, or else opens in so many days."""
    today = pendulum.now("UTC").weekday()
    return {"timezone": "UTC", "days": [WEEKDAYS[today if is_open else (today + days) % 7]]}


@every_launch
def test_a_backfill_run_sends_nothing(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched)
    task.run_type = "backfill"
    ended = task.run()
    assert ended.error.startswith("LaunchRefused: This is a backfill run")
    assert ended.error.endswith("Nothing was sent.")
    assert task.requests == {}
    assert task.run(allow_backfill=True).outcome == "success"


@every_launch
def test_a_run_that_is_too_late_sends_nothing(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, max_lateness=timedelta(hours=2))
    task.run_after -= timedelta(hours=3)
    ended = task.run()
    assert ended.outcome == "failed"
    assert "may be late by 2:00:00 at most" in ended.error
    assert task.requests == {}


@pytest.mark.parametrize("launched", STARTED)
@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_more_recipients_than_allowed_are_sent_nothing(vendors: Sandbox, launched: str, beyond: int) -> None:
    task = Task(vendors, launched, max_recipients=COUNTS[launched] - beyond)
    ended = task.run()
    if beyond <= 0:
        assert ended.outcome == "success"
    else:
        assert ended.error.startswith(f"LaunchRefused: The campaign has {COUNTS[launched]:,} recipients, more than")
        assert "create_campaign" not in task.requests


@pytest.mark.parametrize("launched", STARTED)
def test_fewer_recipients_than_expected_are_sent_nothing(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, min_recipients=5000)
    ended = task.run()
    assert "fewer than min_recipients=5,000. Nothing was sent." in ended.error
    assert "create_campaign" not in task.requests


@pytest.mark.parametrize("launched", ["koreai sms", "koreai voice"])
def test_a_contact_list_that_the_vendor_does_not_count_is_sent_nothing(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, contact_lists=["Nobody knows"], max_recipients=1000)
    ended = task.run()
    assert "How many recipients the campaign has is not known" in ended.error
    assert "create_campaign" not in task.requests


@pytest.mark.parametrize("limit", ["min_recipients", "max_recipients"])
def test_where_the_vendor_does_not_count_before_the_launch_a_limit_is_refused_when_the_dag_is_parsed(
    limit: str,
) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'create': {limit} cannot be kept: Kinbox counts the leads"):
        operator_of("kinbox", **{limit: 100})


@pytest.mark.parametrize("launched", ["koreai sms", "koreai voice"])
def test_a_schedule_of_the_vendor_s_and_a_send_window_do_not_go_together(launched: str) -> None:
    with pytest.raises(InvalidRequest, match="send_window cannot be kept along with schedule"):
        operator_of(launched, schedule={"isSchedulingEnabled": True}, send_window=window(is_open=True))


@every_launch
@pytest.mark.parametrize(("outside", "outcome"), [("fail", "failed"), ("skip", "skipped"), ("defer", "deferred")])
def test_outside_of_the_send_window_nothing_is_sent(
    vendors: Sandbox, launched: str, outside: str, outcome: str
) -> None:
    task = Task(vendors, launched, send_window=window(is_open=False), outside_send_window=outside)
    ended = task.run()
    assert ended.outcome == outcome
    assert task.requests == {}
    if outside == "defer":
        assert ended.trigger is not None
        path, arguments = ended.trigger
        assert path.endswith("temporal.DateTimeTrigger")
        assert abs(arguments["moment"] - pendulum.tomorrow("UTC")) < timedelta(seconds=5)
        assert task.resume(ended, send_window=window(is_open=True)).outcome == "success"
        assert len(task.campaigns) == 1
    else:
        assert ended.error.endswith("Nothing was sent.")


@every_launch
def test_a_launch_that_wakes_up_when_the_window_has_closed_again_waits_for_the_next_one(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched, send_window=window(is_open=False), outside_send_window="defer")
    ended = task.run()
    again = task.resume(ended, send_window=window(is_open=False, days=2))
    assert again.outcome == "deferred"
    assert task.requests == {}


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("launched", STARTED)
def test_a_window_that_closes_before_the_start_leaves_the_campaign_unstarted_and_starts_it_once_when_it_opens(
    vendors: Sandbox, launched: str, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(vendors, launched, stored=stored, send_window=window(is_open=True), outside_send_window="defer")
    closing = _closes_after_the_create(monkeypatch)
    ended = task.run()
    assert ended.outcome == "deferred"
    assert ended.receipt is not None
    assert ended.receipt["id"] == str(task.campaigns[0]["id"])
    assert not {"activate_campaign", "start_campaign"} & set(task.requests)
    closing.clear()
    assert task.resume(ended).outcome == "success"
    assert len(task.campaigns) == 1
    assert task.requests.get("activate_campaign", 0) + task.requests.get("start_campaign", 0) == 1


@pytest.mark.parametrize("outside", ["fail", "skip"])
@pytest.mark.parametrize("launched", STARTED)
def test_a_campaign_that_exists_unstarted_is_named_never_skipped(
    vendors: Sandbox, launched: str, outside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(vendors, launched, send_window=window(is_open=True), outside_send_window=outside)
    _closes_after_the_create(monkeypatch)
    ended = task.run()
    assert ended.outcome == "failed"
    assert f"Campaign {task.campaigns[0]['id']} exists and was not started." in ended.error


def _closes_after_the_create(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let send windows be open at the first question and closed from then on; empty the list to open them."""
    from airflow_provider_campaigns.launch.guards import SendWindow

    asked: list[int] = []
    closing = [1]

    def is_open(self: SendWindow, moment: datetime) -> bool:
        asked.append(1)
        return not closing or len(asked) == 1

    monkeypatch.setattr(SendWindow, "is_open", is_open)
    return closing


@every_launch
def test_a_campaign_that_was_launched_is_gone_on_with_whatever_the_guards_say_now(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched)
    first = task.run()
    assert first.outcome == "success"
    task.clear()
    task.run_after -= timedelta(days=30)
    again = task.run(max_lateness=60, send_window=window(is_open=False))
    assert (again.outcome, again.value) == ("success", first.value)
    assert len(task.campaigns) == 1


@pytest.mark.parametrize("launched", STARTED)
def test_a_retry_outside_of_the_window_does_not_start_what_the_first_try_created(
    vendors: Sandbox, launched: str
) -> None:
    task = Task(vendors, launched)
    task.run(death=Death(2, done=True))
    ended = task.run(send_window=window(is_open=False))
    assert "exists and was not started" in ended.error
    assert not {"activate_campaign", "start_campaign"} & set(task.requests)
    assert task.run().outcome == "success"
    assert len(task.campaigns) == 1


@pytest.mark.parametrize(("planned", "outcome"), [(1, "success"), (2, "failed")])
def test_kinbox_s_scheduled_to_is_what_the_send_window_is_about(vendors: Sandbox, planned: int, outcome: str) -> None:
    noon = pendulum.now("UTC").add(days=planned).replace(hour=12)
    ended = Task(vendors, "kinbox", scheduled_to=noon.isoformat(), send_window=window(is_open=False)).run()
    assert ended.outcome == outcome


@every_launch
def test_a_dry_run_tells_what_the_guards_would_do(
    vendors: Sandbox, launched: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    task = Task(vendors, launched, dry_run=True, send_window=window(is_open=False), outside_send_window="defer")
    assert task.run().outcome == "skipped"
    assert "Dry run: the launch would defer" in f"{caplog.text}{capfd.readouterr().out}"
    assert task.run(outside_send_window="fail").outcome == "failed"
    assert task.requests == {}


def test_a_guard_costs_a_launch_no_request_but_the_count_of_kore_ai_s_lists(vendors: Sandbox) -> None:
    guards: dict[str, Any] = {"max_lateness": 3600, "max_recipients": 5000, "send_window": window(is_open=True)}
    altur = Task(vendors, "altur", **guards)
    assert altur.run().outcome == "success"
    assert altur.requests == {"create_campaign": 1, "add_contacts": 2, "activate_campaign": 1}
    koreai = Task(vendors, "koreai sms", **guards)
    assert koreai.run().outcome == "success"
    assert sum(koreai.requests.values()) == 3


# Approval

PERSON = {"id": "7", "name": "Ana"}
YES: dict[str, Any] = {"chosen_options": ["Approve"], "responded_by_user": PERSON, "responded_at": "2026-11-24 09:00"}


@every_launch
def test_who_approved_is_in_the_receipt(vendors: Sandbox, launched: str) -> None:
    task = Task(vendors, launched, approval_task_id="approve")
    task.ti.others = {("approve", "return_value"): YES}
    receipt = task.run().receipt
    assert receipt is not None
    assert (receipt["approved_by"], receipt["approved_at"]) == (PERSON, "2026-11-24 09:00")


@every_launch
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "has not approved"),
        ({**YES, "chosen_options": ["Reject"]}, "has not approved"),
        ({**YES, "responded_by_user": None}, "without a person's approval"),
        ("Approve", "has not approved"),
    ],
)
def test_nothing_is_sent_without_a_person_s_approval(vendors: Sandbox, launched: str, answer: Any, why: str) -> None:
    task = Task(vendors, launched, approval_task_id="approve")
    task.ti.others = {("approve", "return_value"): answer}
    ended = task.run()
    assert ended.error.startswith("LaunchRefused: Task 'approve'")
    assert why in ended.error
    assert task.requests == {}


@every_launch
def test_an_approval_stands_for_one_launch(vendors: Sandbox, launched: str) -> None:
    vendors.set_speed(3000)  # One contact list serves one campaign at a time.
    task = Task(vendors, launched, approval_task_id="approve")
    before, after = ({**YES, "responded_at": day} for day in ("2026-01-01T09:00:00Z", "2099-01-01T09:00:00Z"))
    task.ti.others = {("approve", "return_value"): before}
    assert task.run().outcome == "success"
    task.clear()
    ended = task.run(relaunch=True)
    assert "approved an earlier launch of this run" in ended.error
    assert len(task.campaigns) == 1
    task.ti.others = {("approve", "return_value"): after}
    assert task.run(relaunch=True).outcome == "success"
    assert len(task.campaigns) == 2


@every_launch
def test_what_was_not_shown_for_approval_is_not_launched(vendors: Sandbox, launched: str) -> None:
    shown: Mapping[str, str] = {"name": "0123456789ab"}
    task = Task(vendors, launched, approval_task_id="approve")
    task.ti.others = {("approve", "return_value"): YES, ("approve", "campaign_shown"): shown}
    ended = task.run()
    assert "is not what is to be launched" in ended.error
    assert "name" in ended.error
    assert task.requests == {}
