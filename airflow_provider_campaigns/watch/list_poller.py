"""One walk for many watchers: a connection's list of campaigns, looked at again and again in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignUnreachable
from airflow_provider_campaigns.wait.connection import SharedClient, client_of
from airflow_provider_campaigns.wait.outcome import Reason
from airflow_provider_campaigns.wait.state import LONGEST_PAUSE_SECONDS, Patience
from airflow_provider_campaigns.wait.wakeups import bell_of

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

log = logging.getLogger(__name__)

#: Campaigns asked for in one go, so that a watch that ends need not wait for all of them.
DETAIL_BATCH = 20
#: A webhook brings a look no sooner than this after the one before: each is a walk through the whole list.
LEAST_SECONDS_BETWEEN = 15.0


class Look:
    """
    All campaigns of a connection, as one walk through the vendor's list saw them.

    :param vendor: The vendor's name.
    :param campaigns: The campaigns, without the vendor's raw answers.
    :param ask: Asks the vendor for campaigns with their figures.
    """

    def __init__(
        self,
        vendor: str,
        campaigns: Sequence[Campaign],
        ask: Callable[[Sequence[str]], Any],
    ) -> None:
        self.vendor = vendor
        self.campaigns = campaigns
        self._ask = ask
        self._asking = asyncio.Lock()
        self._detailed: dict[str, Campaign | None] = {}
        self._failure: CampaignAPIError | None = None

    async def in_detail(self, campaign_ids: Iterable[str]) -> dict[str, Campaign]:
        """
        Return campaigns with their figures; one that the vendor does not know any more is left out.

        Watchers that share the look share the answers, and the failure too.

        :raises CampaignAPIError: The vendor did not answer.
        """
        wanted = list(campaign_ids)
        async with self._asking:
            missing = [one for one in wanted if one not in self._detailed]
            if missing and self._failure is None:
                try:
                    found = await self._ask(missing)
                except CampaignAPIError as error:
                    self._failure = error
                else:
                    self._detailed.update({one: found.get(one) for one in missing})
                    missing = []
            if missing and self._failure is not None:
                raise self._failure
        detailed = {one: self._detailed[one] for one in wanted}
        return {one: campaign for one, campaign in detailed.items() if campaign is not None}


class ListPoller:
    """
    Walks the vendor's list of campaigns again and again; blocking calls run in one thread of its own.

    Where the connection's webhooks are received, an event brings the next walk before it is time.

    :param conn_id: The connection.
    :param hook_params: Further arguments of its hook.
    :param poll_interval: Seconds between two walks.
    :param patience: Seconds without a good answer before it gives up.
    """

    def __init__(
        self, conn_id: str, hook_params: Mapping[str, Any] | None, poll_interval: float, patience: float
    ) -> None:
        self.conn_id = conn_id
        self._poll_interval = poll_interval
        self._patience = Patience(patience, time.time())
        self._client = SharedClient(lambda: client_of(conn_id, hook_params), threads=1, name="campaign-list")
        #: The newest look, and how many there were.
        self.newest: Look | None = None
        self.looks = 0
        self._not_before = 0.0
        self._bell = bell_of(conn_id)
        self._woken = asyncio.Event()
        self._ended = threading.Event()

    async def run(self) -> AsyncIterator[ListPoller]:
        """
        Look, for ever; yield itself after each look, so that a watcher that is late sees only the newest.

        :raises CampaignUnreachable: There was no good answer for longer than the patience.
        :raises CampaignRequestFailed: The vendor refused twice in a row, or the connection cannot be used.
        """
        listening = asyncio.create_task(self._bell.listen(lambda _: self._woken.set())) if self._bell else None
        try:
            while True:
                # What rings during a look may be newer than what it sees.
                self._woken.clear()
                # Whatever it is that fails, the next look comes an interval later: Airflow starts a trigger that
                # raises again within a second.
                try:
                    self.newest = await self._look()
                except Exception as error:
                    log.warning("Could not look at the campaigns of connection %r: %s", self.conn_id, error)
                    count_failure(error, self._patience, self.conn_id, time.time())
                    self._keep_away(error)
                else:
                    self._patience.answered(time.time())
                    self.looks += 1
                    yield self
                await self._sleep()
        finally:
            if listening:
                listening.cancel()
            self._ended.set()
            self._client.close()

    async def _look(self) -> Look:
        vendor = (await self._client.get()).vendor
        return Look(vendor, await self._client.call(self._walk), self._ask)

    def _walk(self, client: CampaignClient) -> list[Campaign]:
        seen = []
        for campaign in client.list_campaigns():
            if self._ended.is_set():
                break
            # The rest of the vendor's answer is not needed again.
            seen.append(campaign.trimmed())
        return seen

    async def _ask(self, campaign_ids: Sequence[str]) -> dict[str, Campaign]:
        def ask(client: CampaignClient) -> dict[str, Campaign]:
            found: dict[str, Campaign] = {}
            size = len(campaign_ids) if client.figures_are_free else DETAIL_BATCH
            for start in range(0, len(campaign_ids), size):
                if self._ended.is_set():
                    break
                found |= client.get_campaigns(campaign_ids[start : start + size], progress=True)
            return {campaign_id: campaign.trimmed() for campaign_id, campaign in found.items()}

        try:
            return await self._client.call(ask)
        except CampaignAPIError as error:
            self._keep_away(error)
            raise

    def _keep_away(self, error: Exception) -> None:
        """Ask nothing for as long as the vendor wants."""
        if isinstance(error, CampaignAPIError) and error.retry_after:
            self._not_before = time.time() + min(error.retry_after, LONGEST_PAUSE_SECONDS)

    async def _sleep(self) -> None:
        # Spread, so that watches that began together do not come together.
        interval = self._poll_interval * (0.9 + 0.2 * random.random())
        least = min(interval, LEAST_SECONDS_BETWEEN)
        await asyncio.sleep(least)
        try:
            await asyncio.wait_for(self._woken.wait(), interval - least)
        except TimeoutError:
            pass
        while (rest := self._not_before - time.time()) > 0:
            await asyncio.sleep(rest)


def count_failure(error: Exception, patience: Patience, conn_id: str, now: float) -> None:
    """
    Note a failure to look at a connection's campaigns.

    :param error: What failed.
    :param patience: The patience of whoever looks.
    :param conn_id: The connection, which messages name.
    :param now: The time, in seconds since the epoch.
    :raises CampaignUnreachable: There was no good answer for too long.
    :raises CampaignRequestFailed: The second refusal in a row.
    """
    lost = patience.missed(error, now)
    if lost is Reason.UNREACHABLE:
        raise CampaignUnreachable(
            f"The campaigns of connection {conn_id!r} could not be seen for {patience.silence(now)}. "
            f"The last error: {error}"
        ) from error
    if lost is Reason.REFUSED:
        raise CampaignRequestFailed(f"The campaigns of connection {conn_id!r} cannot be watched: {error}") from error
