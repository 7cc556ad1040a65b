"""A store of objects for tests: no folders to make, an object is there when its writer is closed, no rename."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem


class Bucket(MemoryFileSystem):
    """Objects that appear when they are closed, whatever has become of their writer by then."""

    protocol = "bucket"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode != "wb":
            return super()._open(path, mode, **options)
        file = super()._open(f"{path}-upload", mode, **options)
        close = file.close

        def closed() -> None:
            close()
            if f"{path}-upload" in self.store:
                self.store[path] = self.store.pop(f"{path}-upload")

        file.close = closed
        return file


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A store of objects, under ``bucket://``."""
    from upath import UPath
    from upath.registry import register_implementation

    try:
        from airflow.sdk.io import fs
    except ImportError:
        from airflow import io as fs

    fsspec.register_implementation("bucket", Bucket, clobber=True)
    register_implementation("bucket", UPath, clobber=True)
    known = {**fs._register_filesystems(), "bucket": lambda conn_id, options: Bucket()}
    monkeypatch.setattr(fs, "_register_filesystems", lambda: known)
    Bucket.store.clear()
    yield Bucket.store
    Bucket.store.clear()
