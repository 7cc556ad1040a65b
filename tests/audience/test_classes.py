"""Every row of an audience ends in exactly one class; slices are disjoint, and the same whatever the order."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listed import left_out, lines, number, people, prepare, spelled, write

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.audience.classes import CLASSES, LEFT_OUT
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator

BROKEN = ["12x", "", "Total", "5,5119E+12", "+5511999990001 / +5511999990002"]
#: A person once more or in another spelling, one who opted out, one without consent, one who is nobody.
ROWS = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 30).map(number), st.integers(0, 30).map(spelled), st.sampled_from(BROKEN), st.just("+1")
        ),
        st.sampled_from(["yes", " YES ", "no", ""]),
    ),
    min_size=1,
    max_size=60,
)


def csv_rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f'"{cell}",Ana,{consent or "-"}' for cell, consent in rows]


def as_the_contacts_operators_see_it(path: str) -> tuple[int, int, int]:
    """Return how many rows are people, duplicates and broken; none of them if there is nobody to contact."""
    operator = AlturAddContactsOperator(
        task_id="t", campaign_id="1", contacts=path, default_country="BR", max_broken_rows=10_000
    )
    try:
        checked = operator.contact_rows().check()
    except InvalidRequest:
        return 0, 0, 0
    return checked.rows, checked.duplicates, checked.broken


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS, excluded=st.sets(st.integers(0, 30), min_size=1, max_size=8), holdout=st.sampled_from([0, 0.3, "50%"])
)
def test_each_row_is_in_one_class_and_those_are_what_the_contacts_operators_decide(
    rows: list[tuple[str, str]], excluded: set[int], holdout: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tmp_path = Path(folder)
        source = write(tmp_path / "people.csv", "contact,name,consent", csv_rows(rows))
        exclude = write(tmp_path / "out.csv", "phone", [f'"{spelled(place)}"' for place in sorted(excluded)])
        reached, duplicates, broken = as_the_contacts_operators_see_it(source)
        given = {"exclude": exclude, "require": {"consent": ["yes"]}, "holdout": holdout, "shares": [30, 100]}
        if not reached:
            with pytest.raises(Exception, match="no row can be contacted"):
                prepare(tmp_path, **given)
            return
        done = prepare(tmp_path, **given)
        counts = done["counts"]
        assert list(counts) == ["rows", *CLASSES]
        assert 0 < counts["rows"] == len(rows) == sum(counts[name] for name in CLASSES)
        assert (counts["invalid"], counts["duplicate"]) == (broken, duplicates)
        assert sum(counts[name] for name in CLASSES if name not in ("invalid", "duplicate")) == reached
        # Where a row is told to be is where it is, and nowhere else.
        told = left_out(done)
        assert Counter(name for _, _, name, _ in told) == {name: counts[name] for name in LEFT_OUT if counts[name]}
        places = [row for row, *_ in told]
        sliced = [one for part in people(done) for one in part]
        assert len(places) == len(set(places))
        assert len(places) + len(sliced) == len(rows)
        assert len(sliced) == len(set(sliced)) == counts["sliced"]
        assert not {number(place) for place in excluded} & set(sliced)
        assert not {one for _, one, name, _ in told if name == "holdout"} & set(sliced)


def thousand(path: Path, seed: int | None = None) -> str:
    rows = [f"{number(place)},P{place}" for place in range(1000)]
    if seed is not None:
        random.Random(seed).shuffle(rows)
    return write(path, "contact,name", rows)


def test_a_person_s_slice_depends_on_salt_and_number_alone(tmp_path: Path) -> None:
    found = []
    for order in (None, 1, 2):
        folder = tmp_path / str(order)
        folder.mkdir()
        thousand(folder / "people.csv", order)
        found.append([set(part) for part in people(prepare(folder, salt="winter", shares=[5, 25, 100]))])
    assert found[0] == found[1] == found[2]
    first, second, third = found[0]
    assert not first & second
    assert not (first | second) & third
    assert len(first | second | third) == 1000
    assert 20 < len(first) < 80
    assert 150 < len(second) < 250


def test_the_control_group_is_the_same_with_other_slices_and_another_list(tmp_path: Path) -> None:
    thousand(tmp_path / "people.csv")
    given: dict[str, Any] = {"salt": "2026", "holdout": 0.1}
    one = prepare(tmp_path, output=str(tmp_path / "one"), shares=[5, 25, 100], **given)
    two = prepare(tmp_path, output=str(tmp_path / "two"), **given)
    held = [{row[1] for row in left_out(done) if row[2] == "holdout"} for done in (one, two)]
    assert held[0] == held[1]
    assert 60 < len(held[0]) < 140
    half = write(tmp_path / "half.csv", "contact", [number(place) for place in range(500)])
    three = prepare(tmp_path, source=half, output=str(tmp_path / "three"), **given)
    assert {row[1] for row in left_out(three)} == held[0] & {number(place) for place in range(500)}


def test_another_run_draws_anew_unless_a_salt_is_given(tmp_path: Path) -> None:
    thousand(tmp_path / "people.csv")
    drawn = [
        people(prepare(tmp_path, run_id=run_id, output=str(tmp_path / run_id), shares=[50, 100]))[0]
        for run_id in ("monday", "tuesday")
    ]
    assert set(drawn[0]) != set(drawn[1])


def test_the_rows_of_a_slice_keep_their_columns_and_their_order(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "Telefone;Name;city", ["(11) 90000-0001;Ana;Recife", "11900000002;Bia;"])
    done = prepare(tmp_path, columns={"telefone": "contact"})
    assert lines(done["slices"][0]["path"]) == [
        {"contact": number(1), "name": "Ana", "extracted_data": {"city": "Recife"}},
        {"contact": number(2), "name": "Bia"},
    ]


def test_what_is_left_out_says_where_it_was_and_why(tmp_path: Path) -> None:
    people_ = write(tmp_path / "people.csv", "contact,consent", [number(1), "12x,yes", f"{spelled(2)},yes"][1:])
    late = write(tmp_path / "late.csv", "contact,consent", [f"{number(2)},yes", f"{number(3)},no", f"{number(4)},Sim"])
    gone = write(tmp_path / "gone.csv", "celular", [spelled(4)])
    done = prepare(tmp_path, source=[people_, late], exclude=gone, require={"Consent": ["yes", "sim"]})
    assert done["slices"] == [{"share": 100, "path": str(tmp_path / "audience/slice_100.jsonl"), "contacts": 1}]
    rows = left_out(done)
    assert [row[:3] for row in rows] == [
        (1, number(2), "duplicate"),
        (2, number(3), "no_consent"),
        (3, number(4), "suppressed"),
        (1, None, "invalid"),
    ]
    assert rows[0][3] == f"the same person as in row 2 of {people_}"
    assert rows[2][3] == f"in {gone}"
    assert "letters among the digits" in rows[3][3]


def test_nobody_is_asked_for_consent_twice_a_first_row_without_it_counts(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "contact,consent", [f"{number(1)},no", f"{number(1)},yes", f"{number(2)},yes"])
    counts = prepare(tmp_path, require={"consent": "yes"})["counts"]
    assert (counts["no_consent"], counts["duplicate"], counts["sliced"]) == (1, 1, 1)


def test_a_flag_of_json_lines_or_parquet_is_compared_as_it_is_written(tmp_path: Path) -> None:
    import duckdb

    rows = [{"phoneNumber": number(place), "consent": place == 1, "plan": 7} for place in range(3)]
    source = tmp_path / "people.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    table = tmp_path / "people.parquet"
    duckdb.connect().execute(f"COPY (SELECT * FROM read_json('{source}')) TO '{table}' (FORMAT parquet)")  # noqa: S608
    for path in (source, table):
        output = str(tmp_path / path.suffix.removeprefix("."))
        done = prepare(tmp_path, source=path, output=output, vendor="koreai", require={"consent": ["true"]})
        assert lines(done["slices"][0]["path"]) == [rows[1]]


def test_a_lead_file_for_kinbox_has_the_digits_first_and_then_the_values_in_their_order(tmp_path: Path) -> None:
    rows = [f'{number(1)},"Ana, Maria",1', f"{number(2)},,2", f"{spelled(3)},Zé,3"]
    write(tmp_path / "people.csv", "number,name,coupon", rows)
    done = prepare(tmp_path, vendor="kinbox", placeholders=["coupon", "name"])
    (only,) = done["slices"]
    assert only["path"].endswith("slice_100.csv")
    assert Path(only["path"]).read_text() == '5511900000001,1,"Ana, Maria"\n5511900000003,3,Zé\n'
    ((row, _, name, reason),) = left_out(done)
    assert (row, name) == (2, "invalid")
    assert "no value for 'name'" in reason


@pytest.mark.parametrize("value", ["two\nlines", "a\ttab", "\ud800"])
def test_a_value_that_a_lead_file_cannot_hold_makes_its_row_invalid(value: str, tmp_path: Path) -> None:
    rows = [{"number": number(1), "name": value}, {"number": number(2), "name": "Ana"}]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = prepare(tmp_path, source=str(tmp_path / "people.jsonl"), vendor="kinbox", placeholders=["name"])
    assert (done["counts"]["invalid"], done["counts"]["sliced"]) == (1, 1)


def test_an_empty_slice_has_a_file_and_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "people.csv", "contact", [number(1)])
    done = prepare(tmp_path, salt="s", shares=[0.01, 100])
    assert "Slice up to 0.01 %: nobody is in it" in "".join(capfd.readouterr()) + caplog.text
    assert [one["contacts"] for one in done["slices"]] == [0, 1]
    assert people(done) == [[], [number(1)]]


def test_by_timezone_each_slice_has_a_file_for_each_zone_from_the_column_first(tmp_path: Path) -> None:
    rows = [
        "+5511900000001,",
        "+5592900000002,",
        "+5511900000003,America/Manaus",
        "+79161234567,",
        "+5511900000004,Brasilia time",
        "+447911123456,",
    ]
    write(tmp_path / "people.csv", "contact,TimeZone", rows)
    done = prepare(tmp_path, by="timezone")
    found = {one["timezone"]: [row["contact"] for row in lines(one["path"])] for one in done["slices"]}
    assert found == {
        "America/Sao_Paulo": ["+5511900000001"],
        "America/Manaus": ["+5592900000002", "+5511900000003"],
        "Europe/London": ["+447911123456"],
        "unknown": ["+79161234567"],
    }
    assert all(one["contacts"] == len(found[one["timezone"]]) for one in done["slices"])
    ((row, _, name, reason),) = left_out(done)
    assert (row, name) == (5, "invalid")
    assert reason == "column timezone: it must be an IANA name of a time zone such as America/Sao_Paulo, or empty."


def test_by_timezone_the_people_of_all_files_are_those_of_the_slices_without_it(tmp_path: Path) -> None:
    rows = [f"+55{11 if place % 3 else 92}{900_000_000 + place}" for place in range(200)]
    write(tmp_path / "people.csv", "contact", rows)
    given: dict[str, Any] = {"salt": "s", "shares": [20, 100]}
    split = prepare(tmp_path, output=str(tmp_path / "split"), by="timezone", **given)
    whole = prepare(tmp_path, output=str(tmp_path / "whole"), **given)
    for one in whole["slices"]:
        parts = [other for other in split["slices"] if other["share"] == one["share"]]
        assert [part["timezone"] for part in parts] == ["America/Manaus", "America/Sao_Paulo"]
        assert sum(part["contacts"] for part in parts) == one["contacts"]
        assert {row["contact"] for part in parts for row in lines(part["path"])} == {
            row["contact"] for row in lines(one["path"])
        }
