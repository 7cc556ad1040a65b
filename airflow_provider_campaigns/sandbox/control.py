"""The control routes: faults, webhooks, journal, recipients, reset, clock, files and health of a running sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.faults import Fault
from airflow_provider_campaigns.sandbox.hosted_files import FILES_PREFIX
from airflow_provider_campaigns.sandbox.installed import CONTROL_PREFIX
from airflow_provider_campaigns.sandbox.journal import count

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.app import SandboxApp
    from airflow_provider_campaigns.sandbox.vendor import Vendor


def _whole(text: str | None, field: str, default: int | None = None) -> int | None:
    if text is None:
        return default
    if not text.isdecimal():
        raise ValueError(f"{field}: must be a whole number, not {text!r}")
    return int(text)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is not valid JSON: {error}") from None


def control_routes(app: SandboxApp) -> list[Route]:
    """Return the routes below ``/_sandbox``: faults, journal, recipients, reset, clock, files."""

    async def health(request: Request) -> Response:
        vendors = {vendor.name: {"title": vendor.title, "prefix": vendor.prefix} for vendor in app.vendors}
        return JSONResponse({"status": "ok", "vendors": vendors})

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            orders = await _json(request)
            listed = orders if isinstance(orders, list) else [orders]
            return JSONResponse({"ids": app.faults.order(*map(Fault.from_order, listed))}, status_code=201)
        if request.method == "DELETE":
            fault_id = _whole(request.query_params.get("id"), "id")
            cleared = app.faults.clear(fault_id)
            if fault_id is not None and not cleared:
                return PlainTextResponse(f"id: there is no fault {fault_id}", status_code=404)
            return JSONResponse({"cleared": cleared})
        return JSONResponse({"faults": app.faults.orders()})

    async def release(request: Request) -> Response:
        app.faults.release()
        return JSONResponse({"status": "ok"})

    def known_vendor(name: str | None) -> Vendor:
        for known in app.vendors:
            if known.name == name:
                return known
        raise ValueError(f"vendor: must be one of {', '.join(known.name for known in app.vendors)}, not {name!r}")

    async def recipients(request: Request) -> Response:
        vendor, wanted = known_vendor(request.query_params.get("vendor")), request.query_params.get("campaign")
        if wanted not in {str(campaign["id"]) for campaign in vendor.inventory()}:
            raise ValueError(f"campaign: {vendor.name} has no campaign {wanted!r}")
        numbers = vendor.recipients(wanted)
        if numbers is None:
            raise ValueError(f"vendor: the sandbox's {vendor.name} does not tell whom a campaign is for")
        digits = ("".join(filter(str.isdecimal, number)) for number in numbers)
        return JSONResponse({"recipients": [f"+{number}" for number in digits]})

    async def journal(request: Request) -> Response:
        vendor = request.query_params.get("vendor")
        if vendor is not None:
            known_vendor(vendor)
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
            order = await _json(request)
            if not isinstance(order, dict) or set(order) != {"speed"}:
                raise ValueError('speed: the body must be {"speed": number}')
            app.clock.set_speed(order["speed"])
        return JSONResponse(
            {"now": app.clock.now().isoformat(), "seconds": app.clock.seconds(), "speed": app.clock.speed}
        )

    async def files(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "PUT":
            app.files.put(name, await request.body())
            url = request.url.replace(path=f"{FILES_PREFIX}/{quote(name)}", query="")
            return JSONResponse({"url": str(url)}, status_code=201)
        content = app.files.get(name)
        if content is None:
            return PlainTextResponse(f"There is no file {name!r}", status_code=404)
        return Response(content, media_type="application/octet-stream")

    async def webhooks(request: Request) -> Response:
        if request.method == "POST":
            app.webhooks.order(await _json(request))
            return JSONResponse(app.webhooks.told(), status_code=201)
        if request.method == "DELETE":
            app.webhooks.clear()
        return JSONResponse(app.webhooks.told())

    def clear(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                response: Response = await handler(request)
            except ValueError as error:
                return PlainTextResponse(str(error), status_code=400)
            return response

        return answer

    return [
        Route(f"{CONTROL_PREFIX}/health", health),
        Route(f"{CONTROL_PREFIX}/faults", clear(faults), methods=["GET", "POST", "DELETE"]),
        Route(f"{CONTROL_PREFIX}/release", release, methods=["POST"]),
        Route(f"{CONTROL_PREFIX}/journal", clear(journal)),
        Route(f"{CONTROL_PREFIX}/recipients", clear(recipients)),
        Route(f"{CONTROL_PREFIX}/reset", reset, methods=["POST"]),
        Route(f"{FILES_PREFIX}/{{name:path}}", files, methods=["GET", "PUT"]),
        Route(f"{CONTROL_PREFIX}/webhooks", clear(webhooks), methods=["GET", "POST", "DELETE"]),
        Route(f"{CONTROL_PREFIX}/clock", clear(clock), methods=["GET", "POST"]),
    ]
