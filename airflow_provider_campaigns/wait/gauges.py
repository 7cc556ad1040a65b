"""What all deferred waits of a process add up to, as gauges: how many, how old, how far."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_campaigns import metrics

if TYPE_CHECKING:
    from airflow_provider_campaigns.wait.state import WaitState

#: The gauges of a vendor are set at most so often.
LEAST_SECONDS_BETWEEN = 10.0
#: Waits added up between two turns of the event loop, which other triggers need too.
SLICE = 1000


@dataclass(slots=True)
class Tally:
    """
    Waits, added up one after another; times are seconds.

    :param now: What time it is, in seconds since the epoch.
    """

    now: float
    waits: int = 0
    oldest: float = 0.0
    unseen: float = 0.0
    still: float = 0.0
    progress: float = 0.0
    with_progress: int = 0

    def add(self, waits: Iterable[WaitState]) -> None:
        """Add waits."""
        for wait in waits:
            began, seen, moved, progress = wait.standing
            self.waits += 1
            self.oldest = max(self.oldest, self.now - began)
            self.unseen = max(self.unseen, self.now - seen)
            if moved is not None:
                self.still = max(self.still, self.now - moved)
            if progress is not None:
                self.progress += progress
                self.with_progress += 1

    def send(self, vendor: str) -> None:
        """Set the gauges of a vendor."""
        mean = self.progress / self.with_progress if self.with_progress else 0.0
        for metric, value in (
            (metrics.WAITS_UNDER_WAY, self.waits),
            (metrics.WAITS_OLDEST, round(self.oldest)),
            (metrics.WAITS_UNSEEN, round(self.unseen)),
            (metrics.WAITS_STILL, round(self.still)),
            (metrics.WAITS_PROGRESS, round(mean, 1)),
        ):
            metrics.gauge(metric, value, vendor=vendor)


class WaitGauges:
    """The deferred waits of one event loop, by vendor."""

    def __init__(self) -> None:
        self._waits: dict[str, set[WaitState]] = {}
        self._sent_at: dict[str, float] = {}

    @classmethod
    def of_this_loop(cls) -> WaitGauges:
        """Return those of the running event loop."""
        loop = asyncio.get_running_loop()
        return _gauges.get(loop) or _gauges.setdefault(loop, cls())

    def joined(self, vendor: str, wait: WaitState) -> None:
        """Take a wait in."""
        self._waits.setdefault(vendor, set()).add(wait)

    def left(self, vendor: str, wait: WaitState, now: float) -> None:
        """Let a wait go; after the last one the gauges say so, and do not stay where they were."""
        waits = self._waits.get(vendor, set())
        waits.discard(wait)
        if not waits:
            self._sent_at.pop(vendor, None)
            Tally(now).send(vendor)

    async def refresh(self, vendor: str, now: float) -> None:
        """Set the gauges of a vendor, unless that was done a moment ago."""
        if now - self._sent_at.get(vendor, 0.0) < LEAST_SECONDS_BETWEEN:
            return
        self._sent_at[vendor] = now
        waits = list(self._waits.get(vendor, ()))
        tally = Tally(now)
        for start in range(0, len(waits), SLICE):
            tally.add(waits[start : start + SLICE])
            await asyncio.sleep(0)
        tally.send(vendor)


_gauges: WeakKeyDictionary[asyncio.AbstractEventLoop, WaitGauges] = WeakKeyDictionary()
