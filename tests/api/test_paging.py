"""A vendor's list is walked lazily, each item once, to its end or to an error that says why not."""

from __future__ import annotations

import gc
import weakref

import pytest

from airflow_provider_campaigns.api import errors, paging
from airflow_provider_campaigns.api.paging import Page, walk


class Vendor:
    """Pages by cursor, and a note of which were asked for."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    def fetch(self, cursor):
        self.asked.append(cursor)
        return self.pages[cursor]


def walked(vendor, identity=lambda item: item):
    return walk(vendor.fetch, identity, vendor="Post", endpoint="GET /campaigns")


def test_every_item_of_every_page_comes_in_the_vendors_order():
    vendor = Vendor({None: Page(["c", "a"], "2"), "2": Page(["b"], "3"), "3": Page(["d"], None)})
    assert list(walked(vendor)) == ["c", "a", "b", "d"]
    assert vendor.asked == [None, "2", "3"]


def test_nothing_is_asked_before_it_is_needed():
    vendor = Vendor({None: Page(["a", "b"], "2"), "2": Page(["c"], None)})
    items = walked(vendor)
    assert vendor.asked == []
    assert [next(items), next(items)] == ["a", "b"]
    assert vendor.asked == [None]


def test_an_item_that_moves_to_the_next_page_while_the_list_grows_comes_once():
    vendor = Vendor({None: Page([{"id": 1}, {"id": 2}], 2), 2: Page([{"id": 2, "moved": True}, {"id": 3}], None)})
    assert [item["id"] for item in walked(vendor, lambda item: item["id"])] == [1, 2, 3]


def test_an_empty_page_is_not_the_end_while_the_vendor_names_a_next_one():
    vendor = Vendor({None: Page([], "2"), "2": Page(["a"], None)})
    assert list(walked(vendor)) == ["a"]


def test_an_empty_list_has_no_items():
    assert list(walked(Vendor({None: Page([], None)}))) == []


@pytest.mark.parametrize("cursor", [0, "", False])
def test_a_cursor_that_counts_as_false_is_a_cursor(cursor):
    vendor = Vendor({None: Page(["a"], cursor), cursor: Page(["b"], None)})
    assert list(walked(vendor)) == ["a", "b"]


@pytest.mark.parametrize(
    "pages",
    [
        {None: Page(["a"], "2"), "2": Page(["b"], "2")},
        {None: Page(["a"], "2"), "2": Page(["b"], "3"), "3": Page(["c"], "2")},
    ],
)
def test_a_repeated_cursor_ends_the_walk_with_an_error_after_all_items_that_came(pages):
    vendor = Vendor(pages)
    items = walked(vendor)
    seen = []
    with pytest.raises(errors.ListingIncomplete, match="same cursor") as caught:
        seen.extend(items)
    assert len(vendor.asked) == len(pages)
    assert (caught.value.vendor, caught.value.endpoint) == ("Post", "GET /campaigns")
    assert caught.value.transient


def test_what_was_found_before_a_repeated_cursor_was_yielded():
    items = walked(Vendor({None: Page(["a"], "2"), "2": Page(["b"], "2")}))
    assert [next(items), next(items)] == ["a", "b"]


def test_a_list_without_end_is_given_up_and_said_to_be_one(monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 10)
    asked = []

    def fetch(cursor):
        asked.append(cursor)
        return Page([], len(asked))

    with pytest.raises(errors.ListingIncomplete, match="10 pages"):
        list(walk(fetch, str, vendor="Post", endpoint="GET /campaigns"))
    assert len(asked) == 10


def test_never_more_than_a_page_is_held():
    class Item:
        pass

    alive = weakref.WeakSet()

    def fetch(cursor):
        items = [Item() for _ in range(10)]
        alive.update(items)
        number = (cursor or 0) + 1
        return Page(items, number if number < 20 else None)

    most = 0
    # What the rest of the suite holds need not be looked through each time.
    gc.freeze()
    try:
        for _ in walk(fetch, id, vendor="Post", endpoint="GET /campaigns"):
            gc.collect()
            most = max(most, len(alive))
    finally:
        gc.unfreeze()
    # The next page comes while the one before is still in the hands of the caller.
    assert most <= 20


def test_an_error_of_a_page_reaches_the_caller_as_it_is():
    def fetch(cursor):
        raise errors.Unavailable("x", vendor="Post", endpoint="GET /campaigns")

    with pytest.raises(errors.Unavailable):
        next(walk(fetch, str, vendor="Post", endpoint="GET /campaigns"))


def test_pages_that_bring_nothing_new_for_ever_end_the_walk_with_an_error():
    asked = []

    def fetch(cursor):
        asked.append(cursor)
        return Page(["a", "b"], len(asked))

    with pytest.raises(errors.ListingIncomplete, match="100 pages in a row with nothing new after 2 items"):
        list(walk(fetch, lambda item: item, vendor="Post", endpoint="GET /campaigns"))
    assert len(asked) == 101
