"""What every vendor's answer becomes: a campaign with a normalised status."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.details import CampaignDetails, DetailPlace

#: Every name that :attr:`Campaign.counts` may hold, and what it counts: the same thing at every vendor.
COUNTS: Mapping[str, str] = {
    "contacts": "the people that the campaign is for, as the vendor counts them",
    "leads": "the rows of the file or filter that the recipients come from (Kinbox)",
    "processed": "those that the vendor is done with, whatever the result",
    "attempted": "those of them who were called at least once (Kore.ai voice)",
    "done": "those of them who are not called any more, reached or given up (Kore.ai voice)",
    "sent": "messages handed to the channel",
    "delivered": "messages that the channel says arrived",
    "received": "messages that the channel says arrived, as Kinbox calls it",
    "read": "messages that were opened",
    "answered": "people who answered, by message or by picking up",
    "accepted": "people who agreed to what the message offers (WhatsApp)",
    "rejected": "people who declined it (WhatsApp)",
    "converted": "people who did what the campaign is for",
    "failed": "people who could not be reached",
    "voicemail": "people whose voicemail picked up",
    "calls": "calls made, several a person",
    "answered_by_human": "calls that a person picked up",
    "answered_by_machine": "calls that a machine picked up",
    "answered_by_unknown": "calls that were picked up, it is not known by whom",
    "calls_completed": "calls that are over",
    "chunks": "batches that the recipients are divided into (Kinbox)",
    "chunks_executed": "batches that were sent (Kinbox)",
}


class CampaignStatus(enum.StrEnum):
    """Where a campaign is in its life, in words common to all vendors."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    SENT = "sent"
    FINISHED = "finished"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Whether the vendor will send nothing more for this campaign by itself and count nothing more."""
        return self in (CampaignStatus.FINISHED, CampaignStatus.CANCELED, CampaignStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Campaign:
    """
    A campaign as a vendor describes it.

    :param id: The vendor's id, always text.
    :param name: The campaign's name, or None where the answer does not carry it.
    :param status: The normalised status; ``unknown`` for a word this package does not know.
    :param vendor_status: The vendor's own word for the status, or None.
    :param progress: Percent from 0 to 100, or None where the vendor gives no total. 100 only when finished.
    :param counts: Figures by their names in :data:`COUNTS`, only those that the vendor gave.
    :param raw: The vendor's answer, untouched. Leave it out of logs and XComs: it may hold the message's text.
    :param detail_places: Where the vendor's answer holds its :attr:`details`.
    """

    id: str
    name: str | None
    status: CampaignStatus
    vendor_status: str | None = None
    progress: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    detail_places: tuple[DetailPlace, ...] = field(default=(), repr=False, compare=False)

    @property
    def details(self) -> CampaignDetails:
        """
        What else the vendor gave, by the names in ``api.details.DETAILS``: no text of a message and no recipient.

        Read out of the vendor's answer when it is asked for: a list of thousands pays nothing for it.
        """
        from airflow_provider_campaigns.api.details import read_details

        return read_details(self.raw, self.detail_places)

    def trimmed(self) -> Campaign:
        """Return the campaign with no more of the vendor's answer than its details."""
        from airflow_provider_campaigns.api.details import holders

        return replace(self, raw=holders(self.raw, self.detail_places))

    def as_dict(self, *, details: bool = True) -> dict[str, Any]:
        """
        Return the campaign as plain JSON values, without the vendor's raw answer.

        :param details: Whether with the details, by default True; False where the answer they are in was not kept.
        """
        told = {
            "id": self.id,
            "name": self.name,
            "status": self.status.value,
            "vendor_status": self.vendor_status,
            "progress": self.progress,
            "counts": dict(self.counts),
        }
        return {**told, "details": dict(self.details)} if details else told


def normalised(word: str | None, known: Mapping[str, CampaignStatus]) -> CampaignStatus:
    """Return the status that a vendor's word stands for, ``unknown`` for a word that is missing or new."""
    if word is None:
        return CampaignStatus.UNKNOWN
    return known.get(word) or known.get(word.lower()) or CampaignStatus.UNKNOWN


def percent(part: float | None, whole: float | None, status: CampaignStatus) -> float | None:
    """
    Return progress in percent: 100 if finished, else at most 99, None where there is no total to measure by.

    :param part: How many are done.
    :param whole: How many there are; 0 and None both mean that there is nothing to measure by.
    :param status: The campaign's status; 100 is kept for ``finished``: receipts and retries may be due until then.
    """
    if status is CampaignStatus.FINISHED:
        return 100.0
    if part is None or not whole or whole < 0:
        return None
    return round(min(max(100.0 * part / whole, 0.0), 99.0), 2)
