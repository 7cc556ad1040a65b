"""Kore.ai's campaigns as they are found: one by id or by its status, and the list, which alone counts SMS."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_campaigns.api import fields, reading
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Effect, path_segment
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.koreai.access import VENDOR, in_both_versions
from airflow_provider_campaigns.api.koreai.answers import (
    IDS,
    NOT_BEGUN,
    Figures,
    contacts_of,
    id_in,
    read_campaign,
)
from airflow_provider_campaigns.api.koreai.contact_lists import KoreAIContactLists
from airflow_provider_campaigns.api.koreai.fields import CAMPAIGN_TYPES, FIELDS
from airflow_provider_campaigns.api.koreai.paging import (
    MAX_PAGE_SIZE,
    Listing,
    checked_page_size,
    skip_alone,
    skip_and_page,
)
from airflow_provider_campaigns.api.koreai.results import STATUS, KoreAIResults
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus

GET = in_both_versions("GET", "/{campaign_id}")
LIST = in_both_versions("POST", "/getAllCampaignDetails", effect=Effect.READ)

STATUS_WORDS = ("Active", "Completed", "Ready", "Paused", "Preparing", "Stopped", "Scheduled", "Rescheduled")
UNFINISHED_WORDS = ("Active", "Paused", "Ready", "Preparing", "Scheduled", "Rescheduled")
#: How many pages of the list (newest first) are looked through for one campaign's figures.
PAGES_FOR_FIGURES = 10

_FILTERS = {
    "status": Field("status", "status", choices=STATUS_WORDS),
    "priority": Field("priority", "priority", fields.INTEGER, minimum=1, maximum=5),
    "dialing_mode": Field("dialing_mode", "dialingMode", choices=("Progressive", "Preview")),
}
_START, _END = Field("start_date", "startDate", fields.MOMENT), Field("end_date", "endDate", fields.MOMENT)
CAMPAIGN_TYPE = Field("campaign_type", "type", choices=CAMPAIGN_TYPES)


class KoreAILists(KoreAIContactLists, KoreAIResults, CampaignClient):
    """The part of ``KoreAIClient`` that finds campaigns."""

    vendor = VENDOR
    create_fields = FIELDS
    creation_property = "createdAt"
    newest_first = True
    few = 1
    unfinished = ({"status": UNFINISHED_WORDS},)
    # More would use up the account's minute.
    most_by_id = 10

    campaign_type: str

    def where_marked(self, mark: str, since: datetime.datetime) -> Iterator[Iterable[Campaign]]:
        """Yield where to look for a mark: the list of the client's type, as far as it is not surely older."""
        yield self._not_older(since)

    def _not_older(self, since: datetime.datetime) -> Iterator[Campaign]:
        """
        Yield campaigns, newest first, until they are older.

        That they come in this order is not documented, so at least one whole page is read, and all of the list when the
        order is another one.
        """
        newest_first, previous = True, None
        for place, campaign in enumerate(self.list_campaigns()):
            moment = reading.moment(reading.text(campaign.raw.get("createdAt")) or "")
            if moment is None or moment.tzinfo is None:
                newest_first = False
            else:
                newest_first = newest_first and (previous is None or moment <= previous)
                previous = moment
                if newest_first and place >= MAX_PAGE_SIZE and moment < since:
                    return
            yield campaign

    @classmethod
    def age(cls, campaign: Campaign) -> tuple[str, str]:
        """Return the time of creation as the vendor writes it, and the id."""
        return reading.text(campaign.raw.get("createdAt")) or "", campaign.id

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """
        Return one campaign.

        Without progress this is one request, by id: it carries all that the status endpoint does, and the lists and the
        strategy besides. With progress an SMS campaign is looked up in the list, newest first, since the number
        of messages sent is told only there, and a voice campaign's results are counted up to 300 contacts.

        :param campaign_id: The campaign's id.
        :param progress: Whether progress is wanted while it is running; None where it cannot be told.
        :raises NotFound: There is none.
        """
        path_segment("campaign_id", campaign_id)
        listed = self._from_list({campaign_id}, progress) if self._rows_have_figures(progress) else {}
        return listed.get(campaign_id) or self.campaign_by_id(campaign_id, progress=progress)

    def get_status(self, campaign_id: str) -> Campaign:
        """
        Return one campaign with its id, name and status only; one request.

        https://docs.kore.ai/ai-for-service/apis/contact-center/get-campaign-status
        """
        answer = self._call(STATUS, path={"campaign_id": campaign_id}, query={"view": "status"}, body={})
        return self._campaign(answer, answer.object("data"), campaign_id)

    @classmethod
    def checked_id(cls, campaign_id: str) -> str:
        """Return a campaign's id, which must be one segment of a path."""
        path_segment("campaign_id", campaign_id)
        return campaign_id

    def list_serves(self, wanted: int, progress: bool) -> bool:
        """Return whether the list serves so many: even one SMS campaign's figures are only there."""
        return super().list_serves(wanted, progress) or (wanted > 0 and self._rows_have_figures(progress))

    def is_worth_a_page(self, missing: int, wanted: int, pages: int, progress: bool) -> bool:
        """Return whether the list was read no further than asking for each by id would cost."""
        return pages < (max(wanted, PAGES_FOR_FIGURES) if self._rows_have_figures(progress) else wanted)

    def _rows_have_figures(self, progress: bool) -> bool:
        return progress and self.campaign_type == "sms"

    def with_figures(self, campaign: Campaign) -> Campaign:
        """Return a campaign with what its progress is measured by, while that means anything."""
        if campaign.status in NOT_BEGUN or campaign.status is CampaignStatus.FINISHED:
            return campaign
        if self.campaign_type == "sms":
            figures = Figures(contacts=contacts_of(campaign.raw, self.contact_totals()))
        else:
            strategy = reading.mapping(campaign.raw.get("dialingStrategy"))
            figures = self.voice_figures(campaign.id, reading.whole(strategy.get("maxAttemptsPerRecord")))
        return read_campaign(campaign.raw, campaign.id, figures)

    def campaign_by_id(self, campaign_id: str, *, progress: bool) -> Campaign:
        """Return a campaign by its id alone: the list did not show it."""
        answer = self._call(GET, path={"campaign_id": campaign_id})
        campaign = self._campaign(answer, answer.object("data"), campaign_id)
        return self.with_figures(campaign) if progress else campaign

    def list_campaigns(  # type: ignore[override]  # the vendor's own filters, by name
        self,
        *,
        status: str | Sequence[str] | None = None,
        priority: int | Sequence[int] | None = None,
        dialing_mode: str | Sequence[str] | None = None,
        start_date: datetime.datetime | str | None = None,
        end_date: datetime.datetime | str | None = None,
        timezone: str | None = None,
        campaign_type: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
    ) -> Iterator[Campaign]:
        """
        Yield campaigns of one type lazily, newest first, each once.

        https://docs.kore.ai/ai-for-service/apis/contact-center/get-all-campaigns

        :param status: The vendor's words, one or several: ``Active``, ``Completed``, ``Ready``, ``Paused``,
            ``Preparing``, ``Stopped``, ``Scheduled``, ``Rescheduled``.
        :param priority: 1 to 5, one or several.
        :param dialing_mode: Voice: ``Progressive``, ``Preview`` or both.
        :param start_date: A datetime with a time zone, or a whole day (``2026-06-01``); which of a campaign's dates the
            vendor compares is not documented.
        :param end_date: Alike; a whole day is included.
        :param timezone: The IANA time zone of whole days.
        :param campaign_type: ``sms`` or ``voice``, by default the client's.
        :param page_size: Campaigns for each request, 1 to 100.
        :raises InvalidRequest: At once, before any request.
        :raises ListingIncomplete: While the list is walked, when the vendor does not hand out all of it.
        """
        kind: str = CAMPAIGN_TYPE.read(self.campaign_type if campaign_type is None else campaign_type)
        if dialing_mode is not None and kind != "voice":
            raise InvalidRequest("dialing_mode filters voice campaigns; these are of type sms.")
        given = {"status": status, "priority": priority, "dialing_mode": dialing_mode}
        filters = {
            _FILTERS[name].wire: [_FILTERS[name].read(one) for one in _several(value)]
            for name, value in given.items()
            if value is not None
        }
        span = fields.with_whole_days({"start_date": start_date, "end_date": end_date}, timezone)
        body = fields.wire_body((_START, _END), span)
        if filters:
            body["filters"] = filters
        rows = self._rows(kind, body, checked_page_size(page_size))
        return (self._campaign(answer, row, key) for answer, key, row in rows)

    def listed(self, progress: bool) -> Iterator[Campaign]:
        """Yield the campaigns of the client's type that can be read: an odd row must not hide the others."""
        rows = self._rows(self.campaign_type, skip_odd=True)
        return (self._campaign(answer, row, key) for answer, key, row in rows if key)

    def _campaign(self, answer: Answer, item: Mapping[str, Any], known_id: str | None = None) -> Campaign:
        if known_id is not None:
            campaign_id = answer.same(known_id, *map(item.get, IDS))
        else:
            campaign_id = id_in(item, reading.mapping(answer.data)) or answer.id_of(item, *IDS)
        return read_campaign(item, campaign_id)

    def _rows(
        self,
        campaign_type: str,
        body: Mapping[str, Any] | None = None,
        page_size: int = MAX_PAGE_SIZE,
        *,
        skip_odd: bool = False,
    ) -> Iterator[tuple[Answer, str, dict[str, Any]]]:
        """Yield the rows with their answer and their id; with ``skip_odd`` a row without an id has an empty one."""
        answers: list[Answer] = []

        def ask(place: Mapping[str, int]) -> Answer:
            answers[:] = [self._call(LIST, body=page_body(campaign_type, place, body or {}))]
            return answers[0]

        listing = Listing(
            ask,
            lambda answer, row: id_in(row) or ("" if skip_odd else answer.id_of(row, *IDS)),
            endpoint=LIST[self.api_version],
            numberings=(skip_and_page, skip_alone),
            page_size=page_size,
        )
        return ((answers[0], key, row) for key, row in listing.rows())


def page_body(campaign_type: str, place: Mapping[str, int], filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that asks for a page of the list, newest first."""
    return {**place, "type": campaign_type, "sortBy": {"createdAt": "desc"}, **filters}


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
