"""The client of a connection that many looks share: made when it is first needed, and anew after a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.connection import get_async_connection

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.limits import looking
from airflow_provider_campaigns.wait.isolation import unexpected

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_campaigns.api.client import CampaignClient

Result = TypeVar("Result")


async def client_of(
    conn_id: str, hook_params: Mapping[str, Any] | None = None, hook_class: str | None = None
) -> CampaignClient:
    """
    Return a new client of a connection, read now; for use in an event loop.

    :param conn_id: The connection.
    :param hook_params: Further arguments of its hook, such as Kore.ai's ``campaign_type``.
    :param hook_class: The class path of the hook, or None for the one that goes with the connection's type.
    :raises InvalidRequest: The connection cannot be used.
    """
    connection = await get_async_connection(conn_id)
    return await asyncio.to_thread(_build, connection, hook_params or {}, hook_class)


def _build(connection: Connection, hook_params: Mapping[str, Any], hook_class: str | None) -> CampaignClient:
    # Here and not above: the event trigger, which is constructed when a DAG is parsed, imports this module.
    from airflow_provider_campaigns.hooks.campaign import CampaignHook, hook_for

    if hook_class is None:
        return hook_for(connection, hook_params).client_for(connection)
    module, _, name = hook_class.rpartition(".")
    hook: CampaignHook = getattr(import_module(module), name)(conn_id=connection.conn_id, **hook_params)
    return hook.client_for(connection)


class SharedClient:
    """
    One client for many looks, with threads of its own for the blocking calls, which keep to their share of the limit.

    After a refusal the client is dropped, and the next look reads the connection again: its credential may have been
    changed meanwhile.

    :param connect: Returns a new client, reading the connection.
    :param threads: How many calls may be under way at once.
    :param name: What the threads are called.
    """

    def __init__(self, connect: Callable[[], Awaitable[CampaignClient]], *, threads: int, name: str) -> None:
        self._connect = connect
        self._client: CampaignClient | None = None
        self._connecting = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def get(self) -> CampaignClient:
        """Return the client, a new one if there is none."""
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def call(self, act: Callable[[CampaignClient], Result]) -> Result:
        """
        Return what a blocking call with the client returns; it runs in a thread.

        :raises CampaignAPIError: The call failed. Also for an error that no client should raise, which comes from an
            answer that nobody expected: it must not be worse than an answer that cannot be read.
        :raises InvalidRequest: An argument or the connection cannot be used.
        """
        client = await self.get()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _look, act, client)
        except (CampaignAPIError, InvalidRequest) as error:
            if not (isinstance(error, CampaignAPIError) and error.transient):
                self.drop()
            raise
        except Exception as error:
            raise unexpected(error, client.vendor) from error

    def drop(self) -> None:
        """Forget the client, so that the next call reads the connection again."""
        if self._client:
            self._threads.submit(self._client.close)
        self._client = None

    def close(self) -> None:
        """Give everything back; calls under way come to their end by themselves."""
        self.drop()
        self._threads.shutdown(wait=False)


def _look(act: Callable[[CampaignClient], Result], client: CampaignClient) -> Result:
    with looking():
        return act(client)
