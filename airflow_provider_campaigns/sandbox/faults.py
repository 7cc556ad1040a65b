"""Faults to order: what shall go wrong, at which vendor and endpoint, and how often."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

ANY = "*"

#: Kinds that replace, delay or spoil one answer; the server applies them around the vendor's handler.
ANSWER_KINDS = frozenset({"reset", "timeout", "error", "cut_off", "html", "slow", "rate_limited"})

#: Kinds that change how a vendor behaves until they are cleared; vendor modules ask for them.
STATE_KINDS = frozenset(
    {"unknown_status", "status_missing", "stall", "list_lag", "repeated_cursor", "failed_recipients"}
)

#: Kinds that spoil one event that a vendor sends by itself; see ``webhooks``.
EVENT_KINDS = frozenset({"event_lost", "event_doubled", "event_late", "event_forged"})

KINDS = ANSWER_KINDS | STATE_KINDS | EVENT_KINDS

#: The longest delay that can be ordered: a day.
MAX_SECONDS = 86_400

DEFAULT_SECONDS = {"timeout": 60.0, "slow": 2.0, "list_lag": 5.0, "rate_limited": 1.0, "event_late": 5.0}


@dataclass(frozen=True)
class Fault:
    """
    One fault, as ordered.

    :param kind: one of ``ANSWER_KINDS``, ``STATE_KINDS`` or ``EVENT_KINDS``.
    :param vendor: name of the vendor, or ``*``.
    :param endpoint: name of the endpoint, or ``*``.
    :param times: how many requests it hits; None: all until it is cleared, as a state kind always does.
    :param skip: how many matching requests pass first.
    :param probability: chance of hitting a matching request, 0 to 1.
    :param effect: whether the vendor's handler runs though its answer is lost; for ``slow``: before the delay or after.
    :param seconds: real seconds (``timeout`` 60, ``slow`` 2, ``list_lag`` and ``event_late`` 5 by default).
    :param status: HTTP status of ``error``, 502 by default.
    :param retry_after: ``Retry-After`` of ``rate_limited``: seconds (default 1), a text like a date, None: no header.
    :param value: the word that ``unknown_status`` returns instead of the status.
    :param share: of ``failed_recipients``: how many of a campaign's recipients fail, 0 to 1.
    :param recipients: of ``failed_recipients``: the phone numbers that fail besides.
    """

    kind: str
    vendor: str = ANY
    endpoint: str = ANY
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    effect: bool = True
    seconds: float | None = None
    status: int = 502
    retry_after: int | str | None = 1
    value: str | None = None
    share: float | None = None
    recipients: Sequence[str] = ()

    def __post_init__(self) -> None:
        problem = next(iter(_problems(self)), None)
        if problem:
            raise ValueError(problem)
        if self.seconds is None and self.kind in DEFAULT_SECONDS:
            object.__setattr__(self, "seconds", DEFAULT_SECONDS[self.kind])
        if self.kind == "unknown_status" and self.value is None:
            object.__setattr__(self, "value", "hibernating")
        if self.kind == "rate_limited":
            object.__setattr__(self, "effect", False)
        object.__setattr__(self, "recipients", tuple(self.recipients))
        if self.kind in STATE_KINDS:
            object.__setattr__(self, "times", None)

    @classmethod
    def from_order(cls, order: object) -> Fault:
        """Read an order as it came in JSON; a ``ValueError`` names the wrong field."""
        if not isinstance(order, Mapping):
            raise ValueError(f"an order is an object with at least 'kind', not {type(order).__name__}")
        known = [field.name for field in fields(cls)]
        for name in order:
            if name not in known:
                raise ValueError(f"{name}: unknown field; known are {', '.join(known)}")
        if "kind" not in order:
            raise ValueError(f"kind: missing; known are {_listed(KINDS)}")
        given = dict(order)
        if isinstance(given["kind"], str) and given["kind"] in STATE_KINDS and given.get("times") is not None:
            raise ValueError(f"times: {given['kind']} lasts until it is cleared; leave it out or give null")
        return cls(**given)

    @property
    def is_state(self) -> bool:
        """Whether it changes the vendor's behaviour instead of one answer."""
        return self.kind in STATE_KINDS

    def concerns(self, vendor: str, endpoint: str | None) -> bool:
        """Return whether it is meant for that vendor and endpoint; endpoint None asks about the vendor only."""
        return self.vendor in (ANY, vendor) and (endpoint is None or self.endpoint in (ANY, endpoint))


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MAX_SECONDS <= value <= MAX_SECONDS


def _is_share(value: object) -> bool:
    return value is None or (_is_number(value) and 0 <= float(str(value)) <= 1)


def _problems(fault: Fault) -> list[str]:
    checks = (
        (isinstance(fault.kind, str) and fault.kind in KINDS, "kind", f"must be one of {_listed(KINDS)}"),
        (isinstance(fault.vendor, str) and bool(fault.vendor), "vendor", "must be the name of a vendor or '*'"),
        (
            isinstance(fault.endpoint, str) and bool(fault.endpoint),
            "endpoint",
            "must be the name of an endpoint or '*'",
        ),
        (
            fault.times is None or (_is_whole(fault.times) and fault.times > 0),
            "times",
            "must be a whole number above 0, or null for until it is cleared",
        ),
        (_is_whole(fault.skip) and fault.skip >= 0, "skip", "must be a whole number, 0 or more"),
        (
            _is_number(fault.probability) and 0 <= fault.probability <= 1,
            "probability",
            "must be a number from 0 to 1",
        ),
        (isinstance(fault.effect, bool), "effect", "must be true or false"),
        (
            fault.seconds is None or (_is_number(fault.seconds) and fault.seconds >= 0),
            "seconds",
            f"must be a number of real seconds from 0 to {MAX_SECONDS}",
        ),
        (_is_whole(fault.status) and 400 <= fault.status <= 599, "status", "must be an HTTP status from 400 to 599"),
        (
            fault.retry_after is None
            or (isinstance(fault.retry_after, str) and fault.retry_after.isascii() and fault.retry_after.isprintable())
            or (_is_whole(fault.retry_after) and int(fault.retry_after) >= 0),
            "retry_after",
            "must be whole seconds, a text for the header, or null for no header",
        ),
        (
            fault.value is None or (isinstance(fault.value, str) and bool(fault.value)),
            "value",
            "must be a word, or null",
        ),
        (
            (fault.share is None) if fault.kind != "failed_recipients" else _is_share(fault.share),
            "share",
            "must be a number from 0 to 1, of the kind failed_recipients only",
        ),
        (
            isinstance(fault.recipients, (list, tuple))
            and all(isinstance(number, str) for number in fault.recipients)
            and (fault.kind == "failed_recipients" or not fault.recipients),
            "recipients",
            "must be a list of phone numbers, of the kind failed_recipients only",
        ),
    )
    return [f"{name}: {rule}, not {getattr(fault, name)!r}" for fine, name, rule in checks if not fine]


@dataclass
class _Order:
    id: int
    fault: Fault
    skips_left: int
    applied: int = 0

    @property
    def is_used_up(self) -> bool:
        return self.fault.times is not None and self.applied >= self.fault.times

    def as_dict(self) -> dict[str, Any]:
        left = None if self.fault.times is None else self.fault.times - self.applied
        return {"id": self.id, **asdict(self.fault), "applied": self.applied, "times_left": left}


class Faults:
    """
    All orders, safe to use from any thread.

    :param seed: start of the random numbers behind ``probability``; the same again after every :meth:`clear` of all.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._random = random.Random(seed)
        self._orders: list[_Order] = []
        self._next_id = 1
        self._endpoints: dict[str, frozenset[str]] = {}
        self._watchers: list[Callable[[], None]] = []
        self._releases = 0

    def know(self, vendor: str, endpoints: Collection[str]) -> None:
        """Tell which endpoints a vendor has, so that an order with a misspelt name is refused instead of never met."""
        self._endpoints[vendor] = frozenset(endpoints)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have the watcher called after every order and every clearing."""
        self._watchers.append(watcher)

    def order(self, *faults: Fault) -> list[int]:
        """Order all the faults, or (``ValueError``) none; the first that fits a request wins. Return their ids."""
        for fault in faults:
            self._check_names(fault)
        with self._lock:
            first = self._next_id
            self._next_id += len(faults)
            self._orders += [_Order(first + place, fault, fault.skip) for place, fault in enumerate(faults)]
        self._tell()
        return list(range(first, first + len(faults)))

    def clear(self, fault_id: int | None = None) -> int:
        """Take back one order, or all of them; return how many there were."""
        with self._lock:
            kept = [] if fault_id is None else [order for order in self._orders if order.id != fault_id]
            cleared = len(self._orders) - len(kept)
            self._orders = kept
            if fault_id is None:
                self._random.seed(self._seed)
        self._tell()
        return cleared

    def release(self) -> None:
        """Let all requests go on that a fault is holding back now."""
        with self._lock:
            self._releases += 1

    def held(self) -> Callable[[], bool]:
        """Return a function for a request that is held back from now on, which tells whether it was released."""
        before = self._releases
        return lambda: self._releases != before

    def orders(self) -> list[dict[str, Any]]:
        """Return all orders that were not taken back, used up or not, with ``id``, ``applied`` and ``times_left``."""
        with self._lock:
            return [order.as_dict() for order in self._orders]

    def take(self, vendor: str, endpoint: str) -> Fault | None:
        """Return the fault for a request that just arrived, and count it as applied."""
        return self._take(ANSWER_KINDS, vendor, endpoint)

    def take_event(self, vendor: str) -> Fault | None:
        """Return the fault for an event that a vendor is about to send, and count it as applied."""
        return self._take(EVENT_KINDS, vendor, None)

    def _take(self, kinds: Collection[str], vendor: str, endpoint: str | None) -> Fault | None:
        taken: _Order | None = None
        with self._lock:
            for order in self._orders:
                if order.fault.kind not in kinds or order.is_used_up or not order.fault.concerns(vendor, endpoint):
                    continue
                # Every order counts every matching request, also one that an earlier order takes.
                if order.skips_left:
                    order.skips_left -= 1
                elif taken is None and self._random.random() < order.fault.probability:
                    taken = order
            if taken is None:
                return None
            taken.applied += 1
            return taken.fault

    def state(self, vendor: str, kind: str, endpoint: str | None = None) -> Fault | None:
        """
        Return the state fault that holds for a vendor now, or None.

        :param kind: one of ``STATE_KINDS``.
        :param endpoint: only orders for this endpoint or ``*``; None: orders for any endpoint.
        """
        with self._lock:
            return next(
                (
                    order.fault
                    for order in self._orders
                    if order.fault.kind == kind and order.fault.concerns(vendor, endpoint)
                ),
                None,
            )

    def _check_names(self, fault: Fault) -> None:
        if not self._endpoints:
            return
        if fault.vendor not in (ANY, *self._endpoints):
            raise ValueError(f"vendor: must be one of {_listed(self._endpoints)} or '*', not {fault.vendor!r}")
        known = frozenset[str]().union(
            *(names for vendor, names in self._endpoints.items() if fault.vendor in (ANY, vendor))
        )
        if fault.endpoint != ANY and fault.endpoint not in known:
            raise ValueError(f"endpoint: must be one of {_listed(known)} or '*', not {fault.endpoint!r}")

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()
