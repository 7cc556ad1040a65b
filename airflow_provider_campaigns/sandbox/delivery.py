"""The progress of a delivery, computed from times alone: nothing runs in the background."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


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
    """

    total: int
    seconds_per_item: float
    stalls: Spans = field(default_factory=Spans, repr=False)
    stopped_at: float | None = field(default=None, init=False)
    _runs: Spans = field(default_factory=Spans, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.total < 0:
            raise ValueError(f"total: must be 0 or more, not {self.total}")
        if not (math.isfinite(self.seconds_per_item) and self.seconds_per_item > 0):
            raise ValueError(f"seconds_per_item: must be above 0, not {self.seconds_per_item}")

    @property
    def started_at(self) -> float | None:
        """When the delivery was started, or None."""
        return self._runs._spans[0].start if self._runs._spans else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and neither paused nor stopped since; a finished delivery still counts as running."""
        return self._runs.open

    def start(self, at: float) -> None:
        """Start delivering; a delivery that runs or was stopped is left as it is."""
        if self.stopped_at is None:
            self._runs.begin(at)

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
        worked = sum(max(0.0, min(span.end, at) - span.start) for span in self._working())
        # Epoch seconds carry only about a quarter of a microsecond: without the slack the item due now would be late.
        return min(self.total, math.floor((worked + 1e-6) / self.seconds_per_item))

    def is_finished(self, at: float) -> bool:
        """Return whether all items are delivered at that time."""
        finished_at = self.finished_at
        return finished_at is not None and at >= finished_at

    @property
    def finished_at(self) -> float | None:
        """When all items are delivered, as things stand now (may lie ahead); None if they will not be."""
        if self.started_at is None:
            return None
        needed = self.total * self.seconds_per_item
        if needed == 0:
            return self.started_at
        for span in self._working():
            if span.end - span.start >= needed - 1e-6:
                return min(span.start + needed, span.end)
            needed -= span.end - span.start
        return None

    def _working(self) -> list[Span]:
        return self._runs.without(self.stalls)
