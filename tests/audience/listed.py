"""Lists of contacts for the tests of audiences, and what an audience made of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator


def number(place: int) -> str:
    """Return one of the numbers of the tests, in E.164."""
    return f"+5511{900_000_000 + place}"


def spelled(place: int) -> str:
    """Return the same number in one of its other spellings."""
    digits = number(place).removeprefix("+5511")
    return [
        f"({11}) {digits[:5]}-{digits[5:]}",
        f"+55 11 {digits}",
        f"011{digits}",
        f"'{number(place)}",
    ][place % 4]


def write(path: Path, header: str, rows: list[str]) -> str:
    """Write a CSV file and return its path."""
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def context(run_id: str = "r", try_number: int = 1, task_id: str = "audience") -> Any:
    """Return what Airflow tells a task, as far as an audience asks."""
    ti = SimpleNamespace(dag_id="d", run_id=run_id, task_id=task_id, map_index=-1, try_number=try_number)
    return {"ti": ti, "dag_run": SimpleNamespace(triggering_user_name="ana")}


def prepare(tmp_path: Path, run_id: str = "r", try_number: int = 1, **given: Any) -> dict[str, Any]:
    """Prepare an audience as a worker does, by default for Altur from people.csv into the folder audience."""
    arguments = {"source": str(tmp_path / "people.csv"), "output": str(tmp_path / "audience"), "vendor": "altur"}
    operator = PrepareAudienceOperator(**{"task_id": "audience", "default_country": "BR", **arguments, **given})
    return operator.execute(context(run_id, try_number))


def lines(path: str) -> list[Any]:
    """Return the rows of a slice in JSON Lines."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def people(done: dict[str, Any]) -> list[list[str]]:
    """Return the numbers in each slice."""
    return [[row["contact"] for row in lines(one["path"])] for one in done["slices"]]


def left_out(done: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return row, number, class and reason of all who are in no slice."""
    query = "SELECT row, number, class, reason FROM read_parquet(?) ORDER BY source, row"
    return duckdb.connect().execute(query, [done["left_out"]]).fetchall()
