"""The trigger of a deferred wait for one campaign."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.wait import (
    DEFAULT_PATIENCE_SECONDS,
    DEFAULT_POLL_INTERVAL_SECONDS,
    Goal,
    Outcome,
    Reason,
    Terms,
    Watch,
)
from airflow_provider_campaigns.waiting import look

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook


class CampaignTrigger(BaseTrigger):
    """
    Waits for a campaign and yields one event, the outcome as plain values.

    All arguments are JSON values, so that the trigger survives being stored, moved to another triggerer and upgraded.
    It only ever reads at the vendor.

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
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the campaign until the wait is over; yield the outcome."""
        # CancelledError is left alone: Airflow reads from it whether a user or a restart ended the trigger.
        try:
            outcome = await self._outcome()
        except Exception as error:
            self.log.exception("The wait for campaign %s broke", self.campaign_id)
            outcome = Outcome(Reason.ERROR, f"The wait for campaign {self.campaign_id} broke: {error}")
        yield TriggerEvent(outcome.as_event())

    async def _outcome(self) -> Outcome:
        terms = Terms(Goal(self.until, self.progress_threshold), self.poll_interval, self.deadline, self.patience)
        watch = Watch(self.campaign_id, terms, time.time())
        try:
            client = await self._client()
        except InvalidRequest as error:
            return Outcome(Reason.REFUSED, str(error))
        try:
            while True:
                outcome = await asyncio.to_thread(
                    look,
                    watch,
                    lambda: client.get_campaign(self.campaign_id, progress=terms.goal.needs_progress),
                    self.log,
                )
                if outcome:
                    return outcome
                await asyncio.sleep(watch.pause(time.time(), random.random()))
        finally:
            client.close()

    async def _client(self) -> CampaignClient:
        connection = await get_async_connection(self.conn_id)
        extra = await get_async_extra_dejson(connection)

        def build() -> CampaignClient:
            module, _, name = self.hook_class.rpartition(".")
            hook: CampaignHook = getattr(import_module(module), name)(conn_id=self.conn_id, **(self.hook_params or {}))
            return hook.client_for(connection, extra)

        return await asyncio.to_thread(build)
