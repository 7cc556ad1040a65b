"""Tolerant readers for what vendors put into JSON: missing, null, numbers as text, ids of either type."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

#: What a database's whole number holds; no count comes near it, and arithmetic with more can fail.
LARGEST_WHOLE = 2**63 - 1
#: No vendor's id comes near this; ids go into messages and paths.
MAX_ID_CHARACTERS = 200


def first(item: Mapping[str, Any], *names: str) -> Any:
    """Return the first of the named fields that is present and not null."""
    for name in names:
        value = item.get(name)
        if value is not None:
            return value
    return None


def text(value: Any) -> str | None:
    """Return text for a non-empty string or a number, else None."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return None


def identifier(value: Any) -> str | None:
    """Return an id as text, else None; also for what no id can be: blank, endless, or with control characters."""
    read = text(value)
    usable = read is not None and read.strip() and read.isprintable() and len(read) <= MAX_ID_CHARACTERS
    return read if usable else None


def number(value: Any) -> float | None:
    """Return a finite number, also from text, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float, str)):
        try:
            read = float(value)
        except (ValueError, OverflowError):
            return None
        return read if math.isfinite(read) else None
    return None


def whole(value: Any) -> int | None:
    """Return a whole number, also from text or an integral float, else None; also for one that nothing can count to."""
    read: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        read = value
    elif isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        try:
            read = int(value)  # a float would round what has more than 15 digits
        except ValueError:
            return None
    else:
        real = number(value)
        read = int(real) if real is not None and real.is_integer() else None
    return read if read is not None and abs(read) <= LARGEST_WHOLE else None


def flag(value: Any) -> bool | None:
    """Return a boolean, also from the words true and false, else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None


def mapping(value: Any) -> dict[str, Any]:
    """Return the object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array and skip everything else in it; empty for anything but an array."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def counts(source: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    """
    Return the figures that are there.

    :param source: The vendor's object.
    :param names: The vendor's field name for each of ours.
    """
    read = {}
    for ours, theirs in names.items():
        # Most campaigns of a list have few of the figures, so what is missing must cost next to nothing.
        if (given := source.get(theirs)) is not None and (value := whole(given)) is not None:
            read[ours] = value
    return read


def aware_moment(value: Any) -> datetime.datetime | None:
    """Return a datetime with a time zone from ISO 8601 text, which is in UTC where it names none; else None."""
    read = moment(value)
    return read.replace(tzinfo=datetime.UTC) if read is not None and read.tzinfo is None else read


def moment(value: Any) -> datetime.datetime | None:
    """
    Return a datetime from ISO 8601 text (naive where the text has no zone), else None.

    A moment whose year in UTC is not from 1 to 9999 counts as missing: nothing could convert it.
    """
    if not isinstance(value, str):
        return None
    try:
        read = datetime.datetime.fromisoformat(value)
        if read.tzinfo is not None:
            read.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return read
