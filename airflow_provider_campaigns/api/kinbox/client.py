"""
Kinbox's campaigns: created, listed, changed, paused and resumed with its v1 API; v3 where v1 has no counterpart.

https://docs.kinbox.com.br/api-reference: ``/v1`` is the newer, published API (cursor paging), ``/v3`` the older one of
Kinbox's own app (offset paging), still served.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Set
from typing import Any, Unpack

from airflow_provider_campaigns.api import errors, fields, reading
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.create_request import CreateRequest
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.header_auth import header_auth
from airflow_provider_campaigns.api.kinbox.answers import (
    CAMPAIGN_COUNTS,
    RESULT_COUNTS,
    diagnose,
    read_campaign,
)
from airflow_provider_campaigns.api.kinbox.channels import KinboxChannels
from airflow_provider_campaigns.api.kinbox.fields import UPDATE_FIELDS, KinboxChanges, KinboxFields
from airflow_provider_campaigns.api.kinbox.lead_results import KinboxLeadResults
from airflow_provider_campaigns.api.kinbox.lists import VENDOR, KinboxLists
from airflow_provider_campaigns.api.kinbox.replies import KinboxReplies
from airflow_provider_campaigns.api.kinbox.templates import KinboxTemplates
from airflow_provider_campaigns.api.kinbox.whatsapp import KinboxWhatsApp
from airflow_provider_campaigns.api.limits import Account
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments
from airflow_provider_campaigns.api.transport import Transport

log = logging.getLogger(__name__)

#: The host of the documentation's pages. Its newest copies show :data:`NEWEST_URL`, and publish v1 alone.
BASE_URL = "https://api4.kinbox.com.br"
NEWEST_URL = "https://platform.kinbox.com.br"

# Whether a second PATCH of scheduledTo queues a campaign a second time is not documented, so it is not tried.
UPDATE = Endpoint("PATCH", "/v1/campaigns/{campaign_id}", Safety.ONCE)
DELETE = Endpoint("DELETE", "/v1/campaigns/{campaign_id}", Safety.ONCE)
PAUSE = Endpoint("POST", "/v1/campaigns/{campaign_id}/pause", Safety.ONCE, effect=Effect.HOLD)
RESUME = Endpoint("POST", "/v1/campaigns/{campaign_id}/resume", Safety.ONCE)
#: Creating, by the version of the API; Kinbox honours no idempotency key on either.
CREATE: Mapping[str, Endpoint] = {
    "v1": Endpoint("POST", "/v1/campaigns", Safety.ONCE),
    "v3": Endpoint("POST", "/v3/campaigns", Safety.ONCE),
}

CREDENTIAL_ADVICE: Mapping[type[errors.CampaignAPIError], str] = {
    errors.AuthenticationFailed: (
        "Check that the token is complete and active (Kinbox: Settings > Integrations > API), without the word Bearer."
    ),
    errors.PermissionDenied: (
        "Check that the token has the 'send' scope (by default it has only read and write), and that the operator who "
        "made it may do this."
    ),
}


class KinboxClient(KinboxChannels, KinboxTemplates, KinboxWhatsApp, KinboxLeadResults, KinboxReplies, KinboxLists):
    """
    Kinbox's campaign API with one token.

    A Kinbox campaign has no draft: once created it starts by itself, at ``scheduled_to`` or at once.

    :param token: An API token; sending to customers takes its ``send`` scope.
    :param create_api_version: Which endpoint creates: ``v3`` (``POST /v3/campaigns``, the default) or ``v1``. Where
        the host does not have v3, v1 is tried.
    :param options: The options of :class:`~airflow_provider_campaigns.api.options.ClientOptions` by name.
        Kinbox documents no limit, so there is none by default; its newest documentation calls the address
        https://platform.kinbox.com.br, and publishes v1 alone.
    :raises InvalidRequest: For a token, a URL or an option that cannot work.
    """

    instead = {
        "start": "a Kinbox campaign starts by itself, at scheduled_to or at once",
        "stop": "use pause, or delete",
        "archive": "use delete",
    }

    def __init__(
        self,
        token: str,
        *,
        create_api_version: str = "v3",
        **options: Unpack[OptionArguments],
    ) -> None:
        chosen = ClientOptions(**options)
        token = token.strip() if isinstance(token, str) else ""
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise errors.InvalidRequest(
                f"The token of {chosen.label} must be one word of plain characters, without 'Bearer' before it."
            )
        if create_api_version not in CREATE:
            raise errors.InvalidRequest(
                f"create_api_version must be one of {', '.join(CREATE)}; got {create_api_version!r}."
            )
        self._create = CREATE[create_api_version]
        self.transport = Transport(
            account=Account(VENDOR, token, chosen.label),
            base_url=chosen.url(BASE_URL),
            auth=header_auth(lambda: {"Authorization": f"Bearer {token}"}),
            diagnose=diagnose,
            rate=chosen.rate(None),
            options=chosen,
            secrets=(token,),
            credential_advice=CREDENTIAL_ADVICE,
        )

    @classmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """Return what Kinbox counts; failures are in no campaign's figures, see :meth:`with_failures`."""
        return frozenset({*RESULT_COUNTS, *CAMPAIGN_COUNTS})

    @classmethod
    def counted_on_request(cls, **kind: Any) -> frozenset[str]:
        """Return what only the list of recipients tells."""
        return frozenset({"failed"})

    @property
    def figures_are_free(self) -> bool:
        """Kinbox gives the figures with each campaign."""
        return True

    def prepare(self, **values: Unpack[KinboxFields]) -> CreateRequest:  # type: ignore[override]  # spelled out
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        Kinbox requires the name alone and tells no defaults but one: Brazilian numbers are normalised. Tracking hours
        and opening a conversation per recipient can only be set afterwards, with :meth:`update_campaign`.

        :param name: The campaign's name; need not be unique.
        :param channel_id: The channel that sends, as listed under Kinbox's channels.
        :param channel_ids: Several channels that send.
        :param operator_name: The operator shown as the sender.
        :param business_hours_id: The calendar of business hours; outside of it the campaign waits.
        :param channel_type: ``1`` WhatsApp, ``2`` Telegram, ``3`` Facebook, ``4`` Widget, ``5`` e-mail, ``6`` custom,
            ``7`` Instagram, ``8`` Mercado Livre, ``9`` SMS.
        :param lead_type: Where the recipients come from: ``file`` (read from ``leads_asset_url``) or ``lead``.
        :param normalize_brazil_phone_numbers: Whether Kinbox puts country code 55 where it misses it; by default it
            does, so pass False for recipients elsewhere.
        :param scheduled_to: When to start: a datetime with a time zone or its ISO 8601 text.
        :param original_scheduled_to: The start as first planned, kept when ``scheduled_to`` is moved.
        :param finished_at_prediction: When sending is expected to end; Kinbox only shows it.
        :param leads_asset_url: The http(s) address of the file of recipients, one per row: the number with its country
            code, then the message's values in order. Kinbox's servers must be able to read it.
        :param message: The message.
        :param text_raw: The message as plain text.
        :param assets_urls: Addresses of attachments.
        :param chunks_count: In how many batches to send; follows from ``chunk_size`` when left out.
        :param seconds_between_messages: Pause between messages, in seconds.
        :param seconds_between_chunks: Pause between batches, in seconds.
        :param chunk_size: Recipients per batch.
        :param template: An approved template of an official WhatsApp channel, as Kinbox lists it for the channel.
        :param extra_fields: Fields that are not listed here, under Kinbox's names, sent as they are.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return super().prepare(**values)

    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """
        Create a campaign, which Kinbox then starts by itself: at ``scheduled_to``, or at once without it.

        :param request: What :meth:`prepare` returned.
        :param idempotency_key: Of no effect: Kinbox honours none.
        :return: The campaign as created, ``scheduled`` as a rule.
        :raises OutcomeUnknown: A campaign may or may not exist now, and may be sending.

        .. seealso:: https://docs.kinbox.com.br/api-reference/campanhas/create-campaign
        """
        try:
            answer = self.transport.call(self._create, body=request.body)
        except errors.CampaignAPIError as refusal:
            # A 404 proves that nothing was created, and a host of the newest documentation need not have v3.
            if refusal.status != 404 or self._create is not CREATE["v3"]:
                raise
            log.warning(
                "%s has no %s (404), so %s is tried. Set create_api_version of %s to v1.",
                self.transport.base_url,
                CREATE["v3"],
                CREATE["v1"],
                self.transport.account.label,
            )
            answer = self.transport.call(CREATE["v1"], body=request.body)
            self._create = CREATE["v1"]
        return read_campaign(answer, answer.object())

    @classmethod
    def check_changes(cls, changes: Mapping[str, Any]) -> None:
        """Check those changes that are given; see :meth:`update_campaign`."""
        fields.wire_body(UPDATE_FIELDS, *fields.without_extra(changes))

    def update_campaign(  # type: ignore[override]  # the vendor's fields, spelled out
        self,
        campaign_id: str,
        **values: Unpack[KinboxChanges],
    ) -> Campaign:
        """
        Change a campaign's fields and return it. What is left out stays as it is.

        The create fields are described at :meth:`prepare`. A campaign may begin to send before a change
        arrives: create it with a ``scheduled_to`` that leaves time.

        :param campaign_id: The campaign's id.
        :param operator_id: The operator who owns the campaign.
        :param next_scheduled_to: When the next batch is due, with a time zone.
        :param active: Whether the campaign is enabled; this is not its status.
        :param should_create_conversation: Whether each recipient gets a conversation; False by default.
        :param track_all_channels: Whether replies on any channel count.
        :param track_max_hours: For how many hours receipts and replies count; 96 by default.
        :param extra_fields: Fields that are not listed here, under Kinbox's names, sent as they are. Kinbox would take
            ``status`` and its counters too, with effects that it does not document.
        :raises InvalidRequest: Nothing was sent; also when there is nothing to change.
        :raises OutcomeUnknown: The change may or may not have been made.
        """
        body = fields.wire_body(UPDATE_FIELDS, *fields.without_extra(values))
        if not body:
            raise errors.InvalidRequest("update_campaign must be given at least one field to change.")
        answer = self.transport.call(UPDATE, path={"campaign_id": campaign_id}, body=body)
        return self._described(answer, campaign_id)

    def delete_campaign(self, campaign_id: str) -> None:
        """
        Delete a campaign; what was sent stays sent.

        :param campaign_id: The campaign's id.
        :raises NotFound: There was no such campaign.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is still there.
        """
        try:
            self.transport.call(DELETE, path={"campaign_id": campaign_id})
        except errors.OutcomeUnknown as unclear:
            if not self.is_gone(campaign_id):
                raise unclear from unclear.__cause__

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """
        Hold sending, to be resumed; a batch in progress may still go out. Pausing a paused campaign is a success.

        :param campaign_id: The campaign's id.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is not paused.
        """
        return self._act(PAUSE, campaign_id, {CampaignStatus.PAUSED})

    def resume_campaign(self, campaign_id: str) -> Campaign:
        """
        Go on where the campaign was paused. Resuming one that runs or waits for its time is a success.

        :param campaign_id: The campaign's id.
        :raises OutcomeUnknown: No conclusive answer came, and the campaign is still paused.
        """
        going = {CampaignStatus.SCHEDULED, CampaignStatus.RUNNING}
        return self._act(RESUME, campaign_id, going, {CampaignStatus.SENT, CampaignStatus.FINISHED})

    def check(self) -> str:
        """Read one campaign of the list and return a sentence about what was found."""
        campaigns = self._page(None, 1).items
        found = "the account has campaigns" if campaigns else "the account has no campaign yet"
        return (
            f"Kinbox accepts the token at {self.transport.base_url}; {found}. "
            "Whether the token has the 'send' scope shows only when a campaign is created."
        )

    def _described(self, answer: Answer, campaign_id: str) -> Campaign:
        """Return the campaign of a change's answer, or look it up where the answer, a success, does not tell."""
        item = reading.mapping(answer.data)
        if reading.first(item, "id", "_id") is None:
            return self.get_campaign(campaign_id)
        return read_campaign(answer, item, campaign_id)

    def _act(
        self,
        endpoint: Endpoint,
        campaign_id: str,
        reached: Set[CampaignStatus],
        passed: Set[CampaignStatus] = frozenset(),
    ) -> Campaign:
        """
        Pause or resume; when the answer leaves it open or is a refusal, the campaign's state decides.

        :param reached: States in which the action has nothing left to do.
        :param passed: States that a campaign can only have come to with the action done, if its answer was lost.
        """
        try:
            answer = self.transport.call(endpoint, path={"campaign_id": campaign_id})
        except (errors.OutcomeUnknown, errors.Conflict, errors.Rejected) as failure:
            enough = reached | passed if isinstance(failure, errors.OutcomeUnknown) else reached
            try:
                campaign = self.get_campaign(campaign_id)
            except errors.CampaignAPIError:
                raise failure from failure.__cause__
            if campaign.status not in enough:
                raise
            return campaign
        return self._described(answer, campaign_id)
