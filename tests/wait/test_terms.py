"""The terms of a wait: what is refused, and how they are stored."""

import json
from dataclasses import fields

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.terms import Terms

S = CampaignStatus


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_that_would_hammer_the_vendor_is_refused(interval: float) -> None:
    with pytest.raises(InvalidRequest, match="poll_interval"):
        Terms(Goal(), interval)


def test_gates_on_a_campaign_that_need_not_have_finished_are_refused() -> None:
    for goal in (Goal("sent"), Goal(progress_threshold=50)):
        with pytest.raises(InvalidRequest, match="judge a finished campaign"):
            Terms(goal, gates=Gates(max_failed_ratio=0.1))


def test_terms_come_back_from_storage_as_they_were() -> None:
    terms = Terms(Goal("sent", 40.0), 30.0, 1_900_000_000.5, 60.0, 90.0, Gates(brake=0.25))
    assert Terms.from_stored(json.loads(json.dumps(terms.stored()))) == terms


def test_every_field_of_terms_goal_and_gates_is_stored() -> None:
    own = {field.name for field in fields(Terms)} - {"goal", "gates"}
    assert set(Terms(Goal()).stored()) == own | {field.name for kind in (Goal, Gates) for field in fields(kind)}


def test_no_two_fields_are_stored_under_one_name() -> None:
    names = [field.name for kind in (Terms, Goal, Gates) for field in fields(kind)]
    assert len(names) == len(set(names))
