"""What Altur's answers say: refusals, statuses, progress, contact batches; tolerant of every documented generation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.answers import Refusal, meaning_of
from airflow_provider_campaigns.api.details import places
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus, normalised, percent
from airflow_provider_campaigns.api.redaction import MAX_WORD_CHARACTERS, status_word

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.answers import Answer

STATUSES: Mapping[str, CampaignStatus] = {
    "pending": CampaignStatus.DRAFT,
    "ready": CampaignStatus.DRAFT,
    "active": CampaignStatus.RUNNING,
    "cooldown": CampaignStatus.RUNNING,
    "inactive": CampaignStatus.PAUSED,
    "finished": CampaignStatus.FINISHED,
}

#: Contacts that are still to be reached.
OPEN_CONTACT_STATUSES = ("queue", "sending", "retrying")
CONTACT_STATUSES = (
    *OPEN_CONTACT_STATUSES,
    *("sent", "delivered", "voicemail", "read", "failed", "converted", "answered", "accepted", "rejected"),
)

#: Our name for each figure of the snapshot; the first nine are of phone campaigns, the rest of WhatsApp ones.
COUNTS: Mapping[str, str] = {
    "processed": "contactsProcessed",
    "failed": "contactsFailed",
    "voicemail": "contactsVoicemail",
    "answered": "contactsAnswered",
    "converted": "contactsConverted",
    "calls": "calls",
    "answered_by_human": "callsAnsweredByHuman",
    "answered_by_machine": "callsAnsweredByMachine",
    "answered_by_unknown": "callsAnsweredByUnknown",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "accepted": "accepted",
    "rejected": "rejected",
}
#: Lists have the cycles flat, under names that changed over time; details have them in an object.
DETAIL_PLACES = places(
    channel="integration.type integration_type",
    cycle="cycles.current_iteration cycle_current_iteration",
    max_cycles="cycles.max_iterations cycle_max_iterations",
    last_cycle_at="cycles.last_iteration_at cycle_last_iteration_at last_iteration_at",
    converted_rate="analytics.contactsConvertedRate analytics.convertedRate",
)
#: Where a snapshot's total may be; only the first is documented, and for phone campaigns only.
TOTALS = ("contacts", "totalContacts", "total", "messages")

ERROR_CODES: Mapping[str, type[errors.CampaignAPIError]] = {
    "BILLING_LIMIT_REACHED": errors.BillingLimitReached,
    "INVALID_STATUS_TRANSITION": errors.Conflict,
    "CAMPAIGN_FINISHED": errors.Conflict,
    "CONTACT_NOT_DELETABLE": errors.Conflict,
    "SERVER_ERROR": errors.Unavailable,
}
#: Where an answer may carry its error code; which it is, no page says.
_WORDED = ("code", "error_code", "error", "message", "detail")
_CODE = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b")
_SECONDS = re.compile(r"(?<!\d)(\d{1,9})\s{0,3}seconds?")


def diagnose(answer: Answer) -> Refusal | None:
    """Return what an answer refuses, or None for a success."""
    body = reading.mapping(answer.data)
    in_band = answer.status < 300
    if in_band and reading.flag(body.get("success")) is not False:
        return None
    if answer.status == 409 and is_already_active(answer):
        return None
    code = error_code(body)
    status = answer.status
    if in_band:
        told = reading.whole(body.get("error"))
        status = told if told is not None and 400 <= told <= 599 else 400
    error = meaning_of(status) if status >= 500 else ERROR_CODES.get(code or "") or meaning_of(status)
    words = _sentence(answer)
    seconds = _SECONDS.search(words) if error is errors.RateLimited else None
    return Refusal(error, words, code, float(seconds.group(1)) if seconds else None)


def is_already_active(answer: Answer) -> bool:
    """Whether an action was refused only because the campaign is active, as it was asked to become."""
    return (
        answer.status == 409
        and answer.endpoint.path.endswith(("/activate", "/resume"))
        and reading.mapping(answer.data).get("current_status") == "active"
    )


def error_code(body: Mapping[str, Any]) -> str | None:
    """Return Altur's error code (``INVALID_STATUS_TRANSITION``), wherever in the body it sits, or None."""
    said = [text for name in _WORDED for text in _texts(body.get(name))]
    found = next((match.group() for match in map(_CODE.search, said) if match), None)
    if found:
        return found[:MAX_WORD_CHARACTERS]
    return next((text for text in said if re.fullmatch(r"[A-Z]{4,80}", text)), None)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of an error: one, a list of them, or lists by field."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (f"{name}: {text}" for text in _texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _sentence(answer: Answer) -> str:
    body = reading.mapping(answer.data)
    said = [text for name in _WORDED for text in _texts(body.get(name))] or list(_texts(answer.data))
    if not said and not answer.text.lstrip().startswith("<"):
        said = [answer.text]
    for name in ("field", "current_status", "valid_targets"):
        told = ", ".join(_texts(body.get(name)))
        if told:
            said.append(f"({name}: {told})")
    return " ".join(dict.fromkeys(said))


@dataclass(frozen=True, slots=True)
class ContactCounts:
    """
    How many contacts a campaign has.

    :param total: All of them.
    :param open: Those still to be reached; counted in requests of their own, so that the two may not quite fit.
    """

    total: int
    open: int

    @property
    def processed(self) -> int:
        """Those that Altur is through with."""
        return max(self.total - self.open, 0)


def read_campaign(campaign_id: str, item: Mapping[str, Any], contacts: ContactCounts | None = None) -> Campaign:
    """
    Return a campaign out of a list, a detail or an action's answer.

    :param campaign_id: Its id.
    :param item: Altur's object.
    :param contacts: Its contacts where they were counted; they go before the snapshot, whose age nobody knows.
    """
    word = status_word(reading.text(item.get("status")))
    status = normalised(word, STATUSES)
    snapshot = reading.mapping(item.get("analytics"))
    counts = reading.counts(snapshot, COUNTS)
    total = contacts.total if contacts else snapshot_total(item)
    if total is not None:
        counts["contacts"] = total
    if contacts:
        counts["processed"] = contacts.processed
        progress = percent(counts["processed"], total, status)
    else:
        progress = snapshot_progress(snapshot, total, status)
    if progress is None and status is CampaignStatus.DRAFT:
        progress = 0.0
    return Campaign(
        id=campaign_id,
        name=reading.text(item.get("name")),
        status=status,
        vendor_status=word,
        progress=progress,
        counts=counts,
        raw=item,
        detail_places=DETAIL_PLACES,
    )


def snapshot_total(item: Mapping[str, Any]) -> int | None:
    """Return how many contacts a campaign's snapshot counts, or None."""
    return reading.whole(reading.first(reading.mapping(item.get("analytics")), *TOTALS))


def snapshot_progress(snapshot: Mapping[str, Any], total: int | None, status: CampaignStatus) -> float | None:
    """
    Return progress in percent by the snapshot alone, or None where it gives too little.

    :param snapshot: Altur's ``analytics``.
    :param total: Its total, or None.
    :param status: The campaign's status; a finished one is at 100, though its processed rate may say 0.91.
    """
    processed = reading.whole(snapshot.get("contactsProcessed"))
    if processed is None or total is None:
        rate = reading.number(snapshot.get("contactsProcessedRate"))
        if rate is not None and total != 0:
            return percent(rate if rate <= 1 else rate / 100, 1, status)
        processed = _messages_out(snapshot)
    return percent(processed, total, status)


def _messages_out(snapshot: Mapping[str, Any]) -> int | None:
    names = ("sent", "delivered", "read", "failed", "accepted", "rejected", "converted")
    known = {name: reading.whole(snapshot.get(name)) for name in names}
    if known["sent"] is None:
        return None
    sent, delivered, read, failed, *others = (value or 0 for value in known.values())
    # Whether sent includes delivered, no page says; where it can, it does, else the counts are by current status.
    cumulative = sent >= delivered >= read
    return sent + failed if cumulative else sent + delivered + read + failed + sum(others)


def needs_contact_counts(campaign: Campaign) -> bool:
    """Whether only counting a campaign's contacts tells its progress: under way, and without a usable snapshot."""
    return campaign.progress is None and snapshot_total(campaign.raw) is None


@dataclass(frozen=True, slots=True)
class ContactBatch:
    """
    What became of one batch of contacts.

    :param created: How many are new in the campaign.
    :param updated: How many were there and are overwritten.
    :param skipped: How many were there and are left as they were.
    :param failed: How many Altur refused.
    :param refused: Index in the whole input and Altur's reason (``INVALID_PHONE_NUMBER``) of each refused row that the
        answer names.
    :param rows: How many rows were sent, whatever Altur counts.
    """

    created: int
    updated: int
    skipped: int
    failed: int
    refused: tuple[tuple[int, str], ...] = ()
    rows: int = field(default=0, compare=False)


def read_batch(answer: Answer, first_index: int = 0, rows: int = 0) -> ContactBatch:
    """
    Return what became of a batch of contacts.

    :param answer: Altur's answer.
    :param first_index: The place of the batch's first row in the whole input.
    :param rows: How many rows it has.
    :raises OutcomeUnknown: When the answer holds neither a summary nor results.
    """
    data = answer.object()
    results = reading.rows(data.get("results"))
    summary = reading.mapping(data.get("summary"))
    if not summary and not results:
        raise answer.unreadable("without a 'summary' of the contacts")
    refused = tuple(
        # Only the code of a row's error: free text may repeat the phone number.
        (first_index + _row_index(row, position), error_code(row) or "not told")
        for position, row in enumerate(results)
        if row.get("error") or row.get("status") == "failed"
    )

    def count(*names: str) -> int:
        told = reading.whole(reading.first(summary, *names))
        return told if told is not None else sum(row.get("status") in names for row in results)

    failed = reading.whole(summary.get("failed"))
    return ContactBatch(
        created=count("created"),
        updated=count("updated"),
        skipped=count("skipped_duplicate", "skipped"),
        failed=len(refused) if failed is None else failed,
        refused=refused,
        rows=rows,
    )


def _row_index(row: Mapping[str, Any], position: int) -> int:
    told = reading.whole(row.get("index"))
    return position if told is None else told


def unwrapped(answer: Answer, wrapper: str) -> dict[str, Any]:
    """Return the object that an answer is about, in its wrapper or bare."""
    data = answer.object()
    return data if wrapper not in data and "id" in data else answer.object(wrapper)


def next_cursor(answer: Answer, *, back: bool) -> str | None:
    """Return the cursor of the list's next page in the direction of the walk, or None at the end."""
    pagination = reading.mapping(answer.object().get("pagination"))
    more = reading.flag(pagination.get("has_previous") if back else reading.first(pagination, "has_next", "has_more"))
    cursor = reading.text(pagination.get("previous_cursor" if back else "next_cursor"))
    if more and cursor is None:
        raise answer.unreadable("says that there are more campaigns without a cursor to them")
    return None if more is False else cursor
