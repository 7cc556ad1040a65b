"""Creating a campaign at Kinbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.operators.create import CreateCampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.kinbox import KinboxHook
    from airflow_provider_campaigns.launch.launcher import Launch
    from airflow_provider_campaigns.observe.lineage import DataPlace


class KinboxCreateCampaignOperator(CreateCampaignOperator):
    """
    Creates a campaign at Kinbox, which starts sending by itself, at ``scheduled_to`` or at once; returns its id.

    All fields are templated; ``name`` is the only one that Kinbox itself requires. The arguments that are not listed
    here (waiting, ``deferrable``, ``extra_fields``) are those of
    :class:`~airflow_provider_campaigns.operators.create.CreateCampaignOperator`.

    :param name: What the campaign is called.
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``.
    :param channel_id: The channel to send from.
    :param channel_ids: Several channels to send from.
    :param campaign_operator_name: The operator shown as its owner. (The vendor's ``operatorName``, a word that Airflow
        has taken.)
    :param business_hours_id: The calendar that limits the hours of sending.
    :param channel_type: ``1`` WhatsApp, ``2`` Telegram, ``3`` Facebook, ``4`` widget, ``5`` e-mail, ``6`` custom,
        ``7`` Instagram, ``8`` Mercado Livre, ``9`` SMS.
    :param lead_type: ``file`` (the recipients are in ``leads_asset_url``) or ``lead``.
    :param normalize_brazil_phone_numbers: Whether Kinbox adds the country code 55 where it thinks fit; its default is
        true, so set False for numbers of other countries.
    :param scheduled_to: When to start, with a time zone; without it sending begins at once.
    :param original_scheduled_to: When it was first meant to start, with a time zone.
    :param finished_at_prediction: When it is expected to end, with a time zone.
    :param leads_asset_url: Where Kinbox fetches the file of recipients: one a line, the phone number first.
    :param message: The message.
    :param text_raw: The message as plain text.
    :param assets_urls: Addresses of attachments.
    :param chunks_count: How many batches; Kinbox derives it if it is left out.
    :param seconds_between_messages: Pause between two messages, in seconds.
    :param seconds_between_chunks: Pause between two batches, in seconds.
    :param chunk_size: Recipients in a batch.
    :param template: The template of an official WhatsApp channel, as Kinbox lists it; the vendor fills its
        placeholders ``{{1}}``.
    """

    create_fields = (
        "name",
        "channel_id",
        "channel_ids",
        "campaign_operator_name",
        "business_hours_id",
        "channel_type",
        "lead_type",
        "normalize_brazil_phone_numbers",
        "scheduled_to",
        "original_scheduled_to",
        "finished_at_prediction",
        "leads_asset_url",
        "message",
        "text_raw",
        "assets_urls",
        "chunks_count",
        "seconds_between_messages",
        "seconds_between_chunks",
        "chunk_size",
        "template",
    )
    renamed_fields = {"campaign_operator_name": "operator_name"}
    text_fields = ("message", "text_raw", "template", "assets_urls")
    recipients_unknown = "Kinbox counts the leads of a file or a filter only after the launch"
    template_fields: Sequence[str] = (*CreateCampaignOperator.template_fields, *create_fields)
    template_fields_renderers = {"template": "json", "extra_fields": "json"}

    def __init__(
        self,
        *,
        name: str,
        conn_id: str = "kinbox_default",
        channel_id: str | None = None,
        channel_ids: Sequence[str] | None = None,
        campaign_operator_name: str | None = None,
        business_hours_id: str | None = None,
        channel_type: str | None = None,
        lead_type: str | None = None,
        normalize_brazil_phone_numbers: bool | str | None = None,
        scheduled_to: datetime | str | None = None,
        original_scheduled_to: datetime | str | None = None,
        finished_at_prediction: datetime | str | None = None,
        leads_asset_url: str | None = None,
        message: str | None = None,
        text_raw: str | None = None,
        assets_urls: Sequence[str] | None = None,
        chunks_count: int | str | None = None,
        seconds_between_messages: int | str | None = None,
        seconds_between_chunks: int | str | None = None,
        chunk_size: int | str | None = None,
        template: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.name = name
        self.channel_id = channel_id
        self.channel_ids = channel_ids
        self.campaign_operator_name = campaign_operator_name
        self.business_hours_id = business_hours_id
        self.channel_type = channel_type
        self.lead_type = lead_type
        self.normalize_brazil_phone_numbers = normalize_brazil_phone_numbers
        self.scheduled_to = scheduled_to
        self.original_scheduled_to = original_scheduled_to
        self.finished_at_prediction = finished_at_prediction
        self.leads_asset_url = leads_asset_url
        self.message = message
        self.text_raw = text_raw
        self.assets_urls = assets_urls
        self.chunks_count = chunks_count
        self.seconds_between_messages = seconds_between_messages
        self.seconds_between_chunks = seconds_between_chunks
        self.chunk_size = chunk_size
        self.template = template
        self.check_visible_fields()

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kinbox's client class."""
        from airflow_provider_campaigns.api.kinbox.client import KinboxClient

        return KinboxClient

    def hook(self) -> KinboxHook:
        """Return the Kinbox hook."""
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        return KinboxHook(self.conn_id)

    def sends_at(self) -> datetime | None:
        """Return ``scheduled_to``."""
        from airflow_provider_campaigns.api import reading

        return reading.moment(self.scheduled_to) if isinstance(self.scheduled_to, str) else self.scheduled_to

    def contact_places(self, namespace: str) -> tuple[DataPlace, ...]:
        """Return the file that Kinbox fetches, if there is one."""
        from airflow_provider_campaigns.observe.lineage import file_places

        return file_places(self.leads_asset_url)

    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """Create the campaign; Kinbox starts it."""
        return launch.create(lambda: launch.client.create(request))
