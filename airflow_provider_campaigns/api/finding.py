"""Finding campaigns: the part of a client that reads them by id or from the list, and looks for a launch's mark."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.creating import CreatesCampaigns
from airflow_provider_campaigns.api.dating import DatesCampaigns
from airflow_provider_campaigns.api.errors import CampaignAPIError, ListingIncomplete, NotFound, UnreadableAnswer

if TYPE_CHECKING:
    import datetime

    from airflow_provider_campaigns.api.model import Campaign

#: So many campaigns may be unreadable on their own; more, and it is the vendor's answers that are.
MOST_UNREAD = 10


class FindsCampaigns(DatesCampaigns, CreatesCampaigns):
    """The part of a client that finds campaigns."""

    #: Up to so many campaigns are asked for by id; for more, the list is cheaper. None: the list serves nobody.
    few: ClassVar[int | None] = None
    #: How many campaigns a page of the list has.
    page_of_list: ClassVar[int] = 100
    #: When the list breaks off, so many are still asked for by id; more would keep everybody waiting.
    most_by_id: ClassVar[int] = 0

    #: Filters of lists that leave out what is over, the likeliest first: an account may hold many more of those than
    #: are waited for. They are read once the first page of the whole list has not shown all.
    unfinished: ClassVar[Sequence[Mapping[str, Any]]] = ()

    @abc.abstractmethod
    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """
        Return one campaign.

        :param progress: Whether figures are wanted that cost requests of their own; the status always comes.
        """

    @abc.abstractmethod
    def list_campaigns(self, **filters: Any) -> Iterator[Campaign]:
        """Yield the account's campaigns lazily, each once; filters are the vendor's, in snake_case."""

    def get_campaigns(
        self,
        campaign_ids: Iterable[str],
        *,
        progress: bool = True,
        unread: MutableMapping[str, UnreadableAnswer] | None = None,
    ) -> dict[str, Campaign]:
        """
        Return campaigns by id in the cheapest way; one that the vendor does not know is left out.

        A few are asked for by id. For more the list is read for as long as a page of it is likely to bring more than a
        request by id would; what it does not show is asked for by id, since a list may lag behind.

        :param campaign_ids: The ids wanted.
        :param progress: As for :meth:`get_campaign`.
        :param unread: Takes, by id, what is wrong with campaigns that the vendor tells but nobody can read; by default
            the first such is raised.
        """
        wanted = list(dict.fromkeys(map(self.checked_id, campaign_ids)))
        found: dict[str, Campaign] = {}
        if self.list_serves(len(wanted), progress):
            found = self._from_list(set(wanted), progress)
        for campaign_id in wanted:
            if campaign_id not in found:
                try:
                    found[campaign_id] = self.campaign_by_id(campaign_id, progress=progress)
                except NotFound:
                    continue
                except UnreadableAnswer as error:
                    if unread is None or len(unread) >= MOST_UNREAD:
                        raise
                    unread[campaign_id] = error
        return {campaign_id: found[campaign_id] for campaign_id in wanted if campaign_id in found}

    @classmethod
    def checked_id(cls, campaign_id: str) -> str:
        """
        Return a campaign's id as answers hold it.

        :raises InvalidRequest: It cannot be one.
        """
        return campaign_id

    def list_serves(self, wanted: int, progress: bool) -> bool:
        """Return whether the list is the way to so many campaigns; by default for more than ``few``."""
        return self.few is not None and wanted > self.few

    def is_worth_a_page(self, missing: int, wanted: int, pages: int, progress: bool) -> bool:
        """
        Return whether to read a page more of the list; by default while it may bring more than a request by id.

        :param missing: How many campaigns are not found yet.
        :param wanted: How many were asked for.
        :param pages: How many pages were read.
        :param progress: Whether their figures are wanted.
        """
        return missing > max(self.few or 0, pages)

    def listed(self, progress: bool) -> Iterator[Campaign]:
        """Yield the account's campaigns as :meth:`get_campaigns` looks for them, the likeliest first."""
        return self.list_campaigns()

    def with_figures(self, campaign: Campaign) -> Campaign:
        """Return a listed campaign with the figures that the list does not have; by default it has them all."""
        return campaign

    def campaign_by_id(self, campaign_id: str, *, progress: bool) -> Campaign:
        """Return a campaign that the list was not asked for, or did not show."""
        return self.get_campaign(campaign_id, progress=progress)

    def is_gone(self, campaign_id: str) -> bool:
        """Return whether the vendor says that there is no such campaign; False also where it says nothing."""
        try:
            self.campaign_by_id(campaign_id, progress=False)
        except NotFound:
            return True
        except CampaignAPIError:
            return False
        return False

    def _from_list(self, missing: set[str], progress: bool) -> dict[str, Campaign]:
        """Return what the list shows of campaigns, as far as reading it is worth it; takes them out of ``missing``."""
        wanted = len(missing)
        found: dict[str, Campaign] = {}
        whole = self.listed(progress)
        first = islice(whole, self.page_of_list)

        def pick(rows: Iterable[Campaign], pages: int = 0) -> bool:
            """Take what is missing out of a list; return whether to go on, here or elsewhere."""
            number = 0
            for number, campaign in enumerate(rows, 1 + pages * self.page_of_list):
                if campaign.id in missing:
                    missing.discard(campaign.id)
                    found[campaign.id] = self.with_figures(campaign) if progress else campaign
                read, more = divmod(number, self.page_of_list)
                if not missing or (not more and not self.is_worth_a_page(len(missing), wanted, read, progress)):
                    return False
            # A first page of the whole list that is not full is all there is.
            return pages > 0 or rows is not first or number == self.page_of_list

        try:
            if pick(first) and all(pick(self.list_campaigns(**filters)) for filters in self.unfinished):
                pick(whole, 1)
        except ListingIncomplete:
            if len(missing) > self.most_by_id:
                raise
        return found

    def find_marked(self, mark: str, *, since: datetime.datetime) -> list[Campaign]:
        """
        Return all campaigns whose marked field contains a text, whatever its case, oldest first.

        It reads as little of the list as is safe, and never takes an unread part for an empty one.

        :param mark: The text.
        :param since: No campaign that is looked for is older; an aware datetime.
        """
        found: list[Campaign] = []
        for campaigns in self.where_marked(mark, since):
            found = [campaign for campaign in campaigns if mark.lower() in self.marked_text(campaign).lower()]
            if found:
                break
        return sorted(found, key=self.age)

    def where_marked(self, mark: str, since: datetime.datetime) -> Iterator[Iterable[Campaign]]:
        """
        Yield where to look for a mark, the cheapest place first; the last one must leave nothing out.

        :param mark: The text.
        :param since: No campaign that is looked for is older; an aware datetime.
        """
        yield self.list_campaigns()

    def marked_text(self, campaign: Campaign) -> str:
        """Return what the marked field of a listed campaign holds, empty if nothing."""
        return reading.text(campaign.raw.get(self._declared_mark().wire)) or ""
