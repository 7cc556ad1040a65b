"""Waiting as pure decisions: goals and gates by table."""

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Gates, Goal, Verdict, judge, progress_line

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


@pytest.mark.parametrize("threshold", [0, -1, 100.1, float("nan")])
def test_a_threshold_that_cannot_be_meant_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidRequest, match="progress_threshold must be above 0"):
        Goal(progress_threshold=threshold)


def test_an_unknown_goal_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(InvalidRequest, match="until must be one of finished, sent; got 'done'"):
        Goal("done")


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


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_gate_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(InvalidRequest, match="share from 0 to 1"):
        Gates(brake=share)


LONG = {"contacts": 120_000, "processed": 60_000, "sent": 55_000, "received": 50_000, "read": 20_000, "failed": 5_000}


@pytest.mark.parametrize("campaign_id", ["1001", "cd-0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_progress_line_fits_a_log_and_has_its_forecast_before_the_counts(campaign_id: str) -> None:
    campaign = Campaign(campaign_id, "x", CampaignStatus.RUNNING, "Active", 50.0, LONG, {})
    line = progress_line(campaign, "about 79 min left at 0.6 %/min")
    assert line.startswith(f"Campaign {campaign_id} is running (Active), 50 %, about 79 min left at 0.6 %/min")
    assert len(line) <= 120
    assert line.endswith(", …") or "; " not in line


def test_a_progress_line_with_room_has_all_counts() -> None:
    campaign = Campaign("1", "x", CampaignStatus.RUNNING, "executing", 50.0, {"sent": 6, "failed": 1}, {})
    assert progress_line(campaign) == "Campaign 1 is running (executing), 50 %; sent 6, failed 1"
