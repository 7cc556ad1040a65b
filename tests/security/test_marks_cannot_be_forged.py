"""A mark in the words of a user makes no launch take another's campaign for its own, and none hold or replace it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.launch.intent import Intent, fingerprints, launch_key, signs_in
from airflow_provider_campaigns.launch.launcher import Launch
from airflow_provider_campaigns.sandbox.server import Sandbox

OURS = Intent(launch_key("dag", "run 1", "create", -1), {"name": "a"})
THEIRS = Intent(launch_key("dag", "run 2", "create", -1), {"name": "a"})


@pytest.fixture
def client(vendor: Any, connect: Callable[..., CampaignClient], campaign_sandbox: Sandbox) -> CampaignClient:
    return connect(campaign_sandbox.base_url(vendor.name), timeout=10)


def launched(client: CampaignClient, fields: Mapping[str, Any], intent: Intent, words: str = "") -> Campaign:
    """Create a campaign as a launch does, with words of a user before the mark."""
    own = f"{words} {fields.get(client.marked_field, '')}".strip()
    return client.create(client.prepare(**{**fields, client.marked_field: own or None}).marked(intent.mark))


def later_try(client: CampaignClient, intent: Intent) -> Launch:
    """Return the second try of a launch of which nothing is remembered, so that the marks alone count."""
    return Launch(client, intent, None, first_try=False, lookup_timeout=0.0, sleep=lambda _: None)


FORGED = {
    "another's mark": THEIRS.mark,
    "in capitals": THEIRS.mark.upper(),
    "half of it": THEIRS.mark[:22],
    "many times": THEIRS.mark * 3,
    "without its end": THEIRS.mark.rstrip("]"),
    "within brackets": f"[{THEIRS.mark}]",
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_campaign_whose_words_hold_another_launch_s_mark_is_not_adopted_by_it(
    vendor: Any, client: CampaignClient, campaign_sandbox: Sandbox, forged: str
) -> None:
    foreign = launched(client, vendor.fields, OURS, FORGED[forged])
    theirs = later_try(client, THEIRS)
    campaign = theirs.create(lambda: launched(client, vendor.fields, THEIRS))
    assert campaign.id != foreign.id
    assert theirs.created
    assert client.get_campaign(foreign.id, progress=False).status == foreign.status or vendor.name == "kinbox"
    requests = campaign_sandbox.journal(vendor.name)["counts"][vendor.name]
    assert not {name for name in requests if re.match("pause|stop|archive", name)}


@pytest.mark.parametrize("forged", FORGED)
def test_it_does_not_count_as_a_second_launch_either(
    vendor: Any, client: CampaignClient, campaign_sandbox: Sandbox, forged: str
) -> None:
    launched(client, vendor.fields, OURS, FORGED[forged])
    own = launched(client, vendor.fields, THEIRS)
    found = later_try(client, THEIRS).create(lambda: pytest.fail("created a second time"))
    assert found.id == own.id
    requests = campaign_sandbox.journal(vendor.name)["counts"][vendor.name]
    assert not {name for name in requests if re.match("pause|stop|archive", name)}


def test_a_launch_still_finds_its_own_campaign_whose_words_hold_marks(vendor: Any, client: CampaignClient) -> None:
    own = launched(client, vendor.fields, OURS, f"{THEIRS.mark} {OURS.mark.upper()}")
    assert later_try(client, OURS).create(lambda: pytest.fail("created a second time")).id == own.id


@pytest.mark.parametrize("words", ["[airflow 0123456789ab-abcdef]", "[AIRFLOW 0123456789AB-ABCDEF]"])
def test_the_mark_at_the_end_counts_and_every_launch_puts_its_own_there(vendor: Any, words: str) -> None:
    client = vendor.client(vendor.secret)
    request = client.prepare(**{**vendor.fields, client.marked_field: f"{words} and more {words}"}).marked(OURS.mark)
    assert signs_in(request.body[request.marked_field.wire]) == (OURS.sign, OURS.payload)


def test_a_mark_tells_nothing_of_what_it_was_made_from() -> None:
    assert re.fullmatch(r"\[airflow [0-9a-f]{12}-[0-9a-f]{6}\]", OURS.mark)
    assert fingerprints({"message": "Hello", "name": "Ana"}).keys() == {"message", "name"}
    assert "Hello" not in str(fingerprints({"message": "Hello"}))
