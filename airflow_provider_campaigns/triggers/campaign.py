"""The trigger of a deferred wait for one campaign."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_campaigns.api.errors import InvalidRequest

# Stored triggers and asset watchers name it by this module.
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger as CampaignEventTrigger
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.poller import shared_poller
from airflow_provider_campaigns.wait.runner import pause_or_stop, pause_or_stop_after
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import DEFAULT_PATIENCE_SECONDS, DEFAULT_POLL_INTERVAL_SECONDS, Terms

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook


class CampaignTrigger(BaseTrigger):
    """
    Waits for a campaign and yields one event, the outcome as plain values.

    All arguments are JSON values, so that the trigger survives being stored, moved to another triggerer and upgraded.
    While it waits it only reads at the vendor, together with all other waits on the connection.

    :param conn_id: The connection.
    :param hook_class: The hook's class path.
    :param campaign_id: The campaign's id.
    :param until: ``finished`` or ``sent``.
    :param progress_threshold: Percent, or None.
    :param poll_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch, or None. Wall clock, since the trigger may go on in
        another process.
    :param patience: Seconds without a good answer before the campaign counts as out of reach.
    :param hook_params: Further arguments of the hook.
    :param stall_timeout: Seconds that a running campaign may go without any change, or None.
    :param min_delivered_ratio: See :class:`~airflow_provider_campaigns.wait.decisions.Gates`.
    :param max_failed_ratio: See :class:`~airflow_provider_campaigns.wait.decisions.Gates`.
    :param brake: See :class:`~airflow_provider_campaigns.wait.decisions.Gates`.
    :param on_kill: ``leave``, ``pause`` or ``stop`` the campaign when a user kills the task, or the deadline passes.
    :param refusals: How many looks in a row were refused before the task deferred.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        hook_class: str,
        campaign_id: str,
        until: str = "finished",
        progress_threshold: float | None = None,
        poll_interval: float = DEFAULT_POLL_INTERVAL_SECONDS,
        deadline: float | None = None,
        patience: float = DEFAULT_PATIENCE_SECONDS,
        hook_params: dict[str, Any] | None = None,
        stall_timeout: float | None = None,
        min_delivered_ratio: float | None = None,
        max_failed_ratio: float | None = None,
        brake: float | None = None,
        on_kill: str = "leave",
        refusals: int = 0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.hook_class = hook_class
        self.campaign_id = campaign_id
        self.until = until
        self.progress_threshold = progress_threshold
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.patience = patience
        self.hook_params = hook_params
        self.stall_timeout = stall_timeout
        self.min_delivered_ratio = min_delivered_ratio
        self.max_failed_ratio = max_failed_ratio
        self.brake = brake
        # The name on_kill is the method's that Airflow calls.
        self.kill_policy = on_kill
        self.refusals = refusals

    @classmethod
    def of(
        cls,
        hook: CampaignHook,
        campaign_id: str,
        terms: Terms,
        *,
        hook_params: Mapping[str, Any] | None,
        on_kill: str,
        refusals: int = 0,
    ) -> CampaignTrigger:
        """Return the trigger of a wait."""
        return cls(
            conn_id=hook.conn_id,
            hook_class=hook.class_path,
            campaign_id=campaign_id,
            until=terms.goal.until,
            progress_threshold=terms.goal.progress_threshold,
            poll_interval=terms.poll_interval,
            deadline=terms.deadline,
            patience=terms.patience,
            hook_params=dict(hook_params) if hook_params else None,
            stall_timeout=terms.stall_timeout,
            min_delivered_ratio=terms.gates.min_delivered_ratio,
            max_failed_ratio=terms.gates.max_failed_ratio,
            brake=terms.gates.brake,
            on_kill=on_kill,
            refusals=refusals,
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "airflow_provider_campaigns.triggers.campaign.CampaignTrigger",
            {
                "conn_id": self.conn_id,
                "hook_class": self.hook_class,
                "campaign_id": self.campaign_id,
                "until": self.until,
                "progress_threshold": self.progress_threshold,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
                "patience": self.patience,
                "hook_params": self.hook_params,
                "stall_timeout": self.stall_timeout,
                "min_delivered_ratio": self.min_delivered_ratio,
                "max_failed_ratio": self.max_failed_ratio,
                "brake": self.brake,
                "on_kill": self.kill_policy,
                "refusals": self.refusals,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the campaign until the wait is over; yield the outcome."""
        # CancelledError is left alone: Airflow reads from it whether a user or a restart ended the trigger.
        try:
            outcome = await self._outcome()
        except InvalidRequest as error:
            outcome = Outcome(Reason.REFUSED, str(error))
        except Exception as error:
            self.log.exception("The wait for campaign %s broke", self.campaign_id)
            outcome = Outcome(Reason.ERROR, f"The wait for campaign {self.campaign_id} broke: {error}")
        yield TriggerEvent(outcome.as_event())

    async def on_kill(self) -> None:
        """Do to the campaign what the policy says; Airflow (3.3 and newer) calls this when a user kills the task."""
        if self.kill_policy == "leave":
            return
        await self._with_client(lambda client: pause_or_stop(client, self.campaign_id, self.kill_policy, self.log))

    async def _outcome(self) -> Outcome:
        terms = Terms(
            Goal(self.until, self.progress_threshold),
            self.poll_interval,
            self.deadline,
            self.patience,
            self.stall_timeout,
            Gates(self.min_delivered_ratio, self.max_failed_ratio, self.brake),
        )
        key = json.dumps([self.hook_class, self.conn_id, self.hook_params], sort_keys=True)
        poller = shared_poller(key, self._client)
        # One logger for all: each trigger's own, if it is structlog's, would be eight more objects for every wait.
        outcome = await poller.wait(WaitState(self.campaign_id, terms, time.time(), self.refusals), self.logger())
        if outcome.reason is Reason.BRAKE or (outcome.reason is Reason.TIMEOUT and self.kill_policy != "leave"):
            await self._hold_after(outcome)
        return outcome

    async def _hold_after(self, outcome: Outcome) -> None:
        await self._with_client(
            lambda client: pause_or_stop_after(outcome, client, self.campaign_id, self.kill_policy, self.log)
        )

    async def _with_client(self, act: Any) -> None:
        try:
            client = await self._client()
        except Exception as error:
            self.log.error("Campaign %s could not be held: %s", self.campaign_id, error)
            return
        try:
            await asyncio.to_thread(act, client)
        finally:
            client.close()

    async def _client(self) -> CampaignClient:
        connection = await get_async_connection(self.conn_id)

        def build() -> CampaignClient:
            module, _, name = self.hook_class.rpartition(".")
            hook: CampaignHook = getattr(import_module(module), name)(conn_id=self.conn_id, **(self.hook_params or {}))
            return hook.client_for(connection)

        return await asyncio.to_thread(build)
