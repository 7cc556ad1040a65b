"""A look at many campaigns that failed: whether one of them may be the cause, and how to find out which. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_campaigns.api.errors import (
    AuthenticationFailed,
    CampaignAPIError,
    InvalidRequest,
    ListingIncomplete,
    NotFound,
    RateLimited,
    Unavailable,
    UnreadableAnswer,
)

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.limits import Account

#: The status of a server that stumbled over this one request, as others (502 to 504) are of an outage.
INTERNAL_ERROR = 500
#: So many campaigns are looked at one by one after a failure; more would be requests without end.
MOST_ONE_BY_ONE = 20


#: After so many failures in a row that concern the whole account, the rest are not asked for.
MOST_COMMON_FAILURES = 2


def is_common(error: Exception | None) -> bool:
    """Whether a failure concerns all campaigns of the account alike: its credential, its limit, an outage."""
    if error is None or isinstance(error, InvalidRequest):
        return False
    if not isinstance(error, CampaignAPIError):
        return True
    return isinstance(error, AuthenticationFailed | RateLimited | Unavailable)


def parts_of(error: Exception, number: int) -> Sequence[slice]:
    """
    Return in which parts a failed look is to be repeated, none if it is not.

    One campaign (a bad id, an answer that nobody expected, a refusal, a vendor that stumbles over it) must not keep the
    others from being seen. A few are looked at one by one. Of many, those that are refused are found by halving;
    anything else may come from the vendor's list as a whole, and counts as one failed look.

    :param error: Why the look failed.
    :param number: How many campaigns it was for.
    """
    if number < 2 or isinstance(error, ListingIncomplete):
        return ()
    if is_common(error) and getattr(error, "status", None) != INTERNAL_ERROR:
        return ()
    if number <= MOST_ONE_BY_ONE:
        return [slice(start, start + 1) for start in range(number)]
    if isinstance(error, CampaignAPIError) and error.transient:
        return ()
    middle = number // 2
    return (slice(0, middle), slice(middle, number))


def unexpected(error: Exception, vendor: str) -> UnreadableAnswer:
    """Return an error that nobody expected as an unreadable answer; without its text, which may repeat the answer."""
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {one.name}, line {one.lineno}" for one in frame)
    return UnreadableAnswer(
        f"{vendor}'s answer was not understood ({type(error).__name__}{where}). If it persists, report it to the "
        "maintainers of this package.",
        vendor=vendor,
        endpoint="get_campaigns",
    )


def not_known(account: Account, campaign_id: str) -> NotFound:
    """Return the error for a campaign that the vendor does not tell of."""
    message = (
        f"{account.vendor} knows no campaign {campaign_id} in the account of {account.label}. "
        "Check the id, and that it belongs to this account."
    )
    return NotFound(message, vendor=account.vendor, endpoint="get_campaigns")
