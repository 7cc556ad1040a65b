"""One campaign at the sandbox's Altur: its contacts, its rounds of sending, its states."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.sandbox.altur.week import limits, next_round_at, over_at
from airflow_provider_campaigns.sandbox.delivery import Delivery, Spans
from airflow_provider_campaigns.sandbox.failures import OrderedFailures, outcome

#: Vendor seconds that up to 1,000 contacts take; more take proportionally longer.
SENDING_SECONDS = 300.0
CONTACTS_AT_FULL_SPEED = 1000

#: What becomes of the contact at each place, again and again: one in twenty fails.
PHONE_OUTCOMES = (*("answered", "answered", "voicemail", "answered", "converted") * 3, *("answered",) * 4, "failed")
WHATSAPP_OUTCOMES = (
    *("delivered", "read", "delivered", "read", "read") * 3,
    *("sent", "converted", "accepted", "rejected", "failed"),
)

OPEN_STATUSES = ("queue", "sending", "retrying")
DELETABLE_STATUSES = ("queue", "failed")
ANSWERED_BY = {"answered": "human", "converted": "human", "voicemail": "machine", "failed": "unknown"}
#: Which states an action takes a campaign on from, and which state it leads to.
TRANSITIONS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "activate": (("pending", "ready", "cooldown"), "active"),
    "pause": (("active", "cooldown"), "inactive"),
    "resume": (("inactive",), "active"),
}


def instant_text(seconds: float) -> str:
    """Return a moment as Altur writes it: ISO 8601 in UTC with ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass
class AlturContact:
    """
    A contact of a campaign.

    :param id: Altur's number.
    :param place: How many contacts the campaign had before; its outcome follows from it.
    :param given: What the caller gave: ``contact`` (the phone number), ``name`` and so on.
    :param outcome: How its last finished round ended, or None.
    """

    id: int
    place: int
    given: dict[str, Any]
    outcome: str | None = None
    calls: int = 0

    @property
    def phone(self) -> str:
        """The phone number, by which duplicates are found."""
        return str(self.given["contact"])


@dataclass(frozen=True)
class AlturCall:
    """One attempt to reach a contact; for WhatsApp, one message."""

    number: int
    contact: AlturContact
    outcome: str
    began_at: float
    seconds: int


@dataclass
class AlturCampaign:
    """
    A campaign; every method that takes ``at`` first lets what happened until then take place.

    :param id: Altur's number.
    :param fields: What it was created with, defaults filled in.
    :param created_at: Vendor time, epoch seconds.
    :param created_real: Real time, for the list's lag.
    :param stalls: When the vendor stood still.
    :param failures: Which contacts were ordered to fail.
    :param keeps_pace: Whether hours and the limit of a day hold.
    """

    id: int
    fields: dict[str, Any]
    created_at: float
    created_real: float
    stalls: Spans
    failures: OrderedFailures | None = None
    keeps_pace: bool = False
    archived: bool = False
    contacts: dict[str, AlturContact] = field(default_factory=dict)
    contact_rows: int = 0
    starts: int = 0
    iteration: int = 0
    last_iteration_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    _paused: bool = False
    _delivery: Delivery | None = None
    _round: list[AlturContact] = field(default_factory=list)
    _log: list[AlturCall] = field(default_factory=list)
    _contacts_ever: int = 0

    @property
    def is_phone(self) -> bool:
        """Whether it calls; else it sends WhatsApp messages."""
        return bool(self.fields["integration_type"] == "phone_call")

    @property
    def cycles(self) -> Mapping[str, Any]:
        """The rules for calling again."""
        rules: Mapping[str, Any] = self.fields["cycles"]
        return rules

    def status(self, at: float) -> str:
        """Return Altur's word for the state."""
        self.settle(at)
        if self.ended_at is not None:
            return "finished"
        if self._paused:
            return "inactive"
        if self._delivery is not None:
            return "active"
        if self.started_at is not None:
            return "cooldown"
        return "ready" if self.contacts else "pending"

    def settle(self, at: float) -> None:
        """Let rounds end and cooldowns pass that did so until a moment."""
        while self.ended_at is None:
            if self._delivery is not None:
                finished_at = self._delivery.finished_at
                ends_at = min(math.inf if finished_at is None else finished_at, over_at(self.fields))
                if ends_at > at:
                    return
                self._end_round(max(ends_at, self._delivery.started_at or ends_at))
            elif self.last_iteration_at is not None and not self._paused:
                again_at = next_round_at(self.fields, self.last_iteration_at)
                if again_at is None:
                    self.ended_at = self.last_iteration_at
                    return
                if again_at > at:
                    return
                self._begin_round(again_at)
            else:
                return

    def act(self, action: str, at: float) -> bool:
        """Do an action of ``TRANSITIONS``; return False when the state does not allow it."""
        before = self.status(at)
        allowed, target = TRANSITIONS[action]
        if before == target and action != "activate":
            return True
        if before not in allowed:
            return False
        if action == "pause":
            self._paused = True
            if self._delivery is not None:
                self._delivery.pause(at)
        elif self._delivery is not None:
            self._delivery.resume(at)
            self._paused = False
        else:
            self._paused = False
            self._begin_round(at)
        self.starts += action == "activate"
        self.settle(at)
        return True

    def add(self, contact_id: int, given: dict[str, Any], at: float) -> AlturContact:
        """Attach a contact whose phone number is new here."""
        contact = AlturContact(contact_id, self._contacts_ever, given)
        self._contacts_ever += 1
        self.contacts[contact.phone] = contact
        if self._delivery is not None:
            self._round.append(contact)
            self._delivery.extend(1, at)
        return contact

    def remove(self, contact: AlturContact, at: float) -> None:
        """Detach a contact; one that waits for its turn will not have it."""
        if self.statuses(at)[contact.id] == "queue" and self._delivery is not None:
            self._round.remove(contact)
            self._delivery.total -= 1
        del self.contacts[contact.phone]
        self.settle(at)

    def statuses(self, at: float) -> dict[int, str]:
        """Return each contact's status by its id."""
        self.settle(at)
        words = {contact.id: contact.outcome or "queue" for contact in self.contacts.values()}
        if self._delivery is not None:
            done = self._delivery.done(at)
            for turn, contact in enumerate(self._round):
                if contact.id not in words:
                    continue
                if turn < done:
                    words[contact.id] = _outcome_of(self, contact)
                elif turn == done and self._delivery.is_working(at):
                    words[contact.id] = "sending"
                else:
                    words[contact.id] = "queue" if contact.outcome is None else "retrying"
        return words

    def calls(self, at: float) -> list[AlturCall]:
        """Return every attempt so far, oldest first."""
        self.settle(at)
        return [*self._log, *self._calls_of_round(at)]

    def messages(self, at: float) -> int:
        """Return how many attempts were made so far."""
        self.settle(at)
        return len(self._log) + (self._delivery.done(at) if self._delivery is not None else 0)

    def analytics(self, at: float) -> dict[str, Any] | None:
        """Return the snapshot in the form of the channel, or None before the start."""
        if self.started_at is None:
            return None
        words = list(self.statuses(at).values())
        if not self.is_phone:
            return _whatsapp_snapshot(words)
        return _phone_snapshot(words, [ANSWERED_BY[call.outcome] for call in self.calls(at)])

    def keep_hours(self, at: float) -> None:
        """Send in the hours that it has from now on, after a change of them."""
        if self._delivery is not None:
            self._delivery.change_hours(*limits(self.fields, at, keep=self.keeps_pace), at)

    def _begin_round(self, at: float) -> None:
        wanted = self.cycles.get("filter_statuses") or ("failed", "voicemail")
        self._round = [
            contact for contact in self.contacts.values() if contact.outcome is None or contact.outcome in wanted
        ]
        self.iteration += 1
        if self.started_at is None:
            self.started_at = at
        speed_basis = min(max(len(self._round), 1), CONTACTS_AT_FULL_SPEED)
        hours, most_a_day = limits(self.fields, at, keep=self.keeps_pace)
        pace = SENDING_SECONDS / speed_basis
        self._delivery = Delivery(len(self._round), pace, self.stalls, hours=hours, most_a_day=most_a_day)
        self._delivery.start(at)

    def _end_round(self, at: float) -> None:
        self._log += self._calls_of_round(at)
        for contact in self._round[: self._delivery.done(at) if self._delivery else 0]:
            contact.outcome = _outcome_of(self, contact)
            contact.calls += 1
        self._delivery = None
        self._round = []
        self.last_iteration_at = at
        if not self.cycles.get("enabled") or self.iteration >= self.cycles.get("max_iterations", 1):
            self.ended_at = at

    def _calls_of_round(self, at: float) -> Iterator[AlturCall]:
        if self._delivery is None:
            return
        lasts = max(1, math.ceil(self._delivery.seconds_per_item))
        done = self._round[: self._delivery.done(at)]
        for turn, (contact, began_at) in enumerate(zip(done, self._delivery.begun_at(len(done)), strict=True)):
            yield AlturCall(len(self._log) + turn + 1, contact, _outcome_of(self, contact), began_at, lasts)


def _outcome_of(campaign: AlturCampaign, contact: AlturContact) -> str:
    outcomes = PHONE_OUTCOMES if campaign.is_phone else WHATSAPP_OUTCOMES
    turn = 7 * contact.calls
    return outcome(
        campaign.failures, lambda place: outcomes[(place + turn) % len(outcomes)], contact.place, contact.phone
    )


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _phone_snapshot(words: list[str], answerers: list[str]) -> dict[str, Any]:
    """
    Return the figures of calls and contacts.

    :param answerers: Who answered each call so far.
    """
    snapshot: dict[str, Any] = {"calls": len(answerers)}
    for who in ("human", "machine", "unknown"):
        number = answerers.count(who)
        name = f"callsAnsweredBy{who.capitalize()}"
        snapshot |= {name: number, f"{name}Rate": _rate(number, len(answerers))}
    snapshot["contacts"] = len(words)
    figures = {
        # What failed does not count as processed, so that a finished campaign stays below a rate of 1, as in
        # Altur's own example.
        "Processed": sum(word not in (*OPEN_STATUSES, "failed") for word in words),
        "Failed": words.count("failed"),
        "Voicemail": words.count("voicemail"),
        "Answered": words.count("answered") + words.count("converted"),
        "Converted": words.count("converted"),
    }
    for name, number in figures.items():
        snapshot |= {f"contacts{name}": number, f"contacts{name}Rate": _rate(number, len(words))}
    return snapshot


def _whatsapp_snapshot(words: list[str]) -> dict[str, Any]:
    """Return the four figures that Altur documents: no total, no failures; what was read counts as sent as well."""
    read = sum(word in ("read", "converted", "accepted", "rejected") for word in words)
    delivered = read + words.count("delivered")
    sent = delivered + words.count("sent")
    return {"sent": sent, "delivered": delivered, "read": read, "convertedRate": _rate(words.count("converted"), sent)}
