"""What Kore.ai's answers become: campaigns, and the results of a voice campaign's contacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.details import places
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus, normalised, percent
from airflow_provider_campaigns.api.redaction import status_word

STATUSES: Mapping[str, CampaignStatus] = {
    "preparing": CampaignStatus.DRAFT,
    "ready": CampaignStatus.DRAFT,
    "scheduled": CampaignStatus.SCHEDULED,
    "rescheduled": CampaignStatus.SCHEDULED,
    "active": CampaignStatus.RUNNING,
    # Words of the vendor's screens, which the API's pages do not list.
    "rerun": CampaignStatus.RUNNING,
    "run as emergency": CampaignStatus.RUNNING,
    "paused": CampaignStatus.PAUSED,
    "completed": CampaignStatus.FINISHED,
    "stopped": CampaignStatus.CANCELED,
}
#: Before a run there is nothing to measure: each run starts afresh.
NOT_BEGUN = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)

#: Our name for each figure of a row.
COUNTS: Mapping[str, str] = {"sent": "totalMessagesSent", "calls_completed": "totalCallsCompleted"}
#: What may be counted of a campaign, by its type; the last ones are found out with requests of their own.
COUNTED: Mapping[str, frozenset[str]] = {
    "sms": frozenset({"sent", "contacts"}),
    "voice": frozenset({"calls_completed", "contacts", "attempted", "done"}),
}

DETAIL_PLACES = places(
    instance_id="campaignInstanceId",
    instance_updated_at="campaignInstanceUpdatedAt",
    dialing_mode="dialingMode",
)

#: Where an id may be: rows and details of the two campaign types differ, and so do the versions.
IDS = ("_id", "id", "campId")


@dataclass(frozen=True, slots=True)
class ContactResult:
    """
    What became of one contact of a voice campaign; ``repr`` shows neither number nor ids.

    :param phone_number: As the vendor keeps it, often without ``+``.
    :param unique_id: The id given with the contact, or None.
    :param outcome: The dialer's word such as ``completed``, or None while the contact is in progress.
    :param attempts: How often it was dialed so far.
    :param bot_session_id: The conversation, or None.
    :param dispositions: The agents' disposition codes.
    :param bot_status: How the conversation with the bot ended (``userHangUp``), or None.
    :param bot_status_detail: More about it, or None.
    """

    phone_number: str | None = field(repr=False)
    unique_id: str | None = field(repr=False)
    outcome: str | None
    attempts: int
    bot_session_id: str | None = field(repr=False)
    dispositions: tuple[str, ...] = ()
    bot_status: str | None = None
    bot_status_detail: str | None = None

    def is_done(self, max_attempts: int | None = None) -> bool:
        """Whether the vendor is through with the contact, as far as can be told."""
        return self.outcome is not None or (max_attempts is not None and self.attempts >= max_attempts)


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What progress is measured by, from wherever it was found; None for what is unknown.

    :param contacts: How many contacts the campaign is for.
    :param attempted: How many of them were dialed at least once.
    :param done: How many of them the vendor is through with.
    """

    contacts: int | None = None
    attempted: int | None = None
    done: int | None = None


def id_in(item: Mapping[str, Any], envelope: Mapping[str, Any] | None = None) -> str | None:
    """Return a campaign's id from any of the places where the vendor puts it, or None."""
    return reading.identifier(reading.first(item, *IDS)) or reading.identifier(reading.first(envelope or {}, *IDS))


def read_campaign(item: Mapping[str, Any], campaign_id: str, figures: Figures | None = None) -> Campaign:
    """
    Return a campaign from a row of the list, a detail, a status, or the answer to start and stop.

    :param item: The vendor's object.
    :param campaign_id: Its id (see :func:`id_in`).
    :param figures: What else was found out; the number of messages sent is in rows of the list.
    """
    figures = figures or Figures()
    word = status_word(reading.text(item.get("status")))
    status = normalised(word, STATUSES)
    counts = reading.counts(item, COUNTS)
    known = {"contacts": figures.contacts, "attempted": figures.attempted, "done": figures.done}
    counts.update({name: figure for name, figure in known.items() if figure is not None})
    done = counts.get("sent") if figures.done is None else figures.done
    progress = 0.0 if status in NOT_BEGUN else percent(done, figures.contacts, status)
    return Campaign(campaign_id, reading.text(item.get("name")), status, word, progress, counts, item, DETAIL_PLACES)


def read_contact_result(row: Mapping[str, Any]) -> ContactResult:
    """Return one contact's result from the vendor's row."""
    codes = row.get("agentDispositionCodes")
    return ContactResult(
        phone_number=reading.text(row.get("phoneNumber")),
        unique_id=reading.text(row.get("uniqueId")),
        outcome=reading.text(row.get("dialerOutcome")),
        attempts=reading.whole(row.get("numberOfAttemptsSoFar")) or 0,
        bot_session_id=reading.text(row.get("botSessionId")),
        dispositions=tuple(str(code) for code in codes) if isinstance(codes, list) else (),
        bot_status=reading.text(row.get("botOutboundStatus")),
        bot_status_detail=reading.text(row.get("botOutboundStatusDetail")),
    )


def contacts_of(item: Mapping[str, Any], totals: Mapping[str, int]) -> int | None:
    """
    Return how many contacts a campaign is for, or None when one of its lists is unknown.

    :param item: A campaign's row or detail, with the names of its lists.
    :param totals: Contacts by list name in lower case.
    """
    names = item.get("contactLists")
    if not isinstance(names, list) or not names:
        return None
    # One that is no name, whatever it is, is a list whose total is unknown.
    told = {(reading.text(name) or "").lower() for name in names}
    found = [totals.get(name) for name in told]
    known = [total for total in found if total is not None]
    return sum(known) if len(known) == len(found) else None
