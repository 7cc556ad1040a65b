"""Creating a campaign at Paloma, waiting for it, and the decorator. No HTTP library is imported to parse a DAG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DecoratedOperator

from airflow_provider_campaigns.contacts.recipients import hidden
from airflow_provider_campaigns.decorators.base import CampaignDecoratedOperator, campaign_task
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskDecorator

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.launch.launcher import Launch
    from paloma.hook import PalomaHook


def _client_class() -> type[CampaignClient]:
    from paloma.client import PalomaClient

    return PalomaClient


class PalomaCreateCampaignOperator(CreateCampaignOperator):
    """
    Creates a campaign at Paloma and starts it; returns its id.

    :param name: What the campaign is called. (templated)
    :param text: The message, up to 480 characters. (templated)
    :param phone_numbers: The recipients. (templated)
    :param description: What it is for. (templated)
    :param conn_id: A connection of type ``paloma``, by default ``paloma_default``. (templated)
    """

    create_fields = ("name", "description", "text", "phone_numbers")
    text_fields = ("text",)
    template_fields: Sequence[str] = (*CreateCampaignOperator.template_fields, *create_fields)

    def __init__(
        self,
        *,
        name: str,
        text: str,
        phone_numbers: Sequence[str],
        description: str | None = None,
        conn_id: str = "paloma_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.name = name
        self.text = text
        self.phone_numbers = phone_numbers
        self.description = description
        self.check_visible_fields()

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Paloma's client class."""
        return _client_class()

    def hook(self) -> PalomaHook:
        """Return the Paloma hook."""
        from paloma.hook import PalomaHook

        return PalomaHook(self.conn_id)

    def recipients(self, client: CampaignClient) -> int:
        """Return how many numbers there are."""
        return len(self.phone_numbers)

    # --8<-- [start:steps]
    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """Create the draft and start it."""
        campaign = launch.create(lambda: launch.client.create(request))
        return launch.start(campaign, launch.client.start_campaign)

    # --8<-- [end:steps]

    # --8<-- [start:hidden]
    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        super()._do_render_template_fields(*args, **kwargs)
        # Airflow keeps what it has rendered, and shows it.
        self.phone_numbers = hidden(self.phone_numbers)

    # --8<-- [end:hidden]


class PalomaCampaignSensor(CampaignSensor):
    """
    Waits for a campaign at Paloma.

    :param conn_id: A connection of type ``paloma``, by default ``paloma_default``. (templated)
    """

    def __init__(self, *, conn_id: str = "paloma_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Paloma's client class."""
        return _client_class()


class PalomaCampaignDecoratedOperator(CampaignDecoratedOperator, PalomaCreateCampaignOperator):
    """Launches the campaign at Paloma whose fields a function returns."""

    custom_operator_name = "@task.paloma_campaign"
    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *PalomaCreateCampaignOperator.template_fields)

    def taken(self, name: str, value: Any) -> Any:
        """Return what is kept of a field that the function returned; Airflow shows it."""
        return hidden(value) if name == "phone_numbers" else value


def paloma_campaign_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> TaskDecorator:
    """Make a function that returns a campaign's fields a task that launches it: ``@task.paloma_campaign``."""
    return campaign_task(PalomaCampaignDecoratedOperator, python_callable, multiple_outputs, kwargs)
