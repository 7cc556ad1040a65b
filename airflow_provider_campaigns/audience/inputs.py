"""The files that an audience is made of: copied and hashed once, and their rows one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.columns import Columns, Row, number_columns
from airflow_provider_campaigns.contacts.files import file_kind, opened, read_file
from airflow_provider_campaigns.contacts.source import ListedRows, plain_value, unwrapped

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PIECE_BYTES = 1024 * 1024
_ROWS_A_BATCH = 10_000
_PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Input:
    """
    A file, as it was when the task began.

    :param role: The argument that names it, ``source`` or ``exclude``.
    :param path: Its path, as the author gave it.
    :param copy: The copy that is read.
    :param sha256: The hash of its content.
    :param size: How many bytes it has.
    """

    role: str
    path: str
    copy: Path
    sha256: str
    size: int

    def described(self) -> dict[str, Any]:
        """Return what a manifest tells of it."""
        return {"role": self.role, "path": self.path, "sha256": self.sha256, "bytes": self.size}

    def __str__(self) -> str:
        return f"{self.role} {self.path!r}"


def fetch(role: str, path: str, folders: Sequence[str], copy: Path) -> Input:
    """
    Copy a file, so that everything is read from one state of it.

    :param role: The argument that names it.
    :param path: A path or URI as contacts take it, and also one that ends in ``.parquet``.
    :param folders: Where to look for a relative path, in that order.
    :param copy: Where to, without the ending.
    :raises InvalidRequest: It cannot be read; names it.
    """
    digest, size = hashlib.sha256(), 0
    try:
        kind = _kind(path)
        copy = copy.with_name(f"{copy.name}.{kind}")
        with opened(path, folders) as file, copy.open("wb") as target:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                size += target.write(piece)
    except InvalidRequest as error:
        raise InvalidRequest(_of(f"{role} {path!r}", str(error))) from None
    except OSError as error:
        raise InvalidRequest(f"{role} {path!r} cannot be read: {error.strerror or type(error).__name__}.") from error
    return Input(role, path, copy, digest.hexdigest(), size)


class AnyNumberColumn(Columns):
    """The columns of a file that only tells numbers: the one that looks like phone numbers counts."""

    def named(self, names: Sequence[str]) -> list[str]:
        """
        Return what columns are called, that of the numbers as at the vendor.

        :raises InvalidRequest: Several columns look like phone numbers, and none has the vendor's name.
        """
        told = super().named(names)
        if self.number in told:
            return told
        likely = number_columns(names)
        if len(likely) > 1:
            shown = " and ".join(map(repr, likely[:2]))
            raise InvalidRequest(
                f"{shown} look like phone numbers both. Name the one that counts {self.number!r}, or map it with "
                "columns=."
            )
        return [self.number if name in likely else known for name, known in zip(names, told, strict=True)]

    def missing(self, names: Collection[str]) -> list[str]:  # type: ignore[override]
        """Return nothing: what the author calls columns of the source, this file need not have."""
        return []


def read_rows(
    file: Input, columns: Columns, database: DuckDBPyConnection, tell_names: Callable[[Collection[str]], None]
) -> Iterator[Row]:
    """
    Yield the rows of a file, with their columns as the vendor calls them.

    :param file: The file.
    :param columns: Which columns count. In a table (CSV, Parquet) those that the vendor does not know go to its field
        for extras, if it has one; in JSON Lines they stay where they are.
    :param database: What reads Parquet.
    :param tell_names: Called once, at the end at the latest, with the names of the columns that were seen.
    :raises InvalidRequest: The file cannot be read on; names it.
    """
    try:
        if file.copy.suffix == f".{_PARQUET}":
            yield from _parquet_rows(file.copy, columns, database, tell_names)
        elif file.copy.name.removesuffix(".gz").endswith(".csv"):
            yield from read_file(str(file.copy), columns, tell_header=tell_names)
        else:
            listed = ListedRows(read_file(str(file.copy), columns), columns)
            yield from listed
            names = listed.names()
            missing = columns.missing(names) if names else []
            if missing:
                raise InvalidRequest(f"contacts: no row has a column {missing[0]!r}, which columns names.")
            tell_names(names)
    except InvalidRequest as error:
        raise InvalidRequest(_of(str(file), str(error))) from None


def _kind(path: str) -> str:
    if path.lower().endswith(f".{_PARQUET}"):
        return _PARQUET
    return file_kind(path) + (".gz" if path.lower().endswith(".gz") else "")


def _of(what: str, message: str) -> str:
    """Return a message about contacts as one about a file that an audience is made of."""
    return f"{what}{message.removeprefix('contacts')}" if message.startswith("contacts") else f"{what}: {message}"


def _parquet_rows(
    path: Path, columns: Columns, database: DuckDBPyConnection, tell_names: Callable[[Collection[str]], None]
) -> Iterator[Row]:
    import duckdb

    cursor = database.cursor()
    try:
        cursor.execute("SELECT * FROM read_parquet(?)", [str(path)])
    except duckdb.Error:
        raise InvalidRequest("it is no Parquet file, or a broken one.") from None
    header = [column[0] for column in cursor.description or ()]
    names = columns.named(header)
    if columns.number not in names:
        raise InvalidRequest(f"it has no column {columns.number!r}. Say with columns= which one has the phone numbers.")
    missing = columns.missing(header)
    if missing:
        raise InvalidRequest(f"it has no column {missing[0]!r}, which columns names.")
    tell_names(header)
    while True:
        try:
            batch = cursor.fetchmany(_ROWS_A_BATCH)
        except duckdb.Error:
            raise InvalidRequest("it is a broken Parquet file.") from None
        if not batch:
            return
        for cells in batch:
            yield _table_row(names, cells, columns)


def _table_row(names: Sequence[str], cells: Sequence[Any], columns: Columns) -> Row:
    values: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=True):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        own = name in columns.own
        try:
            value = unwrapped(cell) if name == columns.number else plain_value(cell)
        except InvalidRequest as flaw:
            return Row(None, {}, str(flaw), name if own else "")
        (values if own or not columns.extra else beside)[name] = value
    if beside and columns.extra:
        values[columns.extra] = beside
    return Row(None, values)
