"""A broken row in a file of contacts is named and never shown, and nothing is sent, not even the rows before it."""

from __future__ import annotations

import codecs
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_campaigns.api.altur.fields import CONTACT_FIELDS
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns
from airflow_provider_campaigns.contacts.files import read_file
from airflow_provider_campaigns.contacts.recipients import hidden
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.sandbox.server import Sandbox

COLUMNS = Columns("contact", tuple(CONTACT_FIELDS)[:-1], "extracted_data")
NUMBER, NAME = "+5215512345678", "Zoraida Quetzal"
MIB = 2**20
GOOD_CSV = b"contact,name,city\n"
#: Three good rows, then the broken one, then good ones again: enough that they come in one piece with it.
CSV_ROW = f"{NUMBER},{NAME},Oaxaca\n".encode()
JSON_ROW = json.dumps({"contact": NUMBER, "name": NAME}).encode() + b"\n"

BROKEN_CSV: Mapping[str, bytes] = {
    "a column too few": f"{NUMBER},{NAME}\n".encode(),
    "a column too many": f"{NUMBER},{NAME},Oaxaca,more\n".encode(),
    "an open quote": f'{NUMBER},"{NAME},Oaxaca\n'.encode(),
    "text after a quote": f'{NUMBER},"{NAME}"x,Oaxaca\n'.encode(),
    "no UTF-8": f"{NUMBER},{NAME},".encode() + b"M\xe9xico\n",
    "half a character": f"{NUMBER},{NAME},".encode() + b"\xf0\x9f\n",
    "UTF-16": f"{NUMBER},{NAME},Oaxaca\n".encode("utf-16-le"),
    "a null byte": f"{NUMBER},{NAME},\x00\n".encode(),
    "a huge field": f"{NUMBER},{NAME},{'x' * 200_000}\n".encode(),
    "a row without end": f"{NUMBER},{NAME},{'x,' * MIB}\n".encode(),
    "a row of very many lines": f"{NUMBER},{NAME},".encode() + b'"\n",' * MIB + b"\n",
    "no number": f",{NAME},Oaxaca\n".encode(),
}
BROKEN_JSON: Mapping[str, bytes] = {
    "half an object": JSON_ROW[:20] + b"\n",
    "a list": json.dumps([NUMBER, NAME]).encode() + b"\n",
    "a text": json.dumps(NUMBER).encode() + b"\n",
    "null": b"null\n",
    "two objects": JSON_ROW.strip() * 2 + b"\n",
    "a comma after it": JSON_ROW.strip() + b",\n",
    "no UTF-8": JSON_ROW[:-3] + b'\xe9"}\n',
    "UTF-16": JSON_ROW.decode().encode("utf-16-le"),
    "a null byte": JSON_ROW[:-3] + b'\x00"}\n',
    "a break in a text": JSON_ROW[:-8] + b"\x0b" + JSON_ROW[-8:],
    "depth": b'{"contact": "' + NUMBER.encode() + b'", "extracted_data": ' + b"[" * 100_000 + b"\n",
    "closed depth": b'{"extracted_data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "a huge number": b'{"contact": ' + b"9" * 5000 + b"}\n",
    "no number that is one": JSON_ROW[:-2] + b', "extracted_data": {"rate": NaN}}\n',
    "a row without end": b'{"contact": "' + NUMBER.encode() + b'", "name": "' + b"x" * 2 * MIB + b'"}\n',
    "no number": json.dumps({"name": NAME}).encode() + b"\n",
    "a field that is unknown": json.dumps({"contact": NUMBER, NUMBER: NAME}).encode() + b"\n",
    "a field of another kind": json.dumps({"contact": NUMBER, "name": [NAME]}).encode() + b"\n",
}
BROKEN = [("csv", name) for name in BROKEN_CSV] + [("jsonl", name) for name in BROKEN_JSON]


def content_of(kind: str, flaw: str) -> bytes:
    good, broken = (CSV_ROW, BROKEN_CSV) if kind == "csv" else (JSON_ROW, BROKEN_JSON)
    head = codecs.BOM_UTF8 + GOOD_CSV if kind == "csv" else codecs.BOM_UTF8
    return head + good * 3 + broken[flaw] + good * 50


class TaskInstance(SimpleNamespace):
    """What the operators use of Airflow's, where they must not come far."""

    def xcom_push(self, key: str, value: Any) -> None:
        raise AssertionError(f"{key} was pushed")


def context() -> dict[str, Any]:
    ti = TaskInstance(try_number=1, max_tries=0, dag_id="d", run_id="r", task_id="t", map_index=-1)
    return {"ti": ti, "dag_run": SimpleNamespace(run_id="r", run_type="manual", run_after=None)}


def create(path: str) -> BaseOperator:
    fields = {"name": "Winter", "agent_id": "agent", "integration_id": "line", "integration_type": "phone_call"}
    return AlturCreateCampaignOperator(task_id="t", contacts=path, **fields)


def add(path: str) -> BaseOperator:
    return AlturAddContactsOperator(task_id="t", campaign_id="1", contacts=path)


@pytest.mark.parametrize("operator", [create, add])
@pytest.mark.parametrize(("kind", "flaw"), BROKEN, ids=lambda part: part)
def test_a_broken_row_is_named_and_never_shown_and_nothing_is_sent(
    campaign_sandbox: Sandbox,
    tmp_path: Path,
    all_of: Callable[[BaseException], str],
    logged: Callable[[], str],
    operator: Callable[[str], BaseOperator],
    kind: str,
    flaw: str,
) -> None:
    path = tmp_path / f"contacts.{kind}"
    path.write_bytes(content_of(kind, flaw))
    with pytest.raises(AirflowFailException) as caught:
        operator(str(path)).execute(context())
    assert re.search(r"contacts, row 4( \(line \d+\))?(, column \w+)?: ", str(caught.value))
    seen = all_of(caught.value) + logged()
    for shown in (NUMBER, NUMBER[1:], NAME, NAME.split()[0], "Oaxaca", "xico"):
        assert shown not in seen
    assert campaign_sandbox.journal()["requests"] == []


HEADERS: Mapping[str, bytes] = {
    "nothing": b"",
    "no header": CSV_ROW,
    "no column for the number": b"name,city\n",
    "no UTF-8": b"contact,n\xe9\n",
    "UTF-16 without its mark": "contact,name\n".encode("utf-16-le"),
    "an open quote": b'contact,"name\n' + CSV_ROW,
    "a column twice": b"contact,name,contact\n" + CSV_ROW,
    "a header without end": b"contact," + b"x" * 2 * MIB,
    "empty lines": b"\n\n",
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_broken_header_is_told_and_nothing_is_sent(
    campaign_sandbox: Sandbox, tmp_path: Path, all_of: Callable[[BaseException], str], header: str
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(HEADERS[header] + CSV_ROW)
    with pytest.raises(AirflowFailException, match=r"header|Save it as CSV UTF-8") as caught:
        create(str(path)).execute(context())
    assert NUMBER[1:] not in all_of(caught.value)
    assert campaign_sandbox.journal()["requests"] == []


ENDLESS = {
    "a line of CSV": ("csv", GOOD_CSV, b"x" * 1024),
    "a quoted field": ("csv", GOOD_CSV + b'"', b"x" * 1023 + b"\n"),
    "a row of many lines": ("csv", GOOD_CSV, b'"\n",' * 256),
    "a header": ("csv", b"contact,", b"x" * 1024),
    "a line of JSON": ("jsonl", b'{"name": "', b"x" * 1024),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_row_that_never_ends_costs_no_memory(tmp_path: Path, kind: str) -> None:
    ending, beginning, rest = ENDLESS[kind]
    path = tmp_path / f"contacts.{ending}"
    with path.open("wb") as file:
        file.write(beginning)
        for _ in range(50):
            file.write(rest * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(
            InvalidRequest,
            match=r"(row 1|header)( \(line \d\))?: (it is longer|a quote or a field in it does not end)",
        ):
            list(read_file(str(path), COLUMNS))
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


def test_a_good_file_is_read_whole_with_signature_blank_lines_quotes_and_breaks(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    text = 'contact,name,note\r\n+1,"A ""B"", C",\r\n\r\n+2,"two\nlines",ñ\r\n+3,,x'
    path.write_bytes(codecs.BOM_UTF8 + text.encode())
    assert [row.values for row in read_file(str(path), COLUMNS)] == [
        {"contact": "+1", "name": 'A "B", C'},
        {"contact": "+2", "name": "two\nlines", "extracted_data": {"note": "ñ"}},
        {"contact": "+3", "extracted_data": {"note": "x"}},
    ]
    path = tmp_path / "contacts.ndjson"
    path.write_bytes(codecs.BOM_UTF8 + b'{"contact": "+1"}\r\n\r\n  \n{"contact": "\xc3\xb1"}')
    assert [(row.line, row.values["contact"]) for row in read_file(str(path), COLUMNS)] == [(1, "+1"), (4, "ñ")]


def test_rows_on_either_side_of_a_piece_come_whole(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    rows = [{"contact": f"+52155{number:08d}", "name": "ñ" * (number % 97 + 1)} for number in range(5000)]
    path.write_text("contact,name\n" + "".join(f"{row['contact']},{row['name']}\n" for row in rows))
    assert [row.values for row in read_file(str(path), COLUMNS)] == rows


@pytest.mark.parametrize("text", [f"[{{'contact': '{NUMBER}'}}]", NUMBER, f"contact\n{NUMBER}\n", ""])
def test_contacts_that_a_template_made_text_of_are_refused_unseen(
    text: str, all_of: Callable[[BaseException], str]
) -> None:
    with pytest.raises(InvalidRequest, match="render_template_as_native_obj") as caught:
        hidden(text)
    assert NUMBER not in all_of(caught.value)


def test_a_path_is_shown_and_a_list_is_counted() -> None:
    assert hidden("s3://bucket/contacts.csv") == "s3://bucket/contacts.csv"
    assert hidden(None) is None
    listed: Iterator[Any] = iter([{"contact": NUMBER}])
    assert f"{hidden(listed)!r}" == "<1 contacts>"
