"""What a slice's file holds for each vendor: JSON Lines for our operators, a lead file for Kinbox's servers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_campaigns.api.contacts import CheckedContact
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns
from airflow_provider_campaigns.contacts.forms import altur_form, koreai_form
from airflow_provider_campaigns.contacts.rows import ContactForm, Reading, ReadRow, RowReader
from airflow_provider_campaigns.contacts.source import ListedRows

#: What a line of a file cannot hold, or what some readers take for its end.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class HandedFile:
    """
    The form of a vendor's file.

    :param ending: How its name ends.
    :param form: What the vendor takes for a contact.
    :param line: Returns the line for a row that was read, without its break.
    """

    ending: str
    form: ContactForm
    line: Callable[[ReadRow], str]


def handed_file(vendor: str, placeholders: Sequence[str] = ()) -> HandedFile:
    """
    Return the form of the file that a vendor takes.

    :param vendor: ``altur`` and ``koreai``: JSON Lines, as the operators of this package read contacts. ``kinbox``: one
        recipient a line without a header, the digits of the number first, then the values of the message.
    :param placeholders: At Kinbox, the columns of those values, in their order.
    """
    if vendor == "kinbox":
        return HandedFile("csv", _lead_form(placeholders), _lead_line(placeholders))
    return HandedFile("jsonl", altur_form() if vendor == "altur" else koreai_form(), _json_line)


def _json_line(row: ReadRow) -> str:
    return row.wire.decode()


def _lead_form(placeholders: Sequence[str]) -> ContactForm:
    def check(row: Mapping[str, Any]) -> CheckedContact:
        lead = {"number": row["number"], **{name: _lead_value(name, row.get(name)) for name in placeholders}}
        # The row's other columns are not sent; what a row must have is looked up among them.
        return CheckedContact({**lead, **{name: value for name, value in row.items() if name not in lead}})

    return ContactForm(check, "number", ("number", *placeholders))


def _lead_line(placeholders: Sequence[str]) -> Callable[[ReadRow], str]:
    def line(row: ReadRow) -> str:
        text = io.StringIO()
        values = [row.sent[name] for name in placeholders]
        # Kinbox's own sample has digits alone.
        csv.writer(text, lineterminator="").writerow([row.sent["number"].removeprefix("+"), *values])
        return text.getvalue()

    return line


def _lead_value(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidRequest(f"it has no value for {name!r}, which placeholders names; it must be a text or a number.")
    text = str(value)
    if _CONTROL.search(text):
        raise InvalidRequest(f"{name!r} holds a line break or a control character, which a lead file cannot have.")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = ""
    if not text.strip():
        raise InvalidRequest(f"{name!r} is empty or no text in Unicode.")
    return text


def own_lines(handed: HandedFile, contacts: Sequence[Any], reading: Reading) -> list[str]:
    """
    Return the lines of contacts that an author listed, such as the phones to try a message on.

    :param handed: The form of the vendor's file.
    :param contacts: Rows, or numbers alone.
    :param reading: How they are read.
    :raises InvalidRequest: One of them is broken; names its place and not what it holds.
    """
    form = handed.form
    rows = [contact if isinstance(contact, Mapping) else {form.number: contact} for contact in contacts]
    reader = RowReader(form, reading)
    lines = []
    for index, row in enumerate(ListedRows(rows, Columns(form.number, form.own, form.extra, reading.columns))):
        read = reader.read(index, row)
        if read.flaw is not None:
            raise InvalidRequest(f"test_contacts[{index}]: {read.flaw.reason}")
        lines.append(handed.line(read))
    return lines
