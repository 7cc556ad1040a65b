"""Kore.ai's contact lists: how contacts get onto a campaign, which names its lists and carries no contact itself."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from airflow_provider_campaigns.api import fields, reading
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.contacts import CheckedContact, WireContact, checked_rows, wire_body
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.koreai.access import KoreAIAccess, in_any_version, in_both_versions
from airflow_provider_campaigns.api.koreai.paging import MAX_PAGE_SIZE, Listing, checked_page_size
from airflow_provider_campaigns.api.redaction import status_word

MAX_CONTACTS_PER_BATCH = 100
#: How long totals are taken from memory: they change little, and each request is one of 60 a minute.
TOTALS_SECONDS = 300.0

CREATE_LIST = in_both_versions("POST", "/contactList/createContactList", Safety.ONCE)
ADD_CONTACTS = in_any_version(
    Endpoint("POST", "/api/1.1/public/{app_id}/campaign/contactList/addContacts", Safety.ONCE, recipients=True)
)
GET_LIST = in_both_versions("GET", "/contactList/{list_id}")
LIST_LISTS = in_both_versions("POST", "/contactList/getAllListDetails", effect=Effect.READ)
LIST_CONTACTS = in_both_versions("GET", "/contactList/{list_id}/getAllContacts", recipients=True)
UPDATE_LIST = in_both_versions("PUT", "/contactList/{list_id}", Safety.ONCE)
DELETE_LIST = in_both_versions("DELETE", "/contactList/{list_id}", Safety.ONCE)

_CHANGED_LIST = (
    Field("name", "name", max_length=48),
    Field("description", "description", max_length=256),
    Field("allow_duplicates", "allowDuplicates", fields.FLAG),
)
_NEW_LIST = tuple(replace(declared, required=True) for declared in _CHANGED_LIST)
#: The columns that a list knows by name; any other is kept beside them.
CONTACT_COLUMNS = ("phoneNumber", "firstName", "lastName", "timeZone", "uniqueId", "contactPriority")
#: "In international or local format depending on platform rules": digits, with what people write between them.
_PHONE = re.compile(r"[+(]*[0-9][0-9 ().+/-]*")
_PHONE_DIGITS = range(3, 21)
_SYNC_MODES = {"allowDuplicates": True, "dontAllowDuplicates": False}


@dataclass(frozen=True, slots=True)
class ContactList:
    """
    A list of contacts, which campaigns name.

    :param id: ``cl-...``.
    :param name: Its name, by which campaigns and added contacts refer to it.
    :param status: The vendor's word: ``Ready`` for one filled by API, ``Validated`` for an uploaded one.
    :param contacts: How many contacts are in it, or None. It lags behind what was added.
    :param allow_duplicates: Whether a number may be in it twice, or None where the vendor does not say.
    :param in_use: Whether a campaign is sending to it, or None.
    :param raw: The vendor's answer.
    """

    id: str
    name: str | None
    status: str | None = None
    contacts: int | None = None
    allow_duplicates: bool | None = None
    in_use: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """
    One contact of a list; ``repr`` shows nothing but its id.

    :param id: ``cc-...``.
    :param phone_number: As the vendor keeps it, often without ``+``.
    :param values: The vendor's object, with names and whatever else was added.
    """

    id: str
    phone_number: str | None = field(repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_contact_list(item: Mapping[str, Any], list_id: str) -> ContactList:
    """Return a contact list from the vendor's object."""
    return ContactList(
        id=list_id,
        name=reading.text(item.get("name")),
        status=status_word(reading.text(item.get("status"))),
        contacts=reading.whole(item.get("totalRecordCount")),
        allow_duplicates=_may_hold_twice(item),
        in_use=reading.flag(item.get("isListInUse")),
        raw=item,
    )


def check_contact(row: Mapping[str, Any]) -> CheckedContact:
    """
    Return one contact as it goes on the wire.

    :param row: ``phoneNumber`` and the list's other columns.
    :raises InvalidRequest: Without a phone number; never tells anything out of the row.
    """
    if not isinstance(row, Mapping):
        raise InvalidRequest(f"it must be an object (dict), not a value of type {type(row).__name__}.")
    number = row.get("phoneNumber")
    if not isinstance(number, str) or not _PHONE.fullmatch(number) or not _has_digits_of_a_phone(number):
        raise InvalidRequest(
            "phoneNumber must be given, a text of 3 to 20 digits in international (+14155550100) or local form."
        )
    return CheckedContact(dict(row))


def _has_digits_of_a_phone(number: str) -> bool:
    return sum(map(str.isdecimal, number)) in _PHONE_DIGITS


def _may_hold_twice(item: Mapping[str, Any]) -> bool | None:
    """Return whether a list may hold a number twice, or None: the pages show it in one field or in the other."""
    mode = reading.text(reading.mapping(item.get("apiConfigurations")).get("dataSyncMode"))
    told = [reading.flag(item.get("allowDuplicates")), _SYNC_MODES.get(mode or "")]
    return True if True in told else (False if False in told else None)


class KoreAIContactLists(KoreAIAccess):
    """The calls on contact lists."""

    _totals: tuple[float, Mapping[str, int]] | None = None
    _totals_lock = threading.Lock()

    def create_contact_list(
        self, name: str, *, description: str | None = None, allow_duplicates: bool = False
    ) -> ContactList:
        """
        Create an empty list, to be filled by :meth:`add_contacts`.

        https://docs.kore.ai/ai-for-service/apis/contact-center/create-contact-list

        :param name: Up to 48 characters; campaigns refer to it.
        :param description: Up to 256 characters; the name by default, since the vendor asks for one.
        :param allow_duplicates: Whether a number may be in it twice; cannot be relied on to change later.
        :raises InvalidRequest: Nothing was sent.
        :raises Conflict: There is one of that name.
        :raises OutcomeUnknown: It may or may not exist now.
        """
        values = {"name": name, "description": description or name, "allow_duplicates": allow_duplicates}
        body = {**fields.wire_body(_NEW_LIST, values), "source": "passiveApi"}
        answer = self._call(CREATE_LIST, body=body)
        self._forget_totals()
        return self._contact_list(answer, answer.object("data"))

    def add_contacts(self, list_name: str, contacts: Sequence[Mapping[str, Any]]) -> int:
        """
        Add one batch of contacts to a list; never repeated by itself, since a list may hold a number twice.

        The vendor adds them a little later: ``contacts`` of :meth:`get_contact_list` follows.

        https://docs.kore.ai/ai-for-service/apis/contact-center/add-contacts-to-contact-list

        :param list_name: The list's name, not its id.
        :param contacts: 1 to 100 objects in the vendor's columns: ``phoneNumber`` (a text, required),
            ``firstName``, ``lastName``, ``timeZone`` (IANA), ``uniqueId``, ``contactPriority`` and free ones.
        :return: How many were handed over.
        :raises InvalidRequest: Nothing was sent.
        :raises NotFound: There is no list of that name.
        :raises OutcomeUnknown: They may or may not have been added.
        """
        return self.add_checked_contacts(list_name, list(checked_rows(contacts, check_contact)))

    def add_checked_contacts(self, list_name: str, contacts: Sequence[WireContact]) -> int:
        """
        Do as :meth:`add_contacts`, with contacts that were checked before and are not checked again.

        :param list_name: The list's name, not its id.
        :param contacts: From 1 to 100 of what :func:`~airflow_provider_campaigns.api.contacts.on_the_wire` made of
            contacts that :func:`check_contact` had checked.
        :return: How many were handed over.
        :raises InvalidRequest: For the name or the number of contacts; nothing was sent.
        :raises NotFound: There is no list of that name.
        :raises OutcomeUnknown: They may or may not have been added.
        """
        if not isinstance(list_name, str) or not list_name.strip():
            raise InvalidRequest("list_name must be the name of a contact list.")
        if not 1 <= len(contacts) <= MAX_CONTACTS_PER_BATCH:
            raise InvalidRequest(
                f"contacts must be 1 to {MAX_CONTACTS_PER_BATCH} at a time; these are {len(contacts)}."
            )
        self._call(ADD_CONTACTS, body=wire_body("data", contacts, {"contact_list_name": list_name}))
        self._forget_totals()
        return len(contacts)

    def add_all_contacts(
        self,
        list_name: str,
        contacts: Iterable[Mapping[str, Any]],
        *,
        after_batch: Callable[[int], None] | None = None,
    ) -> int:
        """
        Add any number of contacts in batches of 100, reading them as they are sent.

        An error ends it with the batches before it added; a contact that cannot be sent is found when its batch is due.

        :param list_name: The list's name, not its id.
        :param contacts: As for :meth:`add_contacts`; read once, one batch at a time.
        :param after_batch: Called with the number of contacts handed over so far, after each batch.
        :return: How many were handed over.
        """
        remaining = checked_rows(contacts, check_contact)
        added = 0
        while batch := list(islice(remaining, MAX_CONTACTS_PER_BATCH)):
            added += self.add_checked_contacts(list_name, batch)
            if after_batch:
                after_batch(added)
        return added

    def get_contact_list(self, list_id: str) -> ContactList:
        """Return one list (https://docs.kore.ai/ai-for-service/apis/contact-center/get-contact-list-by-id)."""
        answer = self._call(GET_LIST, path={"list_id": list_id})
        return self._contact_list(answer, answer.object("data"), list_id)

    def list_contact_lists(self) -> list[ContactList]:
        """Return all lists: the vendor hands them out in one answer, at most 1,000."""
        answer = self._call(LIST_LISTS, query={"type": "call"}, body={})
        return [self._contact_list(answer, item) for item in answer.array("data")]

    def contact_totals(self) -> Mapping[str, int]:
        """Return how many contacts each list has, by its name in lower case; up to five minutes old."""
        with self._totals_lock:
            kept = self._totals
        if kept and time.monotonic() - kept[0] < TOTALS_SECONDS:
            return kept[1]
        began = time.monotonic()
        totals = {
            known.name.lower(): known.contacts
            for known in self.list_contact_lists()
            if known.name is not None and known.contacts is not None
        }
        with self._totals_lock:
            self._totals = (began, totals)
        return totals

    def list_contacts(self, list_id: str, *, page_size: int = MAX_PAGE_SIZE) -> Iterator[Contact]:
        """
        Yield a list's contacts lazily.

        :param list_id: The list's id.
        :param page_size: Contacts for each request, 1 to 100.
        :raises ListingIncomplete: While the list is walked, when the vendor does not hand out all of it.
        """
        endpoint = LIST_CONTACTS[self.api_version]
        path = {"list_id": list_id}

        def ask(place: Mapping[str, int]) -> Answer:
            return self._call(LIST_CONTACTS, path=path, query={**place, "accountId": self.account_id})

        # The names of the query parameters are not documented; a release note speaks of skip and of offset.
        listing = Listing(
            ask,
            lambda answer, row: answer.id_of(row, "_id", "id"),
            endpoint=endpoint,
            numberings=(
                lambda skip, limit: {"skip": skip, "limit": limit},
                lambda skip, limit: {"offset": skip, "limit": limit},
            ),
            page_size=checked_page_size(page_size),
        )
        endpoint.path_with({"app_id": self.app_id, **path})
        return (Contact(key, reading.text(row.get("phoneNumber")), row) for key, row in listing.rows())

    def update_contact_list(
        self,
        list_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        allow_duplicates: bool | None = None,
    ) -> None:
        """
        Change a list's name or description.

        :param list_id: The list's id.
        :param name: Up to 48 characters. Campaigns refer to lists by name.
        :param description: Up to 256 characters.
        :param allow_duplicates: v1 only.
        """
        values = {"name": name, "description": description, "allow_duplicates": allow_duplicates}
        body = fields.wire_body(_CHANGED_LIST, values)
        if not body:
            raise InvalidRequest("Give at least one of name, description and allow_duplicates.")
        if allow_duplicates is not None and self.api_version != "v1":
            raise InvalidRequest("allow_duplicates can be changed in v1 only; in v2 it is fixed at creation.")
        self._call(UPDATE_LIST, path={"list_id": list_id}, body=body)
        self._forget_totals()

    def delete_contact_list(self, list_id: str) -> None:
        """Delete a list; the vendor refuses it while a campaign names it."""
        self._call(DELETE_LIST, path={"list_id": list_id})
        self._forget_totals()

    def _forget_totals(self) -> None:
        with self._totals_lock:
            self._totals = None

    def _contact_list(self, answer: Answer, item: Mapping[str, Any], list_id: str | None = None) -> ContactList:
        if list_id is not None:
            return read_contact_list(item, answer.same(list_id, item.get("_id"), item.get("id")))
        return read_contact_list(item, answer.id_of(item, "_id", "id"))
