"""Kore.ai's client against the sandbox: finding a launch again by its mark."""

from __future__ import annotations

import datetime

import pytest
from at_koreai import (
    DAY,
    MARK,
    SMS,
    Connect,
    campaigns_in,
    requests_of,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


def test_a_marked_campaign_is_found_whatever_the_case_oldest_first(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    plain = client.prepare(**SMS)
    marked = plain.marked(MARK)
    assert client.find_marked(MARK, since=clock.now()) == []
    ids = []
    for request in (plain, marked, plain, marked):
        clock.advance(1)
        ids.append(client.create(request).id)
    before = len(requests_of(campaign_sandbox))
    found = client.find_marked(MARK.upper(), since=clock.now() - DAY)
    assert [campaign.id for campaign in found] == [ids[1], ids[3]]
    assert client.marked_text(found[0]) == f"{SMS['description']} {MARK}"
    assert len(requests_of(campaign_sandbox)) == before + 1


def test_a_look_for_a_mark_does_not_read_what_is_older(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    begin = clock.now()
    for _ in range(5):
        client = connect()
        for _ in range(50):
            clock.advance(1)
            client.create_campaign(**SMS)
    looking = connect()
    assert looking.find_marked(MARK, since=begin + datetime.timedelta(seconds=100)) == []
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 2
    assert looking.find_marked(MARK, since=begin) == []
    assert len(requests_of(campaign_sandbox, "list_campaigns")) == 5


def test_a_mark_keeps_to_the_vendors_limit_on_descriptions(connect: Connect, campaign_sandbox: Sandbox) -> None:
    client = connect()
    room = 256 - len(MARK) - 1
    client.create(client.prepare(**{**SMS, "description": "x" * room}).marked(MARK))
    with pytest.raises(errors.InvalidRequest, match=f"at most {room} characters"):
        client.prepare(**{**SMS, "description": "x" * (room + 1)}).marked(MARK)
    assert campaigns_in(campaign_sandbox)[0]["description"].endswith(MARK)
