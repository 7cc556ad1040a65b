"""Operators for campaigns that exist, at any vendor: start, pause, resume, stop, archive, delete, get, list."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, MAPPING, NAME, ArgumentKind, choice, whole_number
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, airflow_errors
from airflow_provider_campaigns.links import CampaignLink, push_link
from airflow_provider_campaigns.wait.decisions import described

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook

#: What to do about a campaign that is sending when it is to be put away.
IF_RUNNING = ("fail", "pause")


class CampaignOperator(DeclaredArguments, BaseOperator):
    """
    What the operators on one campaign share; each makes one call and returns the campaign as a plain dict.

    Over a connection with ``dry_run``, what would start, change or delete a campaign is not sent, and the task is
    skipped; reading, pausing and stopping work.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "campaign_id": CAMPAIGN_ID,
        "hook_params": MAPPING.or_none(),
    }
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

    def hook(self) -> CampaignHook:
        """Return the hook of the connection, by default of any vendor."""
        from airflow_provider_campaigns.hooks.campaign import CampaignHook

        return CampaignHook.of_connection(self.conn_id, self.hook_params)

    def execute(self, context: Context) -> dict[str, Any]:
        """Do it and return the campaign as a plain dict."""
        with airflow_errors():
            self.read_all_arguments()
            campaign_id = self.argument("campaign_id")
            hook = self.hook()
            push_link(context, hook, campaign_id)
            campaign = self._act(hook, campaign_id)
        self.log.info("Campaign %s is %s", campaign.id, described(campaign))
        return campaign.as_dict()

    @abstractmethod
    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        """Make the one call that the operator is for."""


class GetCampaignOperator(CampaignOperator):
    """
    Reads a campaign: status, progress and counts; returns it as a plain dict.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}``. (templated)
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        return hook.get_campaign(campaign_id)


class StartCampaignOperator(CampaignOperator):
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


class PauseCampaignOperator(CampaignOperator):
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


class ResumeCampaignOperator(CampaignOperator):
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


class StopCampaignOperator(CampaignOperator):
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


class _PutsAwayOperator(CampaignOperator):
    """What archiving and deleting share: a campaign that sends is not put out of sight."""

    arguments = {**CampaignOperator.arguments, "if_running": choice(IF_RUNNING)}
    action: ClassVar[str]

    def __init__(self, *, if_running: str = "fail", **kwargs: Any) -> None:
        self.if_running = if_running
        super().__init__(**kwargs)

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        client = hook.get_conn()
        if not client.supports(self.action):
            raise client.lacking(self.action)
        campaign = client.get_campaign(campaign_id, progress=False)
        # In a dry run it is not put away either, so there is no reason to pause it.
        if campaign.status is CampaignStatus.RUNNING and not hook.dry_run:
            campaign = self._held(client, campaign)
        return self._put_away(client, campaign)

    def _held(self, client: CampaignClient, campaign: Campaign) -> Campaign:
        """Pause a campaign that sends, or stop it where there is no pause, if the task may."""
        act = "pause" if client.supports("pause") else "stop"
        if self.if_running == "fail":
            raise InvalidRequest(
                f"Campaign {campaign.id} is {described(campaign)}, so that {self.action} would put it out of sight "
                f"while it sends. {act.capitalize()} it first, or set if_running='pause'. Nothing was changed."
            )
        held: Campaign = getattr(client, f"{act}_campaign")(campaign.id)
        self.log.info("Campaign %s was sending and is now %s", campaign.id, described(held))
        return held

    @abstractmethod
    def _put_away(self, client: CampaignClient, campaign: Campaign) -> Campaign:
        """Make the one call that the operator is for, and return the campaign as it was last seen."""


class ArchiveCampaignOperator(_PutsAwayOperator):
    """
    Puts a campaign away for good, with its figures kept: Altur. Kinbox and Kore.ai have no archive; delete there.

    An archived campaign stays in the list that launches look through, so a cleared task finds it.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param if_running: What to do about a campaign that is sending: ``fail`` (the default), or ``pause`` it first.
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action or refused it, or the campaign is sending.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    action = "archive"

    def _put_away(self, client: CampaignClient, campaign: Campaign) -> Campaign:
        return client.archive_campaign(campaign.id)


class DeleteCampaignOperator(_PutsAwayOperator):
    """
    Deletes a campaign; what was sent stays sent: Kinbox, Kore.ai. Altur has no delete; archive there.

    Returns the campaign as it was last seen. Once a campaign is deleted, no launch can find it any more: before Airflow
    3.3 a cleared launch of the same run would create another one.

    :param campaign_id: The campaign's id. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param if_running: What to do about a campaign that is sending: ``fail`` (the default), or ``pause`` it first (at
        Kore.ai: stop it).
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: The vendor has no such action or refused it, or the campaign is sending.
    :raises CampaignRequestFailed: There is no such campaign: an error on the first try, a success on a later one.
    :raises CampaignOutcomeUnknown: No conclusive answer came, and the campaign is still there; not retried.
    """

    action = "delete"

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete it, or see that an earlier try did."""
        from airflow_provider_campaigns.api.errors import NotFound

        try:
            return super().execute(context)
        except CampaignRequestFailed as error:
            if not isinstance(error.__cause__, NotFound) or context["ti"].try_number <= 1:
                raise
        self.log.info("Campaign %s is gone", self.campaign_id)
        return {"id": str(self.campaign_id)}

    def _put_away(self, client: CampaignClient, campaign: Campaign) -> Campaign:
        client.delete_campaign(campaign.id)
        return campaign


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
