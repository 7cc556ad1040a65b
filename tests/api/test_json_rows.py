"""Reading the objects of a JSON array from a file, one at a time: the same ones, whatever the pieces it is read in."""

import io
import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.api import json_rows
from airflow_provider_campaigns.api.json_rows import rows_in

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
# How long it takes is no promise of it.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROWS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=6)


def read(text: str | bytes) -> list[dict[str, Any]]:
    return list(rows_in(io.BytesIO(text if isinstance(text, bytes) else text.encode()), "data"))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every place of a text be the end of a piece."""
    monkeypatch.setattr(json_rows, "_PIECE_BYTES", 1)


@UNHURRIED
@given(rows=ROWS, indent=st.sampled_from([None, 2]), ascii_alone=st.booleans())
def test_the_rows_are_those_that_were_written(
    rows: list[dict[str, Any]], indent: int | None, ascii_alone: bool
) -> None:
    assert read(json.dumps(rows, indent=indent, ensure_ascii=ascii_alone)) == rows


@UNHURRIED
@example(rows=[{}], before={"total": 1e16, "share": 1.5, "small": 1e-7})
@given(rows=ROWS, before=st.dictionaries(st.text().filter(lambda name: name != "data"), VALUES, max_size=3))
def test_the_rows_may_be_in_an_envelope(rows: list[dict[str, Any]], before: dict[str, Any]) -> None:
    assert read(json.dumps({**before, "data": rows, "total": 12})) == rows


@UNHURRIED
@given(
    rows=ROWS,
    blanks=st.lists(st.sampled_from(["", " ", "\t", "\r\n", "\n \t"]), min_size=1, max_size=7),
    enclosed=st.booleans(),
)
def test_white_space_anywhere_between_the_values_changes_nothing(
    rows: list[dict[str, Any]], blanks: list[str], enclosed: bool
) -> None:
    spaced = itertools.cycle(blanks)
    separators = [",", ":", "[", "]", "{", "}"]
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s",:\[\]{}]+|[,:\[\]{}]', json.dumps(rows))
    assert "".join(tokens) == json.dumps(rows, separators=(",", ":"))
    text = "".join(f"{next(spaced) if token in separators else ''}{token}{next(spaced)}" for token in tokens)
    assert read(f'{next(spaced)}{{{next(spaced)}"data"{next(spaced)}:{text}}}' if enclosed else text) == rows


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "null",
            "12",
            '"text"',
            "<html>",
            "{}",
            '{"rows": []}',
            '{"data": {}}',
            '{"data": 1',
            "[",
            '[{"a": 1}',
        ),
        *(
            '[{"a": 1},',
            '[{"a": 1} {"b": 2}]',
            "[1]",
            '[{"a": 1}, 2]',
            '[{"a": ]',
            "[{]",
            "[] []",
            '[{"a": 1}]x',
            "[,]",
        ),
        *("{,}", '{"a" 1}', "{1: 2}", b"[\xff]", "[" * 5000),
    ],
)
def test_what_is_no_whole_array_of_objects_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read(text)
    assert '"a"' not in str(refused.value)


def test_a_broken_row_is_not_searched_to_the_end_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "_PIECE_BYTES", 1024)
    monkeypatch.setattr(json_rows, "_MAX_ROW_CHARACTERS", 4096)
    file = io.BytesIO(b'[{"a": 1}, {"b": "' + b"x" * 1_000_000)
    rows = rows_in(file, "data")
    assert next(rows) == {"a": 1}
    with pytest.raises(ValueError, match="cannot be read"):
        next(rows)
    assert file.tell() < 20_000
