"""What people may see of a receipt and of live figures, read field by field: any DAG may leave anything as an XCom."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from airflow_provider_campaigns.launch.intent import without_mark

#: A longer text is cut off.
LONGEST_TEXT = 1000
#: More points than any curve has.
MOST_POINTS = 200


def text(value: Any) -> str | None:
    """Return a text, or a whole number as one; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    # Half a pair of surrogates cannot be written as UTF-8.
    return value[:LONGEST_TEXT].encode("utf-8", "replace").decode() if isinstance(value, str) else None


def number(value: Any) -> float | int | None:
    """Return a number that JSON can hold; None for anything else."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if math.isfinite(value) and abs(value) < 10**18 else None


def _name(value: Any) -> str | None:
    found = text(value)
    return None if found is None else without_mark(found)


def _counts(value: Any) -> dict[str, float]:
    given = value if isinstance(value, Mapping) else {}
    return {
        str(text(name)): count for name, one in list(given.items())[:MOST_POINTS] if (count := number(one)) is not None
    }


def _person(value: Any) -> dict[str, str | None] | str | None:
    if isinstance(value, Mapping):
        return {name: text(value.get(name)) for name in ("id", "name")}
    return text(value)


def _curve(value: Any) -> list[list[float]]:
    points = value[:MOST_POINTS] if isinstance(value, list) else []
    read = [[number(part) for part in point] for point in points if isinstance(point, list) and len(point) == 2]
    return [[at, part] for at, part in read if at is not None and part is not None]


def _contacts(value: Any) -> dict[str, float] | None:
    """Return how many contacts were handed over, by what became of them; no row."""
    if not isinstance(value, Mapping):
        return None
    return {name: number(value.get(name)) or 0 for name in ("created", "updated", "skipped", "refused")}


def _ramp(value: Any) -> dict[str, Any] | None:
    """Return which stage of a ramp it is, and the verdict that let it begin."""
    if not isinstance(value, Mapping) or number(value.get("stage")) is None:
        return None
    after = value.get("after")
    told = {name: number(value.get(name)) for name in ("stage", "stages", "share")}
    return {**told, "after": _verdict(after) if isinstance(after, Mapping) else None}


def _verdict(value: Mapping[str, Any]) -> dict[str, Any]:
    why = value.get("why")
    reasons = [found for one in why[:MOST_POINTS] if (found := text(one))] if isinstance(why, list) else []
    return {"stage": number(value.get("stage")), "verdict": text(value.get("verdict")), "why": " ".join(reasons)}


Readers = Mapping[str, Callable[[Any], Any]]
#: What is shown of a receipt; contacts stay out.
OF_RECEIPT: Readers = MappingProxyType(
    {
        **dict.fromkeys(("vendor", "conn_id", "id"), text),
        "name": _name,
        **dict.fromkeys(("status", "vendor_status"), text),
        "progress": number,
        "counts": _counts,
        **dict.fromkeys(("mark", "meant_at", "launched_at"), text),
        "adopted": lambda value: value is True,
        "approved_by": _person,
        "approved_at": text,
        "contacts": _contacts,
        "ramp": _ramp,
    }
)
#: What newer live figures say instead, and what they add.
NEWER: Readers = MappingProxyType(
    {name: OF_RECEIPT[name] for name in ("name", "status", "vendor_status", "progress", "counts")}
)
OF_LIVE: Readers = MappingProxyType(
    {**dict.fromkeys(("goal", "seen_at", "moved_at"), text), "rate": number, "ends_at": text, "curve": _curve}
)


def read(readers: Readers, value: Any) -> dict[str, Any]:
    """
    Return the fields that may be seen of what an XCom holds.

    :param readers: How each of them is read.
    :param value: What the XCom holds, which may be anything.
    """
    given = value if isinstance(value, Mapping) else {}
    return {name: reader(given.get(name)) for name, reader in readers.items()}
