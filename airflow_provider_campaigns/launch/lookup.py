"""Looking for the campaigns of a launch by the mark that it leaves at the vendor."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.exceptions import LaunchOutcomeUnknown
from airflow_provider_campaigns.launch.intent import Intent, signs_in

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

logger = logging.getLogger(__name__)

#: Clocks differ, and how vendors compare dates is not documented: a look-up begins a day before the first try.
LOOKUP_MARGIN = datetime.timedelta(days=1)
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)


class LookUp:
    """
    The search for what earlier tries of a launch did at the vendor.

    :param client: The vendor's client.
    :param intent: What is meant; its mark is looked for.
    :param earliest: The time before which nothing of this launch was created, in seconds since the epoch.
    :param timeout: Seconds to go on looking while nothing is found.
    :param log: Where the log lines go.
    :param sleep: How to wait.
    :param now: What time it is, in seconds since the epoch.
    """

    def __init__(
        self,
        client: CampaignClient,
        intent: Intent,
        *,
        earliest: float,
        timeout: float,
        log: logging.Logger | Any = logger,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.timeout = timeout
        self._client = client
        self._intent = intent
        self._earliest = earliest
        self._log = log
        self._sleep = sleep
        self._now = now

    def find(self, *, patient: bool) -> list[Campaign]:
        """
        Return the launch's campaigns, oldest first.

        :param patient: Whether to go on looking until the timeout while there is none; otherwise one look is all.
        :raises LaunchOutcomeUnknown: The vendor's list could not be read.
        """
        since = datetime.datetime.fromtimestamp(max(0.0, self._earliest - LOOKUP_MARGIN.total_seconds()), datetime.UTC)
        for _ in self.looks(f"a campaign marked {self._intent.mark}", patient=patient):
            try:
                listed = self._client.find_marked(f"[airflow {self._intent.sign}-", since=since)
            except CampaignAPIError as error:
                raise LaunchOutcomeUnknown(
                    f"Whether a campaign marked {self._intent.mark} was launched could not be found out: {error}"
                ) from error
            # Another launch's own words may hold this one's mark: copied with a name, or put there on purpose.
            found = [one for one in listed if self._is_ours(signs_in(self._client.marked_text(one)))]
            if found:
                return found
        return []

    def started(self, campaign: Campaign) -> Campaign:
        """Return a campaign once it is no draft any more, or as it is when the timeout has passed."""
        for _ in self.looks(f"campaign {campaign.id} as started, which an earlier try may have asked for"):
            campaign = self._client.get_campaign(campaign.id, progress=False)
            if campaign.status is not CampaignStatus.DRAFT:
                break
        return campaign

    def looks(self, wanted: str, *, patient: bool = True) -> Iterator[None]:
        """
        Yield before each look: at once, then after longer and longer pauses until the timeout has passed.

        :param wanted: What is looked for, for the log.
        :param patient: Whether there is more than one look.
        """
        give_up = self._now() + (self.timeout if patient else 0.0)
        self._log.info("Looking at %s for %s", self._client.vendor, wanted)
        for attempt in range(10_000):
            yield
            left = give_up - self._now()
            if left <= 0:
                return
            pause = min(left, PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS) - 1)])
            self._log.info("%s does not show %s yet; looking for another %.0f s", self._client.vendor, wanted, left)
            self._sleep(pause)

    def _is_ours(self, signs: tuple[str, str] | None) -> bool:
        # A vendor may have cut a mark off; one that is there whole is another's or ours.
        return signs is None or signs[0] == self._intent.sign
