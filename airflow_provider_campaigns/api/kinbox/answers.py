"""What Kinbox answers: how its campaigns, recipients' results, cursors and errors are read. Pure, no I/O."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.answers import Answer, Refusal, meaning_of
from airflow_provider_campaigns.api.details import places
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus, normalised, percent
from airflow_provider_campaigns.api.redaction import status_word

STATUSES: Mapping[str, CampaignStatus] = {
    "processing": CampaignStatus.SCHEDULED,
    "scheduled": CampaignStatus.SCHEDULED,
    "executing": CampaignStatus.RUNNING,
    "awaiting-chunk": CampaignStatus.RUNNING,
    "awaiting-business-hours": CampaignStatus.RUNNING,
    "awaiting-other-campaign": CampaignStatus.RUNNING,
    "paused": CampaignStatus.PAUSED,
    "done-sent": CampaignStatus.SENT,
    "done": CampaignStatus.FINISHED,
    "canceled": CampaignStatus.CANCELED,
    "cancelled": CampaignStatus.CANCELED,
    "failed": CampaignStatus.FAILED,
}

RESULT_COUNTS: Mapping[str, str] = {
    "sent": "sent",
    "received": "received",
    "read": "read",
    "answered": "answered",
    "chunks_executed": "chunksExecuted",
}
CAMPAIGN_COUNTS: Mapping[str, str] = {
    "processed": "messagesProcessed",
    "leads": "leadsCount",
    "chunks": "chunksCount",
}
DETAIL_PLACES = places(
    scheduled_to="scheduledTo",
    next_scheduled_to="nextScheduledTo",
    last_message_at="lastMessageProcessedAt",
    active="active",
    counts_by_chunk="resultCounts.byChunkId",
)

_UNKNOWN_PATH = re.compile(r"Cannot (GET|POST|PATCH|DELETE) /")


def diagnose(answer: Answer) -> Refusal | None:
    """
    Return what is wrong with an answer, or None for a success.

    Kinbox documents no error body; the likeliest is ``{"statusCode", "message": text or texts, "error"}``.
    """
    if answer.status < 400:
        return None
    body = reading.mapping(answer.data)
    message = _words(reading.first(body, "message", "error") if body else answer.data) or _without_tags(answer.text)
    error = meaning_of(answer.status)
    if error is errors.NotFound and _UNKNOWN_PATH.match(message):
        # Not an unknown campaign: were it taken for one, a wrong host would look like an empty account.
        error = errors.Rejected
        message = "this host has no such path. Check that the host is the one of Kinbox's API"
        if answer.endpoint.path.startswith("/v3/"):
            message += ", and that it has v3, which alone filters lists: the newest documentation publishes v1 only"
    return Refusal(error, message, code=reading.text(body.get("code")))


def _words(message: Any) -> str:
    if isinstance(message, list):
        return "; ".join(words for words in map(_words, message) if words)
    if isinstance(message, dict):
        return _words(reading.first(message, "message", "error"))
    return reading.text(message) or ""


def _without_tags(text: str) -> str:
    return re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE).strip()


def read_campaign(answer: Answer, item: Mapping[str, Any], asked: str | None = None) -> Campaign:
    """
    Return the campaign that an object of an answer describes.

    Progress is messages processed of the campaign's leads: the unit of Kinbox's own ``progress`` is not documented.

    :param answer: The answer, named in the error for an object without an id.
    :param item: The object: v1's, v3's, or the minimum of both, an id and a name.
    :param asked: The id that was asked for, if one was: another's object is unreadable.
    """
    campaign_id = answer.id_of(item, "id", "_id")
    if asked is not None:
        campaign_id = answer.same(asked, item.get("id"), item.get("_id"))
    word = status_word(reading.text(item.get("status")))
    status = normalised(word, STATUSES)
    counts = reading.counts(reading.mapping(item.get("resultCounts")), RESULT_COUNTS)
    counts |= reading.counts(item, CAMPAIGN_COUNTS)
    return Campaign(
        id=campaign_id,
        name=reading.text(item.get("name")),
        status=status,
        vendor_status=word,
        progress=percent(counts.get("processed"), counts.get("leads"), status),
        counts=counts,
        raw=item,
        detail_places=DETAIL_PLACES,
    )


def next_cursor(given: Any, last_id: str | None) -> str | None:
    """
    Return where v1's next page begins, or None at the end.

    :param given: ``nextCursor``: text and null by the newest documentation, an object by the older, where the
        placeholder ``{}`` is an end.
    :param last_id: The id of the page's last campaign, or None for an empty page, which is an end whatever is given.
    """
    if last_id is None:
        return None
    if isinstance(given, dict) and given:
        return reading.text(reading.first(given, "cursor", "id", "_id", "value")) or last_id
    return reading.text(given)


@dataclass(frozen=True, slots=True)
class LeadResult:
    """
    What became of one recipient of a campaign.

    :param number: The phone number, digits with the country code; not shown in ``repr``.
    :param status: ``awaiting``, ``sent``, ``received``, ``read``, ``answered``, ``processed``, ``failed``, or a newer
        word; None where Kinbox gives none.
    :param sent_at: When it was sent, or None.
    :param answered: Whether the recipient replied, or None where Kinbox does not say.
    :param placeholders: The recipient's values for the message's variables, in order; not shown in ``repr``.
    :param call_id: The id of the session that the message opened, or None.
    """

    number: str | None = field(repr=False)
    status: str | None
    sent_at: datetime.datetime | None = None
    answered: bool | None = None
    placeholders: tuple[str, ...] = field(default=(), repr=False)
    call_id: str | None = None


def read_lead_result(item: Mapping[str, Any]) -> LeadResult:
    """Return what an item of ``chunk-leads`` says; every one of its fields may be missing."""
    placeholders = item.get("placeholders")
    return LeadResult(
        number=reading.text(item.get("number")),
        status=status_word(reading.text(item.get("status"))),
        sent_at=reading.moment(item.get("sentAt")),
        answered=reading.flag(item.get("answered")),
        placeholders=tuple(map(str, placeholders)) if isinstance(placeholders, list) else (),
        call_id=reading.text(item.get("callId")),
    )
