"""What Kinbox lets a caller say about a campaign: the fields of its requests, how they are checked and written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from airflow_provider_campaigns.api import fields
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.kinbox.answers import STATUSES

CHANNEL_TYPES: Mapping[str, str] = {
    "1": "WhatsApp",
    "2": "Telegram",
    "3": "Facebook",
    "4": "Widget",
    "5": "E-mail",
    "6": "Custom",
    "7": "Instagram",
    "8": "Mercado Livre",
    "9": "SMS",
}

CREATE_FIELDS: tuple[Field, ...] = (
    Field("name", "name", required=True),
    Field("channel_id", "channelId"),
    Field("channel_ids", "channelIds", fields.TEXTS),
    Field("operator_name", "operatorName"),
    Field("business_hours_id", "businessHoursId"),
    Field("channel_type", "channelType", choices=tuple(CHANNEL_TYPES)),
    Field("lead_type", "leadType", choices=("lead", "file")),
    Field("normalize_brazil_phone_numbers", "normalizeBrazilPhoneNumbers", fields.FLAG),
    Field("scheduled_to", "scheduledTo", fields.MOMENT),
    Field("original_scheduled_to", "originalScheduledTo", fields.MOMENT),
    Field("finished_at_prediction", "finishedAtPrediction", fields.MOMENT),
    Field("leads_asset_url", "leadsAssetUrl", fields.URL),
    Field("message", "message"),
    Field("text_raw", "textRaw"),
    Field("assets_urls", "assetsUrls", fields.TEXTS),
    Field("chunks_count", "chunksCount", fields.INTEGER, minimum=1),
    Field("seconds_between_messages", "secondsBetweenMessages", fields.INTEGER, minimum=0),
    Field("seconds_between_chunks", "secondsBetweenChunks", fields.INTEGER, minimum=0),
    Field("chunk_size", "chunkSize", fields.INTEGER, minimum=1),
    Field("template", "template", fields.OBJECT),
)

#: What only a campaign that exists can be given, besides the create fields. Kinbox would accept its own counters and
#: the status as well; they are left out on purpose: pause and resume drive the status, sending drives the counters.
UPDATE_FIELDS: tuple[Field, ...] = (
    *(replace(field, required=False) for field in CREATE_FIELDS),
    Field("operator_id", "operatorId"),
    Field("next_scheduled_to", "nextScheduledTo", fields.MOMENT),
    Field("active", "active", fields.FLAG),
    Field("should_create_conversation", "shouldCreateConversation", fields.FLAG),
    Field("track_all_channels", "trackAllChannels", fields.FLAG),
    Field("track_max_hours", "trackMaxHours", fields.INTEGER, minimum=1),
)


class KinboxFields(TypedDict, total=False):
    """The types of the create fields; see ``KinboxClient.prepare`` for what they mean."""

    name: str | None
    channel_id: str | int | None
    channel_ids: Sequence[str | int] | None
    operator_name: str | None
    business_hours_id: str | None
    channel_type: str | int | None
    lead_type: str | None
    normalize_brazil_phone_numbers: bool | None
    scheduled_to: datetime.datetime | str | None
    original_scheduled_to: datetime.datetime | str | None
    finished_at_prediction: datetime.datetime | str | None
    leads_asset_url: str | None
    message: str | None
    text_raw: str | None
    assets_urls: Sequence[str] | None
    chunks_count: int | None
    seconds_between_messages: int | None
    seconds_between_chunks: int | None
    chunk_size: int | None
    template: Mapping[str, Any] | None
    extra_fields: Mapping[str, Any] | None


class KinboxChanges(KinboxFields, total=False):
    """The types of the fields that a campaign which exists can be given."""

    operator_id: str | None
    next_scheduled_to: datetime.datetime | str | None
    active: bool | None
    should_create_conversation: bool | None
    track_all_channels: bool | None
    track_max_hours: int | None


FIND_FIELDS: tuple[Field, ...] = (
    Field("name", "name"),
    Field("channel_id", "channelId"),
    Field("status", "status", choices=tuple(word for word in STATUSES if word != "cancelled")),
)
