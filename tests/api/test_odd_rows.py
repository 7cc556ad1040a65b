"""A row of a vendor's list that nobody can read: it hides no other campaign, and no look-up takes it for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fuzzing
import pytest
from wire import says

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.errors import UnreadableAnswer
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient

IDS = [str(number) for number in range(101, 131)]
#: Wraps rows as a vendor does, and a client of the vendor.
VENDORS: Mapping[str, tuple[Callable[[Sequence[Any]], Any], Callable[[str], CampaignClient]]] = {
    "kinbox": (
        lambda rows: {"data": rows, "nextCursor": None},
        lambda url: KinboxClient("token", base_url=url),
    ),
    "altur": (
        lambda rows: {"campaigns": rows, "pagination": {"has_next": False}},
        lambda url: AlturClient("key", base_url=url),
    ),
    "koreai": (
        lambda rows: {"data": {"results": rows, "totalResults": len(rows), "skip": 0, "hasMore": False}},
        lambda url: KoreAIClient("id", "secret", base_url=url, app_id="app", account_id="account"),
    ),
}
by_vendor = pytest.mark.parametrize("vendor", VENDORS)


def client_with(serve: Any, vendor: str, odd: Sequence[Any]) -> CampaignClient:
    """Return a client of a vendor whose list has some odd rows among 30 good ones."""
    page, client = VENDORS[vendor]
    good = [{"id": one, "name": "Winter [airflow 0]", "description": "[airflow 0]", "status": "Active"} for one in IDS]
    return client(serve(says(200, page([*good[:3], *odd, *good[3:]]))).url)


@by_vendor
def test_an_odd_row_hides_no_other_campaign(vendor: str, serve: Any) -> None:
    client = client_with(serve, vendor, [{"id": None}])
    assert sorted(client.get_campaigns(IDS, progress=False)) == IDS


@by_vendor
def test_a_page_of_odd_rows_is_one_failed_look_and_not_a_request_for_each_campaign(vendor: str, serve: Any) -> None:
    page, client = VENDORS[vendor]
    server = serve(says(200, page([{"_id": {"$oid": one}} for one in IDS])))
    with pytest.raises(UnreadableAnswer):
        client(server.url).get_campaigns(IDS, progress=False)
    # The transport asks once more for what it cannot read.
    assert len(server.requests) <= 8


@by_vendor
def test_no_list_leaves_an_odd_row_out(vendor: str, serve: Any) -> None:
    client = client_with(serve, vendor, [{"id": None}])
    with pytest.raises(UnreadableAnswer):
        list(client.list_campaigns())


@by_vendor
def test_a_look_up_of_a_launch_never_takes_an_odd_row_for_nothing(vendor: str, serve: Any) -> None:
    client = client_with(serve, vendor, [{"id": None, "name": "Winter", "description": "Winter"}])
    with pytest.raises(UnreadableAnswer):
        client.find_marked("[airflow 1]", since=fuzzing.SINCE)
