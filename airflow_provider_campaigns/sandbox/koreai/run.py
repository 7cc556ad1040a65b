"""One run of a campaign of the sandbox's Kore.ai: in some minutes, or message by message at the vendor's pace."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_campaigns.sandbox.delivery import Delivery, Span, Spans
from airflow_provider_campaigns.sandbox.failures import OrderedFailures, outcome
from airflow_provider_campaigns.sandbox.koreai.calling_hours import CallingHours

#: A hurried run takes so many vendor seconds, however many contacts it has.
RUN_SECONDS = 300.0
#: "Total Messages Per Minute" is 1 by default.
SECONDS_PER_MESSAGE = 60.0
#: Ten calls at once by default, each of a minute.
SECONDS_PER_CALL = 6.0
COMPLETED, SKIPPED = "completed", "Filter Skipped"
#: Of twenty contacts in a row, these come to another end than ``completed``; the words are the guide's dispositions.
OUTCOMES = {9: "No Answer", 14: "Busy", 19: "Failed"}
FAILED = "Failed"
RETRIED = frozenset(OUTCOMES.values())


class Run:
    """
    A run that takes some minutes: each contact has its turn once.

    :param run_id: Its id.
    :param contacts: Whom it is for, as the lists were when it began.
    :param at: When it began, in vendor time.
    :param stalls: When the vendor stood still.
    :param failures: Which contacts were ordered to fail.
    :param closes_at: When it is over at the latest: at the end of its schedule.
    """

    def __init__(
        self,
        run_id: str,
        contacts: Sequence[Mapping[str, Any]],
        at: float,
        stalls: Spans,
        failures: OrderedFailures | None = None,
        closes_at: float = math.inf,
    ) -> None:
        self.id = run_id
        self.contacts = contacts
        self.began_at = at
        self.stopped_at: float | None = None
        self._failures = failures
        self._closes_at = closes_at
        self._delivery = Delivery(len(contacts), RUN_SECONDS / max(1, len(contacts)), stalls)
        self._delivery.start(at)

    def is_over(self, now: float) -> bool:
        """Return whether it has come to its end; one that was stopped has not."""
        return now >= self._closes_at or self._delivery.is_finished(now)

    def stop(self, at: float) -> None:
        """End it before its time."""
        self.stopped_at = at
        self._delivery.stop(at)

    def attempts(self, now: float) -> int:
        """Return how many messages or calls have gone out."""
        return self._delivery.done(min(now, self._closes_at))

    def sent(self, now: float) -> int:
        """Return how many messages were sent with success; only those that were ordered to fail are not."""
        done = self.attempts(now)
        if self._failures is None:
            return done
        return sum(self._word(place, 0) != FAILED for place in range(done))

    def results(self, now: float) -> list[dict[str, Any]]:
        """Return what became of each contact, in the order of the list."""
        done = self.attempts(now)
        return [
            _result(contact, place, self._word(place, 0) if place < done else "", int(place < done))
            for place, contact in enumerate(self.contacts)
        ]

    def _word(self, place: int, earlier: int) -> str:
        number = str(self.contacts[place]["phoneNumber"])
        turn = 7 * earlier
        return outcome(
            self._failures, lambda place: OUTCOMES.get((place + turn) % 20, COMPLETED), place, number, FAILED
        )


@dataclass(frozen=True)
class Turn:
    """When it is a contact's turn at the earliest, and how often it was tried before."""

    due: float
    place: int
    earlier: int = 0


@dataclass(frozen=True)
class SlowPace:
    """
    How a run goes at the vendor's pace.

    :param seconds: Vendor seconds for each message or call.
    :param hours: When contacts may be messaged.
    :param attempts: How often a contact is tried.
    :param retry_seconds: Vendor seconds between two tries.
    """

    seconds: float
    hours: CallingHours
    attempts: int = 1
    retry_seconds: float = 0.0

    @classmethod
    def of(cls, kind: str, strategy: Mapping[str, Any]) -> SlowPace:
        """Return the pace of a campaign with a dialing strategy."""
        hours = CallingHours(strategy["callingHours"])
        if kind == "sms":
            return cls(SECONDS_PER_MESSAGE, hours)
        return cls(
            SECONDS_PER_CALL, hours, strategy["maxAttemptsPerRecord"], 60.0 * float(strategy["defaultRetryPeriod"])
        )


class SlowRun(Run):
    """
    A run at the vendor's pace: contacts out of their hours are skipped, and calls that nobody answers are repeated.

    :param pace: How it goes.
    """

    def __init__(self, pace: SlowPace, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._pace = pace
        self._stalls = self._delivery.stalls
        self._turns = deque(Turn(self.began_at, place) for place in range(len(self.contacts)))
        self._free_at = self.began_at
        #: What became of contacts so far, by place: the last word, and the number of tries.
        self._words: dict[int, str] = {}
        self._tries: dict[int, int] = {}

    def is_over(self, now: float) -> bool:
        """Return whether it has come to its end; one that was stopped has not."""
        self._settle(now)
        return now >= self._closes_at or (self.stopped_at is None and not self._turns)

    def stop(self, at: float) -> None:
        """End it before its time."""
        self._settle(at)
        super().stop(at)

    def attempts(self, now: float) -> int:
        """Return how many messages or calls have gone out."""
        self._settle(now)
        return sum(self._tries.values())

    def sent(self, now: float) -> int:
        """Return how many messages were sent with success; only those that were ordered to fail are not."""
        self._settle(now)
        lost = (SKIPPED, FAILED) if self._failures is not None else (SKIPPED,)
        return sum(word not in lost for word in self._words.values())

    def results(self, now: float) -> list[dict[str, Any]]:
        """Return what became of each contact, in the order of the list."""
        self._settle(now)
        return [
            _result(contact, place, self._words.get(place, ""), self._tries.get(place, 0))
            for place, contact in enumerate(self.contacts)
        ]

    def _settle(self, now: float) -> None:
        """Let the turns take place that have done so by now; what is settled stays so."""
        until = min(now, self._closes_at, math.inf if self.stopped_at is None else self.stopped_at)
        while self._turns:
            turn = self._turns[0]
            work = _work_from(max(self._free_at, turn.due), self._pace.seconds, self._stalls)
            if work is None or work.start > until:
                return
            if not self._pace.hours.allow(self.contacts[turn.place], work.start):
                self._turns.popleft()
                self._words.setdefault(turn.place, SKIPPED)
                continue
            if work.end > until:
                return
            self._turns.popleft()
            self._try(turn, work.end)

    def _try(self, turn: Turn, at: float) -> None:
        self._free_at = at
        word = self._word(turn.place, turn.earlier)
        self._words[turn.place] = word
        self._tries[turn.place] = turn.earlier + 1
        if word in RETRIED and turn.earlier + 1 < self._pace.attempts:
            self._turns.append(Turn(at + self._pace.retry_seconds, turn.place, turn.earlier + 1))


def _work_from(begin: float, seconds: float, stalls: Spans) -> Span | None:
    """Return when work that could begin at a moment begins and ends, past the vendor's stalls; None for not yet."""
    all_time = Spans()
    all_time.begin(begin)
    started: float | None = None
    for span in all_time.without(stalls):
        started = span.start if started is None else started
        if span.end - span.start >= seconds:
            return Span(started, span.start + seconds)
        seconds -= span.end - span.start
    return None


def _result(contact: Mapping[str, Any], place: int, word: str, tries: int) -> dict[str, Any]:
    answered = word == COMPLETED
    return {
        "phoneNumber": contact["phoneNumber"],
        "uniqueId": contact.get("uniqueId", ""),
        "dialerOutcome": word,
        "numberOfAttemptsSoFar": tries,
        "botSessionId": f"bs-{place:08d}" if answered else "",
        "agentDispositionCodes": [],
        "botOutboundStatus": "userHangUp" if answered else "",
        "botOutboundStatusDetail": "",
    }
