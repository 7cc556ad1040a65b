"""Contacts from a file at any storage that Airflow reaches: where it is, its kind, its rows one at a time."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.contacts.columns import Columns, Row

_PIECE_BYTES = 1024 * 1024
FILE_KINDS = ("csv", "jsonl", "ndjson")
_SAVE_AS_CSV = "Save it as CSV UTF-8 (.csv)."
#: Endings of files that people hand over and that are not read, and what to do about each.
_OTHER_KINDS = {
    **dict.fromkeys(("xlsx", "xlsm", "xls", "xlsb", "ods", "numbers"), f"it is a spreadsheet. {_SAVE_AS_CSV}"),
    **dict.fromkeys(
        ("zip", "7z", "rar", "tar", "tgz", "bz2", "xz", "zst"), "it is an archive. Unpack it, or use gzip."
    ),
    "json": "it holds one value. Write one object a line, as jq -c '.[]' does with a list, and name it .jsonl.",
    "parquet": "it is Parquet. Write it as CSV or JSON Lines.",
    "gz": "the name does not say what is packed. Name it .csv.gz or .jsonl.gz.",
    "txt": "the name does not say what it holds. Name it .csv, whatever its separator is.",
    "tsv": "name it .csv: its separator is found by its header.",
}


def file_kind(path: str) -> str:
    """
    Return a path's ending: one of :data:`FILE_KINDS`, before ``.gz`` if it has that.

    :raises InvalidRequest: For any other text, which is not repeated.
    """
    name = path.lower()
    kind = name.removesuffix(".gz").rsplit(".", 1)[-1]
    if kind in FILE_KINDS:
        return kind
    ending = name.rsplit(".", 1)[-1]
    if ending in _OTHER_KINDS:
        raise InvalidRequest(f"contacts: a .{ending} file cannot be read: {_OTHER_KINDS[ending]}")
    raise InvalidRequest(
        "contacts must be a list, or the path of a .csv, .jsonl or .ndjson file (or one of these with .gz); a text is "
        "taken for a path. (A template gives a list only in a DAG with render_template_as_native_obj=True.)"
    )


def read_file(
    path: str,
    columns: Columns,
    folders: Sequence[str] = (),
    tell_header: Callable[[Sequence[str]], None] = lambda _: None,
) -> Iterator[Row]:
    """
    Yield the rows of a file, one at a time; what is empty in a CSV file is left out, and so are blank lines.

    :param path: A path or URI that ``ObjectStoragePath`` understands (``s3://...``, ``gs://...``, ``file://...``, or a
        local path), ending in ``.csv`` (with a header), ``.jsonl`` or ``.ndjson`` (one object a line), and in ``.gz``
        after that if it is packed.
    :param columns: Which columns count in a CSV file, and what they are called at the vendor.
    :param folders: Where to look for a relative path, in that order.
    :param tell_header: Called with the header of a CSV file.
    :raises InvalidRequest: The file does not exist or is not a file, its header is broken, or it is unclear where a row
        ends.
    """
    from airflow_provider_campaigns.contacts.csv_rows import CsvRows
    from airflow_provider_campaigns.contacts.json_rows import read_json_rows
    from airflow_provider_campaigns.contacts.lines import read_blocks, read_lines

    kind = file_kind(path)
    with opened(path, folders) as file:
        if kind == "csv":
            yield from CsvRows(read_blocks(file), columns, tell_header)
        else:
            yield from read_json_rows(read_lines(file))


@contextmanager
def opened(path: str, folders: Sequence[str] = ()) -> Iterator[Any]:
    """
    Open a file at any storage for reading bytes.

    :param path: As for :func:`read_file`.
    :param folders: Where to look for a relative path, in that order.
    :raises InvalidRequest: There is no such file, or it is no plain file.
    """
    local = _local_path(path)
    if local is None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        remote = ObjectStoragePath(path)
        if not remote.exists():
            raise InvalidRequest(f"contacts: there is no file at {path!r}.")
        with remote.open("rb") as file:
            yield file
        return
    found = _found(local, folders)
    mode = found.stat().st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise InvalidRequest(f"contacts: {path!r} is {what}, and must be a file: another try reads it again.")
    with found.open("rb") as file:
        yield file


def described(path: str, folders: Sequence[str] = ()) -> dict[str, Any]:
    """
    Return what proves which file it was: its path, the hash of its content, and how many bytes it has.

    :param path: As for :func:`read_file`.
    :param folders: Where to look for a relative path, in that order.
    :raises InvalidRequest: There is no such file, or it is no plain file.
    """
    digest, size = hashlib.sha256(), 0
    with opened(path, folders) as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return {"path": path, "sha256": digest.hexdigest(), "bytes": size}


def _local_path(path: str) -> str | None:
    """Return the path of a file on this machine, or None for one at another storage."""
    parts = urlsplit(path)
    if "://" not in path:
        return path
    return unquote(parts.path) if parts.scheme in ("file", "local") and not parts.netloc else None


def _found(path: str, folders: Sequence[str]) -> Path:
    places = [Path(path)] if os.path.isabs(path) else [Path(folder, path) for folder in folders or (".",)]
    for place in places:
        if place.exists():
            return place
    if os.path.isabs(path):
        raise InvalidRequest(f"contacts: there is no file at {path!r}.")
    looked = " and then in ".join(os.path.abspath(folder) for folder in folders or (".",))
    raise InvalidRequest(f"contacts: there is no file at {path!r}; it was looked for in {looked}.")
