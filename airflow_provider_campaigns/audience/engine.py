"""The database that an audience is worked out in: DuckDB, in a folder of its own, within a limit of memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What DuckDB may hold in memory; the rest goes to its folder. Each thread needs a part of it.
MEMORY_LIMIT = "512MB"
_MOST_THREADS = 4
#: Between the columns of a staged row, and around none of them: no text of JSON or of a lead file holds it.
SEPARATOR = "\x1f"


@contextmanager
def engine(folder: Path) -> Iterator[DuckDBPyConnection]:
    """
    Open a database that reads and writes files of one folder and of no other place.

    :param folder: An empty folder of this task's own.
    :raises InvalidRequest: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        duckdb = None  # type: ignore[assignment]
    if duckdb is None:
        raise InvalidRequest(
            "This needs DuckDB, which is not installed: pip install 'airflow-provider-campaigns[audience]'."
        )
    database = duckdb.connect(
        str(folder / "audience.duckdb"),
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": min(_MOST_THREADS, os.cpu_count() or 1),
            "temp_directory": str(folder / "spilled"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        database.execute(f"SET allowed_directories = [{quoted(str(folder))}]")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        yield database
    finally:
        database.close()


def quoted(text: str) -> str:
    """Return a text as a literal of SQL, for the places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def read_staged(file: Path, columns: str) -> str:
    """
    Return the SQL that reads a file of rows that this package wrote.

    :param file: One row a line, its values separated by :data:`SEPARATOR`.
    :param columns: The columns and their types, as a struct of DuckDB: ``{'rn': 'BIGINT'}``.
    """
    return (
        f"read_csv({quoted(str(file))}, delim = '{SEPARATOR}', quote = '', escape = '', header = false, "
        f"auto_detect = false, max_line_size = 8388608, columns = {columns})"
    )
