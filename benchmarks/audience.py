"""
An audience of a million rows beside DuckDB alone, and messy numbers beside phonenumbers alone; and the peak of memory.

Clean: numbers in E.164, an exclude file of 100,000, a ledger of a million people, three slices. DuckDB alone reads the
same file, hashes each number, and writes the rows to three files. Messy: each number in a spelling of its own; beside
it phonenumbers parses, checks and formats the same texts. Each measurement is a process of its own.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from table import Row, as_markdown, verdict

ROWS = 1_000_000
#: Memory must not grow with them: DuckDB writes to the disk what it cannot hold.
MANY_ROWS = 10_000_000
EXCLUDED = 100_000
TARGET_CLEAN, TARGET_MESSY, TARGET_MIB = 3, 1.3, 1024
SECRET = "a key of the benchmark's ledger"


def clean(place: int) -> str:
    """Return a number in E.164."""
    return f"+55{11 + place % 9}9{place:08d}"


def messy(place: int) -> str:
    """Return a number as people write it."""
    area, digits = 11 + place % 9, f"9{place:08d}"
    return (f"({area}) {digits[:5]}-{digits[5:]}", f"0{area} {digits}", f"+55 {area} {digits}", f"55{area}{digits}")[
        place % 4
    ]


def write(path: Path, rows: int, spelled: object = clean) -> None:
    """Write so many contacts."""
    assert callable(spelled)
    with path.open("w") as file:
        file.write("contact,name,city\n")
        for place in range(rows):
            file.write(f"{spelled(place)},Ana {place},Recife\n")


def seconds_and_peak(began: float) -> tuple[float, float]:
    """Return the seconds since then, and this process's peak of memory in MiB."""
    # The kernel of Linux counts in KiB, that of macOS in bytes.
    scale = 2 ** (20 if sys.platform == "darwin" else 10)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def prepare(folder: str, run_id: str, source: str, shares: list[float], capped: bool) -> tuple[float, float]:
    """Prepare an audience with the operator."""
    from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator

    logging.disable(logging.CRITICAL)
    os.environ["AIRFLOW_CONN_CAMPAIGN_LEDGER"] = json.dumps({"conn_type": "generic", "password": SECRET})
    terms = {"exclude": f"{folder}/excluded.csv", "cap": {"ledger": f"{folder}/ledger", "messages": 3, "days": 7}}
    operator = PrepareAudienceOperator(
        task_id="audience",
        source=f"{folder}/{source}",
        output=f"{folder}/{run_id}",
        vendor="altur",
        default_country="BR",
        shares=shares,
        **(terms if capped else {}),
    )
    ti = SimpleNamespace(dag_id="benchmark", run_id=run_id, task_id="audience", map_index=-1, try_number=1)
    began = time.perf_counter()
    operator.execute({"ti": ti})
    return seconds_and_peak(began)


def duckdb_alone(folder: str) -> tuple[float, float]:
    """Read, hash and write the same file with DuckDB."""
    import duckdb

    began = time.perf_counter()
    database = duckdb.connect()
    database.execute(
        f"""
        CREATE TABLE hashed AS SELECT *, ('0x' || substr(sha256('winter|' || contact), 1, 13))::UBIGINT % 100 AS place
        FROM read_csv('{folder}/clean.csv', all_varchar = true)
        """  # noqa: S608
    )
    for low, high in ((0, 5), (5, 25), (25, 100)):
        query = f"SELECT contact, name, city FROM hashed WHERE place >= {low} AND place < {high}"  # noqa: S608
        database.execute(f"COPY ({query}) TO '{folder}/alone_{high}.json' (FORMAT json)")
    return seconds_and_peak(began)


def phonenumbers_alone(folder: str) -> tuple[float, float]:
    """Parse, check and format the messy numbers with the library."""
    import csv

    import phonenumbers

    began = time.perf_counter()
    with Path(folder, "messy.csv").open() as file:
        for row in csv.DictReader(file):
            number = phonenumbers.parse(row["contact"], "BR")
            if phonenumbers.is_valid_number(number):
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return seconds_and_peak(began)


def rows() -> list[Row]:
    """Return the figures."""
    spawn = multiprocessing.get_context("spawn")

    def alone(function: object, *arguments: object) -> tuple[float, float]:
        assert callable(function)
        with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
            done: tuple[float, float] = pool.submit(function, *arguments).result()
        return done

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "clean.csv"), ROWS)
        write(Path(folder, "messy.csv"), ROWS, messy)
        write(Path(folder, "excluded.csv"), EXCLUDED)
        # The ledger's million.
        alone(prepare, folder, "before", "clean.csv", [100], True)
        ours, peak = alone(prepare, folder, "clean", "clean.csv", [5, 25, 100], True)
        beside, _ = alone(duckdb_alone, folder)
        spelled, _ = alone(prepare, folder, "messy", "messy.csv", [5, 25, 100], False)
        parsed, _ = alone(phonenumbers_alone, folder)
        os.unlink(f"{folder}/messy.csv")
        write(Path(folder, "many.csv"), MANY_ROWS)
        many, many_peak = alone(prepare, folder, "many", "many.csv", [5, 25, 100], True)
    return [
        Row(
            f"an audience of {ROWS:,} clean rows, {EXCLUDED:,} excluded, a ledger of a million, three slices",
            f"{ours:.1f} s",
            f"DuckDB alone reads, hashes and writes them: {beside:.1f} s",
            f"{ours / beside:.1f}",
            f"<= {TARGET_CLEAN}",
            verdict(ours <= TARGET_CLEAN * beside),
        ),
        Row(
            f"an audience of {ROWS:,} messy numbers",
            f"{spelled:.1f} s",
            f"phonenumbers alone: {parsed:.1f} s",
            f"{spelled / parsed:.2f}",
            f"<= {TARGET_MESSY}",
            verdict(spelled <= TARGET_MESSY * parsed),
        ),
        Row(
            f"peak memory of an audience of {ROWS:,} rows, and of {MANY_ROWS:,}",
            f"{peak:.0f} MiB, {many_peak:.0f} MiB",
            f"{MANY_ROWS:,} rows: {many:.0f} s",
            f"{many_peak / peak:.2f}",
            f"<= {TARGET_MIB} MiB",
            verdict(max(peak, many_peak) <= TARGET_MIB),
        ),
    ]


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())
    print(as_markdown(rows()))
