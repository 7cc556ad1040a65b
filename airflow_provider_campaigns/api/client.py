"""The contract that a vendor's client fulfils, and how a vendor says what it cannot do."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow_provider_campaigns.api import fields, reading
from airflow_provider_campaigns.api.create_request import CreateRequest, with_mark
from airflow_provider_campaigns.api.errors import ListingIncomplete, NotFound, UnsupportedAction

if TYPE_CHECKING:
    import datetime
    from types import TracebackType

    from airflow_provider_campaigns.api.fields import Field
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
    #: The create fields, each declared once: its names, its kind and its limits.
    create_fields: ClassVar[Sequence[Field]]
    #: The name of the create field that a launch's mark goes to the end of: one that the vendor's list shows.
    marked_field: ClassVar[str] = "description"
    #: Up to so many campaigns are asked for by id; for more, the list is cheaper. None: the list serves nobody.
    few: ClassVar[int | None] = None
    #: How many campaigns a page of the list has.
    page_of_list: ClassVar[int] = 100
    #: When the list breaks off, so many are still asked for by id; more would keep everybody waiting.
    most_by_id: ClassVar[int] = 0

    transport: Transport

    @classmethod
    @abc.abstractmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """
        Return which of the names in ``api.model.COUNTS`` a campaign's counts may ever hold.

        :param kind: What is known of the kind of campaign, by the names of the create fields (``campaign_type``); what
            a vendor does not tell kinds apart by is of no effect. Without it the names of all kinds.
        """

    @property
    def figures_are_free(self) -> bool:
        """Whether many campaigns' progress and counts come with their status, at no request for each."""
        return False

    @classmethod
    def check_fields(cls, values: Mapping[str, Any], *, mark: str = "") -> None:
        """
        Check those create fields that are given, without any I/O; what is missing or None may still come.

        :param values: Create fields by Python name; of ``extra_fields`` only the type is checked.
        :param mark: The mark that will be put into the marked field; its text must leave room for it.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        given, extra_fields = fields.without_extra(values)
        read = cls.read_fields(given)
        fields.checked_extra(extra_fields)
        marked = cls._declared_mark()
        if mark and marked.name in read:
            with_mark(read[marked.name], mark, marked, cls.vendor)

    @classmethod
    def read_fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return those create fields that are given as the vendor takes them, checked each by itself and together.

        A vendor whose fields depend on each other extends this; what is missing or None may still come.

        :param values: Create fields by Python name, without ``extra_fields``.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return fields.read(cls.create_fields, values)

    def body_of(self, read: Mapping[str, Any], extra_fields: Mapping[str, Any] | None) -> dict[str, Any]:
        """
        Return the JSON object that creates a campaign.

        :param read: What :meth:`read_fields` returned.
        :param extra_fields: Fields that this package does not know, under the vendor's names.
        :raises InvalidRequest: Names the field that is missing.
        """
        return fields.body_of(self.create_fields, read, extra_fields)

    def prepare(self, *, extra_fields: Mapping[str, Any] | None = None, **values: Any) -> CreateRequest:
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        :param extra_fields: Fields that this package does not know, under the vendor's names, sent as they are.
        :param values: The vendor's fields in snake_case; None means "not given".
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return CreateRequest(self.vendor, self.body_of(self.read_fields(values), extra_fields), self._declared_mark())

    @abc.abstractmethod
    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """
        Create a campaign; the one call that must never be made twice for one intent.

        :param request: What :meth:`prepare` returned, with the launch's mark if there is one.
        :param idempotency_key: Sent where the vendor honours such a key, else of no effect.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """

    def create_campaign(self, *, idempotency_key: str | None = None, **values: Any) -> Campaign:
        """
        Create a campaign from its fields: :meth:`prepare` and :meth:`create` in one.

        :param idempotency_key: As for :meth:`create`.
        :param values: As for :meth:`prepare`.
        :raises InvalidRequest: Nothing was sent.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """
        return self.create(self.prepare(**values), idempotency_key=idempotency_key)

    @classmethod
    def _declared_mark(cls) -> Field:
        return next(field for field in cls.create_fields if field.name == cls.marked_field)

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

        A few are asked for by id. For more the list is read for as long as a page of it is likely to bring more than a
        request by id would; what it does not show is asked for by id, since a list may lag behind.

        :param campaign_ids: The ids wanted.
        :param progress: As for :meth:`get_campaign`.
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

    def _from_list(self, missing: set[str], progress: bool) -> dict[str, Campaign]:
        """Return what the list shows of campaigns, as far as reading it is worth it; takes them out of ``missing``."""
        wanted = len(missing)
        found: dict[str, Campaign] = {}
        try:
            for rows, campaign in enumerate(self.listed(progress), 1):
                if campaign.id in missing:
                    missing.discard(campaign.id)
                    found[campaign.id] = self.with_figures(campaign) if progress else campaign
                pages, more = divmod(rows, self.page_of_list)
                if not missing or (not more and not self.is_worth_a_page(len(missing), wanted, pages, progress)):
                    break
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

    @classmethod
    @abc.abstractmethod
    def age(cls, campaign: Campaign) -> Any:
        """Return what sorts campaigns by the time of their creation, the oldest first."""

    def marked_text(self, campaign: Campaign) -> str:
        """Return what the marked field of a listed campaign holds, empty if nothing."""
        return reading.text(campaign.raw.get(self._declared_mark().wire)) or ""

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
