"""Kore.ai's campaigns (AI for Service, contact center): created, started, stopped, scheduled, listed and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Unpack

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.create_request import CreateRequest
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.koreai.access import (
    VENDOR,
    Versions,
    failure_word,
    in_any_version,
    in_both_versions,
    words_of,
)
from airflow_provider_campaigns.api.koreai.answers import COUNTED
from airflow_provider_campaigns.api.koreai.fields import (
    MESSAGE_ENCODINGS,
    KoreAIFields,
    read_create,
    request_body,
)
from airflow_provider_campaigns.api.koreai.lists import CAMPAIGN_TYPE, LIST, page_body
from airflow_provider_campaigns.api.koreai.outcomes import KoreAIOutcomes
from airflow_provider_campaigns.api.koreai.paging import skip_and_page
from airflow_provider_campaigns.api.koreai.schedule import KoreAISchedules
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments

CREATE = in_both_versions("POST", "", Safety.ONCE)
UPDATE = in_both_versions("PUT", "/{campaign_id}", Safety.ONCE)
DELETE = in_both_versions("DELETE", "/{campaign_id}", Safety.ONCE)
# The v2 pages disagree about the path of start and stop (one has a double slash, one lacks its prefix), while the v1
# pages agree: so there is one path, whichever version the client was set to.
_TRIGGER = Endpoint("POST", "/campaign/api/v1/public/{app_id}/campaign/{campaign_id}", Safety.ONCE)
START = in_any_version(_TRIGGER)
STOP = in_any_version(replace(_TRIGGER, effect=Effect.HOLD))


class KoreAIClient(KoreAISchedules, KoreAIOutcomes):
    """
    Kore.ai's public campaign API, for one application of one account.

    :param client_id: The JWT app's client id (``cs-...``).
    :param client_secret: Its secret, as it is shown.
    :param app_id: The application (``st-...``), in the vendor's pages ``IID`` or ``streamId``.
    :param account_id: The account.
    :param campaign_type: ``sms`` (the default) or ``voice``: what is created, listed and acted upon.
    :param api_version: ``v1`` (the default) or ``v2``. Start, stop, adding contacts and schedules are the same in both.
    :param use_jti: Whether each token carries an id, which some apps enforce; on by default.
    :param message_encoding: How the text of an SMS goes out: ``base64`` (the default; percent-encoded as well, as in
        all samples but one) or ``plain``.
    :param account_id_in_query: Whether v1's addresses carry ``accountId`` too, as the vendor's older pages ask; off by
        default.
    :param options: The options of :class:`~airflow_provider_campaigns.api.options.ClientOptions` by name. The
        address is the region's or customer's, by default https://platform.kore.ai; the limit by default 50 requests a
        minute, of the 60 that the vendor allows an account.
    """

    instead = {
        "pause": "use stop; a later start begins a new run from the first contact",
        "resume": "use start, which begins a new run from the first contact",
        "archive": "use delete",
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
        message_encoding: str = "base64",
        account_id_in_query: bool = False,
        **options: Unpack[OptionArguments],
    ) -> None:
        super().__init__(
            client_id,
            client_secret,
            app_id=app_id,
            account_id=account_id,
            api_version=api_version,
            use_jti=use_jti,
            account_id_in_query=account_id_in_query,
            options=ClientOptions(**options),
        )
        if message_encoding not in MESSAGE_ENCODINGS:
            raise errors.InvalidRequest(
                f"message_encoding must be one of {', '.join(MESSAGE_ENCODINGS)}; got {str(message_encoding)[:20]!r}."
            )
        self.message_encoding = message_encoding
        self.campaign_type: str = CAMPAIGN_TYPE.read(campaign_type)

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
        return request_body(read, self.api_version, extra_fields, self.message_encoding)

    def prepare(self, **values: Unpack[KoreAIFields]) -> CreateRequest:  # type: ignore[override]  # spelled out
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        :param name: Up to 48 characters.
        :param description: Up to 256 characters.
        :param contact_lists: 1 to 10 names of contact lists that exist.
        :param dialing_strategy: The vendor's object: ``callerId.phoneNumber`` (for SMS a phone number, a
            short code or a sender ID), ``callingHours`` with ``frequency``
            (``WEEKLY``, ``DAILY``, ``CUSTOM``), ``timezone`` (IANA) and ``days`` (``{"day": "MO", "start": "9:00 AM",
            "end": "6:00 PM"}``); for voice also ``dialingOrder`` (``FIFO``, ``LIFO``), ``maxAttemptsPerRecord`` (1 to
            100), ``defaultRetryPeriod`` (1 to 1440 minutes) and ``maxRingTime`` (5 to 120 seconds).
        :param campaign_type: ``sms`` or ``voice``, by default the client's.
        :param priority: ``"1"`` to ``"5"``; 5, the default, is the highest.
        :param message: SMS: the text, as people shall read it. With a template the vendor sends the template's text.
        :param template_name: SMS: a template's name, along with ``message``.
        :param template_id: SMS: a template's id (``cmt-...``) in the place of its name, along with ``message``.
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

    @classmethod
    def check_changes(cls, changes: Mapping[str, Any]) -> None:
        """Check those fields that are given; see :meth:`update_campaign`."""
        cls.check_fields(changes)

    def update_campaign(  # type: ignore[override]  # the vendor's fields, spelled out
        self, campaign_id: str, **values: Unpack[KoreAIFields]
    ) -> Campaign:
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
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is still there.
        """
        try:
            self._call(DELETE, path={"campaign_id": campaign_id}, query={"campaignType": self.campaign_type})
        except errors.OutcomeUnknown as unclear:
            if not self.is_gone(campaign_id):
                raise unclear from unclear.__cause__

    def start_campaign(self, campaign_id: str) -> Campaign:
        """
        Start a run; from ``Stopped`` and ``Completed`` it is a new one, from the first contact.

        https://docs.kore.ai/ai-for-service/apis/contact-center/start-sms-campaign

        :raises Conflict: Its state does not allow it.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is not active (yet).
        """
        return self._trigger(campaign_id, START, "play", CampaignStatus.RUNNING)

    def stop_campaign(self, campaign_id: str) -> Campaign:
        """
        Stop a run; a later start begins a new one.

        https://docs.kore.ai/ai-for-service/apis/contact-center/stop-sms-campaign

        :raises Conflict: Its state does not allow it.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is not stopped (yet).
        """
        return self._trigger(campaign_id, STOP, "stop", CampaignStatus.CANCELED)

    def check(self) -> str:
        """Read one row of the list and return a sentence about what was found."""
        answer = self._call(LIST, body=page_body(self.campaign_type, skip_and_page(0, 1), {}))
        total = reading.whole(answer.object("data").get("totalResults"))
        found = "" if total is None else f" The app's {self.campaign_type} campaigns: {total}."
        return f"Kore.ai accepts {self.transport.account.label}.{found}"

    def _trigger(self, campaign_id: str, endpoint: Versions, trigger: str, wanted: CampaignStatus) -> Campaign:
        query = {"campaignType": self.campaign_type, "trigger": trigger}
        try:
            answer = self._call(endpoint, path={"campaign_id": campaign_id}, query=query, body={})
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
            endpoint=str(endpoint[self.api_version]),
            status=answer.status,
        )
