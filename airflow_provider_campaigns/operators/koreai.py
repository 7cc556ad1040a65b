"""Creating a campaign at Kore.ai."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import BOOLEAN, DURATION_OR_ZERO, ArgumentKind
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.exceptions import CampaignRequestFailed
from airflow_provider_campaigns.operators.create import CreateCampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.koreai import KoreAIHook
    from airflow_provider_campaigns.launch.launcher import Launch
    from airflow_provider_campaigns.observe.lineage import DataPlace

READY_POLL_SECONDS = 5.0


class KoreAICreateCampaignOperator(CreateCampaignOperator):
    """
    Creates an SMS or voice campaign at Kore.ai, waits until it is ready, and starts it; returns its id.

    Kore.ai's campaigns take their recipients from contact lists, by name. All fields are templated. The arguments that
    are not listed here (waiting, ``deferrable``, ``extra_fields``) are those of
    :class:`~airflow_provider_campaigns.operators.create.CreateCampaignOperator`.

    :param name: What the campaign is called, up to 48 characters.
    :param description: What it is for, up to 256 characters.
    :param contact_lists: The names of 1 to 10 contact lists that exist.
    :param dialing_strategy: Caller id and calling hours; for voice also attempts and ring time.
    :param campaign_type: ``sms`` (the default) or ``voice``.
    :param start: Whether to start sending once the campaign is ready; by default True.
    :param ready_timeout: Seconds to wait for the campaign to be ready, by default 600.
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``.
    :param priority: ``1`` to ``5``; by default ``5``, the highest.
    :param message: The text of an SMS without a template.
    :param template_name: The name of the SMS template; its text goes out, not ``message``.
    :param template_id: The id of the SMS template (``cmt-...``), instead of its name.
    :param experience_flow_name: The flow of an advanced SMS or an agentless voice campaign.
    :param dialing_mode: ``Agentless``, ``Progressive`` or ``Preview``; voice only.
    :param queue_name: The queue of agents; progressive and preview only.
    :param max_skips: How many contacts an agent may skip; preview only.
    :param machine_detection: What to do about answering machines; voice only.
    :param dnc_list: The name of the do-not-call list.
    :param schedule: The vendor's schedule object.
    """

    create_fields = (
        "name",
        "description",
        "contact_lists",
        "dialing_strategy",
        "campaign_type",
        "priority",
        "message",
        "template_name",
        "template_id",
        "experience_flow_name",
        "dialing_mode",
        "queue_name",
        "max_skips",
        "machine_detection",
        "dnc_list",
        "schedule",
    )
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **CreateCampaignOperator.arguments,
        "start": BOOLEAN,
        "ready_timeout": DURATION_OR_ZERO,
    }
    template_fields: Sequence[str] = (*CreateCampaignOperator.template_fields, *create_fields, "start", "ready_timeout")
    text_fields = ("message", "template_name", "experience_flow_name")
    template_fields_renderers = {"dialing_strategy": "json", "schedule": "json", "extra_fields": "json"}

    def __init__(
        self,
        *,
        name: str,
        description: str,
        contact_lists: Sequence[str],
        dialing_strategy: Mapping[str, Any],
        campaign_type: str = "sms",
        start: bool = True,
        ready_timeout: float = 600.0,
        conn_id: str = "koreai_default",
        priority: str | None = None,
        message: str | None = None,
        template_name: str | None = None,
        template_id: str | None = None,
        experience_flow_name: str | None = None,
        dialing_mode: str | None = None,
        queue_name: str | None = None,
        max_skips: int | str | None = None,
        machine_detection: Any = None,
        dnc_list: str | None = None,
        schedule: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.name = name
        self.description = description
        self.contact_lists = contact_lists
        self.dialing_strategy = dialing_strategy
        self.campaign_type = campaign_type
        self.start = start
        self.ready_timeout = ready_timeout
        self.priority = priority
        self.message = message
        self.template_name = template_name
        self.template_id = template_id
        self.experience_flow_name = experience_flow_name
        self.dialing_mode = dialing_mode
        self.queue_name = queue_name
        self.max_skips = max_skips
        self.machine_detection = machine_detection
        self.dnc_list = dnc_list
        self.schedule = schedule
        self._recipients: int | None = None
        self.check_visible_fields()

    def given_arguments(self) -> dict[str, Any]:
        """Return the arguments as they were given, with the type of campaign, which decides what is counted."""
        return {**super().given_arguments(), "campaign_type": self.campaign_type}

    @classmethod
    def counted_kind(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the type of campaign, unless it is known only when the task runs."""
        campaign_type = given.get("campaign_type", "sms")
        return {} if is_template(campaign_type) else {"campaign_type": campaign_type}

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kore.ai's client class."""
        from airflow_provider_campaigns.api.koreai.client import KoreAIClient

        return KoreAIClient

    def hook(self) -> KoreAIHook:
        """Return the Kore.ai hook."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        return KoreAIHook(self.conn_id, campaign_type=self.campaign_type)

    def hook_params(self) -> dict[str, Any]:
        """Return the type of campaign, which decides where the trigger looks."""
        return {"campaign_type": self.campaign_type}

    def check_guards(self) -> None:
        """Refuse a send window along with a schedule of the vendor's, whose runs it could not keep to."""
        super().check_guards()
        if self.schedule is not None and self.send_window is not None:
            raise InvalidRequest(
                "send_window cannot be kept along with schedule, by which Kore.ai itself decides when to send; the "
                "calling hours of dialing_strategy hold there."
            )

    def recipients(self, client: CampaignClient) -> int | None:
        """
        Return how many contacts the lists have together, in one request; None if Kore.ai does not say for one of them.

        A number that is in two lists counts twice, and what was added a moment ago may not be counted yet.
        """
        from airflow_provider_campaigns.api.koreai.client import KoreAIClient

        if not isinstance(client, KoreAIClient):
            raise TypeError("A Kore.ai campaign needs Kore.ai's client.")
        totals = client.contact_totals()
        counts = [totals.get(str(name).lower()) for name in self.contact_lists]
        self._recipients = None if None in counts else sum(count for count in counts if count is not None)
        return self._recipients

    def contact_counts(self) -> Mapping[str, int | None]:
        """Return how many contacts the lists had when a guard asked."""
        return {"recipients": self._recipients}

    def contact_places(self, namespace: str) -> tuple[DataPlace, ...]:
        """Return the contact lists."""
        from airflow_provider_campaigns.observe.lineage import contact_list_place

        return tuple(contact_list_place(namespace, str(name)) for name in self.contact_lists)

    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """Create the campaign, wait until Kore.ai has prepared it, start it."""
        campaign = launch.create(lambda: launch.client.create(request))
        if not self.argument("start"):
            return campaign
        return launch.start(self._ready(launch.client, campaign), launch.client.start_campaign)

    def _ready(self, client: CampaignClient, campaign: Campaign) -> Campaign:
        limit = self.argument("ready_timeout")
        give_up = time.monotonic() + limit
        while campaign.vendor_status == "Preparing":
            if time.monotonic() > give_up:
                raise CampaignRequestFailed(
                    f"Campaign {campaign.id} was created but not ready within {limit:g} s. It was not "
                    "started; the next try goes on with it."
                )
            self.log.info("Campaign %s is being prepared", campaign.id)
            time.sleep(READY_POLL_SECONDS)
            campaign = client.get_campaign(campaign.id, progress=False)
        return campaign
