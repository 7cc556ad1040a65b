"""A watch at work, for tests of the trigger of asset watchers: what it fired, and how often it looked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger

POLL_INTERVAL = 0.05
#: A Kinbox campaign of 20 recipients sends for 40 seconds after 5 of preparation, and tracks receipts for 30 more.
HALFWAY, SENT, FINISHED = 27.0, 50.0, 100.0

#: What the fixture ``watching`` returns.
Run = Callable[..., Any]


def launched(client: KinboxClient, name: str = "Winter offer") -> str:
    url = "https://files.example.com/leads.csv?leads=20"
    return client.create_campaign(name=name, lead_type="file", leads_asset_url=url).id


def launched_at_altur(client: AlturClient, name: str, channel: str = "whatsapp") -> str:
    campaign = client.create_campaign(name=name, agent_id="a", integration_id="line", integration_type=channel)
    client.add_contacts(campaign.id, [{"contact": f"+52155{number:08d}"} for number in range(20)])
    return client.start_campaign(campaign.id).id


def watch(**arguments: Any) -> CampaignEventTrigger:
    return CampaignEventTrigger(
        **{"conn_id": "kinbox_default", "poll_interval": POLL_INTERVAL, "event_interval": 0.01, **arguments}
    )


def fired(trigger: CampaignEventTrigger) -> list[Any]:
    """Run a trigger until it ends, which it does by failing."""

    async def run() -> list[Any]:
        return [event async for event in trigger.run()]

    return asyncio.run(asyncio.wait_for(run(), 20))


class Store:
    """Stands in for Airflow's asset state store."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.is_down = False

    async def aget(self, key: str, default: Any = None) -> Any:
        self._check()
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        self._check()
        self.values[key] = json.dumps(value)

    def _check(self) -> None:
        if self.is_down:
            raise RuntimeError("The API server is away")


class Watching:
    """A trigger at work; what it fired so far is in ``payloads``."""

    def __init__(self, sandbox: Sandbox, trigger: CampaignEventTrigger, events: AsyncIterator[Any]) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.at: list[float] = []
        self._sandbox = sandbox
        self._vendor = trigger.conn_id.removesuffix("_default")
        self.task = asyncio.create_task(self._run(events))

    @property
    def ids(self) -> list[str]:
        return [payload["id"] for payload in self.payloads]

    async def _run(self, events: AsyncIterator[Any]) -> None:
        async for event in events:
            self.payloads.append(json.loads(json.dumps(event.payload)))
            self.at.append(time.monotonic())

    async def requests(self) -> list[dict[str, Any]]:
        journal = await asyncio.to_thread(self._sandbox.journal, self._vendor)
        return list(journal["requests"])

    async def looks(self) -> int:
        return sum(request["endpoint"] == "list_campaigns" for request in await self.requests())

    async def look(self) -> None:
        """Wait until a look that began after this call has been dealt with: until the next one begins."""
        wanted = await self.looks() + 2
        await self.until(lambda: self._seen_at_least(wanted))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        give_up = time.monotonic() + 20
        while not await condition():
            if self.task.done():
                await self.task
            assert time.monotonic() < give_up
            await asyncio.sleep(0.02)

    async def _seen_at_least(self, looks: int) -> bool:
        return await self.looks() >= looks
