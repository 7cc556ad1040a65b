"""Guards and approvals at work: nothing is sent that they do not allow, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_campaigns.launch.guards import WEEKDAYS, SendWindow
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.declaration import VendorUnderTest
from airflow_provider_campaigns.testing.conformance.store import Death
from airflow_provider_campaigns.testing.conformance.suite import Suite, only
from airflow_provider_campaigns.testing.conformance.task import Task

_PERSON = {"id": "7", "name": "Ana"}
_YES: dict[str, Any] = {"chosen_options": ["Approve"], "responded_by_user": _PERSON, "responded_at": "2026-11-24 09:00"}


def send_window(*, is_open: bool, days: int = 1) -> dict[str, Any]:
    """
    Return a send window of whole days.

    :param is_open: Whether it is open now.
    :param days: In how many days it opens otherwise.
    """
    today = datetime.now(UTC).weekday()
    return {"timezone": "UTC", "days": [WEEKDAYS[today if is_open else (today + days) % 7]]}


def _closes_after_the_create(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let send windows be open at the first question and closed from then on; empty the list to open them."""
    asked: list[int] = []
    closing = [1]

    def is_open(self: SendWindow, moment: datetime) -> bool:
        asked.append(1)
        return not closing or len(asked) == 1

    monkeypatch.setattr(SendWindow, "is_open", is_open)
    return closing


#: Part of a line that Airflow logs first where an operator is executed by a test.
_AIRFLOWS_OWN = "outside of the Task Runner"


class GuardedLaunches(Suite):
    """A launch that a guard forbids sends nothing; one that is under way is not lost sight of."""

    def test_a_backfill_run_sends_nothing(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        task = Task(sandbox, launched)
        task.run_type = "backfill"
        ended = task.run()
        assert ended.error.startswith("LaunchRefused: This is a backfill run")
        assert ended.error.endswith("Nothing was sent.")
        assert task.requests == {}
        assert task.run(allow_backfill=True).outcome == "success"

    def test_a_run_that_is_too_late_sends_nothing(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        task = Task(sandbox, launched, max_lateness=timedelta(hours=2))
        task.run_after -= timedelta(hours=3)
        ended = task.run()
        assert ended.outcome == "failed"
        assert "may be late by 2:00:00 at most" in ended.error
        assert task.requests == {}

    @only(lambda vendor: vendor.counts_recipients)
    @pytest.mark.parametrize("beyond", [-1, 0, 1])
    def test_more_recipients_than_allowed_are_sent_nothing(
        self, sandbox: Sandbox, launched: VendorUnderTest, beyond: int
    ) -> None:
        task = Task(sandbox, launched, max_recipients=launched.recipients - beyond)
        ended = task.run()
        if beyond <= 0:
            assert ended.outcome == "success"
        else:
            assert ended.error.startswith(
                f"LaunchRefused: The campaign has {launched.recipients:,} recipients, more than"
            )
            assert "create_campaign" not in task.requests

    @only(lambda vendor: vendor.counts_recipients)
    def test_fewer_recipients_than_expected_are_sent_nothing(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        task = Task(sandbox, launched, min_recipients=5000)
        ended = task.run()
        assert "fewer than min_recipients=5,000. Nothing was sent." in ended.error
        assert "create_campaign" not in task.requests

    @pytest.mark.parametrize(("outside", "outcome"), [("fail", "failed"), ("skip", "skipped"), ("defer", "deferred")])
    def test_outside_of_the_send_window_nothing_is_sent(
        self, sandbox: Sandbox, launched: VendorUnderTest, outside: str, outcome: str
    ) -> None:
        task = Task(sandbox, launched, send_window=send_window(is_open=False), outside_send_window=outside)
        ended = task.run()
        assert ended.outcome == outcome
        assert task.requests == {}
        if outside == "defer":
            assert ended.trigger is not None
            path, arguments = ended.trigger
            assert path.endswith("temporal.DateTimeTrigger")
            tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            assert abs(arguments["moment"] - tomorrow) < timedelta(seconds=5)
            assert task.resume(ended, send_window=send_window(is_open=True)).outcome == "success"
            assert len(task.campaigns) == 1
        else:
            assert ended.error.endswith("Nothing was sent.")

    def test_a_launch_that_wakes_up_when_the_window_has_closed_again_waits_for_the_next_one(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched, send_window=send_window(is_open=False), outside_send_window="defer")
        ended = task.run()
        again = task.resume(ended, send_window=send_window(is_open=False, days=2))
        assert again.outcome == "deferred"
        assert task.requests == {}

    @only(lambda vendor: not vendor.starts_by_itself)
    @pytest.mark.parametrize("stored", [True, False])
    def test_a_window_that_closes_before_the_start_leaves_the_campaign_unstarted_and_starts_it_once_when_it_opens(
        self, sandbox: Sandbox, launched: VendorUnderTest, stored: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        window = send_window(is_open=True)
        task = Task(sandbox, launched, stored=stored, send_window=window, outside_send_window="defer")
        closing = _closes_after_the_create(monkeypatch)
        ended = task.run()
        assert ended.outcome == "deferred"
        assert ended.receipt is not None
        assert ended.receipt["id"] == str(task.campaigns[0]["id"])
        assert launched.start_endpoint not in task.requests
        closing.clear()
        assert task.resume(ended).outcome == "success"
        assert len(task.campaigns) == 1
        assert task.requests[launched.start_endpoint or ""] == 1

    @only(lambda vendor: not vendor.starts_by_itself)
    @pytest.mark.parametrize("outside", ["fail", "skip"])
    def test_a_campaign_that_exists_unstarted_is_named_never_skipped(
        self, sandbox: Sandbox, launched: VendorUnderTest, outside: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = Task(sandbox, launched, send_window=send_window(is_open=True), outside_send_window=outside)
        _closes_after_the_create(monkeypatch)
        ended = task.run()
        assert ended.outcome == "failed"
        assert f"Campaign {task.campaigns[0]['id']} exists and was not started." in ended.error

    def test_a_campaign_that_was_launched_is_gone_on_with_whatever_the_guards_say_now(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        first = task.run()
        assert first.outcome == "success"
        task.clear()
        task.run_after -= timedelta(days=30)
        again = task.run(max_lateness=60, send_window=send_window(is_open=False))
        assert (again.outcome, again.value) == ("success", first.value)
        assert len(task.campaigns) == 1

    @only(lambda vendor: not vendor.starts_by_itself)
    def test_a_retry_outside_of_the_window_does_not_start_what_the_first_try_created(
        self, sandbox: Sandbox, launched: VendorUnderTest
    ) -> None:
        task = Task(sandbox, launched)
        task.run(death=Death(2, done=True))
        ended = task.run(send_window=send_window(is_open=False))
        assert "exists and was not started" in ended.error
        assert launched.start_endpoint not in task.requests
        assert task.run().outcome == "success"
        assert len(task.campaigns) == 1

    def test_a_dry_run_tells_what_the_guards_would_do(
        self,
        sandbox: Sandbox,
        launched: VendorUnderTest,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("INFO")
        window = send_window(is_open=False)
        task = Task(sandbox, launched, dry_run=True, send_window=window, outside_send_window="defer")
        assert task.run().outcome == "skipped"
        assert "Dry run: the launch would defer" in f"{caplog.text}{capfd.readouterr().out}"
        assert task.run(outside_send_window="fail").outcome == "failed"
        assert task.requests == {}

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_the_first_line_says_whether_dry_run_is_on(
        self,
        sandbox: Sandbox,
        launched: VendorUnderTest,
        dry_run: bool,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("INFO")
        Task(sandbox, launched, dry_run=dry_run).run()
        lines = [*caplog.messages, *capfd.readouterr().out.splitlines()]
        assert f"Dry run is {'on' if dry_run else 'off'}:" in next(line for line in lines if _AIRFLOWS_OWN not in line)


class Approvals(Suite):
    """What a person must approve is launched as approved, once, and by nobody else's leave."""

    def test_who_approved_is_in_the_receipt(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        task = Task(sandbox, launched, approval_task_id="approve")
        task.ti.others = {("approve", "return_value"): _YES}
        receipt = task.run().receipt
        assert receipt is not None
        assert (receipt["approved_by"], receipt["approved_at"]) == (_PERSON, "2026-11-24 09:00")

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (None, "has not approved"),
            ({**_YES, "chosen_options": ["Reject"]}, "has not approved"),
            ({**_YES, "responded_by_user": None}, "without a person's approval"),
            ("Approve", "has not approved"),
        ],
    )
    def test_nothing_is_sent_without_a_person_s_approval(
        self, sandbox: Sandbox, launched: VendorUnderTest, answer: Any, why: str
    ) -> None:
        task = Task(sandbox, launched, approval_task_id="approve")
        task.ti.others = {("approve", "return_value"): answer}
        ended = task.run()
        assert ended.error.startswith("LaunchRefused: Task 'approve'")
        assert why in ended.error
        assert task.requests == {}

    def test_an_approval_stands_for_one_launch(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        sandbox.set_speed(3000)  # A contact list may serve one campaign at a time.
        task = Task(sandbox, launched, approval_task_id="approve")
        before, after = ({**_YES, "responded_at": day} for day in ("2026-01-01T09:00:00Z", "2099-01-01T09:00:00Z"))
        task.ti.others = {("approve", "return_value"): before}
        assert task.run().outcome == "success"
        task.clear()
        ended = task.run(relaunch=True)
        assert "approved an earlier launch of this run" in ended.error
        assert len(task.campaigns) == 1
        task.ti.others = {("approve", "return_value"): after}
        assert task.run(relaunch=True).outcome == "success"
        assert len(task.campaigns) == 2

    def test_what_was_not_shown_for_approval_is_not_launched(self, sandbox: Sandbox, launched: VendorUnderTest) -> None:
        shown: Mapping[str, str] = {"name": "0123456789ab"}
        task = Task(sandbox, launched, approval_task_id="approve")
        task.ti.others = {("approve", "return_value"): _YES, ("approve", "campaign_shown"): shown}
        ended = task.run()
        assert "is not what is about to be launched" in ended.error
        assert "name" in ended.error
        assert task.requests == {}
