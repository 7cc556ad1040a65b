"""A vendor with next to nothing, to try the sandbox's core with, and requests to it."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.delivery import Delivery
from airflow_provider_campaigns.sandbox.vendor import Vendor, accepts, bearer_token


class PostVendor(Vendor):
    """A vendor with next to nothing, to try the core with."""

    name = "post"
    title = "Post"
    prefix = "/post/v1"
    connection = {"login": "post-office"}

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.campaigns: list[dict[str, Any]] = []
        self.created_at: dict[str, float] = {}
        self.deliveries: dict[str, Delivery] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/campaigns", self.create_campaign, methods=["POST"], name="create_campaign"),
            Route("/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/campaigns/{id}", self.get_campaign, methods=["GET"], name="get_campaign"),
            Route("/broken", self.broken, methods=["GET"], name="broken"),
        ]

    def authenticate(self, request: Request) -> Response | None:
        if accepts(bearer_token(request)):
            return None
        return JSONResponse({"message": "Unauthorized"}, status_code=401)

    def rate_limited(self, seconds: float) -> Response:
        return JSONResponse({"detail": f"Wait {seconds:g} seconds"}, 429, headers={"Retry-After": f"{seconds:g}"})

    def not_found(self, request: Request) -> Response:
        return JSONResponse({"message": f"Cannot {request.method} {request.url.path}"}, status_code=404)

    def inventory(self) -> list[dict[str, Any]]:
        return self.campaigns

    def reset(self) -> None:
        self.__init__(self.clock, self.faults, self.real_time)  # type: ignore[misc]

    async def create_campaign(self, request: Request) -> Response:
        body = await self.read_object(request)
        campaign = {"vendor": self.name, "id": str(len(self.campaigns) + 1), "name": body.get("name"), "status": "on"}
        self.campaigns.append(campaign)
        self.created_at[campaign["id"]] = self.real_time()
        delivery = self.deliveries[campaign["id"]] = Delivery(100, 1.0, self.stalls)
        delivery.start(self.clock.seconds())
        return JSONResponse(campaign, status_code=201)

    async def list_campaigns(self, request: Request) -> Response:
        shown = [campaign for campaign in self.campaigns if self.is_listed(self.created_at[campaign["id"]])]
        return JSONResponse({"data": shown, "again": self.repeats_cursor("list_campaigns")})

    async def get_campaign(self, request: Request) -> Response:
        campaign_id = request.path_params["id"]
        campaign = next((campaign for campaign in self.campaigns if campaign["id"] == campaign_id), None)
        if campaign is None:
            return self.not_found(request)
        done = self.deliveries[campaign_id].done(self.clock.seconds())
        return JSONResponse({**campaign, "status": self.status_word("on"), "done": done})

    async def broken(self, request: Request) -> Response:
        raise KeyError("a bug")


class LimitedVendor(PostVendor):
    """The same with a documented limit."""

    limit = (3, 0.5)


def create(sandbox, session, name="a", timeout=5.0, **arguments):
    url = sandbox.base_url("post") + "/campaigns"
    return session.post(url, json={"name": name}, timeout=timeout, **arguments)


def get(sandbox, session, path, **arguments):
    return session.get(sandbox.base_url("post") + path, timeout=5, **arguments)


def created(sandbox):
    return len(sandbox.journal()["campaigns"])


def last(sandbox):
    return sandbox.journal()["requests"][-1]


def eventually(condition, seconds=3.0):
    """Return whether the condition comes true in time; it is never asked again once it has."""
    end = time.monotonic() + seconds
    while not (met := bool(condition())) and time.monotonic() < end:
        time.sleep(0.02)
    return met
