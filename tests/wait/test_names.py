"""Which campaign a name means, and when the search for it is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.names import AmbiguousName, CampaignName, NameSearch
from airflow_provider_campaigns.wait.outcome import Reason

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def campaign(name: str, number: int = 1) -> Campaign:
    return Campaign(str(number), name, CampaignStatus.RUNNING)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("Winter", True),
        ("Winter sale", True),
        ("Winter sale [airflow 0123456789ab-0a1b2c]", True),
        ("winter", False),
        ("The Winter", False),
    ],
)
def test_a_pattern_fits_names_as_people_wrote_them(name: str, fits: bool) -> None:
    assert CampaignName("Winter*").fits(campaign(name), None) is fits
    assert CampaignName("Winter").fits(campaign(name), None) is (name.startswith("Winter") and "sale" not in name)


def test_a_campaign_that_is_older_is_not_meant_and_one_of_the_same_second_is() -> None:
    name = CampaignName("Winter*", NOON.timestamp() + 0.5)
    assert name.fits(campaign("Winter"), NOON)
    assert not name.fits(campaign("Winter"), NOON.replace(hour=11))


def test_where_nobody_knows_how_old_a_campaign_is_none_is_guessed() -> None:
    with pytest.raises(InvalidRequest, match="does not tell when campaign 1 was created"):
        CampaignName("Winter*", NOON.timestamp()).fits(campaign("Winter"), None)


def test_several_of_the_name_are_refused_unless_the_newest_is_asked_for() -> None:
    several = [campaign("Winter", number) for number in range(1, 8)]
    with pytest.raises(AmbiguousName, match=r"7 campaigns fit the name 'Winter\*': 1, 2, 3, 4, 5 and 2 more"):
        CampaignName("Winter*").chosen(several)
    assert CampaignName("Winter*", match="newest").chosen(several) == several[-1]
    assert CampaignName("Winter*").chosen([]) is None


def test_a_search_ends_with_what_it_found_or_when_its_time_is_up_after_one_last_look() -> None:
    search = NameSearch(CampaignName("Winter*"), 60, deadline=1000, patience=100, now=0)
    assert search.took(None, 999) is None
    assert search.pause(999, 1.0) == 1
    found = search.took(campaign("Winter"), 1001)
    assert found is not None
    assert found.reason is Reason.MET
    assert found.campaign is not None
    assert found.campaign["id"] == "1"
    late = search.took(None, 1000)
    assert late is not None
    assert late.reason is Reason.TIMEOUT
    assert "'Winter*' appeared in time" in late.message


def test_a_search_is_as_patient_as_a_wait() -> None:
    search = NameSearch(CampaignName("Winter*"), 60, deadline=None, patience=100, now=0)
    down = errors.Unavailable("down", vendor="Kinbox", endpoint="list")
    assert search.took(down, 100) is None
    lost = search.took(down, 101)
    assert lost is not None
    assert lost.reason is Reason.UNREACHABLE
    search = NameSearch(CampaignName("Winter*"), 60, deadline=None, patience=100, now=0)
    refused = errors.PermissionDenied("no", vendor="Kinbox", endpoint="list", status=403)
    assert search.took(refused, 1) is None
    carried = NameSearch(CampaignName("Winter*"), 60, deadline=None, patience=100, now=0)
    carried.go_on(search.carried())
    for one in (search, carried):
        ended = one.took(refused, 2)
        assert ended is not None
        assert ended.reason is Reason.REFUSED
