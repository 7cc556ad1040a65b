"""Events that the sandbox sends by itself, as its vendors do: signed, sent again if refused, spoilt on order."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from airflow_provider_campaigns.sandbox.hosted_files import is_here

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.app import SandboxApp
    from airflow_provider_campaigns.sandbox.faults import Fault
    from airflow_provider_campaigns.sandbox.vendor import Vendor

#: How often the vendors are asked what has happened, in real seconds.
STEP_SECONDS = 0.1
#: How long the receiver may take, how often an event is sent again, and the pause before the first time.
ANSWER_SECONDS = 10.0
MOST_RETRIES = 5
FIRST_PAUSE_SECONDS = 0.2
SCHEMES = ("newer", "older")


@dataclass(frozen=True)
class Webhook:
    """
    Where a vendor's events go.

    :param vendor: The vendor's name.
    :param url: The receiver, on this machine.
    :param secret: What they are signed with.
    :param scheme: How: as the vendor's ``newer`` page says, or as its ``older`` one.
    """

    vendor: str
    url: str
    secret: str = field(repr=False)
    scheme: str = "newer"

    @classmethod
    def from_order(cls, order: object, vendors: Mapping[str, Vendor]) -> Webhook:
        """Read an order as it came in JSON; a ``ValueError`` names the wrong field."""
        given = dict(order) if isinstance(order, Mapping) else {}
        unknown = given.keys() - {"vendor", "url", "secret", "scheme"}
        if unknown or not {"vendor", "url", "secret"} <= given.keys():
            raise ValueError("a webhook has vendor, url and secret, and may have a scheme")
        if not all(isinstance(value, str) and value for value in given.values()):
            raise ValueError("vendor, url, secret and scheme: must be texts")
        if given["vendor"] not in vendors or not vendors[given["vendor"]].sends_events:
            able = [name for name, vendor in vendors.items() if vendor.sends_events]
            raise ValueError(f"vendor: must be one of {', '.join(able)}, not {given['vendor']!r}")
        address = urlsplit(given["url"])
        if address.scheme != "http" or not is_here(address.hostname):
            raise ValueError("url: must be http on this machine: the sandbox talks to nobody else")
        if given.get("scheme", SCHEMES[0]) not in SCHEMES:
            raise ValueError(f"scheme: must be one of {', '.join(SCHEMES)}, not {given['scheme']!r}")
        return cls(**given)


@dataclass(frozen=True)
class SentEvent:
    """
    What became of an event.

    :param attempts: How often it was sent.
    :param status: The receiver's last answer, None for none.
    :param fault: The kind of fault that was ordered for it, or None.
    """

    event_id: str
    event_type: str
    campaign_id: int | str
    attempts: int = 0
    status: int | None = None
    fault: str | None = None


class Webhooks:
    """
    The webhooks of a running sandbox; used on its event loop alone.

    :param app: The sandbox.
    """

    def __init__(self, app: SandboxApp) -> None:
        self._app = app
        self._hooks: list[Webhook] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: list[SentEvent] = []

    def order(self, order: object) -> None:
        """Send a vendor's events somewhere from now on."""
        vendors = {vendor.name: vendor for vendor in self._app.vendors}
        hook = Webhook.from_order(order, vendors)
        vendor = vendors[hook.vendor]
        if not any(known.vendor == hook.vendor for known in self._hooks):
            # What happened before somebody listens is told to nobody.
            vendor.events()
            self._begin(self._watch(vendor))
        self._hooks.append(hook)

    def clear(self) -> None:
        """Send nothing more, and forget what was sent."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._hooks.clear()
        self._sent.clear()

    def told(self) -> dict[str, Any]:
        """Return the webhooks without their secrets, and what became of each event."""
        hooks = [{"vendor": hook.vendor, "url": hook.url, "scheme": hook.scheme} for hook in self._hooks]
        return {"webhooks": hooks, "events": [asdict(event) for event in self._sent]}

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, vendor: Vendor) -> None:
        while True:
            for event in vendor.events():
                fault = self._app.faults.take_event(vendor.name)
                for hook in [hook for hook in self._hooks if hook.vendor == vendor.name]:
                    self._begin(self._tell(vendor, hook, event, fault))
            await asyncio.sleep(STEP_SECONDS)

    async def _tell(self, vendor: Vendor, hook: Webhook, event: Mapping[str, Any], fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        if kind == "event_late" and fault:
            await asyncio.sleep(fault.seconds or 0.0)
        if kind == "event_lost":
            self._note(event, kind)
        elif kind == "event_forged":
            forged = {**event, "event_id": f"{event['event_id']}_forged"}
            await self._send(vendor, replace(hook, secret=secrets.token_urlsafe(32)), forged, kind)
            await self._send(vendor, hook, event, None)
        else:
            for _ in range(2 if kind == "event_doubled" else 1):
                await self._send(vendor, hook, event, kind)

    async def _send(self, vendor: Vendor, hook: Webhook, event: Mapping[str, Any], kind: str | None) -> None:
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **vendor.sign_event(body, hook.secret, hook.scheme)}
        place = self._note(event, kind)
        for attempt in range(1 + MOST_RETRIES):
            status = await asyncio.to_thread(_post, hook.url, body, headers)
            self._sent[place] = replace(self._sent[place], attempts=attempt + 1, status=status)
            if status == 200:
                return
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt)

    def _note(self, event: Mapping[str, Any], kind: str | None) -> int:
        self._sent.append(
            SentEvent(event["event_id"], event["event_type"], event["data"]["campaign"]["id"], fault=kind)
        )
        return len(self._sent) - 1


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
    with requests.Session() as session:
        # A proxy from the environment would not know this loopback port.
        session.trust_env = False
        try:
            return session.post(
                url, data=body, headers=dict(headers), timeout=ANSWER_SECONDS, allow_redirects=False
            ).status_code
        except requests.RequestException:
            return None
