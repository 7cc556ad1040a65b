"""A vendor's answer: its data, what it refuses, and what its headers say."""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.redaction import printable

Item = TypeVar("Item")

#: So many rows of a page may be unreadable; more, and it is the page that is unreadable.
MOST_ODD_ROWS = 10
REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid")


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A vendor's answer, read.

    :param vendor: The vendor's name.
    :param endpoint: What was asked.
    :param status: The HTTP status.
    :param headers: The headers, names in lower case.
    :param data: The parsed JSON, or None for an empty body.
    :param text: The body's beginning as text when it was not JSON, else empty.
    """

    vendor: str
    endpoint: Endpoint
    status: int
    # The vendor's own words may repeat the credential or a recipient: no repr shows them.
    headers: Mapping[str, str] = field(repr=False)
    data: Any = field(repr=False)
    text: str = field(default="", repr=False)

    def unreadable(self, what: str) -> errors.CampaignAPIError:
        """Return the error for an answer with a flaw; an open outcome if the call may have changed something."""
        message = f"{self.vendor} answered {self.endpoint} with {self.status}, but {what}."
        unreadable = errors.UnreadableAnswer(
            message,
            vendor=self.vendor,
            endpoint=str(self.endpoint),
            status=self.status,
            request_id=request_id(self.headers),
        )
        if self.endpoint.safety is Safety.REPEATABLE:
            return unreadable
        open_outcome = errors.OutcomeUnknown(
            f"{message} It may have taken effect: look before repeating it.",
            vendor=self.vendor,
            endpoint=str(self.endpoint),
            status=self.status,
            request_id=request_id(self.headers),
        )
        open_outcome.__cause__ = unreadable
        return open_outcome

    def object(self, field: str | None = None) -> dict[str, Any]:
        """Return the answer, or one of its fields, as an object, or raise an error that names what is missing."""
        value = self.data if field is None else reading.mapping(self.data).get(field)
        if not isinstance(value, dict):
            raise self.unreadable("without a JSON object" + (f" in {field!r}" if field else ""))
        return value

    def array(self, field: str | None = None) -> list[dict[str, Any]]:
        """Return the answer, or one of its fields, as an array of objects, or raise an error that says so."""
        value = self.data if field is None else reading.mapping(self.data).get(field)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.unreadable("without an array of objects" + (f" in {field!r}" if field else ""))
        return value

    def readable(self, field: str, read: Callable[[dict[str, Any]], Item]) -> list[Item]:
        """
        Return what is made of each object of an array, without the few that cannot be read.

        For whoever looks for what they know to be there, and asks for it by its id if it was not among the rows.

        :param field: The array's name.
        :param read: Makes something of an object; raises ``UnreadableAnswer`` where it cannot.
        """
        value = reading.mapping(self.data).get(field)
        if not isinstance(value, list):
            return [read(row) for row in self.array(field)]
        items: list[Item] = []
        odd = 0
        for row in value:
            try:
                if not isinstance(row, dict):
                    raise self.unreadable(f"with a row in {field!r} that is not an object")
                items.append(read(row))
            except errors.UnreadableAnswer:
                odd += 1
                if odd > MOST_ODD_ROWS:
                    raise
        return items

    def id_of(self, item: Mapping[str, Any], *names: str) -> str:
        """Return an object's id as text, from the first of the named fields that has one, or raise an error."""
        read = reading.identifier(reading.first(item, *names))
        if read is None:
            raise self.unreadable(f"without an id (looked in {', '.join(names)})")
        return read

    def same(self, asked: str, *told: Any) -> str:
        """
        Return the id that was asked for, or raise an error if the answer is about another object.

        A connection that is one answer behind, a cache or a proxy would else make one campaign's end another's.

        :param asked: The id asked for.
        :param told: The ids in the answer. An answer without any id passes.
        """
        ids = [read for read in map(reading.text, told) if read is not None]
        if ids and asked not in ids:
            raise self.unreadable(f"about another one than the {asked!r} that was asked for")
        return asked


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    What a vendor's answer says when it is not a success.

    :param error: The meaning.
    :param message: The vendor's own words, not yet redacted.
    :param code: The vendor's error code, or None.
    :param retry_after: Seconds the vendor asks to wait, where its body tells, or None.
    """

    error: type[errors.CampaignAPIError]
    message: str = field(default="", repr=False)
    code: str | None = field(default=None, repr=False)
    retry_after: float | None = None


def meaning_of(status: int) -> type[errors.CampaignAPIError]:
    """Return the error class that an HTTP status stands for, for vendors that use statuses as everyone does."""
    known = {
        401: errors.AuthenticationFailed,
        402: errors.BillingLimitReached,
        403: errors.PermissionDenied,
        404: errors.NotFound,
        408: errors.Unavailable,
        409: errors.Conflict,
        410: errors.NotFound,
        429: errors.RateLimited,
    }
    return known.get(status) or (errors.Unavailable if status >= 500 else errors.Rejected)


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of a request, where a header tells it; no more of it than an id has."""
    return next((printable(headers[name][:100]) for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def retry_after_seconds(value: str | None, now: datetime.datetime) -> float | None:
    """Return what a ``Retry-After`` header asks for, given as seconds or as a date, or None."""
    if not value:
        return None
    seconds = reading.number(value.strip())
    if seconds is None:
        try:
            until = email.utils.parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=datetime.UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds)
