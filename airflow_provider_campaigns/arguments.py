"""Readers for what a DAG author passes to operators, sensors and triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest


def as_number(name: str, value: Any) -> float:
    """Return a number that may have come as text from a template, or raise an error that names the argument."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} must be a number; got {str(value)[:40]!r}.") from None


def is_template(value: Any) -> bool:
    """Whether a value is known only when the task runs: a Jinja template, an XCom, or something that holds one."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for item in value.values())
    if isinstance(value, (list, tuple, set)):
        return any(is_template(item) for item in value)
    return hasattr(value, "resolve") and hasattr(value, "iter_references")
