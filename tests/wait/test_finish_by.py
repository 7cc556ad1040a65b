"""A deadline by forecast: told once, or the end of the wait; never by a forecast that two figures make up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.exceptions import CampaignLate
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.runner import settle
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus


def waiting(on_late: str, finish_by: float | None = 3600.0, **goal: Any) -> WaitState:
    return WaitState("7", Terms(Goal(**goal), 60.0, finish_by=finish_by, on_late=on_late), 0.0)


def look(wait: WaitState, minute: float, progress: float, status: CampaignStatus = S.RUNNING) -> tuple[Any, Any]:
    campaign = Campaign("7", "Winter", status, status.value, progress)
    wait.news(campaign, 60 * minute)
    return wait.late(60 * minute), wait.answered(campaign, 60 * minute)


def test_a_warning_is_told_once_and_the_wait_goes_on() -> None:
    wait = waiting("warn")
    told = [look(wait, minute, minute) for minute in range(30)]
    warnings = [warning for warning, _ in told if warning]
    (warning,) = warnings
    expected = "Campaign 7 is expected to reach finished at 1970-01-01T01:40:00+00:00"
    assert warning == f"{expected}, after 1970-01-01T01:00:00+00:00 (finish_by)."
    assert all(outcome is None for _, outcome in told)


@pytest.mark.parametrize(("on_late", "reason"), [("fail", Reason.LATE), ("pause", Reason.LATE_PAUSE)])
def test_a_forecast_past_the_time_ends_the_wait(on_late: str, reason: Reason) -> None:
    wait = waiting(on_late)
    outcomes = [look(wait, minute, minute)[1] for minute in range(4)]
    assert outcomes[:3] == [None, None, None], "fewer than three moves prove nothing"
    assert outcomes[3].reason is reason


def test_a_campaign_in_time_is_left_in_peace_and_so_is_one_that_has_met_its_goal_late() -> None:
    wait = waiting("fail")
    assert [look(wait, minute, 2 * minute)[1] for minute in range(40)] == [None] * 40
    _, outcome = look(wait, 90, 100.0, S.FINISHED)
    assert outcome.reason is Reason.MET


def test_the_goal_that_is_waited_for_is_what_has_to_be_in_time() -> None:
    wait = waiting("fail", progress_threshold=50.0)
    assert [look(wait, minute, minute)[1] for minute in range(40)] == [None] * 40


def test_a_campaign_that_rests_is_late_only_when_the_time_has_passed() -> None:
    wait = waiting("fail")
    for minute in range(20):
        assert look(wait, minute, 2 * minute)[1] is None
    assert look(wait, 59, 38.0, S.PAUSED)[1] is None
    assert look(wait, 61, 38.0, S.PAUSED)[1].reason is Reason.LATE


def test_a_warning_that_was_told_is_not_told_again_by_the_next_process() -> None:
    first = waiting("warn")
    for minute in range(10):
        look(first, minute, minute)
    second = waiting("warn")
    second.go_on(first.carried())
    assert look(second, 10, 10)[0] is None


def test_a_late_campaign_is_paused_where_that_was_asked_for(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(60)
    hook = KinboxHook()
    leads = "https://files.example.com/leads.csv?leads=100000"
    made = hook.create_campaign(name="W", lead_type="file", leads_asset_url=leads, chunk_size=100_000)
    while hook.get_campaign(made.id).status is not S.RUNNING:
        pass
    settled = settle(Outcome(Reason.LATE_PAUSE, "Late."), hook.get_conn(), made.id, "leave")
    assert settled.message == "Late. It was paused."
    assert hook.get_campaign(made.id).status is S.PAUSED


def test_a_late_campaign_fails_the_task_and_goes_on(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(60)
    leads = "https://files.example.com/leads.csv?leads=100000"
    made = KinboxHook().create_campaign(name="W", lead_type="file", leads_asset_url=leads, chunk_size=100_000)
    sensor = KinboxCampaignSensor(
        task_id="wait", campaign_id=made.id, poll_interval=0.2, finish_by=timedelta(seconds=1), on_late="fail"
    )
    with pytest.raises(CampaignLate, match=r"finish_by\). It goes on\."):
        sensor.execute({"ti": type("TI", (), {"try_number": 1})()})


def test_a_time_and_a_duration_both_say_when() -> None:
    at = datetime(2026, 3, 5, 18, tzinfo=timezone(timedelta(hours=-3)))
    for given in (at, "2026-03-05T18:00:00-03:00", "2026-03-05T21:00:00Z"):
        sensor = KinboxCampaignSensor(task_id="wait", campaign_id="7", finish_by=given)
        assert sensor.terms().finish_by == at.timestamp()
    for given in (timedelta(hours=2), 7200, "7200"):
        sensor = KinboxCampaignSensor(task_id="wait", campaign_id="7", finish_by=given)
        assert sensor.terms(began=1000.0).finish_by == 8200.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"finish_by": "soon"},
        {"finish_by": datetime(2026, 3, 5, 18)},  # noqa: DTZ001
        {"finish_by": "2026-03-05T18:00:00"},
        {"finish_by": -1},
        {"finish_by": True},
        {"on_late": "stop"},
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        KinboxCampaignSensor(task_id="wait", campaign_id="7", **wrong)


def test_a_wait_that_needs_only_the_status_asks_for_figures_once_it_has_a_time_to_finish_by() -> None:
    assert not Terms(Goal()).needs_figures
    assert Terms(Goal(), finish_by=datetime(2026, 3, 5, tzinfo=UTC).timestamp()).needs_figures
