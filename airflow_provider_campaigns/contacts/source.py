"""What an author passes as contacts: a list of rows, or the path of a file; anything else is refused by name."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns, Row
from airflow_provider_campaigns.contacts.files import file_kind

_KEYS_REMEMBERED = 1000
_WANTED = "contacts must be a list of dicts, or the path or URI of a file"


def read_source(contacts: Any) -> Sequence[Mapping[str, Any]] | str:
    """
    Return what contacts are read from: the path of a file as text, or a list.

    :param contacts: A list, a tuple or an iterator of dicts, or a path: a text, ``pathlib.Path``,
        ``ObjectStoragePath``.
    :raises InvalidRequest: Names the type of anything else, and the way to do it; repeats nothing of it.
    """
    if hasattr(contacts, "protocol") and hasattr(contacts, "open"):
        # An ObjectStoragePath, of which its text alone says the same on every Airflow.
        contacts = str(contacts)
    elif isinstance(contacts, os.PathLike):
        contacts = os.fspath(contacts)
    if isinstance(contacts, str):
        file_kind(contacts)
        return contacts
    remedy = _remedy(contacts)
    if remedy:
        raise InvalidRequest(f"{_WANTED}, not a value of type {type(contacts).__name__}{remedy}.")
    return contacts if isinstance(contacts, Sequence) else list(contacts)


def _remedy(contacts: Any) -> str:
    """Return what to do about contacts of a type that is not taken, or empty for one that is."""
    if isinstance(contacts, Mapping):
        return ": for a single contact write [{...}]"
    if isinstance(contacts, (bytes, bytearray, memoryview)):
        return ": write them to a file and pass its path"
    if hasattr(contacts, "columns") and (hasattr(contacts, "to_csv") or hasattr(contacts, "write_csv")):
        call = "to_csv(path, index=False)" if hasattr(contacts, "to_csv") else "write_csv(path)"
        return f": write it to a file with {call}, the numbers being text, and pass the path"
    if hasattr(contacts, "dtype") or hasattr(contacts, "to_arrow"):
        return ": make it a list of dicts, one for each contact"
    if isinstance(contacts, (set, frozenset)):
        return ": it has no order, so that a retry could not go on where the try before stopped. Make it a list"
    return "" if isinstance(contacts, Iterable) else ": make it a list of dicts, one for each contact"


class ListedRows:
    """
    The rows of a list, or of a file whose rows are objects, with their keys as the vendor calls them.

    :param rows: The rows.
    :param columns: What the keys are called.
    """

    def __init__(self, rows: Iterable[Any], columns: Columns) -> None:
        self._rows = rows
        self._columns = columns
        self._known: dict[tuple[Any, ...], Sequence[str] | InvalidRequest] = {}

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows with their values as plain as JSON's; what is broken has its flaw."""
        for given in self._rows:
            row = given if isinstance(given, Row) else Row(None, given)
            if row.flaw:
                yield row
            elif not isinstance(row.values, Mapping):
                flaw = f"it must be a dict such as {{{self._columns.number!r}: '+5511999990000'}}, not a value of type "
                yield Row(row.line, {}, f"{flaw}{type(row.values).__name__}.")
            else:
                yield self._plain(row)

    def names(self) -> set[str]:
        """Return all keys that were seen so far, or none where there are too many to tell."""
        if len(self._known) >= _KEYS_REMEMBERED:
            return set()
        return {name for keys in self._known for name in keys if isinstance(name, str)}

    def _plain(self, row: Row) -> Row:
        keys = tuple(row.values)
        try:
            names = self._known[keys]
        except KeyError:
            names = self._named(keys)
            # Rows mostly have the same keys; where each has its own, they are not worth the memory.
            if len(self._known) < _KEYS_REMEMBERED:
                self._known[keys] = names
        except TypeError:
            names = self._named(keys)
        if isinstance(names, InvalidRequest):
            return Row(row.line, {}, str(names))
        values = {}
        for name, value in zip(names, row.values.values(), strict=True):
            if type(value) is not str:
                try:
                    # What a number may be is decided where numbers are read.
                    value = unwrapped(value) if name == self._columns.number else plain_value(value)
                except InvalidRequest as flaw:
                    # Keys that are not the vendor's may be anything, even numbers of people.
                    return Row(row.line, {}, str(flaw), name if name in self._columns.own else "")
            elif not value.strip():
                # An empty cell, as in a CSV file.
                continue
            values[name] = value
        return Row(row.line, values)

    def _named(self, keys: Sequence[Any]) -> Sequence[str] | InvalidRequest:
        if not all(isinstance(key, str) for key in keys):
            return InvalidRequest("the names of its columns must be texts.")
        try:
            return self._columns.named(keys)
        except InvalidRequest as flaw:
            return flaw


def unwrapped(value: Any) -> Any:
    """Return what one of numpy's scalars holds, and any other value as it is."""
    is_scalar = hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", None) == 0
    return value.item() if is_scalar else value


def plain_value(value: Any) -> Any:
    """
    Return a value as JSON has it: numpy's scalars become Python's.

    :raises InvalidRequest: JSON has no such value (NaN, a Decimal, a date); says what to do.
    """
    value = unwrapped(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRequest(
            "it is NaN or infinite, which is how data frames show an empty cell. Leave it out or None."
        )
    if isinstance(value, Decimal):
        raise InvalidRequest(
            "it is a Decimal, which JSON does not have. Make it text with str() or a number with float()."
        )
    if isinstance(value, (datetime.date, datetime.time)):
        raise InvalidRequest("it is a date or a time, which JSON does not have. Make it text with .isoformat().")
    if type(value).__name__ in ("NAType", "NaTType"):
        raise InvalidRequest("it is a data frame's mark of an empty cell. Leave it out or None.")
    return value
