"""Rows of a CSV file: its separator, its header, and one row at a time with the line where it begins."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns, Row, number_columns
from airflow_provider_campaigns.contacts.lines import MAX_ROW_BYTES, Block, Endless

SEPARATORS = (",", ";", "\t", "|")
#: Excel's own first line, which says the separator and is no row.
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[\r\n]*", re.I)
#: How far a header is looked for that has a title above it, to say where it is.
_LINES_LOOKED_AHEAD = 10


class CsvRows:
    """
    The rows of a CSV file.

    :param blocks: The file's lines.
    :param columns: Which columns count.
    :param tell_header: Called with the header once it is found sound.
    """

    def __init__(
        self, blocks: Iterator[Block], columns: Columns, tell_header: Callable[[Sequence[str]], None] = lambda _: None
    ) -> None:
        self._lines = self._texts(blocks)
        self._columns = columns
        self._tell_header = tell_header
        self._header: Sequence[str] = ()
        #: How many rows were read, None before the header is, and how many lines they have.
        self._row: int | None = None
        self._line = 0
        #: How many characters were read since the last row ended, or somewhat fewer.
        self._taken = 0
        #: What is wrong with lines, by their numbers.
        self._flaws: dict[int, str] = {}

    def __iter__(self) -> Iterator[Row]:
        """
        Yield the rows; blank ones, and those of separators only, are passed over.

        :raises InvalidRequest: The header is broken, or it is not certain where a row ends.
        """
        try:
            separator, names = self._read_header()
            self._row = 0
            yield from self._rows(separator, names)
            return
        except Endless:
            end = "it is longer than any row"
        except csv.Error:
            end = "a quote or a field in it does not end"
        # It is not clear where the next row begins, so this one cannot be left out.
        place = "header" if self._row is None else f"row {self._row + 1}"
        raise InvalidRequest(f"contacts, {place} (line {self._line + 1}): {end}, so that nothing after it can be read.")

    def _texts(self, blocks: Iterator[Block]) -> Iterator[str]:
        """Yield the lines' texts, and keep what is wrong with them."""
        for block in blocks:
            if self._taken > MAX_ROW_BYTES:
                raise Endless
            self._taken += sum(map(len, block.texts))
            self._flaws.update(block.flaws)
            yield from block.texts

    def _flaw_of_lines(self, first: int, last: int) -> str:
        """Return what is wrong with the first broken one of some lines, or empty; it is not kept any longer."""
        if not self._flaws:
            return ""
        flaws = [self._flaws.pop(number, "") for number in range(first, last + 1)]
        return next(filter(None, flaws), "")

    def _read_header(self) -> tuple[str, list[str]]:
        """Return the file's separator and its columns' names at the vendor, empty for those without one."""
        text, flaw = self._header_text()
        found = _SEPARATOR_LINE.fullmatch(text)
        if found:
            text, flaw = self._header_text()
        if flaw:
            raise InvalidRequest(f"contacts, header: {flaw}")
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

    def _header_text(self) -> tuple[str, str]:
        """Return the next lines up to where no quote is open, as they stand, and what is wrong with them."""
        text, first = "", self._line + 1
        for one in self._lines:
            self._line += 1
            text += one
            if text.count('"') % 2 == 0:
                break
        else:
            if text:
                raise csv.Error
        self._taken = 0
        return text, self._flaw_of_lines(first, self._line)

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
        for number, text in enumerate(islice(self._lines, _LINES_LOOKED_AHEAD), self._line + 1):
            if any(self._columns.number in self._names(text, one) for one in SEPARATORS):
                return (
                    f"it must be the first line, and line {number} is the first with a column {wanted!r}. Delete "
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
        extra = self._columns.extra
        named = [(place, name) for place, name in enumerate(names) if name]
        own = [(place, name) for place, name in named if not extra or name in self._columns.own]
        beside = [(place, name) for place, name in named if extra and name not in self._columns.own]
        unnamed = [place for place, name in enumerate(names) if not name]
        count, begun, last, row = len(names), self._line, self._line, 0
        reader = csv.reader(self._lines, delimiter=separator, strict=True)
        try:
            for cells in reader:
                first, last, self._taken = last + 1, begun + reader.line_num, 0
                flaw, column = self._flaw_of_lines(first, last) if self._flaws else "", ""
                if not flaw:
                    if not any(map(str.strip, cells)):
                        continue
                    if len(cells) < count and not any(names[len(cells) :]):
                        # Columns that the header does not name either.
                        cells += [""] * (count - len(cells))
                    if unnamed or len(cells) != count or cells[0] == self._header[0]:
                        flaw, column = self._flaw_of(cells, names, unnamed)
                row += 1
                if flaw:
                    yield Row(first, {}, flaw, column)
                    continue
                values: dict[str, Any] = {name: cell for place, name in own if (cell := cells[place]).strip()}
                if beside and extra:
                    more = {name: cell for place, name in beside if (cell := cells[place]).strip()}
                    if more:
                        values[extra] = more
                yield Row(first, values, just_text=True)
        except (csv.Error, Endless):
            self._line, self._row = last, row
            raise

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
