"""What a sensor does that waits for several campaigns in one task."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, PokeReturnValue

from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_IDS, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.sensors.waiting import WaitingSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.triggers.campaign_group import CampaignGroupTrigger
    from airflow_provider_campaigns.wait.group import CampaignGroup
    from airflow_provider_campaigns.wait.outcome import Outcome
    from airflow_provider_campaigns.wait.terms import Terms

#: How many of the campaigns have to reach the goal.
WAIT_FOR = ("all", "any")


class WaitsForSeveral(WaitingSensor):
    """
    Waits for all, or any, of several campaigns.

    :param campaign_ids: The campaigns' ids. (templated)
    :param wait_for: ``all`` (the default) or ``any``. (templated)
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **WaitingSensor.arguments,
        "campaign_ids": CAMPAIGN_IDS.or_none(),
        "wait_for": choice(WAIT_FOR),
    }
    template_fields: Sequence[str] = (*WaitingSensor.template_fields, "campaign_ids", "wait_for")

    def __init__(self, *, campaign_ids: Any = None, wait_for: str = "all", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign_ids = campaign_ids
        self.wait_for = wait_for
        self._group: CampaignGroup | None = None

    def _begin_group(self, terms: Terms) -> None:
        from airflow_provider_campaigns.wait.group import CampaignGroup

        self._group = CampaignGroup(self.argument("campaign_ids"), terms, self.argument("wait_for"), time.time())
        self._going_on = self._group

    def _group_trigger(self, hook: CampaignHook, terms: Terms) -> CampaignGroupTrigger:
        # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
        from airflow_provider_campaigns.triggers.campaign_group import CampaignGroupTrigger

        return CampaignGroupTrigger.of_several(
            hook,
            self.argument("campaign_ids"),
            terms,
            wait_for=self.argument("wait_for"),
            hook_params=self.hook_params,
            on_kill=self.kill_policy,
        )

    def _poke_group(self, context: Context, group: CampaignGroup, client: CampaignClient) -> PokeReturnValue:
        """Look once at all campaigns that are still waited for."""
        from airflow_provider_campaigns.wait.runner import result_of, settle

        if self.reschedule:
            group.go_on(self._carried(context))

        def settled(campaign_id: str, outcome: Outcome) -> Outcome:
            return settle(outcome, client, campaign_id, self.kill_policy, self.log)

        with airflow_errors():
            outcome = group.look(client, self.log, settled)
        if outcome is None:
            if self.reschedule:
                self._carry(context, group.carried())
            return PokeReturnValue(is_done=False)
        result = self._soft(lambda: result_of(outcome, AirflowSensorTimeout))
        self.log.info("%s", outcome.message)
        return PokeReturnValue(is_done=True, xcom_value=result["campaigns"])

    def execute_group(self, context: Context, event: Any = None) -> Any:
        """Return the campaigns once the trigger saw enough of them reach the goal, or raise what its event means."""
        from airflow_provider_campaigns.wait.runner import result_of_event, timeout_error

        overdue = timeout_error(AirflowSensorTimeout, self.timeout, self.execution_timeout)
        result: Mapping[str, Any] = self._soft(lambda: result_of_event(event, overdue))
        self.log.info("%s", event["message"])
        return result["campaigns"]

    def _end_group(self, group: CampaignGroup, client: CampaignClient, ti: Any) -> None:
        if self._end_campaign is None:
            return
        for wait in group.waiting():
            self._end_campaign(client, wait.campaign_id, self.kill_policy, ti, self.log)
