"""The "Campaign" link of a task, to where people look at the campaign at the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.hooks.campaign import CampaignHook

LINK_KEY = "campaign_url"


class CampaignLink(BaseOperatorLink):
    """
    Leads to the campaign at the vendor, once it is known and for as long as the task runs, waits or is over.

    The address comes from the connection's extra ``console_url``, with the campaign's id in the place of
    ``{campaign_id}``; without one there is no link, since no vendor documents the addresses of its console.
    """

    name = "Campaign"
    xcom_key = LINK_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address that the task pushed, or an empty text."""
        return str(XCom.get_value(key=LINK_KEY, ti_key=ti_key) or "")


def push_link(context: Context, hook: CampaignHook, campaign_id: str) -> None:
    """Push the address of a campaign as XCom, at once: Airflow asks for links only when the task ends or defers."""
    url = hook.console_url(campaign_id)
    if url:
        context["ti"].xcom_push(key=LINK_KEY, value=url)
