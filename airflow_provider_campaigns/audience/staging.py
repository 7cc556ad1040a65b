"""From the rows of files to tables: each row read once in Python, and set against the others in DuckDB."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.audience.engine import SEPARATOR, read_staged
from airflow_provider_campaigns.audience.handed import HandedFile
from airflow_provider_campaigns.audience.inputs import AnyNumberColumn, Input, read_rows
from airflow_provider_campaigns.audience.terms import AudienceTerms, comparable
from airflow_provider_campaigns.audience.zones import COLUMN, zone_of
from airflow_provider_campaigns.contacts.columns import Columns, folded, opt_out_columns
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.contacts.numbers import NoNumber, read_number
from airflow_provider_campaigns.contacts.rows import BROKEN_ROWS_TOLD, Flaw, Reading, ReadRow, RowReader

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS_A_PROGRESS_LINE = 1_000_000
#: A staged row: its place among all, its file, its row and line there, the person, the number as it is handed over,
#: whether it has what is required, its time zone if slices are split by it, what is wrong with it, and its line in the
#: slice's file.
_ROW_COLUMNS = (
    "{'rn': 'BIGINT', 'source': 'INTEGER', 'row': 'BIGINT', 'line': 'BIGINT', 'person': 'BIGINT', 'number': 'VARCHAR',"
    " 'required': 'BOOLEAN', 'zone': 'VARCHAR', 'flaw': 'VARCHAR', 'body': 'VARCHAR'}"
)
_folded = lru_cache(maxsize=1024)(folded)


class Staging:
    """
    Reads the files of an audience into the tables ``staged`` (its rows) and ``excluded`` (people).

    :param terms: How they are read.
    :param handed: What the vendor takes.
    :param database: Where the tables are made.
    :param folder: A folder of this task's own.
    :param log: Where log lines go; none holds a number.
    """

    def __init__(
        self,
        terms: AudienceTerms,
        handed: HandedFile,
        database: DuckDBPyConnection,
        folder: Path,
        log: logging.Logger | Any,
    ) -> None:
        self._terms = terms
        self._handed = handed
        self._database = database
        self._folder = folder
        self._log = log
        self._told = 0

    def read_sources(self, sources: Sequence[Input]) -> None:
        """
        Read all rows of the sources.

        :raises InvalidRequest: A file cannot be read to its end, or has no column that is required.
        """
        form = self._handed.form
        reader = RowReader(form, Reading(self._terms.default_country))
        columns = Columns(form.number, form.own, form.extra, self._terms.columns)
        index = 0
        with _lines(self._folder / "rows.staged") as file:
            for place, source in enumerate(sources):
                names: list[str] = []
                first = index
                for row in read_rows(source, columns, self._database, names.extend):
                    read = reader.read(index, row)
                    file.write(self._staged(read, place, index - first + 1, row.line))
                    self._tell_flaw(source, read, index - first + 1)
                    index += 1
                    if index % _ROWS_A_PROGRESS_LINE == 0:
                        self._log.info("%d rows read", index)
                self._check_names(source, columns, names)
        self._database.execute(
            f"CREATE TABLE staged AS SELECT * FROM {read_staged(self._folder / 'rows.staged', _ROW_COLUMNS)}"
        )
        (self._folder / "rows.staged").unlink()

    def read_excludes(self, files: Sequence[Input]) -> None:
        """
        Read the people of all exclude files, in any spelling of their numbers.

        :raises InvalidRequest: A file names nobody, or holds more rows that cannot be read than it may.
        """
        columns = AnyNumberColumn(self._handed.form.number, (self._handed.form.number,), None, self._number_s_name())
        with _lines(self._folder / "excluded.staged") as file:
            for place, exclude in enumerate(files):
                # A file of no bytes has no header either.
                is_nothing = not exclude.size and self._terms.allow_empty_exclude
                rows = iter(()) if is_nothing else read_rows(exclude, columns, self._database, lambda names: None)
                people, broken = 0, 0
                flaws: list[str] = []
                for number, row in enumerate(rows, 1):
                    reason = row.flaw
                    if not reason:
                        try:
                            person = read_number(row.values.get(columns.number), self._terms.default_country).person
                        except NoNumber as flaw:
                            reason = str(flaw)
                    if reason:
                        broken += 1
                        if len(flaws) < BROKEN_ROWS_TOLD:
                            flaws.append(f"row {number}{f' (line {row.line})' if row.line else ''}: {reason}")
                        continue
                    people += 1
                    file.write(f"{place}{SEPARATOR}{person}\n")
                self._judge_exclude(exclude, people, broken, flaws)
        staged = read_staged(self._folder / "excluded.staged", "{'file': 'INTEGER', 'person': 'BIGINT'}")
        self._database.execute(f"CREATE TABLE excluded AS SELECT person, min(file) AS file FROM {staged} GROUP BY ALL")

    def _staged(self, read: ReadRow, source: int, row: int, line: int | None) -> str:
        """Return a row as a line to stage; an unknown time zone is one more flaw."""
        place = (read.index, source, row, "" if line is None else line)
        cells: Mapping[str, Any] = {}
        zone = ""
        if read.flaw is None:
            cells = self._cells(read.sent)
            if self._terms.by == "timezone":
                try:
                    zone = zone_of(read.sent[self._handed.form.number], cells.get(COLUMN))
                except InvalidRequest as flaw:
                    read.flaw = Flaw(read.index, line, COLUMN, str(flaw))
        values: tuple[Any, ...]
        if read.flaw is None:
            required = int(self._has_what_is_required(cells))
            number = read.sent[self._handed.form.number]
            values = (*place, read.person, number, required, zone, "", self._handed.line(read))
        else:
            told = f"column {read.flaw.column}: {read.flaw.reason}" if read.flaw.column else read.flaw.reason
            values = (*place, "", "", "", "", " ".join(told.split()), "")
        return SEPARATOR.join(map(str, values)) + "\n"

    def _cells(self, sent: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row's values by the folded names of its columns, if anything is asked of them."""
        if not self._terms.require and self._terms.by is None:
            return {}
        beside = sent.get(self._handed.form.extra) if self._handed.form.extra else None
        cells = {_folded(name): value for name, value in (beside if isinstance(beside, Mapping) else {}).items()}
        return cells | {_folded(name): value for name, value in sent.items()}

    def _has_what_is_required(self, cells: Mapping[str, Any]) -> bool:
        return all(comparable(cells.get(_folded(name))) in words for name, words in self._terms.require.items())

    def _check_names(self, source: Input, columns: Columns, header: Collection[str]) -> None:
        """Refuse a source without a column that is required, and warn of one that looks like an opt-out."""
        for name in opt_out_columns(header):
            self._log.warning(
                "%s has a column %r. Nothing is left out because of it; name it in require, or those people in "
                "exclude.",
                source,
                name,
            )
        if not header:
            # There were too many names to keep, or no rows.
            return
        there = {folded(name) for name in (*header, *columns.named(list(header)))}
        for name in self._terms.require:
            if folded(name) not in there and not self._is_beside(name, there):
                raise InvalidRequest(f"{source} has no column {name!r}, which require names.")

    def _is_beside(self, name: str, there: Collection[str]) -> bool:
        """Whether a column may be within the vendor's field for extras, where only rows tell."""
        extra = self._handed.form.extra
        return extra is not None and folded(extra) in there

    def _number_s_name(self) -> dict[str, str]:
        return {name: to for name, to in self._terms.columns.items() if folded(to) == folded(self._handed.form.number)}

    def _tell_flaw(self, source: Input, read: ReadRow, row: int) -> None:
        if read.flaw is not None and self._told < BROKEN_ROWS_TOLD:
            self._told += 1
            self._log.warning("%s, row %d is left out: %s", source, row, read.flaw.told)

    def _judge_exclude(self, exclude: Input, people: int, broken: int, flaws: Sequence[str]) -> None:
        if not people and not (broken == 0 and self._terms.allow_empty_exclude):
            raise InvalidRequest(
                f"{exclude} names nobody{' that can be read' if broken else ''}, so that everybody would be messaged. "
                + (f"Its first row: {flaws[0]}" if broken else "Say allow_empty_exclude=True if it may be empty.")
            )
        if exceeds(self._terms.max_broken_exclude, broken, people + broken):
            told = "\n".join(flaws[:20])
            raise InvalidRequest(
                f"{exclude}: {broken:,} of {people + broken:,} rows cannot be read, so that those people would be "
                f"messaged. Mend them, or allow so many with max_broken_exclude:\n{told}"
            )
        for flaw in flaws:
            self._log.warning("%s excludes nobody by its %s", exclude, flaw)
        self._log.info("%s names %d numbers", exclude, people)


@contextmanager
def _lines(path: Path) -> Iterator[IO[str]]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        yield file
