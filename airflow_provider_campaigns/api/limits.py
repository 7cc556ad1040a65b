"""The request limit of each account in this process: the lowest rate of its live clients; looks keep to a share."""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from airflow_provider_campaigns.api import errors

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket, Limiter


#: The share of an account's limit that looks may take, unless a connection says otherwise.
LOOK_SHARE = 2 / 3
#: How long a look steps aside for a launch, a start or a hold that waits for its turn, before it asks again.
STEP_ASIDE_SECONDS = 0.05


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
    An account at a vendor, for the limit and for messages.

    :param vendor: The vendor's name.
    :param key: Something that tells accounts apart; only its hash is kept.
    :param label: How messages call it, such as ``connection 'kinbox_default'``.
    """

    vendor: str
    key: str
    label: str

    @property
    def digest(self) -> str:
        """The account's name in the registry of limits."""
        return f"{self.vendor}:{hashlib.sha256(self.key.encode()).hexdigest()}"

    def __repr__(self) -> str:
        return f"Account({self.vendor!r}, {self.label!r})"


class Membership:
    """
    One client's share in its account's limit; it ends with the client.

    :param digest: The account's name in the registry.
    :param rate: How fast this client may go; the slowest member decides for all.
    :param look_share: The share of the limit that this client's looks may take, above 0 up to 1.
    """

    def __init__(self, digest: str, rate: Rate, look_share: float = LOOK_SHARE) -> None:
        self._digest = digest
        self.rate = rate
        self.look_share = look_share

    def wait_for_turn(self) -> None:
        """
        Wait until the account may be asked once more, and count that as asked.

        Requests inside of :func:`looking` keep a distance from each other, so that they take no more than their share
        and never all of a window at once, and step aside for all others, for one window at most.
        """
        # Looked up each time: members come and go, and a forked process begins with a registry of its own.
        with _lock:
            limit = _limits.setdefault(self._digest, _AccountLimit())
            limit.members.add(self)
            limiter = limit.limiter()
        if is_looking():
            self._wait_as_a_look(limit)
            limiter.try_acquire(self._digest)
            return
        with _lock:
            limit.first += 1
        try:
            limiter.try_acquire(self._digest)
        finally:
            with _lock:
                limit.first -= 1

    def _wait_as_a_look(self, limit: _AccountLimit) -> None:
        with _lock:
            now = time.monotonic()
            at = max(now, limit.next_look)
            limit.next_look = at + limit.rate.seconds / (self.look_share * limit.rate.requests)
            window = limit.rate.seconds
        time.sleep(at - now)
        # For a window at most: launches without end must not hide what becomes of the campaigns before them.
        give_up = time.monotonic() + window
        while limit.first and time.monotonic() < give_up:
            time.sleep(STEP_ASIDE_SECONDS)

    def leave(self) -> None:
        """Stop counting towards the lowest rate, until this client makes another request."""
        with _lock:
            if self._digest in _limits:
                _limits[self._digest].members.discard(self)


class _AccountLimit:
    """One account's limit: its recent requests and its members."""

    def __init__(self) -> None:
        self.members: weakref.WeakSet[Membership] = weakref.WeakSet()
        #: How many requests wait that go before looks, and when the next look may be made.
        self.first = 0
        self.next_look = 0.0
        #: The lowest rate among the members.
        self.rate = Rate(1, 0.0)
        self._bucket: InMemoryBucket | None = None
        self._limiter: Limiter | None = None

    def limiter(self) -> Limiter:
        """Return the limiter, set to the lowest rate among the members; earlier requests still count."""
        from pyrate_limiter import InMemoryBucket, Limiter, SingleBucketFactory
        from pyrate_limiter import Rate as Window

        lowest = min((member.rate for member in self.members), key=lambda rate: rate.requests / rate.seconds)
        windows = [Window(lowest.requests, round(lowest.seconds * 1000))]
        if self._bucket is None or self._limiter is None:
            self._bucket = InMemoryBucket(windows)
            # By default each bucket gets a thread of its own that forgets old requests; they are forgotten here.
            self._limiter = Limiter(SingleBucketFactory(self._bucket, schedule_leak=False))
        elif lowest != self.rate:
            self._bucket.rates = windows
        self.rate = lowest
        self._forget()
        return self._limiter

    def is_over(self) -> bool:
        """Whether the limit has no member left and no recent request that still counts."""
        self._forget()
        return not self.members and not (self._bucket and self._bucket.count())

    def _forget(self) -> None:
        if self._bucket:
            self._bucket.leak(cast(int, self._bucket.now()))  # type: ignore[no-untyped-call]


_lock = threading.Lock()
_limits: dict[str, _AccountLimit] = {}
_thread = threading.local()


@contextmanager
def looking() -> Iterator[None]:
    """Make this thread's requests looks: they can wait, unlike launches, starts and holds."""
    before, _thread.looks = is_looking(), True
    try:
        yield
    finally:
        _thread.looks = before


def is_looking() -> bool:
    """Whether this thread's requests are looks."""
    return bool(getattr(_thread, "looks", False))


def join(account: Account, rate: Rate, look_share: float = LOOK_SHARE) -> Membership:
    """
    Return a new member of an account's limit in this process; the account keeps to the lowest rate of its members.

    :param account: The account.
    :param rate: How fast the member may go.
    :param look_share: The share of that which its looks may take, above 0 up to 1.
    """
    member = Membership(account.digest, rate, look_share)
    with _lock:
        for digest in [digest for digest, limit in _limits.items() if limit.is_over()]:
            del _limits[digest]
        _limits.setdefault(account.digest, _AccountLimit()).members.add(member)
    return member


def _begin_anew() -> None:
    """Give a forked process new locks: a thread of its parent may hold the old ones, and does not exist here."""
    global _lock, _limits
    _lock, _limits = threading.Lock(), {}


os.register_at_fork(after_in_child=_begin_anew)
