"""Altur's campaigns as they are found: one by id with its figures, and the list, which has none."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.altur.answers import (
    OPEN_CONTACT_STATUSES,
    ContactCounts,
    needs_contact_counts,
    next_cursor,
    read_campaign,
    unwrapped,
)
from airflow_provider_campaigns.api.altur.contacts import AlturContacts
from airflow_provider_campaigns.api.altur.fields import (
    CAMPAIGN_FILTERS,
    CREATE_FIELDS,
    MAX_PAGE_SIZE,
    campaign_place,
    numeric_id,
    query,
)
from airflow_provider_campaigns.api.altur.outcomes import read_outcome
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.outcomes import ContactOutcome
from airflow_provider_campaigns.api.paging import Page, walk

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.model import Campaign

LIST_CAMPAIGNS = Endpoint("GET", "/campaigns")
GET_CAMPAIGN = Endpoint("GET", "/campaigns/{campaign_id}")


class AlturLists(AlturContacts, CampaignClient):
    """The part of ``AlturClient`` that finds campaigns."""

    vendor = "Altur"
    creation_property = "created_at"
    create_fields = CREATE_FIELDS
    few = 3
    #: Altur takes one status at a time.
    unfinished = tuple({"status": word} for word in ("active", "cooldown", "inactive", "ready", "pending"))

    def where_marked(self, mark: str, since: datetime.datetime) -> Iterator[Iterable[Campaign]]:
        """
        Yield where to look for a mark: a span of dates first, and else the whole list; archived campaigns count too.

        The dates are probably those of creation, which Altur does not say.
        """
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=366)
        yield self.list_campaigns(start_date=since, end_date=until, archived=True)
        yield self.list_campaigns(archived=True)

    @classmethod
    def age(cls, campaign: Campaign) -> tuple[int, str]:
        """Return the id, which Altur counts up."""
        # The order of whole numbers, also for the odd id that is none: one odd row must not lose the others.
        return len(campaign.id), campaign.id

    def created_since(self, since: datetime.datetime | None) -> Iterator[Campaign]:
        """Yield campaigns that are not archived; older ones are left out by Altur's filter."""
        dates: dict[str, Any] = {}
        if since is not None:
            until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=366)
            dates = {"start_date": since, "end_date": until}
        return self._walk(query(CAMPAIGN_FILTERS, page_size=MAX_PAGE_SIZE, **dates), skip_odd=True)

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """
        Return one campaign.

        Where Altur leaves the status out of the answer, it is looked up in the list, which has it.

        :param campaign_id: Its id, a whole number.
        :param progress: Whether to count contacts where the snapshot tells no progress (WhatsApp, mostly): four more
            requests, and only while the campaign is under way.

        See https://docs.altur.io/en/api-reference/campaigns/retrieve-detail
        """
        place = campaign_place(campaign_id)
        answer = self.transport.call(GET_CAMPAIGN, path=place)
        item = unwrapped(answer, "campaign")
        campaign = read_campaign(answer.same(place["campaign_id"], item.get("id")), item)
        if campaign.vendor_status is None:
            listed = (row for row in self.list_campaigns(archived=True) if row.id == campaign.id)
            item = {**item, "status": next((row.vendor_status for row in listed), None)}
            campaign = read_campaign(campaign.id, item)
        if not progress or not needs_contact_counts(campaign):
            return campaign
        return read_campaign(campaign.id, item, self._contacts_of(campaign.id))

    def _contacts_of(self, campaign_id: str) -> ContactCounts:
        total = self.count_contacts(campaign_id)
        still_open = sum(self.count_contacts(campaign_id, word) for word in OPEN_CONTACT_STATUSES) if total else 0
        return ContactCounts(total, still_open)

    @classmethod
    def counted_on_request(cls, **kind: Any) -> frozenset[str]:
        """Return what the contacts by status tell of WhatsApp campaigns, whose documented figures leave it out."""
        return frozenset({"failed"})

    def list_outcomes(self, campaign_id: str) -> Iterator[ContactOutcome]:
        """Yield what became of each contact, in the words that all vendors share; a request for each hundred."""
        yield from map(read_outcome, self.list_contacts(campaign_id))

    def with_failures(self, campaign: Campaign) -> Campaign:
        """
        Return a campaign with ``failed`` counted, and what they are failures of counted after them.

        In one moment more contacts may fail than a figure of the moment before has processed. So it takes four requests
        more while the campaign is under way, and one more for the number of its contacts when it is over.

        :param campaign: A campaign that this client read.

        See https://docs.altur.io/en/api-reference/campaigns/contacts/list
        """
        counts = {**campaign.counts, "failed": self.count_contacts(campaign.id, "failed")}
        if campaign.status.is_over:
            counts.setdefault("contacts", self.count_contacts(campaign.id))
            return replace(campaign, counts=counts)
        contacts = self._contacts_of(campaign.id)
        return replace(campaign, counts={**counts, "contacts": contacts.total, "processed": contacts.processed})

    def list_campaigns(  # type: ignore[override]
        self,
        *,
        agent_id: str | None = None,
        status: str | None = None,
        integration: str | None = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: str | None = None,
        archived: bool | None = None,
        page_size: int = MAX_PAGE_SIZE,
        cursor: str | None = None,
        direction: str | None = None,
    ) -> Iterator[Campaign]:
        """
        Yield campaigns lazily, each once, in Altur's order; a finished one has progress 100, one under way none.

        :param agent_id: Only those of this agent.
        :param status: Only those in this status of Altur's: ``pending``, ``ready``, ``active``, ``inactive``,
            ``cooldown`` or ``finished``.
        :param integration: Only ``phone_call`` or ``whatsapp``.
        :param start_date: Only those created since then: a datetime with a time zone, or a whole day (``2026-06-01``);
            needs ``end_date`` too.
        :param end_date: Only those created until then, alike; a whole day is included.
        :param timezone: The IANA time zone of whole days.
        :param archived: Whether archived ones come as well; Altur leaves them out by default.
        :param page_size: Campaigns per request, 1 to 100.
        :param cursor: Where to begin, as a former answer told it.
        :param direction: ``next`` (the default) or ``previous``, seen from the cursor.
        :raises InvalidRequest: At once, before anything is sent.
        :raises ListingIncomplete: While walking, when Altur's list does not come to its end.

        See https://docs.altur.io/en/api-reference/campaigns/retrieve
        """
        filters = query(
            CAMPAIGN_FILTERS,
            agent_id=agent_id,
            status=status,
            integration=integration,
            start_date=start_date,
            end_date=end_date,
            timezone=timezone,
            archived=archived,
            page_size=page_size,
            cursor=cursor,
            direction=direction,
        )
        if ("startDate" in filters) != ("endDate" in filters):
            raise InvalidRequest("start_date and end_date must be given together.")
        return self._walk(filters)

    def _walk(self, filters: Mapping[str, Any], *, skip_odd: bool = False) -> Iterator[Campaign]:
        def fetch(at: str | None) -> Page[Campaign, str]:
            answer = self.transport.call(LIST_CAMPAIGNS, query=filters if at is None else {**filters, "cursor": at})

            def read(item: Mapping[str, Any]) -> Campaign:
                return read_campaign(answer.id_of(item, "id"), item)

            rows = "campaigns"
            items = answer.readable(rows, read) if skip_odd else list(map(read, answer.array(rows)))
            return Page(items, next_cursor(answer, back=filters.get("direction") == "previous"))

        return walk(fetch, lambda campaign: campaign.id, vendor=self.vendor, endpoint=str(LIST_CAMPAIGNS))

    @classmethod
    def checked_id(cls, campaign_id: str) -> str:
        """Return a campaign's id, a whole number."""
        return numeric_id("campaign_id", campaign_id)

    def list_serves(self, wanted: int, progress: bool) -> bool:
        """Return whether the list serves so many: it has no figures."""
        return not progress and super().list_serves(wanted, progress)

    def listed(self, progress: bool) -> Iterator[Campaign]:
        """Yield the campaigns that can be read, archived ones too: an odd row must not hide the others."""
        return self._walk(query(CAMPAIGN_FILTERS, archived=True, page_size=MAX_PAGE_SIZE), skip_odd=True)
