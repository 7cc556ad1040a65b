"""Walking a vendor's list: lazily, each item once, never more than a page in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from airflow_provider_campaigns.api.errors import InvalidRequest, ListingIncomplete

Item = TypeVar("Item")
Cursor = TypeVar("Cursor", bound=Hashable)

#: No documented account comes near this; a list that does is a loop in disguise.
MAX_PAGES = 100_000
#: While a list grows, a page may hold nothing but what was seen before; so many of them in a row lead nowhere.
MAX_PAGES_WITHOUT_NEWS = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[Item, Cursor]):
    """
    One page of a list.

    :param items: What the page holds, in the vendor's order.
    :param next: Where the next page begins, or None when this is the last.
    """

    items: Sequence[Item]
    next: Cursor | None


def walk(
    fetch: Callable[[Cursor | None], Page[Item, Cursor]],
    identity: Callable[[Item], Hashable],
    *,
    vendor: str,
    endpoint: str,
    remembered: int | None = None,
) -> Iterator[Item]:
    """
    Yield every item of a list once.

    :param fetch: Gets the page at a cursor, the first page for None.
    :param identity: What makes an item the same as one seen before; rows shift between pages while a list grows.
    :param remembered: How many of the last items an item is compared with, all by default. For lists without end: rows
        shift by as many as are added between two requests, so the last pages are enough, and memory stays as it is.
    :raises ListingIncomplete: When the vendor hands out a cursor a second time, or more than
        :data:`MAX_PAGES` pages, or :data:`MAX_PAGES_WITHOUT_NEWS` in a row without anything new. Stopping quietly would
        let a look-up take "not seen" for "not there".
    """
    seen: OrderedDict[Hashable, None] = OrderedDict()
    count = without_news = 0
    cursors: set[Cursor] = set()
    cursor: Cursor | None = None
    for _ in range(MAX_PAGES):
        page = fetch(cursor)
        before = count
        for item in page.items:
            key = identity(item)
            if key not in seen:
                seen[key] = None
                count += 1
                if remembered is not None and len(seen) > remembered:
                    seen.popitem(last=False)
                yield item
        cursor = page.next
        if cursor is None:
            return
        if cursor in cursors:
            flaw = "handed out the same cursor again"
            break
        cursors.add(cursor)
        without_news = without_news + 1 if count == before else 0
        if without_news >= MAX_PAGES_WITHOUT_NEWS:
            flaw = f"handed out {without_news} pages in a row with nothing new"
            break
    else:
        flaw = f"went on after {MAX_PAGES} pages"
    raise ListingIncomplete(
        f"{vendor}'s list ({endpoint}) {flaw} after {count} items, so its end cannot be "
        "reached. Try again later; if it persists, report it to the vendor.",
        vendor=vendor,
        endpoint=endpoint,
    )


#: What to do about a list that came to its end with fewer rows than its vendor tells of.
ON_INCOMPLETE = ("keep", "fail")


class CountedRows(Iterator[Item]):
    """
    The rows of a list, as they are asked for, and how many of them its vendor told of.

    A vendor's total may be wrong: Kore.ai prints a last page of three rows with a total of four. So the last page is
    the end, unless a whole page of rows or more is missing.

    :param rows: The rows.
    :param on_incomplete: What to do when the last page is reached and rows are missing: ``keep``, so that
        :attr:`missing` tells how many, or ``fail``.
    :param page_size: The most rows of a page.
    :param vendor: The vendor's name, for the error.
    :param endpoint: The list, for the error.
    :raises InvalidRequest: ``on_incomplete`` is another word.
    :raises ListingIncomplete: Instead of the end: the last page was not reached, or with ``fail`` rows are missing.
    """

    def __init__(self, rows: Iterator[Item], on_incomplete: str, *, page_size: int, vendor: str, endpoint: str) -> None:
        if on_incomplete not in ON_INCOMPLETE:
            raise InvalidRequest(
                f"on_incomplete must be one of {', '.join(ON_INCOMPLETE)}; got {str(on_incomplete)[:20]!r}."
            )
        self._rows = rows
        self._most_missing = 0 if on_incomplete == "fail" else page_size - 1
        self._vendor = vendor
        self._endpoint = endpoint
        #: How many rows were taken.
        self.count = 0
        #: How many rows there are in the vendor's words, or None where it does not say.
        self.told: int | None = None

    @property
    def missing(self) -> int:
        """How many rows fewer came than the vendor tells of, once all are taken."""
        return max((self.told or 0) - self.count, 0)

    def tell(self, total: int | None) -> None:
        """Take note of a total; the lowest counts, since what is added meanwhile may come before the rows to come."""
        if total is not None:
            self.told = total if self.told is None else min(self.told, total)

    def __next__(self) -> Item:
        try:
            row = next(self._rows)
        except StopIteration:
            if self.missing > self._most_missing:
                raise self.incomplete() from None
            raise
        self.count += 1
        return row

    def incomplete(self) -> ListingIncomplete:
        """Return the error for an end before the last page, such as a page that is empty while rows are missing."""
        return incomplete(self._vendor, self._endpoint, self.told or 0, self.count)


def incomplete(vendor: str, endpoint: str, total: int, count: int) -> ListingIncomplete:
    """Return the error for a list that ended before as many items came as its vendor tells of."""
    return ListingIncomplete(
        f"{vendor}'s list ({endpoint}) tells of {total} entries but handed out {count}, so it cannot be relied on. "
        "Try again later; if it persists, report it to the vendor.",
        vendor=vendor,
        endpoint=endpoint,
    )
