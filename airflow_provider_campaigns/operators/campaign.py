"""Operators for campaigns that exist, at any vendor: start, pause, resume, stop, get, list."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, MAPPING, NAME, whole_number
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.links import CampaignLink, push_link
from airflow_provider_campaigns.wait.decisions import described

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook


class _CampaignOperator(DeclaredArguments, BaseOperator):
    """What the operators on one campaign share."""

    arguments = {"conn_id": NAME, "campaign_id": CAMPAIGN_ID, "hook_params": MAPPING.or_none()}
    template_fields: Sequence[str] = ("conn_id", "campaign_id", "hook_params")
    operator_extra_links = (CampaignLink(),)
    ui_color = "#e8f0fb"

    def __init__(
        self, *, campaign_id: str, conn_id: str, hook_params: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.conn_id = conn_id
        self.hook_params = hook_params
        self.check_visible_arguments()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return ("conn_id", "campaign_id")

    def execute(self, context: Context) -> dict[str, Any]:
        """Do it and return the campaign as a plain dict."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook

        with airflow_errors():
            self.read_all_arguments()
            campaign_id = self.argument("campaign_id")
            hook = CampaignHook.of_connection(self.conn_id, self.hook_params)
            push_link(context, hook, campaign_id)
            campaign = self._act(hook, campaign_id)
        self.log.info("Campaign %s is %s", campaign.id, described(campaign))
        return campaign.as_dict()

    @abstractmethod
    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        """Make the one call that the operator is for."""


class GetCampaignOperator(_CampaignOperator):
    """
    Reads a campaign: status, progress and counts; returns it as a plain dict.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}``. (templated)
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.get_campaign(campaign_id)


class StartCampaignOperator(_CampaignOperator):
    """
    Begins sending: Altur (activate or resume, as its status asks), Kore.ai. Kinbox's campaigns start by themselves.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action, or refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.start_campaign(campaign_id)


class PauseCampaignOperator(_CampaignOperator):
    """
    Holds sending, to be resumed: Kinbox, Altur. Kore.ai has no pause.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action, or refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.pause_campaign(campaign_id)


class ResumeCampaignOperator(_CampaignOperator):
    """
    Goes on with a paused campaign: Kinbox, Altur. Kore.ai has no resume.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action, or refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.resume_campaign(campaign_id)


class StopCampaignOperator(_CampaignOperator):
    """
    Ends sending for good: Kore.ai. Kinbox and Altur have no stop; pause there.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action, or refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.stop_campaign(campaign_id)


class ListCampaignsOperator(DeclaredArguments, BaseOperator):
    """
    Reads an account's campaigns; returns a list of plain dicts, at most ``limit`` of them.

    :param conn_id: A connection of any of the vendors' types. (templated)
    :param filters: The vendor's filters in snake_case, such as ``{"status": "active"}`` at Altur. (templated)
    :param limit: The most campaigns to return, from 1 to 10,000; by default 100. The list is read no further.
    :param hook_params: Further arguments of the hook. (templated)
    """

    arguments = {
        "conn_id": NAME,
        "filters": MAPPING.or_none(),
        "limit": whole_number(1, 10_000),
        "hook_params": MAPPING.or_none(),
    }
    template_fields: Sequence[str] = ("conn_id", "filters", "hook_params")
    ui_color = "#e8f0fb"

    def __init__(
        self,
        *,
        conn_id: str,
        filters: Mapping[str, Any] | None = None,
        limit: int = 100,
        hook_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.filters = filters
        self.limit = limit
        self.hook_params = hook_params
        self.check_visible_arguments()

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Read the list and return it."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook

        with airflow_errors():
            self.read_all_arguments()
            hook = CampaignHook.of_connection(self.conn_id, self.hook_params)
            campaigns = [
                item.as_dict() for item in islice(hook.list_campaigns(**(self.filters or {})), self.argument("limit"))
            ]
        self.log.info("%d campaigns", len(campaigns))
        return campaigns
