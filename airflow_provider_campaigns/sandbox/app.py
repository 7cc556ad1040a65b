"""The sandbox as one ASGI application: vendors, the faults around them, and the control routes."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from airflow_provider_campaigns.sandbox.access import refusal
from airflow_provider_campaigns.sandbox.clock import Clock
from airflow_provider_campaigns.sandbox.control import control_routes
from airflow_provider_campaigns.sandbox.faults import Fault, Faults
from airflow_provider_campaigns.sandbox.gate import Gate
from airflow_provider_campaigns.sandbox.hosted_files import HostedFiles
from airflow_provider_campaigns.sandbox.installed import find_vendors
from airflow_provider_campaigns.sandbox.journal import UNMATCHED, Journal
from airflow_provider_campaigns.sandbox.pace import INSTANT, Pace, check_pace
from airflow_provider_campaigns.sandbox.vendor import Vendor
from airflow_provider_campaigns.sandbox.webhooks import Webhooks
from airflow_provider_campaigns.sandbox.wire import (
    MAX_BODY_BYTES,
    BodyTooLarge,
    BufferedResponse,
    Wire,
    read_body,
    replay,
)

HTML_PAGE = "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Please stand by</body></html>"


class SandboxApp:
    """The ASGI application; see :func:`create_app`."""

    def __init__(self, clock: Clock, vendors: Sequence[type[Vendor]], *, enforce_limits: bool, pace: Pace) -> None:
        self.clock = clock
        self.faults = Faults()
        self.journal = Journal()
        self.vendors = [vendor(clock, self.faults, time.monotonic) for vendor in vendors]
        self.files = HostedFiles()
        for known in self.vendors:
            known.files = self.files
            known.pace = pace
        self._gates = [Gate(vendor, enforce_limit=enforce_limits) for vendor in self.vendors]
        for gate in self._gates:
            self.faults.know(gate.vendor.name, [route.name for route in gate.routes])
        self.webhooks = Webhooks(self)
        self._control = Starlette(routes=control_routes(self))
        self._era = 0

    def reset(self) -> None:
        """Begin anew: no campaigns, no faults, an empty journal, vendor time at the real now."""
        # A request that a fault still delays belongs to the era before, and must not create anything in this one.
        self._era += 1
        self.faults.clear()
        self.journal.clear()
        self.files.clear()
        self.webhooks.clear()
        self.clock.restart()
        for gate in self._gates:
            gate.vendor.stalls.clear()
            gate.vendor.reset()
            if gate.window:
                gate.window.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"The sandbox serves HTTP only, not {scope['type']!r}")
        refused = refusal(Headers(scope=scope))
        if refused:
            await PlainTextResponse(refused, status_code=403)(scope, receive, send)
            return
        # The body comes in first: a request that the client gives up during a delay has arrived all the same.
        try:
            body = await read_body(receive)
        except BodyTooLarge:
            text = f"The body is larger than the {MAX_BODY_BYTES} bytes that the sandbox reads"
            await PlainTextResponse(text, status_code=413)(scope, receive, send)
            return
        if body is None:
            return
        gate = next((gate for gate in self._gates if gate.covers(scope["path"])), None)
        if gate is None:
            await self._control(scope, replay(body), send)
            return
        try:
            await self._serve(gate, scope, body, Wire(receive, send))
        except asyncio.CancelledError:
            # The server closes: without this, uvicorn would answer 500 to a client that was to get no answer.
            Wire(receive, send).hang_up()
            raise

    async def _serve(self, gate: Gate, scope: Scope, body: bytes, wire: Wire) -> None:
        era = self._era
        fit, route, inner = gate.match(scope)
        fault = self.faults.take(gate.vendor.name, route.name) if route else None
        request = Request(inner, replay(body))
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

        late = fault is not None and fault.kind == "slow" and not fault.effect
        if fault is not None and late:
            client_waits = await wire.hold(fault.seconds or 0.0, self.faults.held())
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
            if await wire.hold(fault.seconds or 0.0, self.faults.held()):
                self.journal.answered(sequence, lost.status)
                await wire.send(lost)
        elif fault.kind == "timeout":
            if await wire.hold(fault.seconds or 0.0, self.faults.held(), until_gone=True):
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


def create_app(
    speed: float = 60,
    vendors: Sequence[str | type[Vendor]] | None = None,
    enforce_limits: bool = True,
    clock: Clock | None = None,
    pace: str = INSTANT,
) -> SandboxApp:
    """
    Return the sandbox as an ASGI application.

    :param speed: vendor seconds per real second.
    :param vendors: names of installed vendors, or vendors' classes; all that are installed by default.
    :param enforce_limits: whether the vendors' documented request limits hold.
    :param clock: vendor time, instead of one made with ``speed``.
    :param pace: ``instant`` (the default): a campaign takes minutes of vendor time; ``vendor``: hours, limits a day and
        messages a minute hold as the vendors' pages say.
    :raises ValueError: a vendor is unknown or cannot be loaded; see
        :func:`~airflow_provider_campaigns.sandbox.installed.find_vendors`.
    """
    return SandboxApp(
        clock or Clock(speed), find_vendors(vendors), enforce_limits=enforce_limits, pace=check_pace(pace)
    )
