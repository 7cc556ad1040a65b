"""``@task.kinbox_campaign``: a function returns the fields of a campaign at Kinbox, the task launches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DecoratedOperator

from airflow_provider_campaigns.decorators.base import CampaignDecoratedOperator, campaign_task
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskDecorator


class KinboxCampaignDecoratedOperator(CampaignDecoratedOperator, KinboxCreateCampaignOperator):
    """Launches the campaign at Kinbox whose fields a function returns; see the base for what goes where."""

    custom_operator_name = "@task.kinbox_campaign"
    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *KinboxCreateCampaignOperator.template_fields)
    template_fields_renderers = {
        **DecoratedOperator.template_fields_renderers,
        **KinboxCreateCampaignOperator.template_fields_renderers,
    }


def kinbox_campaign_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> TaskDecorator:
    """
    Make a function that returns a campaign's fields a task that launches it at Kinbox: ``@task.kinbox_campaign``.

    :param python_callable: The function. It is called on every try and must return the same for the same run.
    :param multiple_outputs: Not to be set: the task's XCom is the campaign's id.
    :param kwargs: Arguments of :class:`~airflow_provider_campaigns.operators.kinbox.KinboxCreateCampaignOperator`; the
        campaign's fields among them must not be returned by the function as well.
    """
    return campaign_task(KinboxCampaignDecoratedOperator, python_callable, multiple_outputs, kwargs)
