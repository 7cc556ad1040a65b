"""How many contacts may go wrong: a share or a count."""

from __future__ import annotations


def exceeds(limit: float | None, count: int, total: int) -> bool:
    """Whether so many out of a total are more than a limit allows; None is no limit."""
    return limit is not None and count > (limit * total if limit < 1 else limit)
