"""What every client lets its user choose: where the API is, how long to wait, how fast to ask."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from airflow_provider_campaigns.api.attempts import AttemptListener
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.hosts import normalised_base_url
from airflow_provider_campaigns.api.limits import LOOK_SHARE, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """
    A client's options, checked.

    :param base_url: Where the API is; by default the vendor's own address.
    :param timeout: Seconds to wait for each piece of an answer, by default 30.
    :param rate_limit: Requests a second to keep below; by default the vendor's documented limit with a margin, or no
        limit where none is documented.
    :param look_share: The share of that limit which waits may take for their looks, above 0 up to 1, by default two
        thirds; the rest is for launches, starts and holds.
    :param label: How messages call the credential, such as ``connection 'kinbox_default'``.
    :param dry_run: Send no request that creates, starts, changes or deletes something; by default all are sent. Pausing
        and stopping go on, since they can only spare people a message.
    :param sleep: How to wait between attempts, in seconds.
    :param on_attempt: Called after each attempt at a request with an
        :class:`~airflow_provider_campaigns.api.attempts.Attempt`, in the thread that made it; by default nothing is.
    :raises InvalidRequest: For a number that cannot work; an address is checked by :meth:`url`.
    """

    base_url: str | None = None
    timeout: float = 30.0
    rate_limit: float | None = None
    look_share: float = LOOK_SHARE
    label: str = "the given credential"
    dry_run: bool = False
    sleep: Callable[[float], None] = time.sleep
    on_attempt: AttemptListener | None = None

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise InvalidRequest(f"timeout must be above 0 seconds; got {self.timeout:g}.")
        if not 0 < self.look_share <= 1:
            raise InvalidRequest(f"look_share must be above 0 and at most 1; got {self.look_share:g}.")
        self.rate(None)

    def url(self, default: str) -> str:
        """
        Return the base URL to use.

        :param default: The vendor's own.
        :raises InvalidRequest: For an address that the credential must not be sent to.
        """
        return normalised_base_url(self.base_url, default)

    def rate(self, default: Rate | None) -> Rate | None:
        """
        Return the limit to keep to, or None for no limit.

        :param default: The vendor's own.
        :raises InvalidRequest: For a limit that is not above 0.
        """
        return default if self.rate_limit is None else Rate.per_second(self.rate_limit)


class OptionArguments(TypedDict, total=False):
    """The same as the keyword arguments of a client, for type checkers."""

    base_url: str | None
    timeout: float
    rate_limit: float | None
    look_share: float
    label: str
    dry_run: bool
    sleep: Callable[[float], None]
    on_attempt: AttemptListener | None
