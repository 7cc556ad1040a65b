"""Recipients from a file: CSV or JSON Lines, at any storage that Airflow reaches, one row at a time."""

from __future__ import annotations

import csv
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


def read_contacts(path: str) -> Iterator[dict[str, Any] | InvalidRequest]:
    """
    Yield the contacts of a file for Altur, one at a time.

    :param path: As for :func:`read_rows`; the column ``contact`` is the phone number. A CSV file's columns that are not
        a contact's own go into ``extracted_data``.
    :raises InvalidRequest: As :func:`read_rows` does.
    """
    rows = read_rows(path, "contact")
    return map(_contact, rows) if file_kind(path) == "csv" else rows


def read_rows(path: str, number_column: str) -> Iterator[dict[str, Any] | InvalidRequest]:
    """
    Yield the rows of a file, one at a time; what is empty in a CSV file is left out, and so are blank lines.

    In the place of a row that is broken comes the error that says what is wrong with it, never what it holds.

    :param path: A path or URI that ``ObjectStoragePath`` understands (``s3://...``, ``gs://...``, ``file://...``, or a
        local path), ending in ``.csv`` (with a header) or ``.jsonl`` / ``.ndjson`` (one object a line).
    :param number_column: The column that a CSV file must have: the phone number.
    :raises InvalidRequest: There is no such file, its header is broken, or it is not certain where a row ends; names
        the row, counted from 1 without the header.
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


class _Endless(ValueError):
    """A line goes on longer than any row does."""


def _lines(file: Any) -> Iterator[tuple[str, str]]:
    """
    Yield the lines of a file, each decoded by itself: what is broken is found in its own row.

    :return: For each line its text, which ends with a line break if there is one; and why it is no text in UTF-8, empty
        if it is. What cannot be read of it is replaced then.
    """
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
            yield _decoded(line if ended else line + b"\n", encoding)
            encoding = "utf-8"
        if len(held) > MAX_ROW_BYTES:
            raise _Endless


def _decoded(line: bytes, encoding: str) -> tuple[str, str]:
    try:
        text, flaw = line.decode(encoding), ""
    except UnicodeDecodeError:
        # Quotes, commas and breaks stay what they are, so that the row's end is found.
        text, flaw = line.decode(encoding, "replace"), "it is not in UTF-8."
    if "\0" in text:
        text, flaw = text.replace("\0", "\ufffd"), flaw or "it holds null bytes."
    return text, flaw


def _contact(row: Mapping[str, Any] | InvalidRequest) -> dict[str, Any] | InvalidRequest:
    if isinstance(row, InvalidRequest):
        return row
    contact = {name: row[name] for name in OWN_COLUMNS if name in row}
    extra = {name: value for name, value in row.items() if name not in OWN_COLUMNS}
    return {**contact, "extracted_data": extra} if extra else contact


def _csv_rows(lines: Iterator[tuple[str, str]], number_column: str) -> Iterator[dict[str, Any] | InvalidRequest]:
    taken, flaw = 0, ""

    def texts() -> Iterator[str]:
        nonlocal taken, flaw
        for text, broken in lines:
            taken += len(text)
            if taken > MAX_ROW_BYTES:
                raise _Endless
            flaw = flaw or broken
            yield text

    reader = csv.reader(texts(), strict=True)
    names: list[str] | None = None
    number = 1
    while True:
        taken, flaw = 0, ""
        row, end = None, ""
        try:
            row = next(reader, None)
        except _Endless:
            end = "it is longer than any row"
        except csv.Error:
            end = "a quote or a field in it does not end"
        if end:
            # Where the next row begins is anybody's guess, so this one cannot be left out.
            place = "header" if names is None else f"row {number}"
            raise InvalidRequest(f"contacts, {place}: {end}, so that nothing after it can be read.")
        if names is None:
            names = _header(row, number_column, flaw)
        elif row is None:
            return
        elif row:
            number += 1
            if len(row) != len(names):
                flaw = flaw or "it has not as many columns as the header."
            yield InvalidRequest(flaw) if flaw else {n: value for n, value in zip(names, row, strict=True) if value}


def _header(row: list[str] | None, number_column: str, flaw: str) -> list[str]:
    names = row or []
    if flaw:
        raise InvalidRequest(f"contacts, header: {flaw}")
    if number_column not in names:
        raise InvalidRequest(
            f"contacts, header: a CSV file must begin with a header that has a column {number_column!r}."
        )
    if len(set(names)) < len(names):
        raise InvalidRequest("contacts, header: it has a column twice, so that it is not clear which one counts.")
    return names


def _json_rows(lines: Iterator[tuple[str, str]]) -> Iterator[dict[str, Any] | InvalidRequest]:
    number = 1
    while True:
        line = None
        endless = False
        try:
            line = next(lines, None)
        except _Endless:
            endless = True
        if endless:
            raise InvalidRequest(f"contacts, row {number}: it is longer than any row.")
        if line is None:
            return
        text, flaw = line
        if text.strip():
            number += 1
            yield InvalidRequest(flaw) if flaw else _json_row(text)


def _json_row(text: str) -> dict[str, Any] | InvalidRequest:
    try:
        row = json.loads(text)
    except RecursionError:
        return InvalidRequest("its JSON is nested too deeply.")
    except ValueError:
        return InvalidRequest("it is no JSON.")
    return row if isinstance(row, dict) else InvalidRequest("it is no JSON object.")
