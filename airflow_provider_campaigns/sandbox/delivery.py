"""The progress of a delivery, computed from times alone: nothing runs in the background."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from airflow_provider_campaigns.sandbox.hours import HORIZON_SECONDS, SendingHours


@dataclass(frozen=True)
class Span:
    """A stretch of vendor time; ``end`` is infinite while it lasts."""

    start: float
    end: float = math.inf


class Spans:
    """
    The stretches of time during which something held: a delivery ran, or a vendor stalled.

    All times are epoch seconds of vendor time and come in order.
    """

    def __init__(self) -> None:
        self._spans: list[Span] = []

    @property
    def open(self) -> bool:
        """Whether the last stretch still lasts."""
        return bool(self._spans) and self._spans[-1].end == math.inf

    def begin(self, at: float) -> None:
        """Open a stretch, unless one is open already."""
        if not self.open:
            self._spans.append(Span(at))

    def end(self, at: float) -> None:
        """Close the open stretch, if there is one."""
        if self.open:
            self._spans[-1] = Span(self._spans[-1].start, max(at, self._spans[-1].start))

    @property
    def first(self) -> float | None:
        """When the first stretch began, or None."""
        return self._spans[0].start if self._spans else None

    def clear(self) -> None:
        """Forget all stretches."""
        self._spans.clear()

    def without(self, other: Spans) -> list[Span]:
        """Return what is left of these stretches when the other ones are cut out, in order."""
        left = list(self._spans)
        for cut in other._spans:
            left = [
                piece
                for span in left
                for piece in (
                    Span(span.start, min(span.end, cut.start)),
                    Span(max(span.start, cut.end), span.end),
                )
                if piece.start < piece.end
            ]
        return left


@dataclass
class Delivery:
    """
    A delivery of ``total`` items, one every ``seconds_per_item`` seconds of vendor time while it runs.

    Every method takes ``at``, epoch seconds of vendor time (``clock.seconds()``); questions may concern any moment.

    :param total: number of items; grows by :meth:`extend`.
    :param seconds_per_item: vendor seconds per item, above 0, may be a fraction.
    :param stalls: when the vendor stood still; give the vendor's own ``self.stalls``, which the ``stall`` fault keeps.
    :param hours: the hours in which items are delivered; None: at any time.
    :param most_a_day: how many items are delivered on one day of these hours at most; None: any number.
    """

    total: int
    seconds_per_item: float
    stalls: Spans = field(default_factory=Spans, repr=False)
    hours: SendingHours | None = None
    most_a_day: int | None = None
    stopped_at: float | None = field(default=None, init=False)
    started_at: float | None = field(default=None, init=False)
    _runs: Spans = field(default_factory=Spans, init=False, repr=False)
    #: Seconds of work under earlier hours.
    _worked_before: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.total < 0:
            raise ValueError(f"total: must be 0 or more, not {self.total}")
        if not (math.isfinite(self.seconds_per_item) and self.seconds_per_item > 0):
            raise ValueError(f"seconds_per_item: must be above 0, not {self.seconds_per_item}")

    @property
    def is_running(self) -> bool:
        """Whether it was started and neither paused nor stopped since; a finished delivery still counts as running."""
        return self._runs.open

    def start(self, at: float) -> None:
        """Start delivering; a delivery that runs or was stopped is left as it is."""
        if self.stopped_at is None:
            self._runs.begin(at)
            self.started_at = at if self.started_at is None else self.started_at

    def pause(self, at: float) -> None:
        """Pause until :meth:`resume`; what is delivered stays delivered."""
        self._runs.end(at)

    def resume(self, at: float) -> None:
        """Go on after a pause; does nothing before the start."""
        if self.started_at is not None:
            self.start(at)

    def stop(self, at: float) -> None:
        """End the delivery for good, with what is done so far."""
        self._runs.end(at)
        if self.stopped_at is None:
            self.stopped_at = at

    def change_hours(self, hours: SendingHours | None, most_a_day: int | None, at: float) -> None:
        """Deliver in other hours from now on; what is delivered stays delivered."""
        self._worked_before = self._worked(at)
        runs, self._runs = self._runs, Spans()
        if runs.open:
            self._runs.begin(at)
        self.hours, self.most_a_day = hours, most_a_day

    def extend(self, items: int, at: float) -> None:
        """Add items; those added after the end are delivered from now on, not in hindsight."""
        finished_at = self.finished_at
        if finished_at is not None and finished_at <= at and self._runs.open:
            self._runs.end(finished_at)
            self._runs.begin(at)
        self.total += items

    def done(self, at: float) -> int:
        """Return how many items are delivered at that time."""
        if self.is_finished(at):
            return self.total
        # Epoch seconds carry only about a quarter of a microsecond: without the slack the item due now would be late.
        return min(self.total, math.floor((self._worked(at) + 1e-6) / self.seconds_per_item))

    def is_finished(self, at: float) -> bool:
        """Return whether all items are delivered at that time."""
        finished_at = self.finished_at
        return finished_at is not None and at >= finished_at

    def is_working(self, at: float) -> bool:
        """Return whether something is being delivered then: it runs, and the vendor is neither closed nor stalled."""
        return any(span.start <= at < span.end for span in self._working(at + 1e-3))

    @property
    def finished_at(self) -> float | None:
        """When all items are delivered, as things stand now (may lie ahead); None if they will not be."""
        if self.started_at is None:
            return None
        needed = self.total * self.seconds_per_item - self._worked_before
        if needed <= 0:
            return self._runs.first or self.started_at
        for span in self._working():
            if span.end - span.start >= needed - 1e-6:
                return min(span.start + needed, span.end)
            needed -= span.end - span.start
        return None

    def begun_at(self, items: int) -> list[float]:
        """Return when each of the first items was begun; those that are being delivered or done."""
        moments: list[float] = []
        worked = self._worked_before
        for span in self._working():
            while len(moments) < items and len(moments) * self.seconds_per_item < worked + span.end - span.start - 1e-6:
                moments.append(span.start + max(0.0, len(moments) * self.seconds_per_item - worked))
            if len(moments) >= items:
                break
            worked += span.end - span.start
        return moments

    def _worked(self, at: float) -> float:
        spans = self._working(at)
        return self._worked_before + sum(max(0.0, min(span.end, at) - span.start) for span in spans)

    def _working(self, until: float = math.inf) -> Iterator[Span]:
        """Yield the stretches in which something is delivered, in order: those that begin before a moment."""
        most = math.inf if self.most_a_day is None else self.most_a_day * self.seconds_per_item
        stretches = _stretches(self._runs.without(self.stalls), self.hours, most)
        return takewhile(lambda span: span.start < until, stretches)


def _stretches(spans: Sequence[Span], hours: SendingHours | None, most_a_day: float) -> Iterator[Span]:
    """
    Yield what is left of stretches of time within hours.

    :param spans: The stretches, in order.
    :param hours: The hours, None for any.
    :param most_a_day: How many seconds count on one day of the hours at most.
    """
    if hours is None:
        yield from spans
        return
    horizon = (spans[0].start if spans else 0.0) + HORIZON_SECONDS
    day, left = None, most_a_day
    for span in spans:
        for opening in hours.openings(span.start, min(span.end, horizon)):
            day, left = opening.day, left if opening.day == day else most_a_day
            lasts = min(opening.end - opening.start, left)
            left -= lasts
            if lasts > 0:
                yield Span(opening.start, opening.start + lasts)
