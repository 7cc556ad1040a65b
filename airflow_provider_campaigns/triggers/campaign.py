"""The trigger of a deferred wait for one campaign."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_campaigns.api.errors import InvalidRequest

# Stored triggers and asset watchers name it by this module.
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger as CampaignEventTrigger
from airflow_provider_campaigns.wait.connection import client_of
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.ending import end_of
from airflow_provider_campaigns.wait.live import LiveFigures
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.poller import shared_poller
from airflow_provider_campaigns.wait.runner import acts_on_campaign, pause_or_stop, settle
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.terms import STORED_FIELDS, Terms

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook


Result = TypeVar("Result")

_DEFAULT_TERMS = Terms(Goal()).stored()


class CampaignTrigger(BaseTrigger):
    """
    Waits for a campaign and yields one event, the outcome as plain values.

    All arguments are JSON values, so that the trigger survives being stored, moved to another triggerer and upgraded.
    While it waits it only reads at the vendor, together with all other waits on the connection.

    :param conn_id: The connection.
    :param hook_class: The hook's class path.
    :param campaign_id: The campaign's id.
    :param hook_params: Further arguments of the hook.
    :param on_kill: ``leave``, ``pause`` or ``stop`` the campaign when somebody ends the task, or the deadline passes.
    :param refusals: How many looks in a row were refused before the task deferred.
    :param terms: The terms of the wait as :meth:`~airflow_provider_campaigns.wait.terms.Terms.stored` gives them; each
        that is missing has its default.
    :raises TypeError: For an argument that there is not, which is the error that fails this trigger alone.
    """

    _killing: asyncio.Task[None] | None = None

    def __init__(
        self,
        *,
        conn_id: str,
        hook_class: str,
        campaign_id: str,
        hook_params: dict[str, Any] | None = None,
        on_kill: str = "leave",
        refusals: int = 0,
        **terms: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        unknown = terms.keys() - STORED_FIELDS.keys()
        if unknown:
            raise TypeError(f"CampaignTrigger has no argument {', '.join(sorted(unknown))}")
        self.conn_id = conn_id
        self.hook_class = hook_class
        self.campaign_id = campaign_id
        self.hook_params = hook_params
        # The name on_kill is the method's that Airflow calls.
        self.kill_policy = on_kill
        self.refusals = refusals
        # Made sense of when it runs: an error here would end the triggerer with all its triggers. Only the values are
        # kept, since there may be thousands of waits.
        self._terms = tuple({**_DEFAULT_TERMS, **terms}.values())

    @classmethod
    def of(
        cls,
        hook: CampaignHook,
        campaign_id: str,
        terms: Terms,
        *,
        hook_params: Mapping[str, Any] | None,
        on_kill: str,
    ) -> CampaignTrigger:
        """Return the trigger of a wait."""
        return cls(
            conn_id=hook.conn_id,
            hook_class=hook.class_path,
            campaign_id=campaign_id,
            hook_params=dict(hook_params) if hook_params else None,
            on_kill=on_kill,
            **terms.stored(),
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "airflow_provider_campaigns.triggers.campaign.CampaignTrigger",
            {
                "conn_id": self.conn_id,
                "hook_class": self.hook_class,
                "campaign_id": self.campaign_id,
                "hook_params": self.hook_params,
                "on_kill": self.kill_policy,
                "refusals": self.refusals,
                **self._stored_terms(),
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the campaign until the wait is over; yield the outcome."""
        # CancelledError is left alone: Airflow reads from it why the trigger was ended.
        try:
            outcome = await self._outcome()
        except InvalidRequest as error:
            outcome = Outcome(Reason.REFUSED, str(error))
        except Exception as error:
            self.log.exception("The wait for campaign %s broke", self.campaign_id)
            outcome = Outcome(Reason.ERROR, f"The wait for campaign {self.campaign_id} broke: {error}")
        yield TriggerEvent(outcome.as_event())

    async def on_kill(self) -> None:
        """
        Do to the campaign what the policy says, if somebody ended the task for good.

        Airflow (3.3 and newer) calls this whenever a trigger has left the triggerer's list: also when its task was
        cleared or marked as a success, and when a triggerer that was out of touch finds its waits taken over by
        another one. So Airflow is asked first what became of the task.
        """
        if self.kill_policy != "leave":
            self._killing = asyncio.create_task(self._pause_or_stop_if_ended())
            await _to_its_end(self._killing)

    async def cleanup(self) -> None:
        """Wait for what :meth:`on_kill` began, so that its outcome is in the task's log, which closes after this."""
        if self._killing:
            await _to_its_end(self._killing)

    def _stored_terms(self) -> dict[str, Any]:
        return dict(zip(_DEFAULT_TERMS, self._terms, strict=True))

    async def _outcome(self) -> Outcome:
        terms = Terms.from_stored(self._stored_terms())
        key = json.dumps([self.hook_class, self.conn_id, self.hook_params], sort_keys=True)
        poller = shared_poller(key, self._client, self.conn_id)
        # One logger for all: each trigger's own, if it is structlog's, would be eight more objects for every wait.
        wait = WaitState(self.campaign_id, terms, time.time(), self.refusals)
        ti = self.task_instance
        outcome = await poller.wait(wait, self.logger(), LiveFigures(wait, self.conn_id, ti) if ti else None)
        if not acts_on_campaign(outcome, self.kill_policy):
            return settle(outcome, None, self.campaign_id, self.kill_policy, self.log)
        return await self._with_client(
            lambda client: settle(outcome, client, self.campaign_id, self.kill_policy, self.log)
        )

    async def _pause_or_stop_if_ended(self) -> None:
        end = await asyncio.to_thread(end_of, self.task_instance)
        if not end.is_genuine:
            self.log.warning("Campaign %s is left alone: %s.", self.campaign_id, end.why)
            return
        self.log.info("Campaign %s: %s, so on_kill=%r applies.", self.campaign_id, end.why, self.kill_policy)
        await self._with_client(lambda client: pause_or_stop(client, self.campaign_id, self.kill_policy, self.log))

    async def _with_client(self, act: Callable[[CampaignClient | None], Result]) -> Result:
        try:
            client = await self._client()
        except Exception as error:
            self.log.error("Connection %r cannot be used: %s", self.conn_id, error)
            return act(None)
        try:
            return await asyncio.to_thread(act, client)
        finally:
            client.close()

    def _client(self) -> Awaitable[CampaignClient]:
        return client_of(self.conn_id, self.hook_params, self.hook_class)


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """
    Wait for a task to its end, however often the waiting is canceled meanwhile.

    Airflow cancels a trigger again each second until it is gone, also while its ``on_kill`` is under way.
    """
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            canceled = error
    if canceled:
        raise canceled
