"""What became of each recipient of a Kinbox campaign, in the words that all vendors share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.kinbox.answers import read_lead_result
from airflow_provider_campaigns.api.outcomes import ContactOutcome, OutcomeWord, Words, outcome_of, with_plus

WORDS: Words = {
    "awaiting": (OutcomeWord.PENDING, None),
    "sent": (OutcomeWord.PENDING, "sent, without a receipt so far"),
    "received": (OutcomeWord.DELIVERED, None),
    "read": (OutcomeWord.READ, None),
    "answered": (OutcomeWord.ANSWERED, None),
    "processed": (OutcomeWord.UNKNOWN, "worked off; Kinbox does not say with which result"),
    "failed": (OutcomeWord.FAILED, None),
}


def read_outcome(row: Mapping[str, Any]) -> ContactOutcome:
    """Return what a row of ``chunk-leads`` says; a reply counts, whatever the status."""
    lead = read_lead_result(row)
    outcome, reason = outcome_of(lead.status, WORDS)
    if lead.answered and outcome is not OutcomeWord.FAILED:
        outcome, reason = OutcomeWord.ANSWERED, None
    return ContactOutcome(with_plus(lead.number), outcome, lead.status, reason, reading.text(row.get("sentAt")))
