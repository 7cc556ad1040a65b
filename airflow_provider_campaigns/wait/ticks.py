"""When waits are looked after: those of one interval share their ticks, and newcomers are looked after together."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_campaigns.wait.state import WaitState

#: Ticks are a little closer than the interval, and each comes this much before or after its time (both as shares of
#: the interval): so they spread, and a wait is never looked after later than it asks for.
STEP_SHARE = 0.95
JITTER_SHARE = 0.025
#: By how much a tick may come early, as a share of the step between two; a little more, since numbers are rounded.
EARLIEST_SHARE = JITTER_SHARE / STEP_SHARE + 1e-9
#: Waits that have just come are looked after once in so many seconds: soon, since their tasks have not looked, and
#: together, since thousands may come at once, when a DAG maps a sensor or a triggerer takes over from another.
NEWCOMERS_SECONDS = 3.0


class Ticks:
    """
    The moments at which waits are looked after.

    :param epoch: Where the ticks are counted from, in seconds since the epoch.
    """

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch
        self._jitter: dict[tuple[float, int], float] = {}

    def first_due(self, wait: WaitState, now: float) -> float:
        """Return when a wait that has just come is looked after: soon, and not past its deadline."""
        if wait.terms.poll_interval <= NEWCOMERS_SECONDS:
            return self.next_due(wait, now)
        soon = self._epoch + math.ceil((now - self._epoch) / NEWCOMERS_SECONDS) * NEWCOMERS_SECONDS
        return min(soon, now + wait.pause(now, 1.0))

    def next_due(self, wait: WaitState, now: float) -> float:
        """
        Return when a wait that was looked after is due again: at a tick of its interval, but not past its deadline,
        nor before the time at which the vendor said that it may be asked again.
        """
        interval = wait.terms.poll_interval
        pause = wait.pause(now, 1.0)
        if pause > interval:
            return now + pause
        step = STEP_SHARE * interval
        # A tick may have come early, by as much as it is spread.
        number = math.floor((now - self._epoch) / step + EARLIEST_SHARE) + 1
        tick = self._epoch + number * step + self._jitter_of(interval, number) * interval
        return min(tick, now + pause if pause < interval else tick)

    def _jitter_of(self, interval: float, number: int) -> float:
        known = self._jitter.get((interval, number))
        if known is None:
            for old in [key for key in self._jitter if key[0] == interval and key[1] < number - 2]:
                del self._jitter[old]
            known = self._jitter[interval, number] = JITTER_SHARE * (2 * random.random() - 1)
        return known
