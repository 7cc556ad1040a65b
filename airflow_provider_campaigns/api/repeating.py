"""Whether and when a failed request is sent again: pure decisions."""

from __future__ import annotations

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.endpoints import Safety

MAX_ATTEMPTS = 4
#: A vendor that asks for a longer pause gets it from the caller's schedule, not from a sleeping worker.
MAX_PAUSE_SECONDS = 60.0
#: Those who wait for one window to pass come back over so much more of it, not all at once.
WINDOW_SPREAD = 0.1


def may_repeat(safety: Safety, keyed: bool, error: BaseException) -> bool:
    """
    Whether a failed request may be sent again by itself.

    :param safety: What repeating the endpoint could do.
    :param keyed: Whether the request carries an ``Idempotency-Key``.
    :param error: How it failed.
    """
    if isinstance(error, errors.OutcomeUnknown):
        error = error.__cause__ or error
    if not isinstance(error, (errors.Unavailable, errors.RateLimited, errors.UnreadableAnswer)):
        return False
    if error.retry_after is not None and error.retry_after > MAX_PAUSE_SECONDS:
        return False
    if isinstance(error, errors.RateLimited) or (isinstance(error, errors.Unavailable) and error.never_sent):
        return True
    return safety is Safety.REPEATABLE or (safety is Safety.KEYED and keyed)


def pause_before(attempt: int, error: BaseException | None, chance: float, window: float | None = None) -> float:
    """
    Return the seconds to wait before the next attempt.

    What the vendor asks for is kept, plus a little so that waiters spread. Where it asks for nothing, a limit that was
    met is waited out for its whole window, if that is known; all else is tried again soon, then later and later.

    :param attempt: How many attempts have failed, from 1.
    :param error: How the last one failed.
    :param chance: A random number from 0 to 1.
    :param window: Seconds after which the vendor's limit counts anew, or None where the vendor tells it each time.
    """
    retry_after: float | None = getattr(error, "retry_after", None)
    if retry_after is not None:
        return min(MAX_PAUSE_SECONDS, retry_after + 0.25 * chance)
    if window is not None and isinstance(error, errors.RateLimited):
        return window * (1 + WINDOW_SPREAD * chance)
    backoff: float = 0.5 * 2 ** (attempt - 1) * (0.5 + chance)
    return min(MAX_PAUSE_SECONDS, backoff)
