"""A campaign of the sandbox's Kinbox: it starts by itself, and its state follows from what was done to it and when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.sandbox.delivery import Delivery, Spans
from airflow_provider_campaigns.sandbox.failures import OrderedFailures, outcome
from airflow_provider_campaigns.sandbox.hours import SendingHours
from airflow_provider_campaigns.sandbox.kinbox.lead_list import LeadList, invented

#: Defaults with which the default campaign sends for five minutes: 120 x 2 s, and two pauses of 30 s.
DEFAULT_CHUNK_SIZE = 40
DEFAULT_SECONDS_BETWEEN_MESSAGES = 2.0
DEFAULT_SECONDS_BETWEEN_CHUNKS = 30.0
#: How long the leads' file is read, and how long receipts are tracked at the pace ``instant``, in vendor seconds.
PROCESSING_SECONDS = 5.0
TRACKING_SECONDS = 30.0
#: How long receipts are tracked at Kinbox.
DEFAULT_TRACKING_HOURS = 96
#: Of each calendar that a campaign may name: Monday to Friday, nine to six.
BUSINESS_HOURS = SendingHours({day: [(9 * 60, 18 * 60)] for day in range(5)}, "America/Sao_Paulo")
#: What a delivery counts: so many seconds of work.
TICK_SECONDS = 0.05

#: What becomes of each 20 recipients, by position: 18 receive the message, one is not reached, one fails.
OUTCOMES = (
    *("answered", "received", "read", "received", "read", "received", "read", "received", "read", "received"),
    *("answered", "received", "read", "received", "read", "received", "read", "received", "sent", "failed"),
)


def read_moment(text: Any) -> float | None:
    """Return ISO 8601 text as epoch seconds (UTC where it names no zone), or None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def moment_text(seconds: float) -> str:
    """Return epoch seconds as Kinbox writes a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def outcome_of(position: int, recipients: LeadList, failures: OrderedFailures | None) -> str:
    """Return what becomes of the recipient at a position."""
    return outcome(failures, lambda place: OUTCOMES[place % len(OUTCOMES)], position, recipients.number(position))


def outcomes(processed: int, recipients: LeadList, failures: OrderedFailures | None) -> dict[str, int]:
    """Return how many of the first recipients have each outcome."""
    if failures is not None:
        words = [outcome_of(position, recipients, failures) for position in range(processed)]
        return {word: words.count(word) for word in set(OUTCOMES)}
    rounds, rest = divmod(processed, len(OUTCOMES))
    return {word: rounds * OUTCOMES.count(word) + OUTCOMES[:rest].count(word) for word in set(OUTCOMES)}


@dataclass(frozen=True)
class SendingPlan:
    """
    In what order and at what pace recipients are dealt with.

    :param recipients: whom it is for.
    :param chunk_size: how many make a batch.
    :param per_message: seconds that each takes.
    :param between_chunks: seconds between two batches.
    """

    recipients: LeadList
    chunk_size: int
    per_message: float
    between_chunks: float

    @classmethod
    def of(cls, given: Mapping[str, Any], recipients: LeadList | None = None) -> SendingPlan:
        """Return the plan of a campaign with these properties; without recipients, for invented ones."""
        return cls(
            recipients=invented(given.get("leadsAssetUrl")) if recipients is None else recipients,
            chunk_size=max(1, math.ceil(given.get("chunkSize", DEFAULT_CHUNK_SIZE))),
            per_message=max(TICK_SECONDS, given.get("secondsBetweenMessages", DEFAULT_SECONDS_BETWEEN_MESSAGES)),
            between_chunks=max(0.0, given.get("secondsBetweenChunks", DEFAULT_SECONDS_BETWEEN_CHUNKS)),
        )

    @property
    def leads(self) -> int:
        """How many recipients there are."""
        return self.recipients.count

    @property
    def chunks(self) -> int:
        """How many batches there are."""
        return math.ceil(self.leads / self.chunk_size)

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return self.leads * self.per_message + max(0, self.chunks - 1) * self.between_chunks

    def processed(self, worked: float) -> int:
        """Return how many recipients are dealt with after so many seconds of work."""
        chunk, within = self._place(worked)
        return min(
            self.leads, chunk * self.chunk_size + min(self.chunk_size, math.floor(within / self.per_message + 1e-6))
        )

    def until_next_chunk(self, worked: float) -> float | None:
        """Return the seconds until the next batch, or None while a batch is being sent or none is left."""
        chunk, within = self._place(worked)
        sending = self.chunk_size * self.per_message
        if within < sending or chunk + 1 >= self.chunks:
            return None
        return sending + self.between_chunks - within

    def result_counts(self, processed: int, failures: OrderedFailures | None) -> dict[str, Any]:
        """Return what became of the first recipients, in all and by batch."""
        size = self.chunk_size
        found = outcomes(processed, self.recipients, failures)
        by_chunk = {
            f"c{number + 1}": {"sent": min(begin + size, processed) - begin}
            for number, begin in enumerate(range(0, processed, size))
        }
        return {
            "sent": processed - found["failed"],
            "received": processed - found["failed"] - found["sent"],
            "read": found["read"] + found["answered"],
            "answered": found["answered"],
            "chunksExecuted": self.chunks if processed == self.leads else processed // size,
            "byChunkId": by_chunk,
        }

    def _place(self, worked: float) -> tuple[int, float]:
        chunk, within = divmod(worked + 1e-9, self.chunk_size * self.per_message + self.between_chunks)
        return int(chunk), within


class KinboxCampaign:
    """
    A campaign. Times are epoch seconds of vendor time unless told otherwise; :meth:`settled` comes before any question.

    :param campaign_id: its id.
    :param given: the body it was created with.
    :param created_at: when it was created.
    :param listed_from: the real time of its creation.
    :param stalls: when the vendor stood still.
    :param failures: which recipients were ordered to fail.
    :param recipients: those of a file that the sandbox serves, or None for invented ones.
    :param keeps_pace: whether business hours, other campaigns of its channels and the hours of tracking hold.
    """

    def __init__(
        self,
        campaign_id: str,
        given: Mapping[str, Any],
        created_at: float,
        listed_from: float,
        stalls: Spans,
        failures: OrderedFailures | None = None,
        recipients: LeadList | None = None,
        keeps_pace: bool = False,
    ) -> None:
        self.id = campaign_id
        self.given = {name: value for name, value in given.items() if value is not None}
        self.created_at = created_at
        self.updated_at = created_at
        self.listed_from = listed_from
        self.plan = SendingPlan.of(self.given, recipients)
        self.failures = failures
        self.keeps_pace = keeps_pace
        self._stalls = stalls
        self._is_paused = False
        self._is_canceled = False
        self._resumed_at = created_at
        self.delivery: Delivery | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.given["name"])

    @property
    def starts(self) -> int:
        """How often sending was started: once at most, since it goes on after a pause."""
        return 0 if self.delivery is None else 1

    @property
    def starts_at(self) -> float:
        """When sending starts, unless it is paused then."""
        scheduled = read_moment(self.given.get("scheduledTo")) or 0.0
        return max(self.created_at + PROCESSING_SECONDS, scheduled, self._resumed_at)

    def is_due(self, at: float) -> bool:
        """Return whether it would be sending if its channels are free, and has not begun."""
        may_start = not (self._is_paused or self._is_canceled or _lacks_file(self))
        return self.delivery is None and may_start and at >= self.starts_at

    def settled(self, at: float) -> KinboxCampaign:
        """Start sending if that is due and nobody else decides it (see ``channels``); return the campaign."""
        if not self.keeps_pace and self.is_due(at):
            self.begin(self.starts_at)
        return self

    def begin(self, at: float) -> None:
        """Start sending."""
        ticks = math.ceil(self.plan.seconds / TICK_SECONDS - 1e-9)
        named = self.keeps_pace and self.given.get("businessHoursId")
        self.delivery = Delivery(ticks, TICK_SECONDS, self._stalls, hours=BUSINESS_HOURS if named else None)
        self.delivery.start(at)

    def status(self, at: float) -> str:
        """Return Kinbox's word for where it is."""
        if self._is_canceled:
            return "canceled"
        if self._is_paused:
            return "paused"
        if at < self.created_at + PROCESSING_SECONDS:
            return "processing"
        if _lacks_file(self):
            return "failed"
        if self.delivery is None:
            return "awaiting-other-campaign" if at >= self.starts_at else "scheduled"
        finished_at = self.delivery.finished_at
        if finished_at is not None and at >= finished_at:
            return "done" if at >= finished_at + _tracking_seconds(self) else "done-sent"
        if self.delivery.hours and not self.delivery.hours.is_open(at):
            return "awaiting-business-hours"
        return "executing" if self.plan.until_next_chunk(self.worked(at)) is None else "awaiting-chunk"

    def processed(self, at: float) -> int:
        """Return how many recipients are dealt with."""
        if self.delivery is None:
            return 0
        return self.plan.leads if self.delivery.is_finished(at) else self.plan.processed(self.worked(at))

    def change(self, given: Mapping[str, Any], at: float, recipients: LeadList | None = None) -> None:
        """Take new properties over, null for none; once sending has started, its pace and its recipients stay."""
        merged = {**self.given, **given}
        self.given = {name: value for name, value in merged.items() if value is not None}
        self.updated_at = at
        if self.delivery is None:
            self.plan = SendingPlan.of(self.given, recipients)

    def pause(self, at: float) -> None:
        """Hold sending."""
        self._is_paused = True
        self.updated_at = at
        if self.delivery:
            self.delivery.pause(at)

    def resume(self, at: float) -> None:
        """Go on."""
        self._is_paused = False
        self.updated_at = self._resumed_at = at
        if self.delivery:
            self.delivery.resume(at)

    def cancel(self, at: float) -> None:
        """End it for good, unless it is over."""
        if self.status(at) == "done":
            return
        self._is_canceled = True
        self.updated_at = at
        if self.delivery:
            self.delivery.stop(at)

    def worked(self, at: float) -> float:
        """Return how many seconds of work are done."""
        return (self.delivery.done(at) if self.delivery else 0) * TICK_SECONDS


def _tracking_seconds(campaign: KinboxCampaign) -> float:
    if not campaign.keeps_pace:
        return TRACKING_SECONDS
    return 3600.0 * float(campaign.given.get("trackMaxHours", DEFAULT_TRACKING_HOURS))


def _lacks_file(campaign: KinboxCampaign) -> bool:
    """Whether its recipients come from a file that there is not, so that it fails once that is noticed."""
    unnamed = campaign.given.get("leadType") == "file" and not campaign.given.get("leadsAssetUrl")
    return unnamed or campaign.plan.leads == 0
