"""Airflow's plugin (3.1 and newer): the board, a tab on runs and tasks, and the receiver of webhooks if it is on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from airflow_provider_campaigns.wait.wakeups import webhook_connections

logger = logging.getLogger(__name__)

PREFIX = "/campaigns"
#: Apart from the board's, so that a proxy can let the one through and not the other.
WEBHOOKS_PREFIX = "/campaigns-webhooks"

App = Callable[..., Awaitable[None]]


class LazyApp:
    """
    An ASGI app that is made at its first request: every process of Airflow loads plugins, one serves pages.

    :param make: Imports the app, or makes it.
    """

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make

    @cached_property
    def _app(self) -> App:
        return self._make()

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve a request."""
        await self._app(scope, receive, send)


def board() -> App:
    """Return the board."""
    from airflow_provider_campaigns.observe.board import app

    return app


def receiver(connections: Mapping[str, str]) -> App:
    """
    Return the receiver of webhooks.

    :param connections: The connection that holds the secret, by the connection that the webhook is of.
    """
    from airflow_provider_campaigns.observe.webhook_events import EventNotes, secret_in
    from airflow_provider_campaigns.observe.webhooks import Secrets, WebhookReceiver, receiver_app

    return receiver_app(WebhookReceiver(Secrets(connections, secret_in).of, EventNotes().note))


def apps() -> list[dict[str, Any]]:
    """Return the apps that the API server mounts: the board, and the receiver of webhooks if it is switched on."""
    mounted = [{"app": LazyApp(board), "url_prefix": PREFIX, "name": "Campaigns"}]
    try:
        connections = webhook_connections()
    except ValueError as error:
        logger.error("%s", error)
        return mounted
    if connections:
        app = LazyApp(lambda: receiver(connections))
        mounted.append({"app": app, "url_prefix": WEBHOOKS_PREFIX, "name": "Webhooks of campaigns"})
    return mounted


def views(path: str) -> list[Mapping[str, str]]:
    """
    Return where Airflow shows the board.

    :param path: The path under which Airflow is served, empty or beginning with a slash.
    """
    board = f"{path}{PREFIX}/"
    run = "dag_id={DAG_ID}&run_id={RUN_ID}"
    return [
        {"name": "Campaigns", "href": board, "destination": "nav", "category": "browse", "url_route": "campaigns"},
        {
            "name": "Campaigns",
            "href": f"{board}?{run}",
            "destination": "dag_run",
            "url_route": "campaigns-of-run",
        },
        {
            "name": "Campaigns",
            "href": f"{board}?{run}&task_id={{TASK_ID}}&map_index={{MAP_INDEX}}",
            "destination": "task_instance",
            "url_route": "campaigns-of-task",
        },
    ]


class CampaignsPlugin(AirflowPlugin):
    """The board, read-only and behind Airflow's own login and permissions; and webhooks, which no login protects."""

    name = "campaigns"
    fastapi_apps = apps()
    external_views = views(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))
