"""What a vendor counts of a campaign, and what the counting costs: a part of the contract of clients."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.model import Campaign


class CountsRecipients(abc.ABC):
    """The part of a client that says which figures it reads."""

    @classmethod
    @abc.abstractmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """
        Return which of the names in ``api.model.COUNTS`` a campaign's counts may ever hold.

        :param kind: What is known of the kind of campaign, by the names of the create fields (``campaign_type``); what
            a vendor does not tell kinds apart by is of no effect. Without it the names of all kinds.
        """

    @classmethod
    def counted_on_request(cls, **kind: Any) -> frozenset[str]:
        """
        Return which further names of ``api.model.COUNTS`` :meth:`with_failures` counts; by default none.

        :param kind: As for :meth:`counted`.
        """
        return frozenset()

    @classmethod
    def answers(cls, **kind: Any) -> frozenset[str]:
        """Return all names that can be counted, at whatever cost."""
        return cls.counted(**kind) | cls.counted_on_request(**kind)

    def with_failures(self, campaign: Campaign) -> Campaign:
        """
        Return a campaign with its failures counted, where the vendor tells them only at requests of their own.

        By default it is returned as it is.

        :param campaign: A campaign that this client read.
        """
        return campaign

    @property
    def figures_are_free(self) -> bool:
        """Whether many campaigns' progress and counts come with their status, at no request for each."""
        return False
