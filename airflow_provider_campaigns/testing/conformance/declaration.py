"""What a vendor package declares about the vendor under test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.operators.create import CreateCampaignOperator
    from airflow_provider_campaigns.sandbox.vendor import Vendor

#: How often Airflow retries the tasks of the kit.
RETRIES = 2


@dataclass(frozen=True)
class Step:
    """
    One request of a launch.

    :param name: What it does, for readers and test ids.
    :param endpoint: The name of its route in the sandbox.
    :param reads: Whether it only reads, so that the launch remembers nothing of it.
    :param repeats: Whether the transport repeats it within a try: it is repeatable, or carries an ``Idempotency-Key``.
    """

    name: str
    endpoint: str
    reads: bool = False
    repeats: bool = False


def _keep(vendor: Vendor) -> None:
    """Do nothing, where the vendor knows no idempotency keys."""


@dataclass(frozen=True, kw_only=True)
class VendorUnderTest:
    """
    A launch at a vendor, as the kit has to know it. All else it reads from the operator and its client.

    :param name: How test ids call it; a vendor with two ways to launch is declared twice.
    :param vendor: The vendor's name in the sandbox, which is its connection type as well.
    :param operator: The create operator's class. Processes that are killed import it by its module.
    :param arguments: The operator's arguments for a launch that succeeds. Its ``name`` is ``Winter``.
    :param recipients: How many contacts such a launch reaches.
    :param steps: The requests of a fault-free launch, in order; the first one creates.
    :param sending_words: The vendor's own words for a campaign that sends or is about to, as the sandbox's inventory
        has them. The kit waits until no campaign is in such a state before it counts.
    :param hurried: Pauses of the vendor's operator to shorten, in seconds by dotted name.
    :param forget_keys: Makes the sandbox's vendor forget its idempotency keys, where it knows any: the look-up alone
        then has to find the campaign.
    """

    name: str
    vendor: str
    operator: type[CreateCampaignOperator]
    arguments: Mapping[str, Any]
    recipients: int
    steps: Sequence[Step]
    sending_words: frozenset[str]
    hurried: Mapping[str, float] = field(default_factory=dict)
    forget_keys: Callable[[Vendor], None] = _keep

    def __str__(self) -> str:
        return self.name

    @property
    def client_class(self) -> type[CampaignClient]:
        """The class of its client."""
        return self.operator.client_class()

    @property
    def starts_by_itself(self) -> bool:
        """Whether a campaign sends once it is created: there is no start, so no draft to go on with."""
        return not self.client_class.supports("start")

    @property
    def counts_recipients(self) -> bool:
        """Whether the number of recipients is known before the launch."""
        return self.operator.recipients_unknown is None

    @property
    def creates_once_a_key(self) -> bool:
        """Whether the vendor itself takes a second create for the first one again."""
        return self.steps[0].repeats

    @property
    def start_endpoint(self) -> str | None:
        """The endpoint that begins sending, or None where that is the create."""
        return None if self.starts_by_itself else self.steps[-1].endpoint

    @property
    def requests(self) -> dict[str, int]:
        """How many requests a fault-free launch makes at each endpoint."""
        endpoints = [step.endpoint for step in self.steps]
        return {name: endpoints.count(name) for name in endpoints}

    @property
    def numbers(self) -> frozenset[str]:
        """The phone numbers in the arguments, without the plus sign."""
        return frozenset(re.findall(r"\+(\d{8,15})\b", repr(self.arguments)))

    def writes_before(self, step: Step) -> int:
        """
        Return how many writes to the task state store come before a step's request.

        The intent is recorded, each effect, and that a start is asked for.
        """
        asked = step.endpoint == self.start_endpoint
        return 1 + sum(not one.reads for one in self._before(step)) + asked

    def requests_before(self, step: Step) -> int:
        """Return how many requests to a step's endpoint come before it."""
        return sum(one.endpoint == step.endpoint for one in self._before(step))

    def build(self, **changes: Any) -> CreateCampaignOperator:
        """Return the create operator, with some arguments changed."""
        return self.operator(**{"task_id": "create", "retries": RETRIES, **self.arguments, **changes})

    def shown_mark_of(self, campaign: Mapping[str, Any]) -> str:
        """Return the text that ends in the mark, of a campaign in the sandbox's inventory."""
        return str(campaign[self.client_class.marked_field])

    def _before(self, step: Step) -> Sequence[Step]:
        return self.steps[: self.steps.index(step)] if step in self.steps else ()
