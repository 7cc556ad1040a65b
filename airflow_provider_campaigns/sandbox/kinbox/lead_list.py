"""The recipients of a campaign of the sandbox's Kinbox: those of a file that the sandbox serves, or invented ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: LeadList of a campaign whose leadsAssetUrl does not say ``?leads=<number>`` and is not the sandbox's own.
DEFAULT_LEADS = 120
#: Brazilian numbers with an area code and without a country code have so many digits.
LENGTHS_IN_BRAZIL = (10, 11)


@dataclass(frozen=True)
class LeadList:
    """
    Whom a campaign is for.

    :param count: how many they are.
    :param rows: their numbers and the message's values, or None for invented ones.
    """

    count: int
    rows: Sequence[tuple[str, list[str]]] | None = None

    @property
    def people(self) -> int:
        """How many different numbers there are."""
        return self.count if self.rows is None else len({number for number, _ in self.rows})

    def number(self, position: int) -> str:
        """Return the number of the recipient at a position."""
        return f"5585{988000000 + position}" if self.rows is None else self.rows[position][0]

    def placeholders(self, position: int) -> list[str]:
        """Return the message's values of the recipient at a position."""
        return [f"Lead {position}"] if self.rows is None else self.rows[position][1]


def invented(url: str | None) -> LeadList:
    """Return the recipients that an address elsewhere stands for: ``?leads=<number>``, 120 without it."""
    asked = parse_qs(urlsplit(url or "").query).get("leads", [""])[0]
    return LeadList(int(asked) if asked.isdecimal() else DEFAULT_LEADS)


def read_file(content: bytes, given: Mapping[str, Any]) -> LeadList:
    """
    Return the recipients of a file: CSV without a header, the number first and then the message's values in order.

    A row without a digit in its first column is no recipient.

    :param content: the file.
    :param given: the campaign's properties; unless ``normalizeBrazilPhoneNumbers`` is false, numbers of 10 or 11 digits
        without a plus get Brazil's country code.
    """
    is_brazil = given.get("normalizeBrazilPhoneNumbers", True)
    rows = []
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline="")):
        digits = "".join(filter(str.isdecimal, row[0])) if row else ""
        if digits:
            lacks_country = len(digits) in LENGTHS_IN_BRAZIL and not row[0].lstrip().startswith("+")
            number = f"55{digits}" if is_brazil and lacks_country else digits
            rows.append((number, row[1:]))
    return LeadList(len(rows), rows)
