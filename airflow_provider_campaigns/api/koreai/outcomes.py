"""What became of each contact of a Kore.ai campaign, in the words that all vendors share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.errors import UnreadableAnswer
from airflow_provider_campaigns.api.koreai.access import VENDOR
from airflow_provider_campaigns.api.koreai.answers import read_contact_result
from airflow_provider_campaigns.api.koreai.lists import KoreAILists
from airflow_provider_campaigns.api.outcomes import ContactOutcome, OutcomeWord, Words, outcome_of

SMS_TELLS_NOTHING = "Kore.ai tells nothing about the contacts of an SMS campaign"
#: The pages name ``completed`` only; the rest are the words of the vendor's screens.
WORDS: Words = {
    "completed": (OutcomeWord.UNKNOWN, "dialed; Kore.ai does not say with which result"),
    "connected": (OutcomeWord.ANSWERED, None),
    "no answer": (OutcomeWord.FAILED, "no answer"),
    "busy": (OutcomeWord.FAILED, "busy"),
    "failed": (OutcomeWord.FAILED, None),
    "canceled": (OutcomeWord.FAILED, "canceled"),
    "dnc excluded": (OutcomeWord.FAILED, "on a do-not-call list"),
}
#: How a conversation with the bot ends; there was one.
_CONVERSATIONS = ("userhangup", "agenthangup")


def read_outcome(row: Mapping[str, Any]) -> ContactOutcome:
    """Return what a row of a voice campaign's contacts says; the number as Kore.ai keeps it."""
    result = read_contact_result(row)
    if not result.outcome:
        return ContactOutcome(result.phone_number, OutcomeWord.PENDING, result.outcome)
    outcome, reason = outcome_of(result.outcome.replace("_", " ").replace("-", " "), WORDS)
    if outcome is OutcomeWord.UNKNOWN and (result.bot_status or "").lower() in _CONVERSATIONS:
        outcome, reason = OutcomeWord.ANSWERED, None
    return ContactOutcome(result.phone_number, outcome, result.outcome, reason or result.bot_status_detail)


class KoreAIOutcomes(KoreAILists):
    """The part of ``KoreAIClient`` that tells what became of contacts."""

    campaign_type: str

    def list_outcomes(self, campaign_id: str) -> Iterator[ContactOutcome]:
        """
        Yield what became of each contact, in the words that all vendors share; a request for each hundred.

        Of an SMS campaign Kore.ai tells nothing: each contact of its lists is ``unknown``, and the reason says so.
        """
        if self.campaign_type == "sms":
            yield from self._untold(campaign_id)
        else:
            yield from map(read_outcome, self.contact_result_rows(campaign_id))

    def _untold(self, campaign_id: str) -> Iterator[ContactOutcome]:
        names = self.get_campaign(campaign_id).raw.get("contactLists")
        wanted = {(reading.text(name) or "").lower() for name in names} if isinstance(names, list) else set()
        ids = [known.id for known in self.list_contact_lists() if (known.name or "").lower() in wanted]
        if len(ids) < max(len(wanted), 1):
            raise UnreadableAnswer(
                f"Kore.ai does not tell which contacts campaign {campaign_id} is for: it names {len(wanted)} contact "
                f"lists, and {len(ids)} of them are there.",
                vendor=VENDOR,
                endpoint="contactLists",
            )
        seen: set[str | None] = set()
        for contact in itertools.chain.from_iterable(map(self.list_contacts, ids)):
            # A list names a number once; another one may name it again.
            if len(ids) == 1 or contact.phone_number not in seen:
                seen.update([contact.phone_number] if len(ids) > 1 else [])
                yield ContactOutcome(contact.phone_number, OutcomeWord.UNKNOWN, None, SMS_TELLS_NOTHING)
