"""One wait as it goes on: patience, pauses, news, stalls, and going on in another process."""

import json
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.outcome import Reason
from airflow_provider_campaigns.wait.state import Patience, WaitState
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus


def campaign(status: CampaignStatus, progress: float | None = None, **counts: int) -> Campaign:
    return Campaign("7", "Winter", status, status.value, progress, counts)


def refused(kind: type[errors.CampaignAPIError] = errors.Unavailable) -> errors.CampaignAPIError:
    return kind("no", vendor="Kinbox", endpoint="GET /v1/campaigns/{campaign_id}")


def waiting(now: float = 0.0, *, deadline: float | None = None, patience: float = 100.0, **goal: object) -> WaitState:
    return WaitState("7", Terms(Goal(**goal), 10.0, deadline, patience), now)  # type: ignore[arg-type]


def gated(gates: Gates, **terms: Any) -> WaitState:
    return WaitState("7", Terms(Goal(), 10.0, None, 100.0, gates=gates, **terms), 0.0)


def test_progress_that_goes_back_unmeets_nothing_and_is_waited_on() -> None:
    # Kore.ai's totals start afresh with each run, and contacts may be added to a campaign of Altur's that runs.
    one = waiting(progress_threshold=50.0)
    assert one.answered(campaign(S.RUNNING, 40.0), 0) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 60) is None
    reached = one.answered(campaign(S.RUNNING, 50.0), 120)
    assert reached is not None
    assert reached.reason is Reason.MET


def test_progress_that_goes_back_is_told_without_a_rate_and_measured_anew_from_there() -> None:
    one = waiting()
    one.news(campaign(S.RUNNING, 40.0), now=0)
    line = one.news(campaign(S.RUNNING, 10.0), now=600)
    assert line is not None
    assert line.endswith("10 %")
    line = one.news(campaign(S.RUNNING, 20.0), now=1200)
    assert line is not None
    assert "about 80 min left at 1 %/min" in line


def test_progress_that_goes_back_is_a_movement_and_no_stall() -> None:
    one = gated(Gates(), stall_timeout=60.0)
    assert one.answered(campaign(S.RUNNING, 40.0), 0) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 59) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 118) is None
    stalled = one.answered(campaign(S.RUNNING, 10.0), 120)
    assert stalled is not None
    assert stalled.reason is Reason.STALLED
    assert "1 minute." in stalled.message


def test_a_campaign_that_finishes_at_the_deadline_is_a_success() -> None:
    outcome = waiting(deadline=50).answered(campaign(S.FINISHED, 100.0), now=60)
    assert outcome is not None
    assert outcome.reason is Reason.MET


def test_the_deadline_ends_a_wait_and_tells_what_was_last_seen() -> None:
    outcome = waiting(deadline=50).answered(campaign(S.RUNNING, 40.0), now=50)
    assert outcome is not None
    assert outcome.reason is Reason.TIMEOUT
    assert "running, 40 %" in outcome.message


def test_transient_errors_are_tolerated_since_the_last_good_answer() -> None:
    one = waiting(patience=100)
    assert one.missed(refused(), now=90) is None
    assert one.answered(campaign(S.RUNNING), now=95) is None
    assert one.missed(refused(), now=190) is None
    outcome = one.missed(refused(), now=196)
    assert outcome is not None
    assert outcome.reason is Reason.UNREACHABLE
    assert "may well be going on" in outcome.message


@pytest.mark.parametrize("kind", [errors.AuthenticationFailed, errors.PermissionDenied, errors.NotFound])
def test_a_permanent_refusal_ends_the_wait_at_the_second_look(kind: type[errors.CampaignAPIError]) -> None:
    one = waiting()
    assert one.missed(refused(kind), now=1) is None
    outcome = one.missed(refused(kind), now=2)
    assert outcome is not None
    assert outcome.reason is Reason.REFUSED


def test_a_good_answer_between_two_refusals_begins_the_count_anew() -> None:
    one = waiting()
    assert one.missed(refused(errors.NotFound), now=1) is None
    assert one.answered(campaign(S.RUNNING), now=2) is None
    assert one.missed(refused(errors.NotFound), now=3) is None


def test_what_is_no_error_of_the_vendor_s_is_borne_once() -> None:
    patience = Patience(1800, now=0)
    assert patience.missed(OSError("no such connection"), now=1) is None
    assert patience.missed(OSError("no such connection"), now=2) is Reason.REFUSED
    patience.answered(now=3)
    assert patience.missed(OSError("no such connection"), now=4) is None


def test_the_pause_never_passes_the_deadline() -> None:
    one = waiting(deadline=15)
    assert one.pause(now=10, chance=0.5) == 5
    assert one.pause(now=20, chance=0.5) == 0


def test_the_pause_is_spread_and_never_longer_than_the_interval() -> None:
    one = waiting()
    assert one.pause(now=0, chance=0.0) == pytest.approx(9)
    assert one.pause(now=0, chance=1.0) == pytest.approx(10)


def test_a_vendor_that_asks_for_a_longer_pause_gets_it() -> None:
    one = waiting()
    asked = errors.RateLimited("slower", vendor="Altur", endpoint="GET /campaigns", retry_after=33)
    assert one.missed(asked, now=0) is None
    assert one.pause(now=0, chance=0.5) == 33
    assert one.answered(campaign(S.RUNNING), now=34) is None
    assert one.pause(now=34, chance=1.0) == pytest.approx(10)


def test_news_are_told_when_status_or_whole_percent_change_and_not_otherwise() -> None:
    one = waiting()
    lines = [one.news(campaign(S.RUNNING, progress), now) for now, progress in enumerate((10.0, 10.4, 11.0))]
    lines.append(one.news(campaign(S.PAUSED, 11.0), 3.0))
    assert [line is not None for line in lines] == [True, False, True, True]


def test_news_tell_the_rate_and_an_estimated_end() -> None:
    one = waiting()
    one.news(campaign(S.RUNNING, 10.0), now=0)
    line = one.news(campaign(S.RUNNING, 40.0), now=600)
    assert line is not None
    assert "about 20 min left at 3 %/min" in line


def test_missing_figures_are_warned_about_once_and_only_where_they_matter() -> None:
    one = waiting(progress_threshold=50.0)
    assert one.blind_spot(campaign(S.RUNNING)) is not None
    assert one.blind_spot(campaign(S.RUNNING)) is None
    assert waiting().blind_spot(campaign(S.RUNNING)) is None


def test_a_finished_campaign_passes_only_through_its_gates() -> None:
    good = gated(Gates(min_delivered_ratio=0.9)).answered(campaign(S.FINISHED, 100.0, sent=10, delivered=10), 1)
    bad = gated(Gates(min_delivered_ratio=0.9)).answered(campaign(S.FINISHED, 100.0, sent=10, delivered=1), 1)
    assert good is not None
    assert bad is not None
    assert (good.reason, bad.reason) == (Reason.MET, Reason.GATE)


def test_the_brake_ends_the_wait_of_a_running_campaign_and_of_no_other() -> None:
    one = gated(Gates(brake=0.2))
    assert one.answered(campaign(S.RUNNING, 10.0, processed=100, failed=20), 1) is None
    assert one.answered(campaign(S.PAUSED, 10.0, processed=100, failed=50), 2) is None
    outcome = one.answered(campaign(S.RUNNING, 10.0, processed=100, failed=31), 3)
    assert outcome is not None
    assert outcome.reason is Reason.BRAKE


def test_a_running_campaign_that_does_not_move_is_told_after_the_stall_timeout() -> None:
    one = gated(Gates(), stall_timeout=60.0)
    assert one.answered(campaign(S.RUNNING, 10.0, sent=5), 0) is None
    assert one.answered(campaign(S.RUNNING, 10.0, sent=5), 59) is None
    assert one.answered(campaign(S.RUNNING, 10.0, sent=6), 61) is None
    assert one.answered(campaign(S.RUNNING, 10.0, sent=6), 120) is None
    outcome = one.answered(campaign(S.RUNNING, 10.0, sent=6), 121)
    assert outcome is not None
    assert outcome.reason is Reason.STALLED


def test_a_campaign_that_is_paused_or_waits_for_its_hour_does_not_stall() -> None:
    one = gated(Gates(), stall_timeout=60.0)
    for status in (S.PAUSED, S.SCHEDULED, S.DRAFT, S.UNKNOWN):
        assert one.answered(campaign(status, 10.0), 0) is None
        assert one.answered(campaign(status, 10.0), 1000) is None


def test_a_wait_goes_on_in_another_process_where_it_was() -> None:
    terms = Terms(Goal(), 10.0, None, 100.0, stall_timeout=60.0)
    one = WaitState("7", terms, 0.0)
    one.answered(campaign(S.RUNNING, 10.0, sent=5), 10)
    one.missed(refused(errors.NotFound), 20)
    carried = json.loads(json.dumps(one.carried()))
    other = WaitState("7", terms, 30.0)
    other.go_on(carried)
    refusal = other.missed(refused(errors.NotFound), 40)
    assert refusal is not None
    assert refusal.reason is Reason.REFUSED
    third = WaitState("7", terms, 70.0)
    third.go_on(carried)
    stalled = third.answered(campaign(S.RUNNING, 10.0, sent=5), 75)
    assert stalled is not None
    assert stalled.reason is Reason.STALLED


def test_what_was_carried_for_another_campaign_is_passed_over() -> None:
    one = WaitState("8", Terms(Goal()), 0.0)
    one.go_on(WaitState("7", Terms(Goal()), -10_000.0).carried())
    assert one.missed(refused(), 10) is None


def test_a_watch_keeps_nothing_of_the_vendor_s_whole_answer() -> None:
    one = waiting()
    outcome = one.answered(Campaign("7", "W", S.FINISHED, "done", 100.0, {}, {"message": "x" * 10_000}), 1)
    assert outcome is not None
    assert "x" * 100 not in repr(one.carried()) + json.dumps(outcome.as_event())
