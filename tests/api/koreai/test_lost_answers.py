"""Kore.ai's client against the sandbox: what it does when an answer is lost."""

from __future__ import annotations

import time

import pytest
from at_koreai import (
    LABEL,
    LOST,
    SMS,
    Connect,
    campaigns_in,
    requests_of,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
@pytest.mark.parametrize("kind", [*LOST, "rate_limited"])
def test_a_read_survives_a_lost_answer(connect: Connect, campaign_sandbox: Sandbox, kind: str, effect: bool) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    order = LOST.get(kind, {"kind": kind})
    campaign_sandbox.order_fault(endpoint="list_campaigns", effect=effect, **order)
    assert [campaign.id for campaign in client.list_campaigns()] == [campaign_id]
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 2


@pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
@pytest.mark.parametrize("kind", LOST)
def test_a_create_whose_answer_is_lost_is_never_sent_again(
    connect: Connect, campaign_sandbox: Sandbox, kind: str, effect: bool
) -> None:
    campaign_sandbox.order_fault(endpoint="create_campaign", effect=effect, **LOST[kind])
    with pytest.raises(errors.OutcomeUnknown) as caught:
        connect().create_campaign(**SMS)
    assert LABEL in str(caught.value)
    assert len(requests_of(campaign_sandbox, "create_campaign")) == 1
    expected = 1 if effect else 0
    if kind == "slow" and not effect:
        # It takes effect after the delay, when nobody waits for the answer any more.
        expected = 1
        give_up = time.monotonic() + 5
        while not campaigns_in(campaign_sandbox) and time.monotonic() < give_up:
            time.sleep(0.05)
    assert len(campaigns_in(campaign_sandbox)) == expected


def test_a_create_refused_for_too_many_requests_is_sent_again_and_creates_one(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    campaign_sandbox.order_fault(kind="rate_limited", endpoint="create_campaign", retry_after=None)
    connect().create_campaign(**SMS)
    assert len(requests_of(campaign_sandbox, "create_campaign")) == 2
    assert len(campaigns_in(campaign_sandbox)) == 1


@pytest.mark.parametrize("kind", LOST)
def test_a_start_whose_answer_is_lost_is_concluded_from_the_status(
    connect: Connect, campaign_sandbox: Sandbox, kind: str
) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    campaign_sandbox.order_fault(endpoint="start_campaign", **LOST[kind])
    assert client.start_campaign(campaign_id).status is CampaignStatus.RUNNING
    campaign_sandbox.order_fault(endpoint="stop_campaign", **LOST[kind])
    assert client.stop_campaign(campaign_id).status is CampaignStatus.CANCELED
    assert len(requests_of(campaign_sandbox, "start_campaign")) == 1
    assert campaigns_in(campaign_sandbox)[0]["starts"] == 1


def test_a_start_that_never_took_effect_is_not_called_a_success(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    campaign_id = client.create_campaign(**SMS).id
    campaign_sandbox.order_fault(kind="reset", endpoint="start_campaign", effect=False, times=None)
    with pytest.raises(errors.OutcomeUnknown):
        client.start_campaign(campaign_id)
    campaign_sandbox.order_fault(kind="error", endpoint="get_status", times=None)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client.start_campaign(campaign_id)
    assert "trigger" not in str(caught.value)
    assert caught.value.endpoint.startswith("POST /campaign/api/v1/")
    assert campaigns_in(campaign_sandbox)[0]["starts"] == 0
