"""Kinbox's campaigns as they are found: one by id, v1's list, and v3's where v1 has no filter."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from airflow_provider_campaigns.api import errors, fields, reading
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.kinbox.answers import next_cursor, read_campaign
from airflow_provider_campaigns.api.kinbox.fields import CREATE_FIELDS, FIND_FIELDS
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.api.paging import Page, walk

log = logging.getLogger(__name__)

VENDOR = "Kinbox"
_OBJECT_ID = re.compile("[0-9a-f]{24}", re.IGNORECASE)

LIST = Endpoint("GET", "/v1/campaigns")
GET = Endpoint("GET", "/v1/campaigns/{campaign_id}")
FIND = Endpoint("GET", "/v3/campaigns")
MAX_PAGE_SIZE = 100
MAX_FIND_PAGE_SIZE = 500


class KinboxLists(CampaignClient):
    """The part of ``KinboxClient`` that finds campaigns."""

    vendor = VENDOR
    creation_property = "createdAt"
    create_fields = CREATE_FIELDS
    marked_field = "name"
    few = 5
    most_by_id = 20

    def where_marked(self, mark: str, since: datetime.datetime) -> Iterator[Iterable[Campaign]]:
        """
        Yield where to look for a mark: what v3's filter finds by name, and else the whole list.

        The filter finds the mark in one request if it looks for parts of names, which is not documented.
        """
        try:
            # Without the brackets, which a filter that takes regular expressions would stumble over.
            named = self.find_campaigns(name=mark.strip("[]-"))
            yield [campaign for campaign in named if mark.lower() in self.marked_text(campaign).lower()]
        except errors.CampaignAPIError as error:
            log.info("Kinbox's list cannot be filtered by name, so all of it is walked: %s", error)
        yield self.list_campaigns()

    @classmethod
    def age(cls, campaign: Campaign) -> str:
        """Return the id: ObjectIds begin with the second of their creation, and v1 tells no other time."""
        return campaign.id

    @classmethod
    def created_at(cls, campaign: Campaign) -> datetime.datetime | None:
        """Return what v3 tells, and else the second that an ObjectId begins with."""
        told = super().created_at(campaign)
        if told or not _OBJECT_ID.fullmatch(campaign.id):
            return told
        return datetime.datetime.fromtimestamp(int(campaign.id[:8], 16), datetime.UTC)

    def listed(self, progress: bool) -> Iterator[Campaign]:
        """Yield the campaigns that can be read: an odd row must not hide the others."""
        return self._walk(lambda cursor: self._page(cursor, MAX_PAGE_SIZE, skip_odd=True))

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """
        Return one campaign.

        :param campaign_id: The campaign's id.
        :param progress: Of no effect: Kinbox gives the figures with the campaign.
        :raises NotFound: The account has no such campaign.
        """
        answer = self.transport.call(GET, path={"campaign_id": campaign_id})
        return read_campaign(answer, answer.object(), campaign_id)

    def list_campaigns(  # type: ignore[override]  # the vendor's filters, spelled out
        self,
        *,
        name: str | None = None,
        channel_id: str | int | None = None,
        status: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
    ) -> Iterator[Campaign]:
        """
        Yield the account's campaigns lazily, each once, in Kinbox's order, which is not documented.

        Without a filter by v1's list; filters exist in v3's alone, so with one it is :meth:`find_campaigns`.

        :param name: As for :meth:`find_campaigns`.
        :param channel_id: As for :meth:`find_campaigns`.
        :param status: As for :meth:`find_campaigns`.
        :param page_size: Campaigns per request, 1 to 100.
        :raises ListingIncomplete: While iterating: the list's end cannot be reached.

        .. seealso:: https://docs.kinbox.com.br/api-reference/auto/v1campaigns/list-all-campaigns
        """
        _page_size(page_size, MAX_PAGE_SIZE)
        if name is not None or channel_id is not None or status is not None:
            return self.find_campaigns(name=name, channel_id=channel_id, status=status, page_size=page_size)
        return self._walk(lambda cursor: self._page(cursor, page_size))

    def find_campaigns(
        self,
        *,
        name: str | None = None,
        channel_id: str | int | None = None,
        status: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
    ) -> Iterator[Campaign]:
        """
        Yield the campaigns that match all given filters, by v3's list.

        How Kinbox compares names is not documented, and a campaign deleted meanwhile shifts the later ones past the
        reader: where missing a campaign would be costly, walk :meth:`list_campaigns` without a filter.

        :param name: Text to look for in names.
        :param channel_id: The channel that sends.
        :param status: Kinbox's word, such as ``executing`` or ``done-sent``.
        :param page_size: Campaigns per request, 1 to 500 (older Kinbox versions: 100).

        .. seealso:: https://docs.kinbox.com.br/api-reference/campanhas/list-campaigns
        """
        _page_size(page_size, MAX_FIND_PAGE_SIZE)
        filters = fields.wire_body(FIND_FIELDS, {"name": name, "channel_id": channel_id, "status": status})

        def fetch(offset: int | None) -> Page[Campaign, int]:
            begin = offset or 0
            answer = self.transport.call(FIND, query={**filters, "limit": page_size, "offset": begin})
            items = [read_campaign(answer, item) for item in answer.array("data")]
            end = begin + len(items)
            total = reading.whole(answer.object().get("totalCount"))
            return Page(items, end if items and (total is None or end < total) else None)

        return walk(fetch, lambda campaign: campaign.id, vendor=VENDOR, endpoint=str(FIND))

    def _page(self, cursor: str | None, page_size: int, *, skip_odd: bool = False) -> Page[Campaign, str]:
        answer = self.transport.call(LIST, query={"limit": page_size, "cursor": cursor})
        read = partial(read_campaign, answer)
        items = answer.readable("data", read) if skip_odd else list(map(read, answer.array("data")))
        return Page(items, next_cursor(answer.object().get("nextCursor"), items[-1].id if items else None))

    def _walk(self, fetch: Callable[[str | None], Page[Campaign, str]]) -> Iterator[Campaign]:
        return walk(fetch, lambda campaign: campaign.id, vendor=VENDOR, endpoint=str(LIST))


def _page_size(page_size: int, maximum: int) -> None:
    Field("page_size", "limit", fields.INTEGER, minimum=1, maximum=maximum).read(page_size)
