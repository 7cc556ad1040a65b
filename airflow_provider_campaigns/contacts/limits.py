"""How many contacts may go wrong: a share or a count."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest


def checked_limit(name: str, value: Any) -> float:
    """
    Return a limit of how many contacts may go wrong: a share below 1, or a count from 1 on; 0 is none at all.

    :raises InvalidRequest: Names the argument and what is allowed.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= 0:
        raise InvalidRequest(f"{name} must be a share below 1 or a count, 0 or more; got {str(value)[:40]}.")
    return value


def exceeds(limit: float | None, count: int, total: int) -> bool:
    """Whether so many out of a total are more than a limit allows; None is no limit."""
    return limit is not None and count > (limit * total if limit < 1 else limit)
