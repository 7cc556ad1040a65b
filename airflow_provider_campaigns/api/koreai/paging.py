"""Walking Kore.ai's lists: ``skip`` and ``page`` exist side by side, and nothing says how they combine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_provider_campaigns.api import paging, reading
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.koreai.access import VENDOR

MAX_PAGE_SIZE = 100

#: How a page is asked for: skip and limit in, request parameters out.
Numbering = Callable[[int, int], Mapping[str, int]]


class Place(NamedTuple):
    """Where a page is: which numbering, how many rows to skip, how many to get."""

    numbering: int
    skip: int
    limit: int


def checked_page_size(page_size: int) -> int:
    """
    Return a page size that the vendor takes.

    :raises InvalidRequest: Unless it is a whole number from 1 to 100.
    """
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= MAX_PAGE_SIZE:
        raise InvalidRequest(f"page_size must be a whole number from 1 to {MAX_PAGE_SIZE}.")
    return page_size


def skip_and_page(skip: int, limit: int) -> dict[str, int]:
    """Ask with both, in agreement: right for a server that reads the one, the other, or either."""
    return {"skip": skip, "page": skip // limit + 1, "limit": limit}


def skip_alone(skip: int, limit: int) -> dict[str, int]:
    """Ask with skip moving and page at 1: right for a server that adds the two up."""
    return {"skip": skip, "page": 1, "limit": limit}


class Listing:
    """
    One walk along a list that tells its total: whether the rows came out complete can be known, and is checked.

    If the first numbering leaves rows out or brings the same ones again, the walk begins anew with the next; rows seen
    before are not given twice.

    :param ask: Gets a page by request parameters.
    :param identity: Finds a row's id.
    :param numberings: The ways to ask for a page, in order of trust.
    :param page_size: Rows for each page.
    """

    def __init__(
        self,
        ask: Callable[[Mapping[str, int]], Answer],
        identity: Callable[[Answer, Mapping[str, Any]], str],
        *,
        endpoint: Endpoint,
        numberings: Sequence[Numbering],
        page_size: int,
    ) -> None:
        self._ask = ask
        self._identity = identity
        self._endpoint = endpoint
        self._numberings = numberings
        self._page_size = page_size
        self._seen: set[str] = set()
        self._total: int | None = None

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """
        Yield each row once, with its id.

        :raises ListingIncomplete: When rows are missing whichever way the pages are asked for.
        """
        return paging.walk(self._page, lambda item: item[0], vendor=VENDOR, endpoint=str(self._endpoint))

    def _page(self, place: Place | None) -> paging.Page[tuple[str, dict[str, Any]], Place]:
        place = place or Place(0, 0, self._page_size)
        if place.skip == 0:
            self._seen.clear()
            self._total = None
        answer = self._ask(self._numberings[place.numbering](place.skip, place.limit))
        data = answer.object("data")
        items = [(self._identity(answer, row), row) for row in reading.rows(data.get("results"))]
        seen_before = len(self._seen)
        self._seen.update(key for key, _ in items)
        total = reading.whole(data.get("totalResults"))
        if total is not None:
            # What is added during the walk comes before the rows still to be read: it is not missing.
            self._total = total if self._total is None else min(self._total, total)
        echoed_skip, echoed_limit = reading.whole(data.get("skip")), reading.whole(data.get("limit"))
        astray = (place.numbering == 0 and echoed_skip not in (None, place.skip)) or (
            bool(items) and len(self._seen) == seen_before
        )
        complete = self._total is None or len(self._seen) >= self._total
        last = not items or reading.flag(data.get("hasMore")) is False or (self._total is not None and complete)
        if astray or (last and not complete):
            return paging.Page(items, self._anew(place))
        if last:
            return paging.Page(items, None)
        step = echoed_limit if echoed_limit and echoed_limit > 0 else place.limit
        return paging.Page(items, Place(place.numbering, place.skip + step, step))

    def _anew(self, place: Place) -> Place:
        if place.numbering + 1 < len(self._numberings):
            return Place(place.numbering + 1, 0, place.limit)
        raise paging.incomplete(VENDOR, str(self._endpoint), self._total or 0, len(self._seen))
