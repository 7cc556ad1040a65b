"""Contacts as they are read: the sound rows in order, each flaw at its place, and the same rows twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_campaigns.api.altur.answers import ContactBatch
from airflow_provider_campaigns.api.altur.fields import check_contact
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.files import read_contacts
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.contacts.rows import BROKEN_ROWS_TOLD, ContactForm, ContactRows
from airflow_provider_campaigns.exceptions import LaunchConflict

FORM = ContactForm(read_contacts, check_contact, "contact")
GOOD: Mapping[str, Any] = {"contact": "+525550000001"}


def rows_of(contacts: Any, max_broken: float = 0) -> ContactRows:
    return ContactRows(contacts, FORM, max_broken, logging.getLogger(__name__))


@given(st.lists(st.booleans(), max_size=60))
def test_sound_rows_come_in_order_and_know_their_places(sound: list[bool]) -> None:
    contacts = [{"contact": f"+52555{place:07d}"} if good else {} for place, good in enumerate(sound)]
    rows = rows_of(contacts, max_broken=len(sound))
    checked = rows.check()
    places = [place for place, good in enumerate(sound) if good]
    assert (checked.rows, checked.numbers, checked.broken) == (len(places), len(places), sound.count(False))
    assert [index for index, _ in checked.broken_rows] == [place for place, good in enumerate(sound) if not good]
    assert [row["contact"] for row in rows.sound()] == [contacts[place]["contact"] for place in places]
    assert [rows.place_of(nth) for nth in range(len(places))] == places
    batch = ContactBatch(0, 0, 0, len(places), tuple((nth, "NO") for nth in range(len(places))))
    assert [one.refused for one in rows.placed([batch])] == [tuple((place, "NO") for place in places)]


@given(st.lists(st.sampled_from([GOOD, {}]), max_size=30), st.sampled_from([0, 1, 2, 5, 0.1, 0.5, 0.99]))
def test_the_limit_decides(contacts: list[Any], limit: float) -> None:
    broken = contacts.count({})
    rows = rows_of(contacts, limit)
    if exceeds(limit, broken, len(contacts)):
        with pytest.raises(InvalidRequest, match=f"contacts, row {contacts.index({}) + 1}: contact must be given"):
            rows.check()
    else:
        assert rows.check().broken == broken


def test_a_share_of_nothing_is_nothing() -> None:
    assert rows_of([], 0.5).check().rows == 0


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
    good = [b"+525550000001,Ana", b'+525550000002,"B\nC"'] if kind == "csv" else [json.dumps(GOOD).encode()] * 2
    head = [b"contact,name"] if kind == "csv" else []
    path.write_bytes(b"\n".join([*head, *good, flaw, *good]) + b"\n")
    rows = rows_of(str(path), 1)
    checked = rows.check()
    assert [index for index, _ in checked.broken_rows] == [2]
    path.write_bytes(b"\n".join([*head, *good, *good]) + b"\n")
    whole = rows_of(str(path))
    assert whole.check().fingerprint == checked.fingerprint
    assert len(list(whole.sound())) == checked.rows == 4


@pytest.mark.parametrize("flaw", [b'+525550000009,"Ana', b'+525550000009,"A"x'])
def test_a_row_whose_end_is_not_certain_is_never_left_out(flaw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"\n".join([b"contact,name", b"+525550000001,Ana", flaw, b"+525550000002,Ana"]))
    with pytest.raises(InvalidRequest, match="contacts, row 2: a quote or a field in it does not end, so that nothing"):
        rows_of(str(path), 0.9).check()


@pytest.mark.parametrize(
    "later", [[], [GOOD] * 4, [GOOD, {"contact": "+525550000002"}, {}], [GOOD, {}, GOOD], [{}, GOOD, GOOD]]
)
def test_other_rows_than_were_checked_are_found_out(later: list[Any]) -> None:
    contacts = [GOOD, GOOD, {}]
    rows = rows_of(contacts, 1)
    rows.check()
    contacts[:] = later
    with pytest.raises(LaunchConflict, match="The contacts changed"):
        list(rows.sound())


def test_a_part_of_the_rows_can_be_passed_over() -> None:
    rows = rows_of([GOOD, {}, GOOD, {"contact": "+525550000003"}], 1)
    rows.check()
    assert [row["contact"] for row in islice(rows.sound(), 2, None)] == ["+525550000003"]


def test_what_is_no_json_is_a_broken_row() -> None:
    form = ContactForm(read_contacts, dict)
    rows = ContactRows([{"a": {1}}, {"a": float("nan")}, {"a": 1}], form, 2, logging.getLogger(__name__))
    assert rows.check().broken_rows == [
        (0, "it must hold plain JSON values only."),
        (1, "it must hold plain JSON values only."),
    ]
