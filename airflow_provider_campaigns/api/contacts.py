"""Contacts on their way to a vendor: checked once, where they enter, and typed as checked from there on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NewType

from airflow_provider_campaigns.api.errors import InvalidRequest

#: A contact as it goes on the wire. Only a vendor's ``check_contact`` makes one; whoever holds one need not check it.
CheckedContact = NewType("CheckedContact", dict[str, Any])


def checked_rows(
    rows: Iterable[Mapping[str, Any]], check_contact: Callable[[Mapping[str, Any]], CheckedContact], first: int = 0
) -> Iterator[CheckedContact]:
    """
    Yield rows as they go on the wire, each checked when its turn comes.

    :param rows: The contacts as they were given.
    :param check_contact: Returns what is sent of a row, or refuses it without telling what it holds.
    :param first: The index of the first row in the whole input.
    :raises InvalidRequest: While iterating; names the index of the first row that is refused.
    """
    for index, row in enumerate(rows, first):
        try:
            checked = check_contact(row)
        except InvalidRequest as flaw:
            raise InvalidRequest(f"contacts[{index}]: {flaw}") from None
        yield checked
