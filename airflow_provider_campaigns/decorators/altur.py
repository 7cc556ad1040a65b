"""``@task.altur_campaign``: a function returns the fields of a campaign at Altur, the task launches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DecoratedOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.contacts.recipients import hidden
from airflow_provider_campaigns.decorators.base import CampaignDecoratedOperator, campaign_task
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskDecorator


class AlturCampaignDecoratedOperator(CampaignDecoratedOperator, AlturCreateCampaignOperator):
    """
    Launches the campaign at Altur whose fields a function returns; see the base for what goes where.

    The function may return ``contacts`` too, a list or the path of a file. A list shows only as its length.
    """

    custom_operator_name = "@task.altur_campaign"
    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *AlturCreateCampaignOperator.template_fields)
    template_fields_renderers = {
        **DecoratedOperator.template_fields_renderers,
        **AlturCreateCampaignOperator.template_fields_renderers,
    }

    def taken(self, name: str, value: Any) -> Any:
        """Return a field as it is, but recipients as a list that does not show what it holds."""
        if name != "contacts":
            return super().taken(name, value)
        try:
            return hidden(value)
        except InvalidRequest as error:
            raise InvalidRequest(f"Task {self.task_id!r}: {error}") from None


def altur_campaign_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> TaskDecorator:
    """
    Make a function that returns a campaign's fields a task that launches it at Altur: ``@task.altur_campaign``.

    :param python_callable: The function. It is called on every try and must return the same for the same run.
    :param multiple_outputs: Not to be set: the task's XCom is the campaign's id.
    :param kwargs: Arguments of :class:`~airflow_provider_campaigns.operators.altur.AlturCreateCampaignOperator`; the
        campaign's fields among them must not be returned by the function as well.
    """
    return campaign_task(AlturCampaignDecoratedOperator, python_callable, multiple_outputs, kwargs)
