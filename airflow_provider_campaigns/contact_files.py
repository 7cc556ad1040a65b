"""Recipients from a file: CSV or JSON Lines, at any storage that Airflow reaches, one row at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

#: Columns that are a contact's own fields; any other column goes into ``extracted_data`` under its name.
OWN_COLUMNS = ("contact", "name", "context", "f_id")


def read_contacts(path: str) -> Iterator[dict[str, Any]]:
    """
    Yield the contacts of a file, one at a time.

    :param path: A path or URI that ``ObjectStoragePath`` understands (``s3://...``, ``gs://...``, ``file://...``, or a
        local path), ending in ``.csv`` (with a header; ``contact`` is the phone number) or ``.jsonl`` / ``.ndjson``
        (one object a line).
    :raises InvalidRequest: Names the row, counted from 1 without the header, never what it holds.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    kind = path.rsplit(".", 1)[-1].lower()
    if kind not in ("csv", "jsonl", "ndjson"):
        raise InvalidRequest("contacts must be a list, or the path of a .csv, .jsonl or .ndjson file.")
    source = ObjectStoragePath(path)
    if not source.exists():
        raise InvalidRequest(f"contacts: there is no file at {path!r}.")
    # The signature at the beginning that spreadsheets write is no part of the first column's name.
    with source.open("r", encoding="utf-8-sig", newline="") as file:
        yield from _csv_rows(file) if kind == "csv" else _json_rows(file)


def _csv_rows(file: Any) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(file, strict=True)
    if "contact" not in (reader.fieldnames or ()):
        raise InvalidRequest("contacts: the CSV file must begin with a header that has a column 'contact'.")
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                raise InvalidRequest(f"contacts: row {number} has not as many columns as the header.")
            contact: dict[str, Any] = {name: row[name] for name in OWN_COLUMNS if row.get(name)}
            extra = {name: value for name, value in row.items() if name not in OWN_COLUMNS and value}
            yield {**contact, "extracted_data": extra} if extra else contact
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"contacts: row {number + 1} cannot be read as CSV in UTF-8 ({type(error).__name__})."
        ) from None


def _json_rows(file: Any) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            row = json.loads(line)
            if not isinstance(row, dict):
                raise InvalidRequest(f"contacts: row {number} is not a JSON object.")
            yield row
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidRequest):
            raise
        at = number if isinstance(error, json.JSONDecodeError) else number + 1
        raise InvalidRequest(f"contacts: row {at} cannot be read as JSON in UTF-8 ({type(error).__name__}).") from None
