"""Results to a file: JSON Lines or Parquet, at any storage that Airflow reaches, in bounded memory, whole or absent."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

logger = logging.getLogger(__name__)

#: What to do about a file that is there already.
IF_EXISTS = ("overwrite", "fail")
ROWS_FOR_EACH_LOG_LINE = 10_000
#: Storages take these for patterns of names.
_PATTERN_CHARACTERS = "*?["


def check_path(path: str, name: str = "path") -> None:
    """
    Refuse a path that no file can have.

    :param path: The path or URI.
    :param name: The argument's name, which the error tells.
    :raises InvalidRequest: Says what is wrong.
    """
    if not isinstance(path, str) or not path.strip():
        raise InvalidRequest(f"{name} must be the path or URI of a file.")
    if path.endswith("/"):
        raise InvalidRequest(f"{name} must be that of a file, not of a folder: {path!r} ends with a slash.")
    if any(character in path for character in _PATTERN_CHARACTERS):
        raise InvalidRequest(
            f"{name} must be free of {' '.join(_PATTERN_CHARACTERS)}, which storages take for patterns."
        )
    if path.startswith("~"):
        raise InvalidRequest(f"{name}: nothing expands the ~ of {path!r}; give the whole path of the folder.")
    if ".." in path.split("/"):
        raise InvalidRequest(f"{name}: {path!r} climbs out of a folder with '..'; give the path that it leads to.")
    if any(not character.isprintable() for character in path):
        raise InvalidRequest(f"{name} must not hold control characters: {path!r}.")


def folder_path(folder: Any) -> str:
    """
    Return the path of a folder without the slash at its end.

    :param folder: What was given for it.
    :raises ValueError: It is no path.
    """
    path = folder.rstrip("/") if isinstance(folder, str) else ""
    if not path.strip() or path.endswith(":"):
        raise ValueError
    check_path(path, "folder")
    return path


def names_in(folder: str) -> list[str]:
    """
    Return the names of what is in a folder, none for one that is still to be made.

    :param folder: A path or URI that ``ObjectStoragePath`` understands.
    :raises InvalidRequest: It is a file.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    target: ObjectStoragePath = ObjectStoragePath(folder)
    own = target.path.rstrip("/")
    try:
        listed = target.fs.ls(own, detail=False)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        listed = [own]
    if listed == [own] and not target.is_dir():
        raise InvalidRequest(f"folder: {folder!r} is a file, or a file is on its way.")
    return [str(one).rstrip("/").rpartition("/")[2] for one in listed]


class ResultFile:
    """
    A file that is there when all of its rows are, and not before.

    The rows go to a hidden file beside it, which is renamed to the final name at the end. At stores of objects (S3,
    GCS, Azure) that is a copy made by the store, and a delete.

    :param path: A path or URI that ``ObjectStoragePath`` understands (``s3://aws_default@bucket/key``, ``gs://...``,
        ``file://...``, a local path). With ``.gz`` at its end, the file is compressed.
    :param writer: Who writes, the same on each try: a few characters for the hidden file's name.
    :param try_number: Which try writes, from 1; what the tries before left is removed.
    :param if_exists: ``overwrite`` or ``fail``.
    :param columns: The columns of a Parquet file, whose values are texts or None; None for JSON Lines.
    """

    def __init__(
        self,
        path: str,
        *,
        writer: str,
        try_number: int = 1,
        if_exists: str = "overwrite",
        columns: Sequence[str] | None = None,
    ) -> None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        check_path(path)
        self.path = path
        self._target: ObjectStoragePath = ObjectStoragePath(path)
        self._if_exists = if_exists
        self._columns = columns
        self._is_local = self._target.protocol in ("", "file", "local")
        self._own_path = self._target.path
        folder, slash, name = self._own_path.rpartition("/")
        hidden = [f"{folder}{slash}.{name}.part-{writer}-{number}" for number in range(1, max(1, try_number) + 1)]
        *self._left, self._part = hidden

    def check(self) -> None:
        """
        Refuse a path that cannot be written, before anything is fetched.

        :raises InvalidRequest: The path is a folder, a link, a device or anything else but a plain file, or a file that
            must not be overwritten.
        """
        if self._is_local:
            # The finished file takes the name over: a device would be gone, and a link would lead elsewhere no longer.
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                kind = os.lstat(self._own_path).st_mode
                if stat.S_ISLNK(kind):
                    raise InvalidRequest(f"path: {self.path!r} is a symbolic link; give the path that it leads to.")
                if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                    raise InvalidRequest(
                        f"path: {self.path!r} is a device, a pipe or a socket; give the path of a plain file."
                    )
        if self._target.is_dir():
            raise InvalidRequest(f"path: {self.path!r} is a folder.")
        if self._if_exists == "fail" and self._target.exists():
            raise InvalidRequest(f"path: there is a file at {self.path!r} already, and if_exists is 'fail'.")

    def write(self, rows: Iterable[Mapping[str, Any]], log: logging.Logger | Any = logger) -> int:
        """
        Write all rows and return how many they were; an error on the way leaves nothing.

        :param rows: The rows, taken one at a time.
        :param log: Where a line goes now and then, without anything of the rows.
        :raises InvalidRequest: As :meth:`check` does.
        """
        count = self._appear(lambda: self._write_part(rows, log))
        log.info("%d rows are in %s", count, self.path)
        return count

    def put(self, body: IO[bytes]) -> int:
        """
        Write a body as it is and return its size in bytes; an error on the way leaves nothing.

        :param body: Read from where it stands to its end.
        :raises InvalidRequest: As :meth:`check` does.
        """
        return self._appear(lambda: self._copy_part(body))

    def _appear(self, write: Callable[[], int]) -> int:
        """Let the hidden file be written, give it its name, and return what the writing does."""
        self.check()
        for left in self._left:
            self._remove(left)
        self._remove(self._part)
        made = self._make_folders() if self._is_local else []
        try:
            count = write()
            self.check()
            self._target.fs.mv(self._part, self._own_path)
        except BaseException:
            self._remove(self._part)
            for folder in made:
                with contextlib.suppress(OSError):  # somebody else uses it by now
                    os.rmdir(folder)
            raise
        return count

    def _make_folders(self) -> list[str]:
        """Make the folders that are missing above the file, and return them, the innermost first."""
        folder = os.path.dirname(os.path.abspath(self._own_path))
        missing = []
        while not os.path.exists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        if missing:
            os.makedirs(missing[0], exist_ok=True)
        return missing

    def _copy_part(self, body: IO[bytes]) -> int:
        with self._target.fs.open(self._part, "xb" if self._is_local else "wb") as file:
            shutil.copyfileobj(body, file)
            return int(file.tell())

    def _write_part(self, rows: Iterable[Mapping[str, Any]], log: logging.Logger | Any) -> int:
        counted = _counted(rows, log)
        if self._columns is not None:
            from airflow_provider_campaigns.results.parquet import parquet_of

            with (
                parquet_of(counted, self._columns) as (made, count),
                made.open("rb") as parquet,
                self._opened() as file,
            ):
                shutil.copyfileobj(parquet, file)
            return count
        count = 0
        with self._opened() as file:
            for count, row in enumerate(counted, 1):  # noqa: B007
                # ASCII alone: a text that UTF-8 cannot write (half a character) must not cost all the others.
                file.write(json.dumps(row).encode() + b"\n")
        return count

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        # Airflow's own way to open notes each write for lineage, and would note the hidden file.
        # Where a link of that name can wait for us, a file must be a new one.
        with self._target.fs.open(self._part, "xb" if self._is_local else "wb") as file:
            if not self.path.endswith(".gz"):
                yield file
                return
            # Without name and time, the same rows make the same file.
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
                yield cast(IO[bytes], compressed)

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._target.fs.rm_file(path)


def _counted(rows: Iterable[Mapping[str, Any]], log: logging.Logger | Any) -> Iterator[Mapping[str, Any]]:
    """Yield the rows, with a line in the log now and then."""
    for count, row in enumerate(rows, 1):
        yield row
        if count % ROWS_FOR_EACH_LOG_LINE == 0:
            log.info("%d rows so far", count)
