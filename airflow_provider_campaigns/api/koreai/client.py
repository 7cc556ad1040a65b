"""Kore.ai's campaigns (AI for Service, contact center): created, started, stopped, scheduled, listed and counted."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

from airflow_provider_campaigns.api import errors, fields, reading
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.create_request import CreateRequest
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety, path_segment
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.koreai.access import (
    VENDOR,
    failure_word,
    in_any_version,
    in_both_versions,
    words_of,
)
from airflow_provider_campaigns.api.koreai.answers import (
    COUNTED,
    IDS,
    NOT_BEGUN,
    Figures,
    contacts_of,
    id_in,
    read_campaign,
)
from airflow_provider_campaigns.api.koreai.contact_lists import KoreAIContactLists
from airflow_provider_campaigns.api.koreai.fields import CAMPAIGN_TYPES, FIELDS, KoreAIFields, read_create, request_body
from airflow_provider_campaigns.api.koreai.paging import (
    MAX_PAGE_SIZE,
    Listing,
    checked_page_size,
    skip_alone,
    skip_and_page,
)
from airflow_provider_campaigns.api.koreai.results import STATUS, KoreAIResults
from airflow_provider_campaigns.api.koreai.schedule import KoreAISchedules
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments

CREATE = in_both_versions("POST", "", Safety.ONCE)
GET = in_both_versions("GET", "/{campaign_id}")
LIST = in_both_versions("POST", "/getAllCampaignDetails")
UPDATE = in_both_versions("PUT", "/{campaign_id}", Safety.ONCE)
DELETE = in_both_versions("DELETE", "/{campaign_id}", Safety.ONCE)
# The v2 pages disagree about the path of start and stop (one has a double slash, one lacks its prefix), while the v1
# pages agree: so there is one path, whichever version the client was set to.
TRIGGER = in_any_version(Endpoint("POST", "/campaign/api/v1/public/{app_id}/campaign/{campaign_id}", Safety.ONCE))

STATUS_WORDS = ("Active", "Completed", "Ready", "Paused", "Preparing", "Stopped", "Scheduled", "Rescheduled")
#: How many pages of the list (newest first) are looked through for one campaign's figures.
PAGES_FOR_FIGURES = 10

_FILTERS = {
    "status": Field("status", "status", choices=STATUS_WORDS),
    "priority": Field("priority", "priority", fields.INTEGER, minimum=1, maximum=5),
    "dialing_mode": Field("dialing_mode", "dialingMode", choices=("Progressive", "Preview")),
}
_START, _END = Field("start_date", "startDate", fields.MOMENT), Field("end_date", "endDate", fields.MOMENT)
_TYPE = Field("campaign_type", "type", choices=CAMPAIGN_TYPES)


class KoreAIClient(KoreAIContactLists, KoreAIResults, KoreAISchedules, CampaignClient):
    """
    Kore.ai's public campaign API, for one application of one account.

    :param client_id: The JWT app's client id (``cs-...``).
    :param client_secret: Its secret, as it is shown.
    :param app_id: The application (``st-...``), in the vendor's pages ``IID`` or ``streamId``.
    :param account_id: The account.
    :param campaign_type: ``sms`` (the default) or ``voice``: what is created, listed and acted upon.
    :param api_version: ``v1`` (the default) or ``v2``. Start, stop, adding contacts and schedules are the same in both.
    :param use_jti: Whether each token carries an id, which some apps enforce; on by default.
    :param options: The options of :class:`~airflow_provider_campaigns.api.options.ClientOptions` by name. The
        address is the region's or customer's, by default https://platform.kore.ai; the limit by default 50 requests a
        minute, of the 60 that the vendor allows an account.
    """

    vendor = VENDOR
    create_fields = FIELDS
    few = 1
    most_by_id = 10
    instead = {
        "pause": "use stop; a later start begins a new run from the first contact",
        "resume": "use start, which begins a new run from the first contact",
    }

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        app_id: str,
        account_id: str,
        campaign_type: str = "sms",
        api_version: str = "v1",
        use_jti: bool = True,
        **options: Unpack[OptionArguments],
    ) -> None:
        super().__init__(
            client_id,
            client_secret,
            app_id=app_id,
            account_id=account_id,
            api_version=api_version,
            use_jti=use_jti,
            options=ClientOptions(**options),
        )
        self.campaign_type: str = _TYPE.read(campaign_type)

    @classmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """
        Return what Kore.ai counts, by ``campaign_type``; it tells no failure and no delivery.

        :param kind: ``campaign_type`` as ``sms`` or ``voice``; anything else means both.
        """
        return COUNTED.get(str(kind.get("campaign_type")), frozenset().union(*COUNTED.values()))

    @property
    def figures_are_free(self) -> bool:
        """The list tells how many SMS were sent; the lists' totals are one request for all. Voice is counted singly."""
        return self.campaign_type == "sms"

    @classmethod
    def read_fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those create fields that are given as Kore.ai takes them; see :meth:`prepare`."""
        return read_create(values)

    def body_of(self, read: Mapping[str, Any], extra_fields: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the JSON object that creates or replaces a campaign, in the form of the client's API version."""
        return request_body(read, self.api_version, extra_fields)

    def prepare(self, **values: Unpack[KoreAIFields]) -> CreateRequest:  # type: ignore[override]  # spelled out
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        :param name: Up to 48 characters.
        :param description: Up to 256 characters.
        :param contact_lists: 1 to 10 names of contact lists that exist.
        :param dialing_strategy: The vendor's object: ``callerId.phoneNumber``, ``callingHours`` with ``frequency``
            (``WEEKLY``, ``DAILY``, ``CUSTOM``), ``timezone`` (IANA) and ``days`` (``{"day": "MO", "start": "9:00 AM",
            "end": "6:00 PM"}``); for voice also ``dialingOrder`` (``FIFO``, ``LIFO``), ``maxAttemptsPerRecord`` (1 to
            100), ``defaultRetryPeriod`` (1 to 1440 minutes) and ``maxRingTime`` (5 to 120 seconds).
        :param campaign_type: ``sms`` or ``voice``, by default the client's.
        :param priority: ``"1"`` to ``"5"``; 5, the default, is the highest.
        :param message: SMS: the text, as people shall read it. With a template the vendor sends the template's text.
        :param template_name: SMS: a template's name, along with ``message``.
        :param experience_flow_name: A published start flow: makes an SMS campaign an advanced one (without
            ``message``), and is what an Agentless voice campaign runs.
        :param dialing_mode: Voice: ``Agentless``, ``Progressive`` or ``Preview``.
        :param queue_name: Voice, Progressive and Preview: the agents' queue.
        :param max_skips: Voice, Preview: how many contacts an agent may skip.
        :param machine_detection: Voice: ``no`` (the default), ``detect`` or ``disconnect`` (v2, Agentless).
        :param dnc_list: The name of a do-not-call list; v2 only, and required there for voice.
        :param schedule: The vendor's object, such as ``{"isSchedulingEnabled": False}``; see :meth:`enable_schedule`.
        :param extra_fields: Fields this package does not know, under the vendor's names.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        if values.get("campaign_type") is None:
            values = {**values, "campaign_type": self.campaign_type}
        return super().prepare(**values)

    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """
        Create a campaign, which then waits for :meth:`start_campaign` or a schedule.

        An SMS campaign is ``Ready`` at once; a voice campaign is ``Preparing`` for a while first.

        https://docs.kore.ai/ai-for-service/apis/contact-center/create-sms-campaign-without-template and its siblings

        :param request: What :meth:`prepare` returned.
        :param idempotency_key: Of no effect: Kore.ai honours none.
        :raises Conflict: There is such a campaign already, in the vendor's opinion.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """
        body = request.body
        answer = self._call(CREATE, query={"campaignType": body["campaignType"]}, body=body)
        campaign = self._campaign(answer, answer.object("data"))
        if campaign.vendor_status is None:
            # v1 answers a Preview campaign with nothing but its id; every other voice campaign is told to be preparing.
            campaign = replace(
                campaign, name=body["name"], status=CampaignStatus.DRAFT, vendor_status="Preparing", progress=0.0
            )
        return campaign

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

    def update_campaign(self, campaign_id: str, **values: Unpack[KoreAIFields]) -> Campaign:
        """
        Replace a campaign's fields; refused while it is active.

        https://docs.kore.ai/ai-for-service/apis/contact-center/update-sms-campaign

        :param campaign_id: The campaign's id.
        :param values: All fields, as for :meth:`prepare`: the vendor documents no partial update.
        :raises InvalidRequest: Nothing was sent.
        :raises OutcomeUnknown: It may or may not have been changed.
        """
        body = self.prepare(**values).body
        query = {"campaignType": body["campaignType"]}
        answer = self._call(UPDATE, path={"campaign_id": campaign_id}, query=query, body=body)
        return self._campaign(answer, answer.object("data"), campaign_id)

    def delete_campaign(self, campaign_id: str) -> None:
        """
        Delete a campaign; stop it first when it is active.

        https://docs.kore.ai/ai-for-service/apis/contact-center/delete-sms-campaign

        :raises NotFound: There is none (any more).
        :raises OutcomeUnknown: It may or may not be deleted.
        """
        self._call(DELETE, path={"campaign_id": campaign_id}, query={"campaignType": self.campaign_type})

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
        :param start_date: Aware datetime; which of a campaign's dates the vendor compares is not documented.
        :param end_date: Aware datetime.
        :param campaign_type: ``sms`` or ``voice``, by default the client's.
        :param page_size: Campaigns for each request, 1 to 100.
        :raises InvalidRequest: At once, before any request.
        :raises ListingIncomplete: While the list is walked, when the vendor does not hand out all of it.
        """
        kind: str = _TYPE.read(self.campaign_type if campaign_type is None else campaign_type)
        if dialing_mode is not None and kind != "voice":
            raise InvalidRequest("dialing_mode filters voice campaigns; these are of type sms.")
        given = {"status": status, "priority": priority, "dialing_mode": dialing_mode}
        filters = {
            _FILTERS[name].wire: [_FILTERS[name].read(one) for one in _several(value)]
            for name, value in given.items()
            if value is not None
        }
        body = fields.wire_body((_START, _END), {"start_date": start_date, "end_date": end_date})
        if filters:
            body["filters"] = filters
        rows = self._rows(kind, body, checked_page_size(page_size))
        return (self._campaign(answer, row, key) for answer, key, row in rows)

    def start_campaign(self, campaign_id: str) -> Campaign:
        """
        Start a run; from ``Stopped`` and ``Completed`` it is a new one, from the first contact.

        https://docs.kore.ai/ai-for-service/apis/contact-center/start-sms-campaign

        :raises Conflict: Its state does not allow it.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is not active (yet).
        """
        return self._trigger(campaign_id, "play", CampaignStatus.RUNNING)

    def stop_campaign(self, campaign_id: str) -> Campaign:
        """
        Stop a run; a later start begins a new one.

        https://docs.kore.ai/ai-for-service/apis/contact-center/stop-sms-campaign

        :raises Conflict: Its state does not allow it.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is not stopped (yet).
        """
        return self._trigger(campaign_id, "stop", CampaignStatus.CANCELED)

    def check(self) -> str:
        """Read one row of the list and return a sentence about what was found."""
        answer = self._list_page(self.campaign_type, {}, skip_and_page(0, 1))
        total = reading.whole(answer.object("data").get("totalResults"))
        found = "" if total is None else f" The app's {self.campaign_type} campaigns: {total}."
        return f"Kore.ai accepts {self.transport.account.label}.{found}"

    def _campaign(self, answer: Answer, item: Mapping[str, Any], known_id: str | None = None) -> Campaign:
        if known_id is not None:
            campaign_id = answer.same(known_id, *map(item.get, IDS))
        else:
            campaign_id = id_in(item, reading.mapping(answer.data)) or answer.id_of(item, *IDS)
        return read_campaign(item, campaign_id)

    def _list_page(self, campaign_type: str, body: Mapping[str, Any], place: Mapping[str, int]) -> Answer:
        return self._call(LIST, body={**place, "type": campaign_type, "sortBy": {"createdAt": "desc"}, **body})

    def _rows(
        self, campaign_type: str, body: Mapping[str, Any] | None = None, page_size: int = MAX_PAGE_SIZE
    ) -> Iterator[tuple[Answer, str, dict[str, Any]]]:
        answers: list[Answer] = []

        def ask(place: Mapping[str, int]) -> Answer:
            answers[:] = [self._list_page(campaign_type, body or {}, place)]
            return answers[0]

        listing = Listing(
            ask,
            lambda answer, row: id_in(row) or answer.id_of(row, *IDS),
            endpoint=LIST[self.api_version],
            numberings=(skip_and_page, skip_alone),
            page_size=page_size,
        )
        return ((answers[0], key, row) for key, row in listing.rows())

    def _trigger(self, campaign_id: str, trigger: str, wanted: CampaignStatus) -> Campaign:
        query = {"campaignType": self.campaign_type, "trigger": trigger}
        try:
            answer = self._call(TRIGGER, path={"campaign_id": campaign_id}, query=query, body={})
            told = self._campaign(answer, answer.object(), campaign_id)
        except errors.OutcomeUnknown:
            try:
                now = self.get_status(campaign_id)
            except errors.CampaignAPIError:
                now = None
            if now is None or now.status is not wanted:
                raise
            return now
        if told.status is wanted:
            return told
        now = self.get_status(campaign_id)
        if now.status is wanted or not failure_word(answer.data):
            return now
        said = self.transport.redacted(words_of(answer.data)[0])
        raise errors.Conflict(
            f"{VENDOR} did not {'start' if trigger == 'play' else 'stop'} campaign {campaign_id} "
            f"({now.vendor_status}): {said}",
            vendor=VENDOR,
            endpoint=str(TRIGGER[self.api_version]),
            status=answer.status,
        )


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
