"""Contacts as they are read: the sound rows in order, each flaw at its place, and the same rows twice."""

from __future__ import annotations

import datetime
import json
import logging
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.api.altur.answers import ContactBatch
from airflow_provider_campaigns.api.altur.fields import CONTACT_FIELDS, check_contact
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.contacts.rows import BROKEN_ROWS_TOLD, ContactForm, ContactRows, Reading

FORM = ContactForm(check_contact, "contact", tuple(CONTACT_FIELDS)[:-1], "extracted_data")
#: Other tests run at the same time.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
GOOD: Mapping[str, Any] = {"contact": "+525550000001"}


OTHER: Mapping[str, Any] = {"contact": "+525550000002"}


def rows_of(contacts: Any, max_broken: float = 0, **reading: Any) -> ContactRows:
    return ContactRows(contacts, FORM, Reading(**reading), max_broken, logging.getLogger(__name__))


@UNHURRIED
@given(st.lists(st.booleans(), max_size=60).filter(any))
def test_sound_rows_come_in_order_and_know_their_places(sound: list[bool]) -> None:
    contacts = [{"contact": f"+52555{place:07d}"} if good else {} for place, good in enumerate(sound)]
    rows = rows_of(contacts, max_broken=len(sound))
    checked = rows.check()
    places = [place for place, good in enumerate(sound) if good]
    assert (checked.rows, checked.duplicates, checked.broken) == (len(places), 0, sound.count(False))
    assert [index for index, _ in checked.broken_rows] == [place for place, good in enumerate(sound) if not good]
    assert [json.loads(row)["contact"] for row in rows.sound()] == [contacts[place]["contact"] for place in places]
    assert [rows.place_of(nth) for nth in range(len(places))] == places
    batch = ContactBatch(0, 0, 0, len(places), tuple((nth, "NO") for nth in range(len(places))))
    assert [one.refused for one in rows.placed([batch])] == [tuple((place, "NO") for place in places)]


@UNHURRIED
@given(st.lists(st.lists(st.integers(0, 9), max_size=1), max_size=60).filter(any))
def test_each_person_is_handed_over_once_and_the_places_of_all_are_known(people: list[list[int]]) -> None:
    contacts = [{"contact": f"+52555000000{person[0]}"} if person else {} for person in people]
    rows = rows_of(contacts, max_broken=len(people))
    checked = rows.check()
    first = sorted(people.index([person]) for person in {one[0] for one in people if one})
    assert (checked.rows, checked.broken) == (len(first), people.count([]))
    assert checked.rows + checked.duplicates + checked.broken == len(people)
    assert [json.loads(row)["contact"] for row in rows.sound()] == [contacts[place]["contact"] for place in first]
    assert [rows.place_of(nth) for nth in range(len(first))] == first


@UNHURRIED
@given(st.lists(st.sampled_from([GOOD, {}]), min_size=1, max_size=30), st.sampled_from([0, 1, 2, 5, 0.1, 0.5, 0.99]))
def test_the_limit_decides(contacts: list[Any], limit: float) -> None:
    broken = contacts.count({})
    rows = rows_of(contacts, limit)
    if exceeds(limit, broken, len(contacts)):
        with pytest.raises(
            InvalidRequest, match=f"contacts, row {contacts.index({}) + 1}, column contact: it is empty"
        ):
            rows.check()
    elif broken == len(contacts):
        with pytest.raises(InvalidRequest, match="nobody to contact, every row is broken"):
            rows.check()
    else:
        assert rows.check().broken == broken


@pytest.mark.parametrize("limit", [0, 0.5, 10])
def test_a_list_of_nobody_is_refused(limit: float) -> None:
    with pytest.raises(InvalidRequest, match="contacts: there is nobody to contact"):
        rows_of([], limit).check()


@pytest.mark.parametrize("broken", [2, 20, 21, 250])
def test_an_error_names_the_first_twenty_broken_rows(broken: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rows_of([GOOD, *[{}] * broken]).check()
    lines = str(refused.value).splitlines()
    assert lines[0] == f"{broken} of {broken + 1} rows of the contacts are broken, and max_broken_rows is 0. Mend them:"
    assert lines[1:21] == [
        f"contacts, row {place}, column contact: it is empty: give the phone number."
        for place in range(2, min(broken, 20) + 2)
    ]
    assert lines[21:] == ([f"and {broken - 20} more"] if broken > 20 else [])


def test_the_first_hundred_broken_rows_are_told_and_all_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    checked = rows_of([{}] * 250 + [GOOD], 0.999).check()
    assert (checked.rows, checked.broken, len(checked.told()["broken_rows"])) == (1, 250, BROKEN_ROWS_TOLD)
    assert str(checked) == "1 rows (250 broken ones left out)"
    assert len(caplog.messages) == BROKEN_ROWS_TOLD


#: Rows that are broken by themselves, so that what follows is sure.
ALONE = {
    "csv": [b"+525550000009,Ana,x", b"+525550000009", b"\xff\xfe,Ana", b"+52555\x000009,Ana", b'"+5255\xe9","A,""B"""'],
    "jsonl": [
        b'{"contact": "+5255\xe9"}',
        b"{",
        b"[]",
        b'{"contact": 1.5}',
        b"\0",
        b"[" * 100_000,
        b'{"a": 1}{"b": 2}',
    ],
}


@pytest.mark.parametrize(("kind", "flaw"), [(kind, flaw) for kind, flaws in ALONE.items() for flaw in flaws])
def test_what_follows_a_broken_row_is_read_as_if_it_were_not_there(kind: str, flaw: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"contacts.{kind}"
    good = [b"+525550000001,Ana", b'+525550000002,"B\nC"']
    more = [b"+525550000003,Ana", b'+525550000004,"B\nC"']
    if kind == "jsonl":
        good, more = ([json.dumps({"contact": row[:13].decode()}).encode() for row in rows] for rows in (good, more))
    head = [b"contact,name"] if kind == "csv" else []
    path.write_bytes(b"\n".join([*head, *good, flaw, *more]) + b"\n")
    rows = rows_of(str(path), 1)
    checked = rows.check()
    assert [index for index, _ in checked.broken_rows] == [2]
    path.write_bytes(b"\n".join([*head, *good, *more]) + b"\n")
    whole = rows_of(str(path))
    assert whole.check().fingerprint == checked.fingerprint
    assert len(list(whole.sound())) == checked.rows == 4


@pytest.mark.parametrize("flaw", [b'+525550000009,"Ana', b'+525550000009,"A"x'])
def test_a_row_whose_end_is_not_certain_is_never_left_out(flaw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"\n".join([b"contact,name", b"+525550000001,Ana", flaw, b"+525550000002,Ana"]))
    with pytest.raises(InvalidRequest, match=r"contacts, row 2 \(line 3\): a quote or a field in it does not end"):
        rows_of(str(path), 0.9).check()


@pytest.mark.parametrize(
    "later",
    [
        [],
        [GOOD, OTHER],
        [GOOD, OTHER, {}],
        [GOOD, OTHER, {}, GOOD, GOOD],
        [GOOD, {}, OTHER, GOOD],
        [{}, GOOD, OTHER, GOOD],
        # Who stands in the place of a duplicate would be left out.
        [GOOD, OTHER, {}, {"contact": "+525550000003"}],
    ],
)
def test_what_was_checked_is_what_is_sent_whatever_becomes_of_it_meanwhile(later: list[Any]) -> None:
    contacts: list[Any] = [GOOD, OTHER, {}, GOOD]
    rows = rows_of(contacts, 1)
    rows.check()
    contacts[:] = later
    assert [*map(json.loads, rows.sound())] == [GOOD, OTHER]


def test_a_part_of_the_rows_can_be_passed_over() -> None:
    rows = rows_of([GOOD, {}, OTHER, GOOD, {"contact": "+525550000003"}], 1)
    rows.check()
    assert [json.loads(row)["contact"] for row in islice(rows.sound(), 2, None)] == ["+525550000003"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1}, "a must hold plain JSON values only."),
        ([float("nan")], "a must hold plain JSON values only."),
        (float("nan"), "it is NaN or infinite"),
        (Decimal("1.50"), "it is a Decimal, .* with str"),
        (datetime.date(2026, 1, 1), "it is a date or a time, .*isoformat"),
    ],
)
def test_what_is_no_json_is_a_broken_row_that_says_what_to_do(value: Any, said: str) -> None:
    form = ContactForm(dict, "phone", ("phone",))
    number = {"phone": "+525550000001"}
    rows = ContactRows([{**number, "a": value}, number], form, Reading(), 1, logging.getLogger(__name__))
    ((place, told),) = rows.check().broken_rows
    assert place == 0
    assert re.match(said, told)
