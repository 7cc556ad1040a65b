"""The sandbox as one ASGI application: vendors, the fault layer around them, and the control routes."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from airflow_provider_campaigns.sandbox.clock import Clock
from airflow_provider_campaigns.sandbox.faults import Fault, Faults
from airflow_provider_campaigns.sandbox.installed import find_vendors
from airflow_provider_campaigns.sandbox.journal import UNMATCHED, Journal, count
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor

logger = logging.getLogger(__name__)

HTML_PAGE = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Please stand by</body></html>"


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


class SlidingWindow:
    """
    A limit of requests per seconds of real time, counted for each key on its own.

    :param requests: how many requests fit in the window.
    :param seconds: length of the window in real seconds.
    """

    def __init__(self, requests: int, seconds: float, real_time: Callable[[], float]) -> None:
        self._requests = requests
        self._seconds = seconds
        self._real_time = real_time
        self._seen: dict[str, deque[float]] = {}

    def enter(self, key: str) -> float:
        """Return 0 and count the request, or return the seconds to wait and count nothing."""
        now = self._real_time()
        seen = self._seen.setdefault(key, deque())
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._requests:
            return seen[0] + self._seconds - now
        seen.append(now)
        return 0.0

    def clear(self) -> None:
        """Forget all requests."""
        self._seen.clear()


class Gate:
    """One vendor's way from a request to its whole answer: route, credential, limit, handler."""

    def __init__(self, vendor: Vendor, *, enforce_limit: bool) -> None:
        self.vendor = vendor
        self.routes = vendor.routes()
        self.window = SlidingWindow(*vendor.limit, vendor.real_time) if vendor.limit and enforce_limit else None

    def covers(self, path: str) -> bool:
        """Return whether the path belongs to this vendor."""
        return path == self.vendor.prefix or path.startswith(self.vendor.prefix + "/")

    def match(self, scope: Scope) -> tuple[Match, Route | None, Scope]:
        """Return how well the request fits, the route and the scope for its handler."""
        # The path as it was sent: a slash that is quoted in an id does not begin a new segment.
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        inner = {**scope, "path": path, "root_path": scope.get("root_path", "") + self.vendor.prefix}
        best = Match.NONE
        for route in self.routes:
            fit, found = route.matches(inner)
            if fit is Match.FULL:
                params = {name: unquote(str(value)) for name, value in found["path_params"].items()}
                return fit, route, {**inner, **found, "path_params": params}
            if fit is Match.PARTIAL:
                best = fit
        return best, None, inner

    def refuse(self, request: Request) -> Response | None:
        """Return the vendor's answer to a bad credential or one request too many, None when all is fine."""
        refused = self.vendor.authenticate(request)
        if refused is None and self.window is not None:
            wait = self.window.enter(self.vendor.credential(request))
            if wait > 0:
                return self.vendor.rate_limited(math.ceil(wait))
        return refused

    async def handle(self, route: Route, scope: Scope, body: bytes) -> BufferedResponse:
        """Run the handler and return its whole answer."""
        sent: list[Message] = []

        async def collect(message: Message) -> None:
            sent.append(message)

        try:
            await route.handle(scope, _replay(body), collect)
        except RefusedRequest as refusal:
            return BufferedResponse.of(refusal.response)
        except Exception as error:
            logger.exception("The sandbox's handler %s.%s failed", self.vendor.name, route.name)
            return BufferedResponse.of(self.vendor.server_error(Request(scope, _replay(body)), error))
        return BufferedResponse(
            sent[0]["status"], list(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])
        )


def _replay(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _read_body(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


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

    async def hold(self, seconds: float, *, until_gone: bool = False) -> bool:
        """
        Wait; return whether the client is still there.

        :param until_gone: wait no longer when the client has hung up.
        """
        gone = asyncio.ensure_future(self._gone())
        try:
            if until_gone:
                await asyncio.wait({gone}, timeout=seconds)
            else:
                await asyncio.sleep(seconds)
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


class SandboxApp:
    """The ASGI application; see :func:`create_app`."""

    def __init__(self, clock: Clock, vendors: Sequence[type[Vendor]], *, enforce_limits: bool) -> None:
        self.clock = clock
        self.faults = Faults()
        self.journal = Journal()
        self.vendors = [vendor(clock, self.faults, time.monotonic) for vendor in vendors]
        self._gates = [Gate(vendor, enforce_limit=enforce_limits) for vendor in self.vendors]
        for gate in self._gates:
            self.faults.know(gate.vendor.name, [route.name for route in gate.routes])
        self._control = Starlette(routes=_control_routes(self))
        self._era = 0

    def reset(self) -> None:
        """Begin anew: no campaigns, no faults, an empty journal, vendor time at the real now."""
        # A request that an order still delays belongs to the era before and shall not create anything in this one.
        self._era += 1
        self.faults.clear()
        self.journal.clear()
        self.clock.restart()
        for gate in self._gates:
            gate.vendor.stalls.clear()
            gate.vendor.reset()
            if gate.window:
                gate.window.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate = next((gate for gate in self._gates if scope["type"] == "http" and gate.covers(scope["path"])), None)
        if gate is None:
            await self._control(scope, receive, send)
        else:
            try:
                await self._serve(gate, scope, receive, send)
            except asyncio.CancelledError:
                # The server closes: without this, uvicorn would answer 500 to a client that was to get no answer.
                Wire(receive, send).hang_up()
                raise

    async def _serve(self, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        era = self._era
        # The body comes in first: a request that the client gives up during a delay has arrived all the same.
        body = await _read_body(receive)
        if body is None:
            return
        fit, route, inner = gate.match(scope)
        fault = self.faults.take(gate.vendor.name, route.name) if route else None
        request = Request(inner, _replay(body))
        sequence = self.journal.arrived(
            vendor=gate.vendor.name,
            endpoint=route.name if route else UNMATCHED,
            method=scope["method"],
            path=scope["path"],
            query=tuple(sorted(set(request.query_params))),
            idempotency_key=request.headers.get("idempotency-key"),
            fault=fault.kind if fault else None,
        )

        async def real_answer() -> BufferedResponse:
            if route is None:
                unmatched = gate.vendor.method_not_allowed if fit is Match.PARTIAL else gate.vendor.not_found
                return BufferedResponse.of(unmatched(request))
            refused = gate.refuse(request)
            if refused is not None:
                return BufferedResponse.of(refused)
            self.journal.handled(sequence)
            return await gate.handle(route, inner, body)

        wire = Wire(receive, send)
        late = fault is not None and fault.kind == "slow" and not fault.effect
        if fault is not None and late:
            client_waits = await wire.hold(fault.seconds or 0.0)
            if era != self._era:
                await wire.abort()
                return
            answer = await real_answer()
            if client_waits:
                self.journal.answered(sequence, answer.status)
                await wire.send(answer)
        elif fault is None:
            answer = await real_answer()
            self.journal.answered(sequence, answer.status)
            await wire.send(answer)
        else:
            lost = (
                await real_answer()
                if fault.effect
                else BufferedResponse.of(JSONResponse({"message": "cut off by order"}))
            )
            await self._apply(fault, gate.vendor, wire, lost, sequence)

    async def _apply(self, fault: Fault, vendor: Vendor, wire: Wire, lost: BufferedResponse, sequence: int) -> None:
        if fault.kind == "slow":
            if await wire.hold(fault.seconds or 0.0):
                self.journal.answered(sequence, lost.status)
                await wire.send(lost)
        elif fault.kind == "timeout":
            if await wire.hold(fault.seconds or 0.0, until_gone=True):
                await wire.abort()
        elif fault.kind == "cut_off" and lost.body:
            self.journal.answered(sequence, lost.status)
            await wire.cut_off(lost)
        elif fault.kind in ("reset", "cut_off"):
            await wire.abort()
        else:
            answer = BufferedResponse.of(_replacement(fault, vendor))
            self.journal.answered(sequence, answer.status)
            await wire.send(answer)


def _replacement(fault: Fault, vendor: Vendor) -> Response:
    if fault.kind == "html":
        return HTMLResponse(HTML_PAGE)
    if fault.kind == "error":
        return PlainTextResponse("The service is having trouble", status_code=fault.status)
    after = fault.retry_after
    seconds = float(after) if isinstance(after, int) or (after and after.isdigit()) else fault.seconds or 0.0
    response = vendor.rate_limited(math.ceil(seconds))
    del response.headers["retry-after"]
    if after is not None:
        response.headers["retry-after"] = str(after)
    return response


def _whole(text: str | None, field: str, default: int | None = None) -> int | None:
    if text is None:
        return default
    if not text.isdecimal():
        raise ValueError(f"{field}: must be a whole number, not {text!r}")
    return int(text)


def _control_routes(app: SandboxApp) -> list[Route]:
    async def health(request: Request) -> Response:
        vendors = {vendor.name: {"title": vendor.title, "prefix": vendor.prefix} for vendor in app.vendors}
        return JSONResponse({"status": "ok", "vendors": vendors})

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            orders = await request.json()
            listed = orders if isinstance(orders, list) else [orders]
            return JSONResponse({"ids": app.faults.order(*map(Fault.from_order, listed))}, status_code=201)
        if request.method == "DELETE":
            fault_id = _whole(request.query_params.get("id"), "id")
            cleared = app.faults.clear(fault_id)
            if fault_id is not None and not cleared:
                return PlainTextResponse(f"id: there is no fault {fault_id}", status_code=404)
            return JSONResponse({"cleared": cleared})
        return JSONResponse({"faults": app.faults.orders()})

    async def journal(request: Request) -> Response:
        vendor = request.query_params.get("vendor")
        names = [known.name for known in app.vendors]
        if vendor is not None and vendor not in names:
            raise ValueError(f"vendor: must be one of {', '.join(names)}, not {vendor!r}")
        entries = app.journal.entries(_whole(request.query_params.get("since"), "since") or 0, vendor)
        campaigns = [row for known in app.vendors if vendor in (None, known.name) for row in known.inventory()]
        return JSONResponse(
            {"requests": [asdict(entry) for entry in entries], "counts": count(entries), "campaigns": campaigns}
        )

    async def reset(request: Request) -> Response:
        app.reset()
        return JSONResponse({"status": "ok"})

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            order = await request.json()
            if not isinstance(order, dict) or set(order) != {"speed"}:
                raise ValueError('speed: the body must be {"speed": number}')
            app.clock.set_speed(order["speed"])
        return JSONResponse(
            {"now": app.clock.now().isoformat(), "seconds": app.clock.seconds(), "speed": app.clock.speed}
        )

    def clear(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                response: Response = await handler(request)
            except ValueError as error:
                return PlainTextResponse(str(error), status_code=400)
            return response

        return answer

    return [
        Route("/_sandbox/health", health),
        Route("/_sandbox/faults", clear(faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/journal", clear(journal)),
        Route("/_sandbox/reset", reset, methods=["POST"]),
        Route("/_sandbox/clock", clear(clock), methods=["GET", "POST"]),
    ]


def create_app(
    speed: float = 60,
    vendors: Sequence[str | type[Vendor]] | None = None,
    enforce_limits: bool = True,
    clock: Clock | None = None,
) -> SandboxApp:
    """
    Return the sandbox as an ASGI application.

    :param speed: vendor seconds per real second.
    :param vendors: names of installed vendors, or vendors' classes; all that are installed by default.
    :param enforce_limits: whether the vendors' documented request limits hold.
    :param clock: vendor time, in the place of one made with ``speed``.
    :raises ValueError: a vendor is unknown or cannot be loaded; see
        :func:`~airflow_provider_campaigns.sandbox.installed.find_vendors`.
    """
    return SandboxApp(clock or Clock(speed), find_vendors(vendors), enforce_limits=enforce_limits)
