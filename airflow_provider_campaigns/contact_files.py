"""Recipients from a file: CSV or JSON Lines, at any storage that Airflow reaches, one row at a time."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

#: Columns that are an Altur contact's own fields; any other goes into ``extracted_data`` under its name.
OWN_COLUMNS = ("contact", "name", "context", "f_id")
FILE_KINDS = ("csv", "jsonl", "ndjson")
#: No contact comes near it; a file without line breaks must not fill the worker's memory.
MAX_ROW_BYTES = 1024 * 1024
_PIECE_BYTES = 64 * 1024


def read_contacts(path: str) -> Iterator[dict[str, Any]]:
    """
    Yield the contacts of a file for Altur, one at a time.

    :param path: As for :func:`read_rows`; the column ``contact`` is the phone number. A CSV file's columns that are not
        a contact's own go into ``extracted_data``.
    :raises InvalidRequest: As :func:`read_rows` does.
    """
    rows = read_rows(path, "contact")
    return map(_contact, rows) if file_kind(path) == "csv" else rows


def read_rows(path: str, number_column: str) -> Iterator[dict[str, Any]]:
    """
    Yield the rows of a file, one at a time; what is empty in a CSV file is left out.

    :param path: A path or URI that ``ObjectStoragePath`` understands (``s3://...``, ``gs://...``, ``file://...``, or a
        local path), ending in ``.csv`` (with a header) or ``.jsonl`` / ``.ndjson`` (one object a line).
    :param number_column: The column that a CSV file must have: the phone number.
    :raises InvalidRequest: Names the row, counted from 1 without the header, never what it holds.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    kind = file_kind(path)
    source = ObjectStoragePath(path)
    if not source.exists():
        raise InvalidRequest(f"contacts: there is no file at {path!r}.")
    with source.open("rb") as file:
        lines = _lines(file)
        yield from _csv_rows(lines, number_column) if kind == "csv" else _json_rows(lines)


def file_kind(path: str) -> str:
    """
    Return a path's ending: one of :data:`FILE_KINDS`.

    :raises InvalidRequest: For any other text, which is not repeated.
    """
    kind = path.rsplit(".", 1)[-1].lower()
    if kind not in FILE_KINDS:
        raise InvalidRequest(
            "contacts must be a list, or the path of a .csv, .jsonl or .ndjson file; a text is taken for a path. (A "
            "template gives a list only in a DAG with render_template_as_native_obj=True.)"
        )
    return kind


class _Unreadable(ValueError):
    """What is wrong with a line; tells nothing of what it holds, and neither does what it was raised from."""


def _lines(file: Any) -> Iterator[str]:
    """Yield the lines of a file, each decoded by itself: what is broken is found in its own row."""
    held = b""
    # The signature at the beginning that spreadsheets write is no part of the first column's name.
    encoding = "utf-8-sig"
    ended = False
    while not ended:
        piece = file.read(_PIECE_BYTES)
        ended = not piece
        *lines, held = (held + piece).split(b"\n")
        if ended and held:
            lines.append(held)
        for line in lines:
            yield _decoded(line, encoding) + ("" if ended else "\n")
            encoding = "utf-8"
        if len(held) > MAX_ROW_BYTES:
            raise _Unreadable("longer than any row")


def _decoded(line: bytes, encoding: str) -> str:
    text = None
    with contextlib.suppress(UnicodeDecodeError):
        text = line.decode(encoding)
    if text is None or "\0" in text:
        raise _Unreadable("no UTF-8" if text is None else "null bytes")
    return text


def _contact(row: Mapping[str, Any]) -> dict[str, Any]:
    contact = {name: row[name] for name in OWN_COLUMNS if name in row}
    extra = {name: value for name, value in row.items() if name not in OWN_COLUMNS}
    return {**contact, "extracted_data": extra} if extra else contact


def _csv_rows(lines: Iterator[str], number_column: str) -> Iterator[dict[str, Any]]:
    taken = 0

    def counted() -> Iterator[str]:
        nonlocal taken
        for line in lines:
            taken += len(line)
            if taken > MAX_ROW_BYTES:
                raise _Unreadable("longer than any row")
            yield line

    reader = csv.reader(counted(), strict=True)
    names: list[str] | None = None
    number = 0
    while True:
        taken = 0
        row, flaw = None, ""
        try:
            row = next(reader, None)
        except (csv.Error, _Unreadable) as error:
            flaw = str(error) if isinstance(error, _Unreadable) else "a quote or a field that does not end"
        if flaw:
            place = "the header" if names is None else f"row {number + 1}"
            raise InvalidRequest(f"contacts: {place} cannot be read as CSV in UTF-8 ({flaw}).")
        if names is None:
            names = _header(row, number_column)
        elif row is None:
            return
        elif row:
            number += 1
            if len(row) != len(names):
                raise InvalidRequest(f"contacts: row {number} has not as many columns as the header.")
            yield {name: value for name, value in zip(names, row, strict=True) if value}


def _header(row: list[str] | None, number_column: str) -> list[str]:
    names = row or []
    if number_column not in names:
        raise InvalidRequest(f"contacts: the CSV file must begin with a header that has a column {number_column!r}.")
    if len(set(names)) < len(names):
        raise InvalidRequest("contacts: the header has a column twice, so that it is not clear which one counts.")
    return names


def _json_rows(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for number in itertools.count(1):
        line, row, flaw = None, None, ""
        try:
            line = next(lines, None)
            row = json.loads(line) if line and line.strip() else {}
        except _Unreadable as error:
            flaw = str(error)
        except (ValueError, RecursionError) as error:
            flaw = "nested too deeply" if isinstance(error, RecursionError) else "no JSON"
        if flaw:
            raise InvalidRequest(f"contacts: row {number} cannot be read as JSON in UTF-8 ({flaw}).")
        if line is None:
            return
        if not isinstance(row, dict):
            raise InvalidRequest(f"contacts: row {number} is not a JSON object.")
        if line.strip():
            yield row
