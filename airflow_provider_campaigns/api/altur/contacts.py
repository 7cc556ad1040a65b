"""Altur's contacts of a campaign, and the calls made to them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.altur.answers import ContactBatch, read_batch, unwrapped
from airflow_provider_campaigns.api.altur.fields import (
    BATCH_SIZE,
    CALL_FILTERS,
    CONTACT_FILTERS,
    IF_DUPLICATE,
    IN_FLIGHT,
    MAX_CONTACTS_PER_BATCH,
    MAX_PAGE_SIZE,
    batch_key,
    campaign_place,
    check_contact,
    contact_place,
    key_or_fresh,
    query,
)
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.contacts import WireContact, checked_rows, wire_body
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.errors import InvalidRequest, ListingIncomplete
from airflow_provider_campaigns.api.in_flight import in_order
from airflow_provider_campaigns.api.paging import CountedRows, Page, walk
from airflow_provider_campaigns.api.transport import Transport

#: The last page of contacts or calls that Altur serves.
MAX_PAGE_INDEX = 25_000
#: So many rows back an id is looked for that came before.
REMEMBERED_ROWS = 10_000

LIST_CONTACTS = Endpoint("GET", "/campaigns/{campaign_id}/contacts", recipients=True)
ADD_CONTACTS = Endpoint("POST", "/campaigns/{campaign_id}/contacts", Safety.KEYED, recipients=True)
GET_CONTACT = Endpoint("GET", "/campaigns/{campaign_id}/contacts/{contact_id}", recipients=True)
DELETE_CONTACT = Endpoint("DELETE", "/campaigns/{campaign_id}/contacts/{contact_id}", Safety.ONCE, recipients=True)
LIST_CALLS = Endpoint("GET", "/campaigns/{campaign_id}/calls", recipients=True)


class AlturContacts:
    """The part of ``AlturClient`` that deals with contacts and calls."""

    vendor: ClassVar[str]
    transport: Transport

    def add_contacts(
        self,
        campaign_id: str,
        contacts: Iterable[Mapping[str, Any]],
        *,
        if_duplicate: str = "skip",
        idempotency_key: str | None = None,
        first_index: int = 0,
    ) -> ContactBatch:
        """
        Add one batch of contacts.

        :param campaign_id: The campaign.
        :param contacts: From 1 to 1,000 objects with ``contact`` (the phone number as ``+521234567890``) and as wanted
            ``name``, ``context``, ``f_id`` (texts) and ``extracted_data`` (an object).
        :param if_duplicate: What to do about a phone number that the campaign has already: ``skip`` the row, or
            ``update`` the contact.
        :param idempotency_key: Sent as ``Idempotency-Key``; by default a fresh UUID. Never reuse one for other rows.
        :param first_index: The place of the first row in the whole input, for errors and for ``refused``.
        :return: How many were created, updated, skipped and refused. Refused rows are no error: look at ``failed``.
        :raises InvalidRequest: Names a row's index and field; nothing was sent.
        :raises OutcomeUnknown: The contacts may or may not be in; adding them again with ``skip`` does no harm.

        See https://docs.altur.io/en/api-reference/campaigns/create-contacts
        """
        place = campaign_place(campaign_id)
        given = list(itertools.islice(contacts, MAX_CONTACTS_PER_BATCH + 1))
        if not 1 <= len(given) <= MAX_CONTACTS_PER_BATCH:
            raise InvalidRequest(
                f"contacts must hold from 1 to {MAX_CONTACTS_PER_BATCH} rows; it holds {len(given)}. "
                "add_all_contacts takes any number and sends them in batches."
            )
        rows = list(checked_rows(given, check_contact, first_index))
        return self._send(place, rows, IF_DUPLICATE.read(if_duplicate), key_or_fresh(idempotency_key), first_index)

    def add_all_contacts(
        self,
        campaign_id: str,
        contacts: Iterable[Mapping[str, Any]],
        *,
        batch_size: int = MAX_CONTACTS_PER_BATCH,
        if_duplicate: str = "skip",
        key_prefix: str | None = None,
        first_index: int = 0,
        in_flight: int = 1,
    ) -> Iterator[ContactBatch]:
        """
        Add any number of contacts, a batch for each step of the iterator; no more batches are held than are in flight.

        A row that cannot be sent ends the walk at its batch, after those before it are in.

        :param campaign_id: The campaign.
        :param contacts: Rows as for :meth:`add_contacts`; may be a generator.
        :param batch_size: Rows per request, 1 to 1,000.
        :param if_duplicate: ``skip`` or ``update``.
        :param key_prefix: What the batches' keys are made of, together with the campaign and the batch's content: the
            same batch has the same key on another try. By default each batch gets a fresh UUID.
        :param first_index: The place of the first row in the whole input, for going on after batches that are in.
        :param in_flight: How many batches may be under way at once, 1 to 16. What became of them comes in their order;
            when one fails, those after it may be in or not. More than one may put contacts into another order.
        :raises InvalidRequest: For the arguments at once, for a row when its batch is due.
        """
        return self.add_checked_contacts(
            campaign_id,
            checked_rows(contacts, check_contact, first_index),
            batch_size=batch_size,
            if_duplicate=if_duplicate,
            key_prefix=key_prefix,
            first_index=first_index,
            in_flight=in_flight,
        )

    def add_checked_contacts(
        self,
        campaign_id: str,
        contacts: Iterable[WireContact],
        *,
        batch_size: int = MAX_CONTACTS_PER_BATCH,
        if_duplicate: str = "skip",
        key_prefix: str | None = None,
        first_index: int = 0,
        in_flight: int = 1,
    ) -> Iterator[ContactBatch]:
        """
        Do as :meth:`add_all_contacts`, with contacts that were checked before and are not checked again.

        :param campaign_id: The campaign.
        :param contacts: Checked contacts, as :func:`~airflow_provider_campaigns.api.contacts.on_the_wire` writes them.
        :param batch_size: As there, like the four below.
        :param if_duplicate: See there.
        :param key_prefix: See there.
        :param first_index: See there.
        :param in_flight: See there.
        :raises InvalidRequest: At once, for an argument.
        """
        place = campaign_place(campaign_id)
        size = BATCH_SIZE.read(batch_size)
        IF_DUPLICATE.read(if_duplicate)

        def sendings() -> Iterator[Callable[[], ContactBatch]]:
            source = iter(contacts)
            index = first_index
            while rows := list(itertools.islice(source, size)):
                key = key_or_fresh(key_prefix and batch_key(key_prefix, place["campaign_id"], rows))
                yield partial(self._send, place, rows, if_duplicate, key, index)
                index += len(rows)

        return in_order(sendings(), IN_FLIGHT.read(in_flight))

    def _send(
        self, place: Mapping[str, str], rows: list[WireContact], if_duplicate: str, key: str, first_index: int
    ) -> ContactBatch:
        body = wire_body("contacts", rows, {"if_duplicate": if_duplicate})
        answer = self.transport.call(ADD_CONTACTS, path=place, body=body, idempotency_key=key)
        return read_batch(answer, first_index, len(rows))

    def list_contacts(
        self, campaign_id: str, *, status: str | None = None, page_size: int = MAX_PAGE_SIZE
    ) -> Iterator[dict[str, Any]]:
        """
        Yield a campaign's contacts lazily, each once, as Altur describes them.

        :param campaign_id: The campaign.
        :param status: Only those in this status: ``queue``, ``sending``, ``sent``, ``delivered``, ``voicemail``,
            ``read``, ``failed``, ``retrying``, ``converted``, ``answered``, ``accepted`` or ``rejected``.
        :param page_size: Contacts per request, 1 to 100.
        :return: Dicts with ``id``, ``contact`` (the phone number), ``name``, ``f_id``, ``status``, ``retries``,
            ``call_count``, ``extracted_data``, ``tags`` and what else Altur adds.

        See https://docs.altur.io/en/api-reference/campaigns/retrieve-contacts
        """
        filters = query(CONTACT_FILTERS, status=status, page_size=page_size)
        return self._walk_pages(LIST_CONTACTS, campaign_place(campaign_id), filters, "contacts")

    def count_contacts(self, campaign_id: str, status: str | None = None) -> int:
        """Return how many contacts a campaign has, of one status or of all; one request."""
        filters = query(CONTACT_FILTERS, status=status, page_size=1)
        answer = self.transport.call(LIST_CONTACTS, path=campaign_place(campaign_id), query={**filters, "pageIndex": 0})
        total = reading.whole(answer.object().get("total_count"))
        if total is None:
            raise answer.unreadable("without a 'total_count'")
        return total

    def get_contact(self, campaign_id: str, contact_id: str) -> dict[str, Any]:
        """Return one contact, in the shape of :meth:`list_contacts`."""
        place = contact_place(campaign_id, contact_id)
        answer = self.transport.call(GET_CONTACT, path=place)
        contact = unwrapped(answer, "contact")
        answer.same(place["contact_id"], contact.get("id"))
        return contact

    def delete_contact(self, campaign_id: str, contact_id: str) -> None:
        """
        Take a contact out of a campaign.

        :raises Conflict: It is neither queued nor failed.
        :raises OutcomeUnknown: The answer was lost; ``get_contact`` tells whether it is still there.

        See https://docs.altur.io/en/api-reference/campaigns/delete-contact
        """
        self.transport.call(DELETE_CONTACT, path=contact_place(campaign_id, contact_id))

    def list_calls(
        self,
        campaign_id: str,
        *,
        status: str | None = None,
        answered_by: str | None = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
        on_incomplete: str = "keep",
    ) -> CountedRows[dict[str, Any]]:
        """
        Yield a phone campaign's calls lazily, each once, as Altur describes them.

        :param campaign_id: The campaign.
        :param status: Only ``ended``, ``failed``, ``busy``, ``no-answer`` or ``in-progress``.
        :param answered_by: Only ``human``, ``machine`` or ``unknown``.
        :param start_date: Only since then: a datetime with a time zone, or a whole day (``2026-06-01``).
        :param end_date: Only until then, alike; a whole day is included.
        :param timezone: The IANA time zone of whole days.
        :param page_size: Calls per request, 1 to 100.
        :param on_incomplete: What to do when the last page is reached with fewer calls than Altur tells of: ``keep``
            the calls (the default; ``missing`` of what is returned tells how many fewer), or ``fail``. Calls that a
            filter may lose meanwhile (``in-progress``, ``unknown``) are never missed.
        :raises ListingIncomplete: While walking: the last page cannot be reached, or with ``fail`` calls are missing.
        :return: Dicts with ``id``, ``type``, ``status``, ``answered_by``, ``created_at``, ``started_at``, ``ended_at``,
            ``duration`` (seconds), ``contact``, ``extracted_data``, ``tags``, ``recording_url`` and what else Altur
            adds.

        See https://docs.altur.io/es/api-reference/campaigns/retrieve-calls
        """
        filters = query(
            CALL_FILTERS,
            status=status,
            answered_by=answered_by,
            start_date=start_date,
            end_date=end_date,
            timezone=timezone,
            page_size=page_size,
        )
        # A call that is over keeps its status: such lists only grow.
        settled = status != "in-progress" and answered_by != "unknown"
        path = campaign_place(campaign_id)
        return self._walk_pages(LIST_CALLS, path, filters, "calls", on_incomplete, counted=settled)

    def _walk_pages(
        self,
        endpoint: Endpoint,
        path: Mapping[str, str],
        filters: Mapping[str, Any],
        rows: str,
        on_incomplete: str = "keep",
        *,
        counted: bool = False,
    ) -> CountedRows[dict[str, Any]]:
        def fetch(at: tuple[str, str] | None) -> Page[tuple[str, dict[str, Any]], tuple[str, str]]:
            place = dict([at or ("pageIndex", "0")])
            answer = self.transport.call(endpoint, path=path, query={**filters, **place})
            found = [(answer.id_of(row, "id"), row) for row in answer.array(rows)]
            if at is None and counted:
                # Altur counts for the first page only.
                told.tell(reading.whole(answer.object().get("total_count")))
            if not found and told.missing:
                raise told.incomplete()
            return Page(found, next_page(answer, at))

        walked = walk(
            fetch,
            lambda found: found[0],
            vendor=self.vendor,
            endpoint=str(endpoint),
            remembered=REMEMBERED_ROWS,
        )
        told = CountedRows(
            (row for _, row in walked),
            on_incomplete,
            page_size=filters["pageSize"],
            vendor=self.vendor,
            endpoint=str(endpoint),
        )
        return told


def next_page(answer: Answer, at: tuple[str, str] | None) -> tuple[str, str] | None:
    """Return the query parameter that leads to the next page: its index, or a cursor in the oldest generation."""
    pagination = reading.mapping(answer.object().get("pagination"))
    more = reading.flag(reading.first(pagination, "has_next", "has_more"))
    cursor = reading.text(pagination.get("next_cursor"))
    index = reading.whole(pagination.get("next_page"))
    if more is False or (more is None and cursor is None and index is None):
        return None
    if index is None and cursor is not None:
        return "cursor", cursor
    if index is None:
        index = 1 + (int(at[1]) if at and at[0] == "pageIndex" else 0)
    if index > MAX_PAGE_INDEX:
        raise ListingIncomplete(
            f"Altur serves no more than {MAX_PAGE_INDEX} pages ({answer.endpoint}); there are more. "
            "Use the largest page_size, or filter by status.",
            vendor=answer.vendor,
            endpoint=str(answer.endpoint),
        )
    return "pageIndex", str(index)
