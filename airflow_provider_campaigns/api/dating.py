"""When campaigns were created: the part of a client that tells it, and lists those created since some time."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api import reading

if TYPE_CHECKING:
    import datetime

    from airflow_provider_campaigns.api.model import Campaign


class DatesCampaigns(abc.ABC):
    """The part of a client that knows when campaigns were created."""

    #: The property of a listed campaign that holds the time of its creation, or None where there is none.
    creation_property: ClassVar[str | None] = None
    #: Whether the vendor lists the newest campaign first, so that the first that is too old ends a walk.
    newest_first: ClassVar[bool] = False

    @classmethod
    @abc.abstractmethod
    def age(cls, campaign: Campaign) -> Any:
        """Return what sorts campaigns by the time of their creation, the oldest first."""

    @classmethod
    def created_at(cls, campaign: Campaign) -> datetime.datetime | None:
        """Return when a listed campaign was created, an aware datetime, or None where the vendor does not tell."""
        told = campaign.raw.get(cls.creation_property) if cls.creation_property else None
        return reading.aware_moment(told)

    def created_since(self, since: datetime.datetime | None) -> Iterator[Campaign]:
        """
        Yield the campaigns that can be read; older ones may be among them.

        :param since: An aware datetime, or None for all campaigns.
        """
        for campaign in self.listed(False):
            created = self.created_at(campaign) if self.newest_first and since else None
            if since and created and created < since:
                return
            yield campaign

    @abc.abstractmethod
    def listed(self, progress: bool) -> Iterator[Campaign]:
        """Yield the account's campaigns, the likeliest to be looked for first."""
