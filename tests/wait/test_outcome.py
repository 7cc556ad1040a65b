"""The outcome of a wait on its way as an event."""

import pytest

from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.outcome import Outcome, Reason

S = CampaignStatus


def campaign(status: CampaignStatus, progress: float | None = None, **counts: int) -> Campaign:
    return Campaign("7", "Winter", status, status.value, progress, counts)


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
