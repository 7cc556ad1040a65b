"""The trigger of a deferred task that waits for a campaign of some name to appear."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.wait.connection import client_of
from airflow_provider_campaigns.wait.names import CampaignName, NameSearch
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.poller import shared_poller

if TYPE_CHECKING:
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.wait.terms import Terms


class CampaignNameTrigger(BaseTrigger):
    """
    Waits until there is a campaign of some name, and yields one event: which one it is, as plain values.

    It only reads the vendor's list, together with all others on the connection that wait for a name.

    :param conn_id: The connection.
    :param hook_class: The hook's class path.
    :param campaign_name: The name, with ``*`` for any text.
    :param since: Only campaigns created then or later, in seconds since the epoch; None for all.
    :param match: ``only`` or ``newest``.
    :param hook_params: Further arguments of the hook.
    :param poll_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch, or None for never.
    :param patience: Seconds without a good answer before the vendor counts as out of reach.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        hook_class: str,
        campaign_name: str,
        since: float | None = None,
        match: str = "only",
        hook_params: dict[str, Any] | None = None,
        poll_interval: float,
        deadline: float | None = None,
        patience: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.hook_class = hook_class
        self.campaign_name = campaign_name
        self.since = since
        self.match = match
        self.hook_params = hook_params
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.patience = patience

    @classmethod
    def of(
        cls, hook: CampaignHook, name: CampaignName, terms: Terms, *, hook_params: Mapping[str, Any] | None
    ) -> CampaignNameTrigger:
        """Return the trigger of a search, which has the interval, the deadline and the patience of the wait."""
        return cls(
            conn_id=hook.conn_id,
            hook_class=hook.class_path,
            campaign_name=name.pattern,
            since=name.since,
            match=name.match,
            hook_params=dict(hook_params) if hook_params else None,
            poll_interval=terms.poll_interval,
            deadline=terms.deadline,
            patience=terms.patience,
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "airflow_provider_campaigns.triggers.campaign_name.CampaignNameTrigger",
            {
                "conn_id": self.conn_id,
                "hook_class": self.hook_class,
                "campaign_name": self.campaign_name,
                "since": self.since,
                "match": self.match,
                "hook_params": self.hook_params,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
                "patience": self.patience,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for the campaign until the search is over; yield the outcome."""
        try:
            key = json.dumps([self.hook_class, self.conn_id, self.hook_params], sort_keys=True)
            poller = shared_poller(
                key, partial(client_of, self.conn_id, self.hook_params, self.hook_class), self.conn_id
            )
            name = CampaignName(self.campaign_name, self.since, self.match)
            search = NameSearch(name, self.poll_interval, self.deadline, self.patience, time.time())
            outcome = await poller.find(search, self.log)
        except InvalidRequest as error:
            outcome = Outcome(Reason.REFUSED, str(error))
        except Exception as error:
            self.log.exception("The search for campaign %s broke", self.campaign_name)
            outcome = Outcome(Reason.ERROR, f"The search for campaign {self.campaign_name} broke: {error}")
        yield TriggerEvent(outcome.as_event())
