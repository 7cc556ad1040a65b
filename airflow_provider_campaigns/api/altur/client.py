"""Altur's public API: phone and WhatsApp campaigns by AI agents (https://docs.altur.io/api-reference)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from airflow_provider_campaigns.api import fields, reading
from airflow_provider_campaigns.api.altur.answers import (
    COUNTS,
    ContactBatch,
    diagnose,
    read_campaign,
    unwrapped,
)
from airflow_provider_campaigns.api.altur.fields import (
    AlturChanges,
    AlturFields,
    campaign_place,
    header_value,
    key_or_fresh,
    read_create,
    update_body,
)
from airflow_provider_campaigns.api.altur.lists import LIST_CAMPAIGNS, AlturLists
from airflow_provider_campaigns.api.altur.recordings import AlturRecordings
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.create_request import CreateRequest
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.errors import (
    AuthenticationFailed,
    CampaignAPIError,
    Conflict,
    NotFound,
    OutcomeUnknown,
)
from airflow_provider_campaigns.api.header_auth import header_auth
from airflow_provider_campaigns.api.limits import Account, Rate
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments
from airflow_provider_campaigns.api.transport import Transport

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.model import Campaign

__all__ = ["AlturClient", "ContactBatch"]

BASE_URL = "https://api.altur.io/api/v1.0"
#: Altur allows 12 requests a second; other programs with the same key need some of them.
REQUESTS_PER_SECOND = 10.0
CREATE_CAMPAIGN = Endpoint("POST", "/campaigns", Safety.KEYED)
UPDATE_CAMPAIGN = Endpoint("PATCH", "/campaigns/{campaign_id}")
# Altur answers a second pause, resume or archive with success and does nothing; a second activate with 409.
ACTIVATE_CAMPAIGN = Endpoint("POST", "/campaigns/{campaign_id}/activate", Safety.ONCE)
PAUSE_CAMPAIGN = Endpoint("POST", "/campaigns/{campaign_id}/pause", effect=Effect.HOLD)
RESUME_CAMPAIGN = Endpoint("POST", "/campaigns/{campaign_id}/resume")
ARCHIVE_CAMPAIGN = Endpoint("POST", "/campaigns/{campaign_id}/archive")


class AlturClient(AlturLists, AlturRecordings):
    """
    Altur's campaigns, with their contacts, calls and recordings.

    A launch takes three steps: create the campaign, add its contacts, start it.

    :param api_key: The organization's API key, without the word ``api-key`` before it.
    :param options: The options of :class:`~airflow_provider_campaigns.api.options.ClientOptions` by name;
        by default 10 requests a second, of the 12 that Altur allows.
    :raises InvalidRequest: For a key that cannot be sent and for an address that must not be used.
    """

    instead = {"stop": "use pause, or archive", "delete": "use archive"}

    def __init__(
        self,
        api_key: str,
        **options: Unpack[OptionArguments],
    ) -> None:
        chosen = ClientOptions(**options)
        # Altur's pages show the header's whole value, so the scheme's name is easily copied along with the key.
        key = header_value("The API key", api_key).removeprefix("api-key ").strip()
        url = chosen.url(BASE_URL)
        self.transport = Transport(
            account=Account(self.vendor, f"{url} {key}", chosen.label),
            base_url=url,
            auth=header_auth(lambda: {"Authorization": f"api-key {key}"}),
            diagnose=diagnose,
            rate=chosen.rate(Rate.per_second(REQUESTS_PER_SECOND)),
            options=chosen,
            secrets=(key,),
            credential_advice={
                AuthenticationFailed: "Check that the API key is complete and active.",
                NotFound: "Check the id, and that this account has the endpoint: older Altur accounts only read.",
            },
        )

    def check(self) -> str:
        """Read a list of one campaign and return a sentence about what the account has."""
        answer = self.transport.call(LIST_CAMPAIGNS, query={"pageSize": 1})
        answer.array("campaigns")
        total = reading.whole(answer.object().get("total_count"))
        return (
            "Altur accepts the API key." if total is None else f"Altur accepts the API key and lists {total} campaigns."
        )

    # Campaigns

    @classmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """Return what Altur counts; no page lists a WhatsApp campaign's figures in full, so any may come for both."""
        return frozenset({*COUNTS, "contacts"})

    @classmethod
    def read_fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those create fields that are given as Altur takes them; see :meth:`prepare`."""
        return read_create(values)

    def prepare(self, **values: Unpack[AlturFields]) -> CreateRequest:  # type: ignore[override]  # spelled out
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        :param name: At most 255 characters; Altur does not ask for it to be unique.
        :param agent_id: The id of the agent that talks.
        :param integration_id: The id of the agent's phone or WhatsApp integration.
        :param integration_type: ``phone_call`` or ``whatsapp``.
        :param description: Any text.
        :param timezone: IANA name; Altur's default is ``America/Mexico_City``.
        :param retries: Further attempts per contact, 0 to 5.
        :param message_limit: WhatsApp messages per day, 1 to 10,000; for ``whatsapp`` only.
        :param first_message: What the agent says first; for ``phone_call`` only.
        :param template: Name of the WhatsApp template; for ``whatsapp`` only.
        :param template_alt: Name of the alternate template; for ``whatsapp`` only.
        :param scheduling: For each day (``mon`` to ``sun``) an object with ``startTime`` and ``stopTime`` (``HH:MM``
            in the campaign's time zone) and ``active`` (true unless given). Days left out are sent as inactive.
        :param cycles: Rules for calling again, for ``phone_call`` only: an object with ``enabled`` (required, for
            anything else in it to count), ``mode`` (``cooldown`` or ``scheduled``), ``max_iterations``,
            ``cooldown_minutes``, ``filter_statuses``, ``filter_tags``, and for mode ``scheduled`` ``schedule`` (a week
            as in ``scheduling``), ``schedule_start_date`` and ``schedule_end_date``.
        :param extra_fields: Fields that this package does not know, sent as they are.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return super().prepare(**values)

    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """
        Create a campaign, without contacts and not started.

        :param request: What :meth:`prepare` returned.
        :param idempotency_key: Sent as ``Idempotency-Key``; by default a fresh UUID. Never reuse one for other fields.
        :return: The new campaign, in status ``draft``.
        :raises OutcomeUnknown: A campaign may or may not exist now; a note on it tells the key.

        See https://docs.altur.io/en/api-reference/campaigns/create
        """
        key = key_or_fresh(idempotency_key)
        try:
            answer = self.transport.call(CREATE_CAMPAIGN, body=request.body, idempotency_key=key)
            item = unwrapped(answer, "campaign")
            return read_campaign(answer.id_of(item, "id"), item)
        except OutcomeUnknown as unclear:
            unclear.add_note(f"The Idempotency-Key was {key}.")
            raise

    @classmethod
    def check_changes(cls, changes: Mapping[str, Any]) -> None:
        """Check those changes that are given; see :meth:`update_campaign`."""
        if changes:
            update_body(*fields.without_extra(changes))

    def update_campaign(  # type: ignore[override]  # the vendor's fields, spelled out
        self,
        campaign_id: str,
        **values: Unpack[AlturChanges],
    ) -> Campaign:
        """
        Change a campaign; what is not given stays. For the fields see :meth:`prepare`.

        :param cycles: Only the parts that change; ``enabled`` and ``mode`` are settled at creation and refused here.
        :raises InvalidRequest: Names the field; nothing was sent.
        :raises Conflict: The campaign has finished.

        See https://docs.altur.io/en/api-reference/campaigns/update
        """
        place = campaign_place(campaign_id)
        body = update_body(*fields.without_extra(values))
        return self._after(place, self.transport.call(UPDATE_CAMPAIGN, path=place, body=body))

    # Life cycle: https://docs.altur.io/en/api-reference/campaigns/lifecycle

    def start_campaign(self, campaign_id: str) -> Campaign:
        """
        Begin or go on: activate a campaign that waits (also for its next cycle), resume a paused one.

        Starting one that is active already changes nothing.

        :raises Conflict: The campaign has finished.
        :raises OutcomeUnknown: It may or may not have been started; starting it again does no harm.
        """
        campaign = self.get_campaign(campaign_id, progress=False)
        if campaign.vendor_status == "active":
            return campaign
        if campaign.vendor_status == "finished":
            raise Conflict(
                f"Altur's campaign {campaign.id} has finished and cannot be started again; create another one.",
                vendor=self.vendor,
                endpoint=str(ACTIVATE_CAMPAIGN),
            )
        if campaign.vendor_status == "inactive":
            return self.resume_campaign(campaign.id)
        return self.activate_campaign(campaign.id)

    def activate_campaign(self, campaign_id: str) -> Campaign:
        """
        Start a campaign that is ``pending``, ``ready`` or in ``cooldown``.

        When the answer is lost, the campaign is looked at before anything is concluded.

        :raises Conflict: It is paused or has finished; one that is active already counts as success.
        :raises BillingLimitReached: The account's plan allows no more.
        :raises OutcomeUnknown: The answer was lost and the campaign is not seen to be active.
        """
        place = campaign_place(campaign_id)
        try:
            return self._after(place, self.transport.call(ACTIVATE_CAMPAIGN, path=place))
        except OutcomeUnknown:
            with contextlib.suppress(CampaignAPIError):
                seen = self.get_campaign(campaign_id, progress=False)
                if seen.vendor_status in ("active", "finished"):
                    return seen
            raise

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """Hold an active campaign or one in cooldown; a paused one stays as it is."""
        return self._act(PAUSE_CAMPAIGN, campaign_id)

    def resume_campaign(self, campaign_id: str) -> Campaign:
        """
        Go on with a paused campaign; an active one stays as it is.

        :raises Conflict: It was not paused; one in cooldown goes on by itself.
        """
        return self._act(RESUME_CAMPAIGN, campaign_id)

    def archive_campaign(self, campaign_id: str) -> Campaign:
        """Put a campaign away for good; pause an active one first, since archiving may not hold its calls."""
        return self._act(ARCHIVE_CAMPAIGN, campaign_id)

    def _act(self, endpoint: Endpoint, campaign_id: str) -> Campaign:
        place = campaign_place(campaign_id)
        return self._after(place, self.transport.call(endpoint, path=place))

    def _after(self, place: Mapping[str, str], answer: Answer) -> Campaign:
        """Return the campaign after a change, asked for where the answer does not hold it."""
        item = reading.mapping(reading.mapping(answer.data).get("campaign"))
        if item:
            return read_campaign(answer.same(place["campaign_id"], item.get("id")), item)
        return self.get_campaign(place["campaign_id"], progress=False)
