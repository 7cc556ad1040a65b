"""Rows to a Parquet file, in bounded memory: they go to a file of this task first, which DuckDB turns into Parquet."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_provider_campaigns.audience.engine import engine

#: Rows that DuckDB holds at once before it writes them: a group of rows, as Parquet calls it.
_ROWS_A_GROUP = 122_880


@contextmanager
def parquet_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """
    Yield a Parquet file with all rows, and how many they are; it is gone afterwards.

    :param rows: The rows, taken one at a time; each value is a text or None.
    :param columns: The columns, in their order.
    :raises InvalidRequest: DuckDB is not installed; before a row is taken.
    """
    with tempfile.TemporaryDirectory(prefix="results-") as temporary:
        folder = Path(temporary)
        staged, made = folder / "rows.jsonl", folder / "rows.parquet"
        with engine(folder) as database:
            count = _stage(rows, columns, staged)
            types = dict.fromkeys(columns, "VARCHAR")
            read = database.read_json(str(staged), format="newline_delimited", columns=types)
            read.write_parquet(str(made), compression="zstd", row_group_size=_ROWS_A_GROUP)
        staged.unlink()
        yield made, count


def _stage(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(json.dumps({name: _readable(row.get(name)) for name in columns}).encode() + b"\n")
            count += 1
    return count


def _readable(value: Any) -> str | None:
    """Return a text that Parquet can hold: half a character, which JSON can, becomes a question mark."""
    return None if value is None else str(value).encode("utf-8", "replace").decode()
