"""The journal: which requests arrived at which vendor, and what became of them. Never bodies, never credentials."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

#: Endpoint of a request whose path or method the vendor does not have.
UNMATCHED = "unmatched"


@dataclass(frozen=True)
class Entry:
    """
    One request.

    :param sequence: number of the request, growing, never used twice.
    :param at: real time of arrival, epoch seconds.
    :param endpoint: name of the endpoint, or ``unmatched``.
    :param query: names of the query parameters, without their values.
    :param status: HTTP status that was sent; None when no answer was sent (yet).
    :param fault: kind of the fault that was applied, or None.
    :param effect: whether the vendor's handler ran.
    """

    sequence: int
    at: float
    vendor: str
    endpoint: str
    method: str
    path: str
    query: tuple[str, ...]
    idempotency_key: str | None
    status: int | None = None
    fault: str | None = None
    effect: bool = False


def count(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """Return how many requests arrived, by vendor and endpoint."""
    counts: dict[str, Counter[str]] = {}
    for entry in entries:
        counts.setdefault(entry.vendor, Counter())[entry.endpoint] += 1
    return {vendor: dict(counter) for vendor, counter in counts.items()}


class Journal:
    """All requests since the last reset, safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._last = 0

    def arrived(
        self,
        *,
        vendor: str,
        endpoint: str,
        method: str,
        path: str,
        query: tuple[str, ...],
        idempotency_key: str | None,
        fault: str | None,
    ) -> int:
        """Write down a request that arrived; return its number."""
        with self._lock:
            self._last += 1
            self._entries[self._last] = Entry(
                self._last, time.time(), vendor, endpoint, method, path, query, idempotency_key, fault=fault
            )
            return self._last

    def handled(self, sequence: int) -> None:
        """Note that the vendor's handler ran."""
        self._change(sequence, effect=True)

    def answered(self, sequence: int, status: int) -> None:
        """Note the status that was sent."""
        self._change(sequence, status=status)

    def entries(self, since: int = 0, vendor: str | None = None) -> list[Entry]:
        """Return the requests after that number, oldest first."""
        with self._lock:
            return [
                entry for entry in self._entries.values() if entry.sequence > since and vendor in (None, entry.vendor)
            ]

    def clear(self) -> None:
        """Forget all requests; the numbers go on, so that a late answer never lands at another request."""
        with self._lock:
            self._entries.clear()

    def _change(self, sequence: int, **changes: int | bool) -> None:
        with self._lock:
            entry = self._entries.get(sequence)
            if entry is not None:
                self._entries[sequence] = replace(entry, **changes)  # type: ignore[arg-type]
