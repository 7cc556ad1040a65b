"""Vendor time: the clock of the sandbox's campaigns, which can run faster than the real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

#: The fastest that vendor time may pass: a year in three seconds. Its calendar ends with the year 9999.
MAX_SPEED = 10_000_000


def check_speed(speed: object) -> float:
    """Return the speed as a float, or raise ``ValueError`` saying what a speed may be."""
    # Comparing refuses NaN as well, and a whole number that is too large for a float.
    if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 <= speed <= MAX_SPEED:
        raise ValueError(
            f"speed: must be a number of vendor seconds per real second, from 0 to {MAX_SPEED}, not {_shown(speed)}"
        )
    return float(speed)


def _shown(value: object) -> str:
    # Python refuses to write out a whole number of thousands of digits.
    return "a number of that size" if isinstance(value, int) and abs(value) >= 10**18 else repr(value)


class Clock:
    """
    Vendor time, which starts at the real now and passes ``speed`` times as fast as real time.

    :param speed: vendor seconds per real second, up to 10,000,000; 0 stops the clock.
    :param monotonic: source of real seconds that never jumps.
    :param epoch: source of the real time (epoch seconds) at which vendor time starts.
    """

    def __init__(
        self,
        speed: float = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic = monotonic
        self._epoch = epoch
        self._first_speed = check_speed(speed)
        self.restart()

    @property
    def speed(self) -> float:
        """Vendor seconds per real second."""
        return self._anchor[2]

    def seconds(self) -> float:
        """Return vendor time as epoch seconds."""
        real, vendor, speed = self._anchor
        return vendor + (self._monotonic() - real) * speed

    def now(self) -> datetime:
        """Return vendor time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def set_speed(self, speed: float) -> None:
        """Let time pass faster or slower from now on, without a jump."""
        checked = check_speed(speed)
        # One tuple, replaced as a whole: readers in other threads never see half a change.
        self._anchor = (self._monotonic(), self.seconds(), checked)

    def restart(self) -> None:
        """Begin again at the real now and with the first speed."""
        self._anchor = (self._monotonic(), self._epoch(), self._first_speed)


class ManualClock(Clock):
    """Vendor time that passes only when a test says so."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._elapsed = 0.0
        super().__init__(1.0, monotonic=lambda: self._elapsed, epoch=lambda: start)

    def advance(self, seconds: float) -> None:
        """Let that many vendor seconds pass at once."""
        self._elapsed += seconds
