"""Contacts on their way to a vendor: checked and written as JSON once, where they enter, and typed so from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NewType

from airflow_provider_campaigns.api.errors import InvalidRequest

#: A contact with the vendor's fields. Only a vendor's ``check_contact`` makes one.
CheckedContact = NewType("CheckedContact", dict[str, Any])
#: A checked contact as it goes on the wire, in JSON. Only :func:`on_the_wire` makes one; whoever holds one need neither
#: check nor write it again.
WireContact = NewType("WireContact", bytes)

_JUST_TEXT = frozenset((str,))
# Made once: json.dumps makes one for each call that is given options.
_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


@cache
def _encode_texts() -> Callable[[Any], bytes]:
    import msgspec

    return msgspec.json.Encoder(order="sorted").encode


def _encode(contact: Any) -> bytes:
    return _ENCODER.encode(contact).encode()


def _is_just_text(contact: Mapping[str, Any]) -> bool:
    return all(
        type(value) is str or (type(value) is dict and _JUST_TEXT.issuperset(map(type, value.values())))
        for value in contact.values()
    )


def on_the_wire(contact: CheckedContact, *, just_text: bool = False) -> WireContact:
    """
    Return a contact in JSON: the same for the same contact, whatever the order of its columns.

    :param contact: The contact.
    :param just_text: Whether all that it holds is certain to be text, within objects or not; else it is looked at.
    :raises InvalidRequest: JSON has no such value; does not tell it.
    """
    # The faster encoder writes things that JSON does not have, such as dates and NaN, and writes them as others.
    write = _encode_texts() if just_text or _is_just_text(contact) else _encode
    try:
        return WireContact(write(contact))
    except UnicodeEncodeError:
        flaw = "must not hold half of a character, which UTF-8 cannot write."
    except (TypeError, ValueError, RecursionError):
        flaw = "must hold plain JSON values only."
    # Out here: the errors above have the contact in their frames.
    raise InvalidRequest(f"{next((name for name, value in contact.items() if not _is_json(value)), 'it')} {flaw}")


def _is_json(value: Any) -> bool:
    try:
        _encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def wire_body(name: str, contacts: Sequence[WireContact], beside: Mapping[str, Any]) -> bytes:
    """
    Return a request's body in JSON.

    :param name: The field that holds the contacts.
    :param contacts: The contacts.
    :param beside: The other fields, one at least.
    """
    head = json.dumps(beside, allow_nan=False).encode()
    return b'%s, "%s": [%s]}' % (head[:-1], name.encode(), b",".join(contacts))


def checked_rows(
    rows: Iterable[Mapping[str, Any]], check_contact: Callable[[Mapping[str, Any]], CheckedContact], first: int = 0
) -> Iterator[WireContact]:
    """
    Yield rows as they go on the wire, each checked when its turn comes.

    :param rows: The contacts as they were given.
    :param check_contact: Returns what is sent of a row, or refuses it without telling what it holds.
    :param first: The index of the first row in the whole input.
    :raises InvalidRequest: While iterating; names the index of the first row that is refused.
    """
    for index, row in enumerate(rows, first):
        try:
            contact = on_the_wire(check_contact(row))
        except InvalidRequest as flaw:
            raise InvalidRequest(f"contacts[{index}]: {flaw}") from None
        yield contact
