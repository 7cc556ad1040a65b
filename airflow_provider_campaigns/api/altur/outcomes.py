"""What became of each contact of an Altur campaign, in the words that all vendors share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.outcomes import ContactOutcome, OutcomeWord, Words, outcome_of, with_plus

WORDS: Words = {
    "queue": (OutcomeWord.PENDING, None),
    "sending": (OutcomeWord.PENDING, None),
    "retrying": (OutcomeWord.PENDING, "to be tried again"),
    "sent": (OutcomeWord.PENDING, "sent, without a receipt so far"),
    "delivered": (OutcomeWord.DELIVERED, None),
    "read": (OutcomeWord.READ, None),
    "answered": (OutcomeWord.ANSWERED, None),
    "accepted": (OutcomeWord.ANSWERED, None),
    "rejected": (OutcomeWord.UNKNOWN, "Altur does not say whether the contact or the channel rejected it"),
    "converted": (OutcomeWord.CONVERTED, None),
    "voicemail": (OutcomeWord.UNKNOWN, "a voicemail answered; whether anybody listens to it is not known"),
    "failed": (OutcomeWord.FAILED, None),
}


def read_outcome(row: Mapping[str, Any]) -> ContactOutcome:
    """Return what a contact of a campaign says; the time is that of its last call, without a zone."""
    word = reading.text(row.get("status"))
    outcome, reason = outcome_of(word, WORDS)
    return ContactOutcome(
        with_plus(reading.text(row.get("contact"))), outcome, word, reason, reading.text(row.get("last_call_at"))
    )
