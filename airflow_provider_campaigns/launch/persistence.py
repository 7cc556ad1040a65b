"""Telling Airflow something again and again, while Airflow itself cannot be reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

logger = logging.getLogger(__name__)

#: How long a look-up goes on when nothing is found, by default: a vendor's list may lag behind its creates.
DEFAULT_LOOKUP_TIMEOUT_SECONDS = 60.0
#: How long a try goes on telling Airflow what it did, by default: an API server takes a minute or two to restart.
DEFAULT_RECORD_TIMEOUT_SECONDS = 300.0
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)

Result = TypeVar("Result")


def may_pass(error: Exception) -> bool:
    """Whether Airflow may take a call a little later: it could not be reached, or its API server had trouble."""
    detail = getattr(getattr(error, "error", None), "detail", None)
    if isinstance(detail, Mapping):
        status = detail.get("status_code")
        return status is None or int(status) >= 500
    return isinstance(error, OSError)


def persistently(
    call: Callable[[], Result],
    timeout: float = DEFAULT_RECORD_TIMEOUT_SECONDS,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Result:
    """
    Make a call to Airflow, again and again while it may still succeed.

    :param call: The call, which may be made any number of times.
    :param timeout: Seconds to go on trying; 0 tries once.
    :param sleep: How to wait.
    :param now: A clock in seconds.
    :raises Exception: What the last call raised.
    """
    give_up = now() + timeout
    failures = 0
    while True:
        try:
            return call()
        except Exception as error:
            left = give_up - now()
            if left <= 0 or not may_pass(error):
                raise
            logger.warning("Airflow cannot be told what was done; trying for another %.0f s: %s", left, error)
        sleep(min(left, PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]))
        failures += 1
