"""What the ends of several campaigns' waits mean for the task that waits for them all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.group import CampaignGroup, verdict, with_campaigns
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.terms import Terms

MET = Outcome(Reason.MET, "done", {"id": "1", "status": "finished"})
LOST = Outcome(Reason.CAMPAIGN_FAILED, "Campaign 2 was canceled.", {"id": "2", "status": "canceled"})
LATE = Outcome(Reason.TIMEOUT, "Campaign 3 is late.", {"id": "3", "status": "running"})


@pytest.mark.parametrize(
    ("wait_for", "ended", "waiting", "reason"),
    [
        ("all", {"1": MET}, 1, None),
        ("all", {"1": MET}, 0, Reason.MET),
        ("all", {"1": MET, "2": LOST}, 1, Reason.CAMPAIGN_FAILED),
        # The others have the same deadline, and each is to be dealt with.
        ("all", {"3": LATE}, 1, None),
        ("all", {"1": MET, "3": LATE}, 0, Reason.TIMEOUT),
        ("all", {"3": LATE, "2": LOST}, 1, Reason.CAMPAIGN_FAILED),
        ("any", {"2": LOST}, 1, None),
        ("any", {"2": LOST, "1": MET}, 1, Reason.MET),
        ("any", {"2": LOST, "3": LATE}, 0, Reason.CAMPAIGN_FAILED),
    ],
)
def test_all_ends_with_the_first_loss_and_any_with_the_first_that_reached_the_goal(
    wait_for: str, ended: dict[str, Outcome], waiting: int, reason: Reason | None
) -> None:
    told = verdict(ended, waiting, wait_for)
    assert (told and told.reason) == reason


def test_the_result_tells_of_each_campaign_in_the_order_asked_for() -> None:
    told = with_campaigns(LOST, {"1": MET, "2": LOST}, {"3": None, "2": None, "1": {"status": "running"}})
    assert told.campaign is not None
    assert told.campaign["campaigns"] == [
        {"id": "3", "reached": False},
        {"id": "2", "status": "canceled", "reached": False},
        {"id": "1", "status": "finished", "reached": True},
    ]
    assert Outcome.from_event(json.loads(json.dumps(told.as_event()))) == told


def test_another_process_goes_on_where_the_last_left_off_with_what_has_ended() -> None:
    group = CampaignGroup(["1", "2"], Terms(Goal()), "all", 0)
    group.end("1", MET)
    carried: dict[str, Any] = json.loads(json.dumps(group.carried()))
    after = CampaignGroup(["1", "2"], Terms(Goal()), "all", 50)
    after.go_on(carried)
    assert [wait.campaign_id for wait in after.waiting()] == ["2"]
    assert after.outcome() is None
    after.end("2", MET)
    ended = after.outcome()
    assert ended is not None
    assert ended.reason is Reason.MET
