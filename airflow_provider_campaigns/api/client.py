"""The contract that a vendor's client fulfils, and how a vendor says what it cannot do."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow_provider_campaigns.api.counting import CountsRecipients
from airflow_provider_campaigns.api.errors import UnsupportedAction
from airflow_provider_campaigns.api.finding import FindsCampaigns
from airflow_provider_campaigns.api.outcomes import TellsOutcomes

if TYPE_CHECKING:
    from types import TracebackType

    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.api.transport import Transport

#: What can be done to a campaign that exists.
ACTIONS = ("start", "pause", "resume", "stop", "update", "archive", "delete")


class CampaignClient(FindsCampaigns, CountsRecipients, TellsOutcomes):
    """
    One vendor's API behind the calls that all vendors share.

    A vendor overrides the actions that it has; for each other it says in ``instead`` what to use.
    """

    #: For each action that the vendor lacks, what to do instead.
    instead: ClassVar[Mapping[str, str]] = {}

    transport: Transport

    @abc.abstractmethod
    def check(self) -> str:
        """Make one cheap authenticated read and return a sentence about what was found."""

    def start_campaign(self, campaign_id: str) -> Campaign:
        """Begin sending."""
        raise self.lacking("start")

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """Hold sending, to be resumed."""
        raise self.lacking("pause")

    def resume_campaign(self, campaign_id: str) -> Campaign:
        """Go on where the campaign was paused."""
        raise self.lacking("resume")

    def stop_campaign(self, campaign_id: str) -> Campaign:
        """End sending for good."""
        raise self.lacking("stop")

    def update_campaign(self, campaign_id: str, **changes: Any) -> Campaign:
        """
        Change a campaign.

        :param campaign_id: The campaign's id.
        :param changes: The vendor's fields in snake_case.
        """
        raise self.lacking("update")

    @classmethod
    def check_changes(cls, changes: Mapping[str, Any]) -> None:
        """
        Check those changes of a campaign that are given, without any I/O; what is missing may still come.

        :param changes: As for :meth:`update_campaign`.
        :raises InvalidRequest: Names the field and what is allowed.
        """

    def archive_campaign(self, campaign_id: str) -> Campaign:
        """Put a campaign away for good, its figures kept."""
        raise self.lacking("archive")

    def delete_campaign(self, campaign_id: str) -> None:
        """Delete a campaign; what was sent stays sent."""
        raise self.lacking("delete")

    @classmethod
    def supports(cls, action: str) -> bool:
        """Whether the vendor has this action (one of :data:`ACTIONS`)."""
        if action not in ACTIONS or action in cls.instead:
            return False
        name = f"{action}_campaign"
        return getattr(cls, name) is not getattr(CampaignClient, name)

    @classmethod
    def lacking(cls, action: str) -> UnsupportedAction:
        """Return the error for an action that the vendor does not have, with what to do instead."""
        advice = f"; {cls.instead[action]}" if action in cls.instead else ""
        return UnsupportedAction(f"{cls.vendor} has no {action}{advice}.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.transport.base_url!r}, {self.transport.account.label!r})"

    def close(self) -> None:
        """Give the connections to the vendor back."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
