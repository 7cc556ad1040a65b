"""Airflow's plugin (3.1 and newer): a page under Browse, a tab on runs and tasks; the app is built when first asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/campaigns"


class LazyApp:
    """An ASGI app that is imported at its first request: every process of Airflow loads plugins, one serves pages."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve a request."""
        from airflow_provider_campaigns.observe.board import app

        await app(scope, receive, send)


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
    """The board of campaigns; read-only, behind Airflow's own login and permissions."""

    name = "campaigns"
    fastapi_apps = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "Campaigns"}]
    external_views = views(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))
