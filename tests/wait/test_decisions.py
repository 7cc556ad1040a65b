"""Waiting as pure decisions: every rule by table."""

import json
from typing import Any

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Gates, Goal, Verdict, judge
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.state import Patience, WaitState
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus


def campaign(status: CampaignStatus, progress: float | None = None, **counts: int) -> Campaign:
    return Campaign("7", "Winter", status, status.value, progress, counts)


@pytest.mark.parametrize(
    ("status", "until_finished", "until_sent"),
    [
        (S.DRAFT, Verdict.WAIT, Verdict.WAIT),
        (S.SCHEDULED, Verdict.WAIT, Verdict.WAIT),
        (S.RUNNING, Verdict.WAIT, Verdict.WAIT),
        (S.PAUSED, Verdict.WAIT, Verdict.WAIT),
        (S.SENT, Verdict.WAIT, Verdict.MET),
        (S.FINISHED, Verdict.MET, Verdict.MET),
        (S.CANCELED, Verdict.LOST, Verdict.LOST),
        (S.FAILED, Verdict.LOST, Verdict.LOST),
        (S.UNKNOWN, Verdict.WAIT, Verdict.WAIT),
    ],
)
def test_each_status_means_one_thing_for_each_goal(
    status: CampaignStatus, until_finished: Verdict, until_sent: Verdict
) -> None:
    assert judge(campaign(status, 100.0), Goal("finished")) is until_finished
    assert judge(campaign(status, 100.0), Goal("sent")) is until_sent


@pytest.mark.parametrize(
    ("status", "progress", "verdict"),
    [
        (S.RUNNING, None, Verdict.WAIT),
        (S.RUNNING, 0.0, Verdict.WAIT),
        (S.RUNNING, 49.99, Verdict.WAIT),
        (S.RUNNING, 50.0, Verdict.MET),
        (S.RUNNING, 50.01, Verdict.MET),
        (S.PAUSED, 60.0, Verdict.MET),
        (S.UNKNOWN, 60.0, Verdict.MET),
        (S.SENT, None, Verdict.MET),
        (S.FINISHED, None, Verdict.MET),
        (S.CANCELED, 60.0, Verdict.LOST),
        (S.FAILED, 99.0, Verdict.LOST),
    ],
)
def test_a_threshold_is_met_at_or_above_it_or_when_all_is_sent(
    status: CampaignStatus, progress: float | None, verdict: Verdict
) -> None:
    assert judge(campaign(status, progress), Goal(progress_threshold=50)) is verdict


@pytest.mark.parametrize(
    ("status", "progress", "verdict"),
    [
        (S.RUNNING, 99.0, Verdict.WAIT),
        (S.RUNNING, 99.99, Verdict.WAIT),
        (S.RUNNING, 100.0, Verdict.MET),
        (S.SENT, 99.0, Verdict.MET),
        (S.FINISHED, 100.0, Verdict.MET),
    ],
)
def test_a_threshold_of_a_hundred_is_allowed_and_waits_for_the_last_one(
    status: CampaignStatus, progress: float, verdict: Verdict
) -> None:
    assert judge(campaign(status, progress), Goal(progress_threshold=100)) is verdict


def test_progress_that_goes_back_unmeets_nothing_and_is_waited_on() -> None:
    # Kore.ai's totals start afresh with each run, and contacts may be added to a campaign of Altur's that runs.
    one = watch(progress_threshold=50.0)
    assert one.answered(campaign(S.RUNNING, 40.0), 0) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 60) is None
    reached = one.answered(campaign(S.RUNNING, 50.0), 120)
    assert reached is not None
    assert reached.reason is Reason.MET


def test_progress_that_goes_back_is_told_without_a_rate_and_measured_anew_from_there() -> None:
    one = watch()
    one.news(campaign(S.RUNNING, 40.0), now=0)
    line = one.news(campaign(S.RUNNING, 10.0), now=600)
    assert line is not None
    assert line.endswith("10 %")
    line = one.news(campaign(S.RUNNING, 20.0), now=1200)
    assert line is not None
    assert "1 %/min, about 80 min left" in line


def test_progress_that_goes_back_is_a_movement_and_no_stall() -> None:
    one = gated(Gates(), stall_timeout=60.0)
    assert one.answered(campaign(S.RUNNING, 40.0), 0) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 59) is None
    assert one.answered(campaign(S.RUNNING, 10.0), 118) is None
    stalled = one.answered(campaign(S.RUNNING, 10.0), 120)
    assert stalled is not None
    assert stalled.reason is Reason.STALLED
    assert "1 minute." in stalled.message


@pytest.mark.parametrize("threshold", [0, -1, 100.1, float("nan")])
def test_a_threshold_that_cannot_be_meant_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidRequest, match="progress_threshold must be above 0"):
        Goal(progress_threshold=threshold)


def test_an_unknown_goal_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(InvalidRequest, match="until must be one of finished, sent; got 'done'"):
        Goal("done")


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_that_would_hammer_the_vendor_is_refused(interval: float) -> None:
    with pytest.raises(InvalidRequest, match="poll_interval"):
        Terms(Goal(), interval)


def refused(kind: type[errors.CampaignAPIError] = errors.Unavailable) -> errors.CampaignAPIError:
    return kind("no", vendor="Kinbox", endpoint="GET /v1/campaigns/{campaign_id}")


def watch(now: float = 0.0, *, deadline: float | None = None, patience: float = 100.0, **goal: object) -> WaitState:
    return WaitState("7", Terms(Goal(**goal), 10.0, deadline, patience), now)  # type: ignore[arg-type]


def test_a_campaign_that_finishes_at_the_deadline_is_a_success() -> None:
    outcome = watch(deadline=50).answered(campaign(S.FINISHED, 100.0), now=60)
    assert outcome is not None
    assert outcome.reason is Reason.MET


def test_the_deadline_ends_a_wait_and_tells_what_was_last_seen() -> None:
    outcome = watch(deadline=50).answered(campaign(S.RUNNING, 40.0), now=50)
    assert outcome is not None
    assert outcome.reason is Reason.TIMEOUT
    assert "running, 40 %" in outcome.message


def test_transient_errors_are_tolerated_since_the_last_good_answer() -> None:
    one = watch(patience=100)
    assert one.missed(refused(), now=90) is None
    assert one.answered(campaign(S.RUNNING), now=95) is None
    assert one.missed(refused(), now=190) is None
    outcome = one.missed(refused(), now=196)
    assert outcome is not None
    assert outcome.reason is Reason.UNREACHABLE
    assert "may well be going on" in outcome.message


@pytest.mark.parametrize("kind", [errors.AuthenticationFailed, errors.PermissionDenied, errors.NotFound])
def test_a_permanent_refusal_ends_the_wait_at_the_second_look(kind: type[errors.CampaignAPIError]) -> None:
    one = watch()
    assert one.missed(refused(kind), now=1) is None
    outcome = one.missed(refused(kind), now=2)
    assert outcome is not None
    assert outcome.reason is Reason.REFUSED


def test_a_good_answer_between_two_refusals_begins_the_count_anew() -> None:
    one = watch()
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
    one = watch(deadline=15)
    assert one.pause(now=10, chance=0.5) == 5
    assert one.pause(now=20, chance=0.5) == 0


def test_the_pause_is_spread_and_never_longer_than_the_interval() -> None:
    one = watch()
    assert one.pause(now=0, chance=0.0) == pytest.approx(9)
    assert one.pause(now=0, chance=1.0) == pytest.approx(10)


def test_a_vendor_that_asks_for_a_longer_pause_gets_it() -> None:
    one = watch()
    asked = errors.RateLimited("slower", vendor="Altur", endpoint="GET /campaigns", retry_after=33)
    assert one.missed(asked, now=0) is None
    assert one.pause(now=0, chance=0.5) == 33
    assert one.answered(campaign(S.RUNNING), now=34) is None
    assert one.pause(now=34, chance=1.0) == pytest.approx(10)


def test_news_are_told_when_status_or_whole_percent_change_and_not_otherwise() -> None:
    one = watch()
    lines = [one.news(campaign(S.RUNNING, progress), now) for now, progress in enumerate((10.0, 10.4, 11.0))]
    lines.append(one.news(campaign(S.PAUSED, 11.0), 3.0))
    assert [line is not None for line in lines] == [True, False, True, True]


def test_news_tell_the_rate_and_an_estimated_end() -> None:
    one = watch()
    one.news(campaign(S.RUNNING, 10.0), now=0)
    line = one.news(campaign(S.RUNNING, 40.0), now=600)
    assert line is not None
    assert "3 %/min, about 20 min left" in line


def test_missing_figures_are_warned_about_once_and_only_where_they_matter() -> None:
    one = watch(progress_threshold=50.0)
    assert one.blind_spot(campaign(S.RUNNING)) is not None
    assert one.blind_spot(campaign(S.RUNNING)) is None
    assert watch().blind_spot(campaign(S.RUNNING)) is None


@pytest.mark.parametrize("reason", list(Reason))
def test_an_outcome_survives_its_way_as_an_event(reason: Reason) -> None:
    outcome = Outcome(reason, "text", campaign(S.FINISHED, 100.0, sent=3).as_dict())
    assert Outcome.from_event(outcome.as_event()) == outcome


@pytest.mark.parametrize(
    "event", [None, {}, "met", {"reason": "fine"}, {"reason": "met"}, {"reason": "met", "campaign": None}]
)
def test_an_event_that_is_not_understood_never_passes(event: object) -> None:
    with pytest.raises(ValueError, match=r"event|valid"):
        Outcome.from_event(event)


@pytest.mark.parametrize(
    ("gates", "counts", "objection"),
    [
        (Gates(min_delivered_ratio=0.9), {"sent": 100, "delivered": 90}, None),
        (Gates(min_delivered_ratio=0.9), {"sent": 100, "delivered": 89}, "0.890 (delivered of sent)"),
        (Gates(min_delivered_ratio=0.9), {"sent": 100, "received": 80}, "0.800 (received of sent)"),
        (Gates(min_delivered_ratio=0.5), {"contacts": 10, "answered": 4}, "0.400 (answered of contacts)"),
        (Gates(min_delivered_ratio=0.5), {"sent": 100}, "gives no figures for delivered of sent"),
        (Gates(min_delivered_ratio=0.5), {"sent": 0, "delivered": 0}, "gives no figures"),
        (Gates(max_failed_ratio=0.1), {"processed": 100, "failed": 10}, None),
        (Gates(max_failed_ratio=0.1), {"processed": 100, "contacts": 1000, "failed": 11}, "(failed of processed)"),
        (Gates(max_failed_ratio=0.1), {"contacts": 100, "failed": 11}, "0.110 (failed of contacts)"),
        (Gates(max_failed_ratio=0.1), {"sent": 100}, "gives no figures for failed of processed"),
        (Gates(), {}, None),
    ],
)
def test_a_gate_names_its_denominator_and_fails_closed(
    gates: Gates, counts: dict[str, int], objection: str | None
) -> None:
    said = gates.objection(counts)
    assert (said is None) if objection is None else (said is not None and objection in said)


def gated(gates: Gates, **terms: Any) -> WaitState:
    return WaitState("7", Terms(Goal(), 10.0, None, 100.0, gates=gates, **terms), 0.0)


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


@pytest.mark.parametrize(
    ("gates", "counts", "said"),
    [
        # The very first number that fails proves nothing of 20,000.
        (Gates(brake=0.02), {"processed": 1, "failed": 1, "contacts": 20_000}, None),
        (Gates(brake=0.02), {"processed": 49, "failed": 49, "contacts": 20_000}, None),
        (Gates(brake=0.02), {"processed": 50, "failed": 50, "contacts": 20_000}, "50 of 50 failed: at least 92.9 %"),
        (Gates(brake=0.02, min_sample=5), {"processed": 5, "failed": 5, "contacts": 20_000}, "5 of 5 failed"),
        # More than the limit failed, but by chance one may fail so often.
        (Gates(brake=0.02), {"processed": 120, "failed": 3}, None),
        (Gates(brake=0.005), {"processed": 120, "failed": 3}, "3 of 120 failed: at least 0.9 % with 95 % confidence"),
        # All of a smaller campaign are enough, and are no sample.
        (Gates(brake=0.1), {"processed": 20, "failed": 3, "contacts": 20}, "3 of 20 failed: at least 15.0 %"),
        (Gates(brake=0.1), {"processed": 19, "failed": 9, "contacts": 20}, None),
        (Gates(brake=0.15), {"processed": 20, "failed": 3, "contacts": 20}, None),
        # Some vendors do not count those that failed as processed.
        (Gates(brake=0.5), {"processed": 10, "failed": 90, "contacts": 1000}, "90 of 90 failed"),
        (Gates(), {"processed": 100, "failed": 100}, None),
        (Gates(brake=0.1), {"sent": 100}, None),
    ],
)
def test_the_brake_judges_on_evidence(gates: Gates, counts: dict[str, int], said: str | None) -> None:
    brakes = gates.brakes(counts)
    assert (brakes is None) if said is None else (brakes is not None and said in brakes)


def test_a_minimum_sample_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="min_sample must be at least 1"):
        Gates(brake=0.1, min_sample=0)


def test_gates_on_a_campaign_that_need_not_have_finished_are_refused() -> None:
    for goal in (Goal("sent"), Goal(progress_threshold=50)):
        with pytest.raises(InvalidRequest, match="judge a finished campaign"):
            Terms(goal, gates=Gates(max_failed_ratio=0.1))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_gate_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(InvalidRequest, match="share from 0 to 1"):
        Gates(brake=share)


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
    one = watch()
    outcome = one.answered(Campaign("7", "W", S.FINISHED, "done", 100.0, {}, {"message": "x" * 10_000}), 1)
    assert outcome is not None
    assert "x" * 100 not in repr(one.carried()) + json.dumps(outcome.as_event())
