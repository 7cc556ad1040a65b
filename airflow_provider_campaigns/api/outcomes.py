"""What became of each contact of a campaign, in words that all vendors share: a part of the contract of clients."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

#: The columns of a row, in their order.
COLUMNS = ("contact", "outcome", "vendor_status", "reason", "time")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


class OutcomeWord(enum.StrEnum):
    """What became of a contact."""

    DELIVERED = "delivered"
    READ = "read"
    ANSWERED = "answered"
    CONVERTED = "converted"
    FAILED = "failed"
    #: Still to come, or sent without a receipt so far.
    PENDING = "pending"
    #: The vendor does not tell, or tells a word that says none of the others.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ContactOutcome:
    """
    What became of one contact.

    :param contact: The phone number, or None where the vendor tells none; not shown in ``repr``.
    :param outcome: In our words.
    :param vendor_status: The vendor's own word, or None.
    :param reason: Why, where it is not plain, or None.
    :param time: When, as the vendor writes it, or None.
    """

    contact: str | None = field(repr=False)
    outcome: OutcomeWord
    vendor_status: str | None = None
    reason: str | None = None
    time: str | None = None

    def row(self) -> dict[str, Any]:
        """Return it as a row of a file."""
        return {
            "contact": self.contact,
            "outcome": str(self.outcome),
            "vendor_status": self.vendor_status,
            "reason": self.reason,
            "time": self.time,
        }


#: What a vendor's word says, and why where that is not plain.
Words = Mapping[str, tuple[OutcomeWord, str | None]]


def outcome_of(word: str | None, words: Words) -> tuple[OutcomeWord, str | None]:
    """Return what a vendor's word says; one that is not known is no error."""
    if not word:
        return OutcomeWord.UNKNOWN, "the vendor tells no status of this contact"
    return words.get(word.lower(), (OutcomeWord.UNKNOWN, "a word that this package does not know"))


def with_plus(number: str | None) -> str | None:
    """Return a number that its vendor writes with the country code, as E.164 has it; anything else as it is."""
    return f"+{number}" if number and _DIGITS.fullmatch(number) else number


class TellsOutcomes:
    """The part of a client that tells what became of each contact."""

    def list_outcomes(self, campaign_id: str) -> Iterator[ContactOutcome]:
        """
        Yield what became of each contact of a campaign, lazily, each once.

        :param campaign_id: The campaign.
        :raises InvalidRequest: The vendor tells nothing about contacts; by default.
        """
        raise InvalidRequest(f"{type(self).__name__} tells no outcomes of a campaign's contacts.")
