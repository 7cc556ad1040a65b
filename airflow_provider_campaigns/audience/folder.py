"""Folders at any storage: files that are there whole or not at all, and an audience's manifest."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

MANIFEST = "manifest.json"
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """
    A file of the folder.

    :param path: Its path or URI.
    :param sha256: The hash of its content.
    :param size: How many bytes it has.
    """

    path: str
    sha256: str
    size: int

    def described(self) -> dict[str, Any]:
        """Return what a manifest tells of it."""
        return {"path": self.path, "sha256": self.sha256, "bytes": self.size}


class StoredFolder:
    """
    A folder at any storage that Airflow reaches.

    :param path: A path or URI that ``ObjectStoragePath`` understands.
    :param writer: Who writes, the same on each try: a few characters for the names of hidden files.
    """

    def __init__(self, path: str, writer: str) -> None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        self.path = path
        self._writer = writer
        self._root: ObjectStoragePath = ObjectStoragePath(path)
        self._is_local = self._root.protocol in ("", "file", "local")

    def manifest(self) -> Mapping[str, Any] | None:
        """
        Return the manifest that is there, or None.

        :raises InvalidRequest: What is there under its name is not a manifest.
        """
        try:
            with self._root.fs.open(self._own(MANIFEST), "rb") as file:
                read = json.loads(file.read())
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise InvalidRequest(
                f"output: {self.path!r} cannot be a folder: there is a file where it, or a folder above it, should be."
            ) from error
        except (ValueError, IsADirectoryError):
            read = None
        if not isinstance(read, Mapping) or not isinstance(read.get("key"), str):
            raise InvalidRequest(f"output: {self.uri(MANIFEST)!r} is no manifest of an audience. Give another folder.")
        return read

    def put(self, file: Path) -> Written:
        """Store a file of this task's folder under its own name."""
        target = self._own(file.name)
        if self._is_local:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            part = os.path.join(os.path.dirname(target), f".{file.name}.part-{self._writer}")
            try:
                shutil.copyfile(file, part)
                os.replace(part, target)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part)
        else:
            # Stores of objects show one when it is complete.
            self._root.fs.put_file(str(file), target)
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return Written(self.uri(file.name), digest, file.stat().st_size)

    def names(self) -> list[str]:
        """Return the names of what is in it now, in their order; none if it is not there."""
        self._root.fs.invalidate_cache(self._root.path)
        try:
            found = self._root.fs.ls(self._root.path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def fetch(self, name: str, copy: Path) -> bool:
        """Copy a file of it into this task's folder, unless it is gone; return whether it is there."""
        try:
            with self._root.fs.open(self._own(name), "rb") as file, copy.open("wb") as target:
                shutil.copyfileobj(file, target, _PIECE_BYTES)
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._root.fs.rm_file(self._own(name))

    def has(self, described: Mapping[str, Any]) -> bool:
        """Whether a file is there as a manifest describes it."""
        digest = hashlib.sha256()
        name = str(described.get("path", "")).rpartition("/")[2]
        try:
            with self._root.fs.open(self._own(name), "rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    digest.update(piece)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == described.get("sha256")

    def uri(self, name: str) -> str:
        """Return the path or URI of a file in it, as the author spelled the folder."""
        return f"{self.path}/{name}"

    def _own(self, name: str) -> str:
        return f"{self._root.path.rstrip('/')}/{name}"
