"""The kinds of arguments that say where something is: files and folders at any storage."""

from __future__ import annotations

import os
from typing import Any

from airflow_provider_campaigns.arguments.kinds import ArgumentKind

#: Storages take these for patterns of names.
_PATTERN_CHARACTERS = "*?["


def _path(value: Any) -> str:
    if hasattr(value, "protocol") and hasattr(value, "open"):
        value = str(value)
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path.strip() or not path.isprintable():
        raise ValueError
    return path


def _paths(value: Any) -> tuple[str, ...]:
    paths = tuple(map(_path, value)) if isinstance(value, (list, tuple)) else (_path(value),)
    if not paths:
        raise ValueError
    return paths


def _no_or_more_paths(value: Any) -> tuple[str, ...]:
    return () if isinstance(value, (list, tuple)) and not value else _paths(value)


def _folder(value: Any) -> str:
    path = _path(value).rstrip("/")
    if not path or path.startswith("~") or ".." in path.split("/") or any(one in path for one in _PATTERN_CHARACTERS):
        raise ValueError
    return path


FILE = ArgumentKind("the path or URI of a file", _path)
FILES = ArgumentKind("the path or URI of a file, or a list of such", _paths)
FILES_OR_NONE = ArgumentKind(FILES.wanted, _no_or_more_paths, optional=True)
FOLDER = ArgumentKind("the path or URI of a folder, without '..', '~' and the characters * ? [", _folder)
