"""The receiver of Altur's webhooks, which Airflow's API server mounts: no login, the signature is its only key."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.api.altur.webhooks import (
    LEAST_SECRET_LENGTH,
    SIGNATURE_HEADER,
    WebhookEvent,
    is_signed,
    read_event,
)

logger = logging.getLogger(__name__)

#: An event is some hundred bytes; anything this large is not an event.
MOST_BYTES = 256 * 1024
#: How long a body may take to arrive, and how long noting an event may take; the vendor waits 10 seconds for both.
BODY_SECONDS = 4.0
NOTING_SECONDS = 5.0
#: So many requests are dealt with at once, so that slow senders take neither memory nor threads.
MOST_AT_ONCE = 16
#: The vendor repeats an event for minutes; what is older than this is not taken in.
OLDEST = timedelta(days=1)
#: A connection's secret is read again after so long.
SECRET_SECONDS = 60.0


class Refused(Exception):
    """Ends a request with a status and a word; neither says why a signature did not fit."""

    def __init__(self, status: int, word: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(word)
        self.status = status
        self.headers = dict(headers or {})


class Secrets:
    """
    The secrets of webhooks by connection, read when they are first needed and kept for a minute.

    Who sends rubbish costs one look into the connections a minute, and none for a connection that is not listed.

    :param connections: The connection that holds the secret, by the connection that the webhook is of.
    :param read: Returns the password of a connection; None for none.
    """

    def __init__(self, connections: Mapping[str, str], read: Callable[[str], str | None]) -> None:
        self._connections = connections
        self._read = read
        self._kept: dict[str, tuple[str | None, float]] = {}

    def of(self, conn_id: str) -> str | None:
        """Return the secret of a connection's webhook, None if there is none that is fit for it."""
        holder = self._connections.get(conn_id)
        if holder is None:
            return None
        secret, until = self._kept.get(conn_id, (None, 0.0))
        if time.monotonic() >= until:
            secret = self._fresh(holder)
            self._kept[conn_id] = (secret, time.monotonic() + SECRET_SECONDS)
        return secret

    def _fresh(self, holder: str) -> str | None:
        try:
            secret = self._read(holder)
        except Exception as error:
            logger.error("Webhooks are refused: connection %r cannot be read: %s", holder, type(error).__name__)
            return None
        if secret is None or len(secret) < LEAST_SECRET_LENGTH:
            logger.error(
                "Webhooks are refused: the password of connection %r must be the webhook's secret, of %d characters or "
                "more.",
                holder,
                LEAST_SECRET_LENGTH,
            )
            return None
        return secret


class WebhookReceiver:
    """
    Takes events in: verifies, bounds, notes, and answers at once.

    :param secret_of: Returns the secret of a connection's webhook, or None.
    :param note: Notes an event of a connection; returns whether it was new.
    """

    def __init__(self, secret_of: Callable[[str], str | None], note: Callable[[str, WebhookEvent], bool]) -> None:
        self._secret_of = secret_of
        self._note = note
        self._under_way = 0
        # Verified in the place of a secret that is not there, so that the time of the answer tells nothing.
        self._nobodys_secret = secrets.token_urlsafe(32)

    async def receive(self, request: Request) -> Response:
        """Answer a request: ``POST /altur/{conn_id}``."""
        try:
            word = await self._within_bounds(request)
        except Refused as refused:
            return JSONResponse({"status": str(refused)}, refused.status, {**_HEADERS, **refused.headers})
        return JSONResponse({"status": word}, headers=_HEADERS)

    async def _within_bounds(self, request: Request) -> str:
        if self._under_way >= MOST_AT_ONCE:
            raise Refused(503, "busy", {"Retry-After": "5"})
        self._under_way += 1
        try:
            return await self._take(request)
        finally:
            self._under_way -= 1

    async def _take(self, request: Request) -> str:
        conn_id = request.path_params["conn_id"]
        body = await _read_body(request)
        secret = await asyncio.to_thread(self._secret_of, conn_id)
        fits = is_signed(body, request.headers.get(SIGNATURE_HEADER, ""), secret or self._nobodys_secret)
        if secret is None or not fits:
            raise Refused(401, "refused")
        try:
            event = read_event(body)
        except ValueError as error:
            logger.warning("A signed webhook of connection %r cannot be read: %s.", conn_id, error)
            raise Refused(400, "unreadable") from None
        if event is None:
            return "ignored"
        if event.occurred_at < datetime.now(UTC) - OLDEST:
            logger.warning("A webhook of connection %r is of %s, too old to be taken in.", conn_id, event.occurred_at)
            return "too old"
        return "taken" if await self._noted(conn_id, event) else "known"

    async def _noted(self, conn_id: str, event: WebhookEvent) -> bool:
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._note, conn_id, event), NOTING_SECONDS)
        except Exception:
            # The vendor sends it again; and the poll, which is slower, goes on anyway.
            logger.exception("An event of connection %r could not be noted", conn_id)
            raise Refused(503, "try again", {"Retry-After": "5"}) from None


async def _read_body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "application/json alone")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(415, "no content encoding")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        raise Refused(413, "too large")
    try:
        return await asyncio.wait_for(_bounded(request), BODY_SECONDS)
    except TimeoutError:
        raise Refused(408, "too slow", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refused(400, "cut off") from None


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused(413, "too large", {"Connection": "close"})
    return bytes(body)


_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def receiver_app(receiver: WebhookReceiver) -> Starlette:
    """Return the app; it has one route, and takes POST alone."""
    return Starlette(routes=[Route("/altur/{conn_id}", receiver.receive, methods=["POST"])])
