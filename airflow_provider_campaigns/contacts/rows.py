"""The contacts of a task: checked to the last row before any is handed over, the same ones each time they are read."""

from __future__ import annotations

import hashlib
import json
import logging
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.exceptions import LaunchConflict

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.altur.answers import ContactBatch
    from airflow_provider_campaigns.api.contacts import CheckedContact

#: Broken rows that the log and a result name; the rest is counted.
BROKEN_ROWS_TOLD = 100
_ROWS_A_PROGRESS_LINE = 100_000


@dataclass(frozen=True, slots=True)
class ContactForm:
    """
    What a vendor takes for a contact.

    :param read: Yields the rows of a file, given its path; an error in the place of a row that cannot be read.
    :param check: Returns what is sent of a row, or refuses it without telling what it holds.
    :param number: The field that has the phone number, where it is to be known how many different ones there are.
    """

    read: Callable[[str], Iterator[Mapping[str, Any] | InvalidRequest]]
    check: Callable[[Mapping[str, Any]], CheckedContact]
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What was read to the last row.

    :param rows: How many rows are fit to be sent.
    :param numbers: How many different phone numbers those have, 0 where nobody needs to know.
    :param fingerprint: A short hash of them all.
    :param broken: How many rows are left out.
    :param broken_rows: The first of those: index from 0, and what is wrong with it.
    """

    rows: int
    numbers: int
    fingerprint: str
    broken: int = 0
    broken_rows: Sequence[tuple[int, str]] = ()

    def told(self) -> dict[str, Any]:
        """Return what a result tells of the rows that are left out."""
        return {"broken": self.broken, "broken_rows": [list(row) for row in self.broken_rows]}

    def __str__(self) -> str:
        left_out = f" ({self.broken:,} broken ones left out)" if self.broken else ""
        return f"{self.rows:,} rows{left_out}"


class ContactRows:
    """
    The contacts of one task.

    :param contacts: A list, or the path of a file.
    :param form: What the vendor takes for a contact.
    :param max_broken: How many rows may be broken and are left out then: a share below 1, or a count.
    :param log: Where the log lines go.
    """

    def __init__(
        self,
        contacts: Sequence[Mapping[str, Any]] | str,
        form: ContactForm,
        max_broken: float,
        log: logging.Logger | Any,
    ) -> None:
        self._contacts = contacts
        self._form = form
        self._max_broken = max_broken
        self._log = log
        self._broken = array("q")
        self._digest = ""

    def check(self) -> Checked:
        """
        Read all rows; nothing but their number, a fingerprint and the places of broken ones is held.

        :raises InvalidRequest: More rows are broken than may be, or the file cannot be read on; names the row.
        """
        digest = hashlib.sha256()
        numbers: set[int] = set()
        flaws: list[tuple[int, str]] = []
        rows = 0
        self._broken = array("q")
        for index, row, sent in self._walk():
            if isinstance(row, InvalidRequest):
                self._broken.append(index)
                if len(flaws) < BROKEN_ROWS_TOLD:
                    flaws.append((index, str(row)))
                if not self._max_broken:
                    break
                continue
            rows += 1
            if self._form.number:
                numbers.add(hash(row[self._form.number]))
            digest.update(sent)
            if rows % _ROWS_A_PROGRESS_LINE == 0:
                self._log.info("%d rows of contacts read and checked", rows)
        broken = len(self._broken)
        if exceeds(self._max_broken, broken, rows + broken):
            raise self._refused(flaws, rows + broken)
        for index, flaw in flaws:
            self._log.warning("Row %d of the contacts is left out: %s", index + 1, flaw)
        self._digest = digest.hexdigest()
        return Checked(rows, len(numbers), self._digest[:16], broken, flaws)

    def sound(self) -> Iterator[CheckedContact]:
        """
        Yield the rows that were found fit to be sent, as they are sent.

        :raises LaunchConflict: They are not those that were checked, which may show after the last one only.
        """
        digest = hashlib.sha256()
        left_out = iter(self._broken)
        for index, row, sent in self._walk():
            if not isinstance(row, InvalidRequest):
                digest.update(sent)
                yield row
            elif next(left_out, None) != index:
                raise self._changed()
        if digest.hexdigest() != self._digest:
            raise self._changed()

    def placed(self, batches: Iterable[ContactBatch]) -> Iterator[ContactBatch]:
        """Yield what became of batches of sound rows, with refused ones named by their places among all rows."""
        for batch in batches:
            yield replace(batch, refused=tuple((self.place_of(index), reason) for index, reason in batch.refused))

    def place_of(self, index: int) -> int:
        """Return the place among all rows of a sound one, given its place among the sound ones."""
        before = bisect_right(range(len(self._broken)), index, key=lambda nth: self._broken[nth] - nth)
        return index + before

    def _walk(self) -> Iterator[tuple[int, CheckedContact | InvalidRequest, bytes]]:
        """Yield the place of each row, what is sent of it or what is wrong with it, and that as bytes."""
        source = self._form.read(self._contacts) if isinstance(self._contacts, str) else self._contacts
        for index, row in enumerate(source):
            try:
                if isinstance(row, InvalidRequest):
                    raise row
                checked = self._form.check(row)
                sent = json.dumps(checked, sort_keys=True, allow_nan=False).encode()
            except InvalidRequest as flaw:
                yield index, flaw, b""
            except (TypeError, ValueError, RecursionError):
                yield index, InvalidRequest("it must hold plain JSON values only."), b""
            else:
                yield index, checked, sent

    def _refused(self, flaws: Sequence[tuple[int, str]], rows: int) -> InvalidRequest:
        index, flaw = flaws[0]
        first = f"contacts, row {index + 1}: {flaw}"
        if not self._max_broken:
            return InvalidRequest(f"{first} Mend it, or have such rows left out with max_broken_rows.")
        return InvalidRequest(
            f"{len(self._broken):,} of {rows:,} rows of the contacts are broken, more than "
            f"max_broken_rows={self._max_broken:g}. The first: {first}"
        )

    def _changed(self) -> LaunchConflict:
        return LaunchConflict(
            "The contacts changed between their check and the end of their being handed over, so that others than were "
            "checked may be in. Look at them at the vendor, and take contacts from a file that nothing writes to."
        )
