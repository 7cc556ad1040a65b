"""One exchange on its TCP connection: the whole body comes in, an answer goes out, and a wire can fail on the way."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Send

#: Seconds between two looks whether what is held back may go on.
_STEP_SECONDS = 0.05
#: The largest body that the sandbox reads; the vendors' largest batches have a tenth of it.
MAX_BODY_BYTES = 32 * 1024 * 1024


class BodyTooLarge(Exception):
    """The body of a request is larger than ``MAX_BODY_BYTES``."""


@dataclass(frozen=True)
class BufferedResponse:
    """A whole answer, held back so that a fault may be applied to it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, response: Response) -> BufferedResponse:
        """Return the answer that a response would send."""
        return cls(response.status_code, response.raw_headers, bytes(response.body))


async def read_body(receive: Receive) -> bytes | None:
    """
    Return the whole body of a request, or None when the client hung up before its end.

    :raises BodyTooLarge: it is larger than ``MAX_BODY_BYTES``; no more than that is held.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes) -> Receive:
    """Return a source of messages that hands out a body which was read already."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


class Wire:
    """The TCP connection of one request, with the ways in which it can fail."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def send(self, answer: BufferedResponse) -> None:
        """Send the answer as it is."""
        await self._send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await self._send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def cut_off(self, answer: BufferedResponse) -> None:
        """Send the headers of the whole answer, half of its body, and hang up."""
        headers = MutableHeaders(raw=list(answer.headers))
        headers["content-length"] = str(len(answer.body))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers.raw})
        half = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport().close()
        await self._gone()

    async def abort(self) -> None:
        """Reset the connection and wait until it is gone."""
        self.hang_up()
        await self._gone()

    def hang_up(self) -> None:
        """Reset the connection."""
        transport = self._transport()
        # The socket of a client that is gone already takes no options any more.
        with suppress(OSError):
            # Closing with a linger of zero makes the kernel send RST, where a plain close would send FIN.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def hold(self, seconds: float, may_go_on: Callable[[], bool], *, until_gone: bool = False) -> bool:
        """
        Wait; return whether the client is still there.

        :param may_go_on: wait no longer when it returns true.
        :param until_gone: wait no longer when the client has hung up.
        """
        gone = asyncio.ensure_future(self._gone())
        ends = time.monotonic() + seconds
        try:
            while (left := ends - time.monotonic()) > 0 and not may_go_on() and not (until_gone and gone.done()):
                await asyncio.sleep(min(left, _STEP_SECONDS))
            return not gone.done()
        finally:
            gone.cancel()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _transport(self) -> asyncio.Transport:
        # ASGI has no word for hanging up; uvicorn's send is a method of the request cycle, which holds the transport.
        cycle = getattr(self._send, "__self__", None)
        transport: asyncio.Transport | None = getattr(cycle, "transport", None)
        if transport is None:
            raise RuntimeError("Only uvicorn, with no middleware around the sandbox, lets it cut a connection")
        return transport
