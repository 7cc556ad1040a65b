"""How fast an account may be asked: one limiter for each account in the process."""

from __future__ import annotations

import hashlib
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_campaigns.api import errors

if TYPE_CHECKING:
    from pyrate_limiter import Limiter


@dataclass(frozen=True, slots=True)
class Rate:
    """
    How many requests an account may make.

    :param requests: How many.
    :param seconds: In how long a sliding window.
    """

    requests: int
    seconds: float

    @classmethod
    def per_second(cls, rate: float) -> Rate:
        """
        Return the window that keeps to so many requests a second; below one a second it is a minute long, or longer.

        :raises InvalidRequest: For a rate that is not above 0.
        """
        if not (rate > 0 and math.isfinite(rate)):
            raise errors.InvalidRequest(f"rate_limit must be above 0 requests per second; got {rate:g}.")
        if rate >= 1:
            return cls(int(rate), 1.0)
        return cls(int(rate * 60), 60.0) if rate * 60 >= 1 else cls(1, 1 / rate)


@dataclass(frozen=True, slots=True)
class Account:
    """
    Whose requests they are, for the limiter and for messages.

    :param vendor: The vendor's name.
    :param key: Something that tells accounts apart; only its hash is kept.
    :param label: How messages call it, such as ``connection 'kinbox_default'``.
    """

    vendor: str
    key: str
    label: str

    @property
    def digest(self) -> str:
        """The account's name in the registry of limiters."""
        return f"{self.vendor}:{hashlib.sha256(self.key.encode()).hexdigest()}"

    def __repr__(self) -> str:
        return f"Account({self.vendor!r}, {self.label!r})"


_limiters: dict[str, tuple[Rate, Limiter]] = {}


_limiters_lock = threading.Lock()


def limiter_of(account: Account, rate: Rate) -> Limiter:
    """Return the process's one limiter of an account; where two connections ask for different rates, the lower one."""
    from pyrate_limiter import Limiter
    from pyrate_limiter import Rate as Window

    with _limiters_lock:
        known = _limiters.get(account.digest)
        if known and known[0].requests / known[0].seconds <= rate.requests / rate.seconds:
            return known[1]
        limiter = Limiter(Window(rate.requests, round(rate.seconds * 1000)))
        _limiters[account.digest] = (rate, limiter)
        return limiter
