"""Rows of a JSON Lines file: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Row
from airflow_provider_campaigns.contacts.lines import Endless, Line


def read_json_rows(lines: Iterator[Line]) -> Iterator[Row]:
    """
    Yield the objects of a file; blank lines are passed over.

    :raises InvalidRequest: The file holds one list, or a line goes on for longer than any row does.
    """
    number, place = 0, 0
    endless = False
    while True:
        try:
            line = next(lines, None)
        except Endless:
            line, endless = None, True
        if endless:
            raise InvalidRequest(
                f"contacts, row {number + 1} (line {place + 1}): it is longer than any row, so that nothing after it "
                "can be read."
            )
        if line is None:
            return
        place = line.number
        text = line.text.strip()
        if not text:
            continue
        number += 1
        if number == 1 and text.startswith("["):
            raise InvalidRequest(
                "contacts: the file is one JSON list; JSON Lines has one object a line and nothing around them: "
                "jq -c '.[]' makes that of it."
            )
        values, flaw = ({}, line.flaw) if line.flaw else _read(text)
        if number == 1 and flaw and not text.startswith("{"):
            flaw += " A table is named .csv, whatever its separator is."
        yield Row(line.number, values, flaw, "")


def _read(text: str) -> tuple[dict[str, Any], str]:
    try:
        row = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        return {}, "its JSON is nested too deeply."
    except ValueError as error:
        return {}, str(error) if type(error) is _Twice else "it is no JSON."
    return (row, "") if isinstance(row, dict) else ({}, "it is no JSON object.")


class _Twice(ValueError):
    """An object has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise _Twice("it has a key twice, so that it is not clear which counts.")
    return read
