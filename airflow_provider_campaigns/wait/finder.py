"""One walk for many searches: all that wait for a name on one connection look through the list together."""

from __future__ import annotations

import asyncio
import contextvars
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.wait.names import NameSearch, search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.wait.connection import SharedClient
    from airflow_provider_campaigns.wait.names import CampaignName
    from airflow_provider_campaigns.wait.outcome import Outcome

#: Searches that come within so many seconds are begun together.
NEWCOMERS_SECONDS = 1.0
#: A search that is due within this share of its interval is looked after along with one that is due now.
EARLY_SHARE = 0.25


@dataclass(eq=False, slots=True)
class _Seeker:
    """One search at a finder."""

    search: NameSearch
    log: Any
    future: asyncio.Future[Outcome]
    due: float
    pause: float = 0.0
    # What is logged about this search belongs in its task's log, which Airflow finds by the context.
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def serve(self, seen: Campaign | Exception | None, now: float) -> None:
        """Take in what a look brought."""
        if self.future.done():
            return
        if isinstance(seen, Exception):
            self.context.run(self.log.warning, "Could not look for campaign %s: %s", self.search.name, seen)
        outcome = self.search.took(seen, now)
        if outcome:
            self.future.set_result(outcome)
        self.pause = self.search.pause(now, random.random())
        self.due = now + self.pause


class FinderGroup:
    """
    Searches of one connection, which share their walks through the vendor's list.

    :param client: The connection's client.
    """

    def __init__(self, client: SharedClient) -> None:
        self._client = client
        self._seekers: set[_Seeker] = set()
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def find(self, wanted: NameSearch, log: Any) -> Outcome:
        """
        Look for a campaign until the search is over.

        :param wanted: The search.
        :param log: Where the lines about it go.
        """
        seeker = _Seeker(wanted, log, asyncio.get_running_loop().create_future(), time.time() + NEWCOMERS_SECONDS)
        # A search whose interval is shorter than that need not wait so long for company.
        seeker.due = min(seeker.due, time.time() + wanted.pause(time.time(), 1.0))
        self._seekers.add(seeker)
        self._joined.set()
        if self._task is None or self._task.done():
            # In a context of its own, since it outlives the search that happened to come first.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())
        try:
            return await seeker.future
        finally:
            self._seekers.discard(seeker)
            if not self._seekers and self._task:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        try:
            while self._seekers:
                now = time.time()
                first = min(seeker.due for seeker in self._seekers)
                if first > now:
                    self._joined.clear()
                    try:
                        await asyncio.wait_for(self._joined.wait(), first - now)
                    except TimeoutError:
                        pass
                    continue
                # Whatever happens in a look, the other triggers of this event loop get their turn.
                await asyncio.sleep(0)
                due = [one for one in self._seekers if one.due <= now + EARLY_SHARE * one.pause]
                await self._look(due)
        except Exception as error:
            # No look raises: this is for a flaw here, so that no search hangs for ever.
            for seeker in list(self._seekers):
                if not seeker.future.done():
                    seeker.future.set_exception(error)

    async def _look(self, due: Sequence[_Seeker]) -> None:
        names = list(dict.fromkeys(seeker.search.name for seeker in due))
        found: dict[CampaignName, Campaign | Exception | None] = {}
        try:
            found.update(zip(names, await self._client.call(partial(_search, names)), strict=True))
        except Exception as error:
            found.update(dict.fromkeys(names, error))
        for seeker in due:
            seeker.serve(found[seeker.search.name], time.time())


def _search(names: Sequence[CampaignName], client: CampaignClient) -> Sequence[Campaign | Exception | None]:
    return search(client, names)
