"""What every vendor's answer becomes: a campaign with a normalised status."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    :param counts: Figures by name (messages sent, contacts processed, ...), only those the vendor gave.
    :param raw: The vendor's answer, untouched. Leave it out of logs and XComs: it may hold the message's text.
    """

    id: str
    name: str | None
    status: CampaignStatus
    vendor_status: str | None = None
    progress: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the campaign as plain JSON values, without the vendor's raw answer."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status.value,
            "vendor_status": self.vendor_status,
            "progress": self.progress,
            "counts": dict(self.counts),
        }


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
