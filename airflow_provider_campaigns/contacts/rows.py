"""The contacts of a task: checked to the last row before any is handed over, each person once, the same each time."""

from __future__ import annotations

import hashlib
import logging
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.contacts import CheckedContact, WireContact, on_the_wire
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns, Row, opt_out_columns
from airflow_provider_campaigns.contacts.files import file_kind, read_file
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.contacts.numbers import read_as_given, read_number
from airflow_provider_campaigns.contacts.source import ListedRows
from airflow_provider_campaigns.contacts.spool import Spool

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.altur.answers import ContactBatch

#: Broken rows that the log and a result name; the rest is counted.
BROKEN_ROWS_TOLD = 100
#: Broken rows that an error names.
BROKEN_ROWS_IN_ERROR = 20
_ROWS_A_PROGRESS_LINE = 100_000
_ROWS_A_BLOCK = 1000
_NOTHING = CheckedContact({})
_NO_LINE = WireContact(b"")
#: How the letters that UTF-8 has two bytes for look when they were read in Latin-1 and written anew.
_GARBLED = "\u00c3".encode() + b"\xc2"


@dataclass(frozen=True, slots=True)
class ContactForm:
    """
    What a vendor takes for a contact.

    :param check: Returns what is sent of a row, or refuses it without telling what it holds.
    :param number: The field that has the phone number.
    :param own: All fields that the vendor knows, the number's among them.
    :param extra: The field for the other columns of a CSV file, or None: they stand beside the vendor's own.
    """

    check: Callable[[Mapping[str, Any]], CheckedContact]
    number: str
    own: Sequence[str]
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """
    How contacts are read, as the author says.

    :param default_country: The country of numbers without a country code (ISO 3166), or None: those are broken.
    :param as_given: Whether numbers are handed over as they are written, and not in E.164.
    :param columns: Names of columns, and what they are called at the vendor.
    :param folders: Where to look for a relative path, in that order.
    """

    default_country: str | None = None
    as_given: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a row: its place from 0, its line in the file, the column, and why."""

    index: int
    line: int | None
    column: str
    reason: str

    def __str__(self) -> str:
        line = f" (line {self.line})" if self.line else ""
        return f"row {self.index + 1}{line}{self._in_column}: {self.reason}"

    @property
    def told(self) -> str:
        """What a result says besides the number of the row."""
        line = f"line {self.line}" if self.line else ""
        where = f"{line}{self._in_column}".removeprefix(", ")
        return f"{where}: {self.reason}" if where else self.reason

    @property
    def _in_column(self) -> str:
        return f", column {self.column}" if self.column else ""


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What was read to the last row.

    :param rows: How many people will be contacted: a row for each.
    :param fingerprint: A short hash of those rows.
    :param duplicates: How many rows are left out because they repeat a person.
    :param formatted: How many numbers had formatting taken off.
    :param broken: How many rows are left out since they are broken.
    :param broken_rows: The first of those: index from 0, and what is wrong with it.
    """

    rows: int
    fingerprint: str
    duplicates: int = 0
    formatted: int = 0
    broken: int = 0
    broken_rows: Sequence[tuple[int, str]] = ()

    def told(self) -> dict[str, Any]:
        """Return what a result says about the rows that are left out."""
        return {
            "duplicates": self.duplicates,
            "broken": self.broken,
            "broken_rows": [list(row) for row in self.broken_rows],
        }

    def __str__(self) -> str:
        left_out = [f"{self.duplicates:,} duplicates"] if self.duplicates else []
        left_out += [f"{self.broken:,} broken ones"] if self.broken else []
        return f"{self.rows:,} rows ({' and '.join(left_out)} left out)" if left_out else f"{self.rows:,} rows"


@dataclass(slots=True)
class ReadRow:
    """A row as it was read: what is sent of it and who that is, or what is wrong with it."""

    index: int
    sent: CheckedContact
    wire: WireContact
    person: int
    formatted: bool
    flaw: Flaw | None


class RowReader:
    """
    Reads rows, one at a time, as a vendor takes them.

    :param form: What the vendor takes for a contact.
    :param reading: How they are read.
    """

    def __init__(self, form: ContactForm, reading: Reading) -> None:
        self._column = form.number
        self._check = form.check
        self._default_country = reading.default_country
        self._number = read_as_given if reading.as_given else read_number

    def read(self, index: int, row: Row) -> ReadRow:
        """Return what is sent of a row, or its flaw."""
        column, reason = row.column, row.flaw
        if not reason:
            values = dict(row.values)
            column = self._column
            try:
                text, person, was_formatted = self._number(values.get(column), self._default_country)
                values[column] = text
                column = ""
                sent = self._check(values)
                return ReadRow(index, sent, on_the_wire(sent, just_text=row.just_text), person, was_formatted, None)
            except InvalidRequest as flaw:
                reason = str(flaw)
        reason = reason if reason.endswith(".") else f"{reason}."
        return ReadRow(index, _NOTHING, _NO_LINE, 0, False, Flaw(index, row.line, column, reason))


class ContactRows:
    """
    The contacts of one task.

    :param contacts: A list, or the path of a file.
    :param form: What the vendor takes for a contact.
    :param reading: How they are read.
    :param max_broken: How many rows may be broken and are left out then: a share below 1, or a count.
    :param log: Where the log lines go.
    """

    def __init__(
        self,
        contacts: Sequence[Mapping[str, Any]] | str,
        form: ContactForm,
        reading: Reading,
        max_broken: float,
        log: logging.Logger | Any,
    ) -> None:
        self._contacts = contacts
        self._folders = reading.folders
        self._reader = RowReader(form, reading)
        self._columns = Columns(form.number, form.own, form.extra, reading.columns)
        self._max_broken = max_broken
        self._log = log
        self._left_out = array("q")
        self._sound: Spool | None = None
        self._names: Collection[str] = ()

    def check(self) -> Checked:
        """
        Read all rows; what is held of them is a number for each person, and the places of what is left out.

        :raises InvalidRequest: More rows are broken than may be, or the file cannot be read on; names the rows.
        """
        found = _Found(self._log)
        found.add_all(self._walk())
        people, rows = len(found.people), found.rows
        if exceeds(self._max_broken, found.broken, rows):
            raise self._refused(found.flaws, found.broken, rows)
        if not people:
            every = ", every row is broken" if found.broken else ""
            raise InvalidRequest(f"contacts: there is nobody to contact{every}.")
        self._left_out, self._sound = found.left_out, found.sound
        told = [(flaw.index, flaw.told) for flaw in found.flaws]
        checked = Checked(people, found.fingerprint, found.duplicates, found.formatted, found.broken, told)
        self._tell(checked, found.garbled)
        return checked

    def sound(self) -> Iterator[WireContact]:
        """
        Return the rows that were found fit to be sent, as they are sent, each person once.

        They are those that were checked, whatever has become of the list or of the file since.
        """
        if self._sound is None:
            raise RuntimeError("The contacts must be checked before they are handed over.")
        return iter(self._sound)

    def placed(self, batches: Iterable[ContactBatch]) -> Iterator[ContactBatch]:
        """Yield what became of batches of sound rows, with refused ones named by their places among all rows."""
        for batch in batches:
            yield replace(batch, refused=tuple((self.place_of(index), reason) for index, reason in batch.refused))

    def place_of(self, index: int) -> int:
        """Return the place among all rows of a sound one, given its place among the sound ones."""
        before = bisect_right(range(len(self._left_out)), index, key=lambda nth: self._left_out[nth] - nth)
        return index + before

    def _walk(self) -> Iterator[ReadRow]:
        rows, names = self._rows()
        for index, row in enumerate(rows):
            yield self._reader.read(index, row)
        missing = self._columns.missing(names()) if names() else []
        if missing:
            raise InvalidRequest(
                f"contacts: no row has a column {missing[0]!r}, which columns names. It maps the file's name to the "
                "vendor's: {'telefone': 'contact'}."
            )
        self._names = names()

    def _rows(self) -> tuple[Iterable[Row], Callable[[], Collection[str]]]:
        """Return the rows, and a function that returns the column names seen so far."""
        if isinstance(self._contacts, str):
            header: list[str] = []
            file = read_file(self._contacts, self._columns, self._folders, header.extend)
            if file_kind(self._contacts) == "csv":
                return file, lambda: header
            listed = ListedRows(file, self._columns)
        else:
            listed = ListedRows(self._contacts, self._columns)
        return listed, listed.names

    def _tell(self, checked: Checked, garbled: int) -> None:
        for index, flaw in checked.broken_rows:
            self._log.warning("Row %d of the contacts is left out: %s", index + 1, flaw)
        if checked.duplicates:
            self._log.warning("Each person is contacted once; rows that repeat one: %d", checked.duplicates)
        if checked.formatted:
            self._log.info(
                "Numbers from which formatting (blanks, dashes and the like) was taken: %d", checked.formatted
            )
        if garbled:
            self._log.warning(
                "Rows with text that was garbled before, such as JosÃ© for José: %d. The file was once read in a wrong "
                "encoding; the text is handed over as it is",
                garbled,
            )
        for name in opt_out_columns(self._names):
            self._log.warning(
                "The contacts have a column %r. Nothing is left out because of it: those rows are contacted all the "
                "same. Take them out of the contacts before.",
                name,
            )

    def _refused(self, flaws: Sequence[Flaw], broken: int, rows: int) -> InvalidRequest:
        if rows == 1 or (broken == 1 and not self._max_broken):
            return InvalidRequest(f"contacts, {flaws[0]} Mend it, or have such rows left out with max_broken_rows.")
        limit = f"more than max_broken_rows={self._max_broken:g}" if self._max_broken else "and max_broken_rows is 0"
        told = "\n".join(f"contacts, {flaw}" for flaw in flaws[:BROKEN_ROWS_IN_ERROR])
        more = f"\nand {broken - BROKEN_ROWS_IN_ERROR:,} more" if broken > BROKEN_ROWS_IN_ERROR else ""
        return InvalidRequest(
            f"{broken:,} of {rows:,} rows of the contacts are broken, {limit}. Mend them:\n{told}{more}"
        )


class _Found:
    """
    What the check of all rows finds, added up row by row.

    :param log: Where the log lines go.
    """

    def __init__(self, log: logging.Logger | Any) -> None:
        self._log = log
        self.people: set[int] = set()
        self.flaws: list[Flaw] = []
        self.left_out = array("q")
        self.sound = Spool()
        self.broken = self.duplicates = self.formatted = self.garbled = 0
        self._digest = hashlib.sha256()

    def add_all(self, rows: Iterable[ReadRow]) -> None:
        """Count rows, and keep those that are to be sent."""
        people = self.people
        block: list[WireContact] = []
        for row in rows:
            if row.flaw:
                self._leave_out(row.index, row.flaw)
                continue
            if row.formatted:
                self.formatted += 1
            if row.person in people:
                self.duplicates += 1
                self.left_out.append(row.index)
                continue
            people.add(row.person)
            block.append(row.wire)
            if len(block) == _ROWS_A_BLOCK:
                self._keep(block)
                block.clear()
                if len(people) % _ROWS_A_PROGRESS_LINE == 0:
                    self._log.info("%d rows of contacts read and checked", len(people))
        self._keep(block)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.people) + self.duplicates + self.broken

    def _leave_out(self, index: int, flaw: Flaw) -> None:
        self.broken += 1
        self.left_out.append(index)
        if len(self.flaws) < BROKEN_ROWS_TOLD:
            self.flaws.append(flaw)

    def _keep(self, rows: Sequence[WireContact]) -> None:
        block = b"\n".join([*rows, b""])
        if _GARBLED in block:
            self.garbled += sum(_GARBLED in bytes(row) for row in rows)
        self._digest.update(block)
        self.sound.keep(block)

    @property
    def fingerprint(self) -> str:
        """A short hash of the rows that are to be sent."""
        return self._digest.hexdigest()[:16]
