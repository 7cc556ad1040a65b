"""What lets a triggerer look at once: a Variable in which the receiver of webhooks notes which campaigns to look at."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow.configuration import conf
from airflow.providers.common.compat.sdk import Variable

logger = logging.getLogger(__name__)

#: How often a triggerer reads the Variable, in seconds; the vendor is not asked for it.
RING_SECONDS = 5.0
#: The Variable keeps so many campaigns, the last ones.
MOST_CAMPAIGNS = 200
#: So long ago, an event is not news to a wait that has just begun.
FRESH_SECONDS = 60.0


def webhook_connections() -> Mapping[str, str]:
    """
    Return the connections whose webhooks are received, and for each the connection whose password is the secret.

    They are in Airflow's configuration, ``[campaigns] altur_webhooks``, as a JSON object; empty is off.

    :raises ValueError: The option is set, and is no JSON object of connection ids.
    """
    text = (conf.get("campaigns", "altur_webhooks", fallback="") or "").strip()
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(one, str) and one for one in [*given, *given.values()]):
        raise ValueError(
            "[campaigns] altur_webhooks must be a JSON object of connection ids, such as "
            '{"altur_default": "altur_webhook"}. No webhook is received.'
        )
    return given


def variable_of(conn_id: str) -> str:
    """Return the name of a connection's Variable."""
    return f"campaigns_webhook_{conn_id}"


def with_campaign(noted: str | None, campaign_id: str, now: float) -> str:
    """Return the Variable's text with a campaign that an event was about just now."""
    campaigns = {**_read(noted), campaign_id: now}
    newest = sorted(campaigns, key=lambda one: campaigns[one])[-MOST_CAMPAIGNS:]
    return json.dumps({one: campaigns[one] for one in newest})


def campaigns_since(noted: str | None, since: float) -> dict[str, float]:
    """Return the campaigns that events were about after a moment, with the time of the last one."""
    return {campaign_id: at for campaign_id, at in _read(noted).items() if at > since}


def _read(noted: str | None) -> dict[str, float]:
    """Return what is noted; people can edit a Variable, and what makes no sense is left out."""
    try:
        found: Any = json.loads(noted or "{}")
    except ValueError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: float(at) for name, at in pairs if isinstance(at, (int, float)) and not isinstance(at, bool)}


class Bell:
    """
    Rings when the receiver has noted campaigns of a connection.

    :param conn_id: The connection.
    """

    def __init__(self, conn_id: str) -> None:
        self._variable = variable_of(conn_id)

    async def listen(self, wake: Callable[[Collection[str]], None]) -> None:
        """Call a function with the campaigns that events were about, each time that there are new ones; never ends."""
        # Airflow 3.1 takes a question of a trigger from this kind of thread alone.
        from asgiref.sync import sync_to_async

        since: float | None = None
        warned = False
        while True:
            try:
                noted = await sync_to_async(Variable.get)(self._variable, "")
            except Exception as error:
                # Without it the waits look at their own intervals, as they do without webhooks.
                if not warned:
                    logger.warning("The Variable %s cannot be read: %s", self._variable, error)
                warned = True
                noted = ""
            # Where it goes on from is the noted time itself: the clocks of two machines differ.
            campaigns = campaigns_since(noted, time.time() - FRESH_SECONDS if since is None else since)
            since = max([since or 0.0, *campaigns_since(noted, 0.0).values()])
            if campaigns:
                wake(campaigns.keys())
            await asyncio.sleep(RING_SECONDS)


def bell_of(conn_id: str) -> Bell | None:
    """Return the bell of a connection, None if its webhooks are not received."""
    try:
        return Bell(conn_id) if conn_id in webhook_connections() else None
    except ValueError as error:
        logger.warning("%s", error)
        return None
