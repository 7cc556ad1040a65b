"""The "Campaign" link of a task, to where people look at the campaign at the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.hooks.campaign import CampaignHook

LINK_KEY = "campaign_url"
#: Where a task that runs keeps the address for the moment when Airflow asks for it.
_ATTRIBUTE = "_campaign_url"


class CampaignLink(BaseOperatorLink):
    """
    Leads to the campaign at the vendor as soon as the campaign is known, and stays after the task has ended.

    The address comes from the connection's extra ``console_url``, with the campaign's id for ``{campaign_id}``; without
    one there is no link, since no vendor documents the addresses of its console.
    """

    name = "Campaign"
    xcom_key = LINK_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the campaign's address, or an empty text as long as there is none."""
        known = getattr(operator, _ATTRIBUTE, None)
        if known is None and not _asked_by_the_task_itself():
            known = XCom.get_value(key=LINK_KEY, ti_key=ti_key)
        return str(known or "")


def push_link(context: Context, hook: CampaignHook, campaign_id: str) -> None:
    """Push the address of a campaign as XCom, at once: Airflow asks for links only when the task ends or defers."""
    url = hook.console_url(campaign_id)
    if not url:
        leave_link(context)
        return
    _push(context["ti"], url)
    task = getattr(context.get("ti"), "task", None)
    if task is not None:
        setattr(task, _ATTRIBUTE, url)


def _push(ti: Any, url: str) -> None:
    """
    Push an address as Airflow itself pushes links when a task ends.

    Airflow 3 shows what its database holds; a custom XCom backend would have put a path to its own store there.
    """
    try:
        from airflow.sdk.bases.xcom import BaseXCom
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    except ImportError:
        ti.xcom_push(key=LINK_KEY, value=url)
        return
    if not isinstance(ti, RuntimeTaskInstance):
        ti.xcom_push(key=LINK_KEY, value=url)
        return
    index = -1 if ti.map_index is None else ti.map_index
    BaseXCom.set(LINK_KEY, url, dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, map_index=index)


def leave_link(context: Context) -> None:
    """
    Have Airflow leave the link of the running task as it is, when the task ends.

    Airflow 3 asks for the address then and pushes it, whatever it is. There may be none; and a task that goes on after
    a deferral has pushed its address before.
    """
    task = getattr(context.get("ti"), "task", None)
    if task is not None:
        task.operator_extra_links = ()


def _asked_by_the_task_itself() -> bool:
    """Whether Airflow asks for a link where the task runs (3 and newer), not in its web server."""
    try:
        import airflow.sdk  # noqa: F401
    except ImportError:
        return False
    return True
