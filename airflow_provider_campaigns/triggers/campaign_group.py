"""The trigger of a deferred wait for several campaigns in one task."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.triggers.campaign import CampaignTrigger
from airflow_provider_campaigns.wait.ending import end_of
from airflow_provider_campaigns.wait.group import CampaignGroup
from airflow_provider_campaigns.wait.poller import shared_poller
from airflow_provider_campaigns.wait.runner import acts_on_campaign, pause_or_stop, settle
from airflow_provider_campaigns.wait.terms import Terms

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.wait.outcome import Outcome
    from airflow_provider_campaigns.wait.poller import Poller


class CampaignGroupTrigger(CampaignTrigger):
    """
    Waits for all, or any, of several campaigns and yields one event, the outcome with all of them as plain values.

    :param campaign_ids: The campaigns' ids.
    :param wait_for: ``all`` or ``any``.
    :param others: As for :class:`~airflow_provider_campaigns.triggers.campaign.CampaignTrigger`.
    """

    def __init__(self, *, campaign_ids: Sequence[str], wait_for: str = "all", **others: Any) -> None:
        super().__init__(campaign_id=", ".join(campaign_ids), **others)
        self.campaign_ids = list(campaign_ids)
        self.wait_for = wait_for

    @classmethod
    def of_several(
        cls,
        hook: CampaignHook,
        campaign_ids: Sequence[str],
        terms: Terms,
        *,
        wait_for: str,
        hook_params: Mapping[str, Any] | None,
        on_kill: str,
    ) -> CampaignGroupTrigger:
        """Return the trigger of a wait for several campaigns."""
        return cls(
            conn_id=hook.conn_id,
            hook_class=hook.class_path,
            campaign_ids=campaign_ids,
            wait_for=wait_for,
            hook_params=dict(hook_params) if hook_params else None,
            on_kill=on_kill,
            **terms.stored(),
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        _, stored = super().serialize()
        del stored["campaign_id"]
        return (
            "airflow_provider_campaigns.triggers.campaign_group.CampaignGroupTrigger",
            {**stored, "campaign_ids": self.campaign_ids, "wait_for": self.wait_for},
        )

    async def _outcome(self) -> Outcome:
        terms = Terms.from_stored(self._stored_terms())
        key = json.dumps([self.hook_class, self.conn_id, self.hook_params], sort_keys=True)
        poller = shared_poller(key, self._client, self.conn_id)
        group = CampaignGroup(self.campaign_ids, terms, self.wait_for, time.time())
        tasks = {asyncio.create_task(self._end_of(one, group, poller)) for one in self.campaign_ids}
        try:
            while True:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    group.end(*task.result())
                outcome = group.outcome()
                if outcome:
                    return outcome
        finally:
            for task in tasks:
                task.cancel()

    async def _end_of(self, campaign_id: str, group: CampaignGroup, poller: Poller) -> tuple[str, Outcome]:
        """Wait for one of the campaigns; return its id and how that ended, what it asks for done."""
        outcome = await poller.wait(group.waits[campaign_id], self.logger())
        if not acts_on_campaign(outcome, self.kill_policy):
            return campaign_id, settle(outcome, None, campaign_id, self.kill_policy, self.log)
        return campaign_id, await self._with_client(
            lambda client: settle(outcome, client, campaign_id, self.kill_policy, self.log)
        )

    async def _pause_or_stop_if_ended(self) -> None:
        end = await asyncio.to_thread(end_of, self.task_instance)
        if not end.is_genuine:
            self.log.warning("Campaigns %s are left alone: %s.", self.campaign_id, end.why)
            return
        self.log.info("Campaigns %s: %s, so on_kill=%r applies.", self.campaign_id, end.why, self.kill_policy)

        def act(client: CampaignClient | None) -> None:
            for one in self.campaign_ids:
                pause_or_stop(client, one, self.kill_policy, self.log)

        await self._with_client(act)
