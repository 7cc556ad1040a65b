"""One attempt at a request as its listener is told of it: what was asked, what came of it, how long it all took."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_campaigns.api.endpoints import Endpoint

log = logging.getLogger(__name__)

#: A wait for the account's limit is worth a line in the log from so many seconds on.
NOTABLE_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One attempt at a request.

    :param vendor: The vendor's name.
    :param endpoint: What was asked.
    :param status: The HTTP status of the answer, or None if there was none.
    :param seconds: How long the answer took, or its failure.
    :param waited: Seconds before that, in which the account's limit allowed no request.
    :param is_look: Whether it was a look of a wait, which lets launches, starts and holds go first.
    """

    vendor: str
    endpoint: Endpoint
    status: int | None
    seconds: float
    waited: float
    is_look: bool


#: What is told of each attempt; what it raises is logged and changes nothing.
AttemptListener = Callable[[Attempt], None]


def tell(listener: AttemptListener | None, attempt: Attempt) -> None:
    """Tell a listener of an attempt, and the log of a long wait for the account's limit."""
    if attempt.waited >= NOTABLE_WAIT_SECONDS:
        log.info(
            "%s %s waited %.1f s for its turn, since the account's limit allows no more requests",
            attempt.vendor,
            attempt.endpoint,
            attempt.waited,
        )
    if listener is None:
        return
    try:
        listener(attempt)
    except Exception:
        # The request may have launched something: nothing that comes after it may hide that.
        log.warning("What listens to the requests to %s failed", attempt.vendor, exc_info=True)
