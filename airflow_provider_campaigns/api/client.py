"""The contract that a vendor's client fulfils, and how a vendor says what it cannot do."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow_provider_campaigns.api.errors import InvalidRequest, NotFound, UnsupportedAction

if TYPE_CHECKING:
    import datetime
    from types import TracebackType

    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.api.transport import Transport

#: What can be done to a campaign that exists.
ACTIONS = ("start", "pause", "resume", "stop")


class CampaignClient(abc.ABC):
    """
    One vendor's API behind the calls that all vendors share.

    A vendor overrides the actions that it has; for each other it says in ``instead`` what to use.
    """

    #: The vendor's name as people write it.
    vendor: ClassVar[str]
    #: For each action that the vendor lacks, what to do instead.
    instead: ClassVar[Mapping[str, str]] = {}
    #: The create field that a launch's mark goes to the end of: one that the vendor's list shows.
    marked_field: ClassVar[str] = "description"
    #: The longest that the vendor allows it to be, in characters, or None where it tells no limit.
    marked_field_length: ClassVar[int | None] = None

    transport: Transport

    @property
    def figures_are_free(self) -> bool:
        """Whether many campaigns' progress and counts come with their status, at no request for each."""
        return False

    @classmethod
    @abc.abstractmethod
    def check_fields(cls, values: Mapping[str, Any]) -> None:
        """
        Check those create fields that are given, without any I/O; what is missing or None may still come.

        :param values: Create fields by Python name.
        :raises InvalidRequest: Names the field and what is allowed.
        """

    @abc.abstractmethod
    def create_body(self, **fields: Any) -> dict[str, Any]:
        """
        Return the JSON object that :meth:`create_campaign` sends for these fields, fully checked; no I/O.

        :raises InvalidRequest: Names the field and what is allowed.
        """

    @abc.abstractmethod
    def create_campaign(self, **fields: Any) -> Campaign:
        """
        Create a campaign; the one call that must never be made twice for one intent.

        :param fields: The vendor's fields in snake_case, and ``extra_fields`` for those this package does not know.
        :raises InvalidRequest: Nothing was sent.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """

    @abc.abstractmethod
    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """
        Return one campaign.

        :param progress: Whether figures are wanted that cost requests of their own; the status always comes.
        """

    @abc.abstractmethod
    def list_campaigns(self, **filters: Any) -> Iterator[Campaign]:
        """Yield the account's campaigns lazily, each once; filters are the vendor's, in snake_case."""

    def get_campaigns(self, campaign_ids: Iterable[str], *, progress: bool = True) -> dict[str, Campaign]:
        """
        Return campaigns by id in the cheapest way; one that the vendor does not know is left out.

        :param campaign_ids: The ids wanted.
        :param progress: As for :meth:`get_campaign`.
        """
        found: dict[str, Campaign] = {}
        for campaign_id in dict.fromkeys(campaign_ids):
            try:
                found[campaign_id] = self.get_campaign(campaign_id, progress=progress)
            except NotFound:
                continue
        return found

    @abc.abstractmethod
    def find_marked(self, mark: str, *, since: datetime.datetime) -> list[Campaign]:
        """
        Return all campaigns whose marked field contains a text, whatever its case, oldest first.

        It reads as little of the list as is safe, and never takes an unread part for an empty one.

        :param mark: The text.
        :param since: No campaign that is looked for is older; an aware datetime.
        """

    @abc.abstractmethod
    def marked_text(self, campaign: Campaign) -> str:
        """Return what the marked field of a listed campaign holds, empty if nothing."""

    @classmethod
    def with_mark(cls, fields: Mapping[str, Any], mark: str) -> dict[str, Any]:
        """
        Return create fields with a mark at the end of the marked field.

        :raises InvalidRequest: The field's own text leaves no room for the mark.
        """
        own = str(fields.get(cls.marked_field) or "").rstrip()
        text = f"{own} {mark}".lstrip()
        if cls.marked_field_length is not None and len(text) > cls.marked_field_length:
            room = cls.marked_field_length - len(mark) - 1
            raise InvalidRequest(
                f"{cls.marked_field} must have at most {room} characters; it has {len(own)}. "
                f"The rest of {cls.vendor}'s {cls.marked_field_length} is for the mark that a launch is found by."
            )
        return {**fields, cls.marked_field: text}

    @abc.abstractmethod
    def check(self) -> str:
        """Make one cheap authenticated read and return a sentence about what was found."""

    def start_campaign(self, campaign_id: str) -> Campaign:
        """Begin sending."""
        raise self._lacking("start")

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """Hold sending, to be resumed."""
        raise self._lacking("pause")

    def resume_campaign(self, campaign_id: str) -> Campaign:
        """Go on where the campaign was paused."""
        raise self._lacking("resume")

    def stop_campaign(self, campaign_id: str) -> Campaign:
        """End sending for good."""
        raise self._lacking("stop")

    @classmethod
    def supports(cls, action: str) -> bool:
        """Whether the vendor has this action (one of :data:`ACTIONS`)."""
        return action in ACTIONS and action not in cls.instead

    @classmethod
    def _lacking(cls, action: str) -> UnsupportedAction:
        advice = f"; {cls.instead[action]}" if action in cls.instead else ""
        return UnsupportedAction(f"{cls.vendor} has no {action}{advice}.")

    def close(self) -> None:
        """Give the connections to the vendor back."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
