"""What older Airflows lack: a test that needs it is skipped there, and says what and since when."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import pytest


def _version(text: str) -> Sequence[int]:
    return [int(part) for part in text.split(".")[:2]]


AIRFLOW = _version(importlib.metadata.version("apache-airflow"))


def has(minor: str) -> bool:
    """Whether this Airflow is of a version such as ``3.3`` or newer."""
    return _version(minor) <= AIRFLOW


#: Whether callbacks are told the exception of a task in ``dag.test()``, as they are on a worker.
CALLBACKS_ARE_TOLD = has("3.3") or not has("3.0")


def airflow_since(minor: str, what: str) -> pytest.MarkDecorator:
    """Return the mark of tests that need what came with a version of Airflow."""
    return pytest.mark.skipif(not has(minor), reason=_reason(minor, what))


def need(minor: str, what: str) -> Any:
    """Skip the test that runs, or the module that is imported, if Airflow is too old for what it needs."""
    if not has(minor):
        pytest.skip(_reason(minor, what), allow_module_level=True)


def _reason(minor: str, what: str) -> str:
    return f"needs {what}, which Airflow has since {minor}"
