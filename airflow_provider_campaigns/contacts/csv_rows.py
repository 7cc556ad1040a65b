"""Rows of a CSV file: its separator, its header, and one row at a time with the line where it begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns, Row, number_columns
from airflow_provider_campaigns.contacts.lines import MAX_ROW_BYTES, Endless, Line

SEPARATORS = (",", ";", "\t", "|")
#: Excel's own first line, which says the separator and is no row.
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[\r\n]*", re.I)
#: How far a header is looked for that has a title above it, to say where it is.
_LINES_LOOKED_AHEAD = 10


class CsvRows:
    """
    The rows of a CSV file.

    :param lines: The file's lines.
    :param columns: Which columns count.
    :param tell_header: Called with the header once it is found sound.
    """

    def __init__(
        self, lines: Iterator[Line], columns: Columns, tell_header: Callable[[Sequence[str]], None] = lambda _: None
    ) -> None:
        self._lines = lines
        self._columns = columns
        self._tell_header = tell_header
        self._line = 0
        self._taken = 0
        self._flaw = ""
        self._header: Sequence[str] = ()

    def __iter__(self) -> Iterator[Row]:
        """
        Yield the rows; blank ones, and those of separators only, are passed over.

        :raises InvalidRequest: The header is broken, or it is not certain where a row ends.
        """
        place = "header"
        try:
            separator, names = self._read_header()
            place = "row 1"
            for number, row in enumerate(self._rows(separator, names), 2):
                place = f"row {number}"
                yield row
            return
        except Endless:
            end = "it is longer than any row"
        except csv.Error:
            end = "a quote or a field in it does not end"
        # It is not clear where the next row begins, so this one cannot be left out.
        line = f" (line {self._line})" if self._line else ""
        raise InvalidRequest(f"contacts, {place}{line}: {end}, so that nothing after it can be read.")

    def _texts(self) -> Iterator[str]:
        """Yield the lines' texts; keeps where a row begins, how long it is, and what is wrong with it."""
        for line in self._lines:
            if not self._taken:
                self._line = line.number
            self._taken += len(line.text)
            if self._taken > MAX_ROW_BYTES:
                raise Endless
            self._flaw = self._flaw or line.flaw
            yield line.text

    def _begin_row(self) -> None:
        self._taken, self._flaw = 0, ""

    def _read_header(self) -> tuple[str, list[str]]:
        """Return the file's separator and its columns' names at the vendor, empty for those without one."""
        text = self._header_text()
        found = _SEPARATOR_LINE.fullmatch(text)
        if found:
            text = self._header_text()
        if self._flaw:
            raise InvalidRequest(f"contacts, header: {self._flaw}")
        headers = {separator: _cells(text, separator) for separator in ([found[1]] if found else SEPARATORS)}
        separator = max(headers, key=lambda one: (self._has_number(headers[one]), len(headers[one])))
        self._header = headers[separator]
        if not self._has_number(self._header):
            raise InvalidRequest(f"contacts, header: {self._why_no_number()}")
        try:
            names = self._columns.named(self._header)
        except InvalidRequest as flaw:
            raise InvalidRequest(f"contacts, header: {flaw}") from None
        missing = self._columns.missing(self._header)
        if missing:
            raise InvalidRequest(f"contacts, header: it has no column {missing[0]!r}, which columns names.")
        self._tell_header(self._header)
        return separator, names

    def _header_text(self) -> str:
        """Return the first lines up to where no quote is open, as they stand."""
        self._begin_row()
        text = ""
        for one in self._texts():
            text += one
            if text.count('"') % 2 == 0:
                return text
        if text:
            raise csv.Error
        return text

    def _has_number(self, names: Sequence[str]) -> bool:
        try:
            return self._columns.number in self._columns.named(names)
        except InvalidRequest:
            # A repeated column is reported once the separator is clear.
            return True

    def _why_no_number(self) -> str:
        wanted = self._columns.number
        likely = number_columns(self._header)
        if likely:
            return (
                f"it has no column {wanted!r}. If {likely[0]!r} is the phone number: "
                f"columns={{{likely[0]!r}: {wanted!r}}}."
            )
        for line in islice(self._lines, _LINES_LOOKED_AHEAD):
            if any(self._columns.number in self._names(line.text, one) for one in SEPARATORS):
                return (
                    f"it must be the first line, and line {line.number} is the first with a column {wanted!r}. Delete "
                    "the lines above it."
                )
        if not self._header:
            return "the file is empty, or its first line is."
        if self._header[0].lstrip()[:1] in ("{", "["):
            return "the file looks like JSON. Write one object a line and name it .jsonl."
        return (
            f"a CSV file must begin with a header that has a column {wanted!r}, or one that columns= maps to it; the "
            "first line has none."
        )

    def _names(self, text: str, separator: str) -> list[str]:
        try:
            return self._columns.named(_cells(text, separator))
        except InvalidRequest:
            return []

    def _rows(self, separator: str, names: Sequence[str]) -> Iterator[Row]:
        own = [(place, name) for place, name in enumerate(names) if name]
        beside: list[tuple[int, str]] = []
        extra = self._columns.extra
        if extra:
            beside = [(place, name) for place, name in own if name not in self._columns.own]
            own = [(place, name) for place, name in own if name in self._columns.own]
        unnamed = [place for place, name in enumerate(names) if not name]
        reader = csv.reader(self._texts(), delimiter=separator, strict=True)
        self._begin_row()
        for cells in reader:
            if any(map(str.strip, cells)) or self._flaw:
                if len(cells) < len(names) and not any(names[len(cells) :]):
                    # Columns that the header does not name either.
                    cells += [""] * (len(names) - len(cells))
                flaw, column = self._flaw or "", ""
                if not flaw:
                    flaw, column = self._flaw_of(cells, names, unnamed)
                values: dict[str, Any] = {}
                if not flaw:
                    values = {name: cells[place] for place, name in own if cells[place].strip()}
                    more = {name: cells[place] for place, name in beside if cells[place].strip()}
                    if more and extra:
                        values[extra] = more
                yield Row(self._line, values, flaw, column)
            self._begin_row()

    def _flaw_of(self, cells: Sequence[str], names: Sequence[str], unnamed: Sequence[int]) -> tuple[str, str]:
        """Return what is wrong with a row's cells and in which column, or two empty texts."""
        count = len(names)
        if len(cells) < count or any(map(str.strip, cells[count:])):
            return f"it has {len(cells)} columns, and the header has {count}.", ""
        for place in unnamed:
            if cells[place].strip():
                return "the header has no name for this column, which has a value.", str(place + 1)
        if cells[0] == self._header[0] and list(cells[:count]) == list(self._header):
            return "it is the header once more.", ""
        return "", ""


def _cells(text: str, separator: str) -> list[str]:
    """Return the cells of a header, or none where a separator does not fit it."""
    try:
        # Without its break; a break within quotes is a part of a name.
        return next(csv.reader([text.rstrip("\r\n")], delimiter=separator, strict=True), []) if text.strip() else []
    except csv.Error:
        return []
