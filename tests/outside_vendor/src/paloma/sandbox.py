"""Paloma in the sandbox: its API as a local server plays it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.delivery import Delivery
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor, accepts, bearer_token

PAGE = 10
SECONDS_PER_MESSAGE = 30.0


@dataclass
class SandboxCampaign:
    """A campaign; `listed_from` is the real time of its creation, `created_at` that of the vendor."""

    id: int
    body: dict[str, Any]
    created_at: float
    listed_from: float
    delivery: Delivery
    starts: int = 0

    def state(self, at: float) -> str:
        """Return Paloma's word for where it is."""
        if not self.starts:
            return "draft"
        if self.delivery.is_finished(at):
            return "sent"
        return "sending" if self.delivery.is_running else "paused"


class PalomaVendor(Vendor):
    """Paloma's campaign API."""

    name = "paloma"
    title = "Paloma"
    prefix = "/paloma"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.reset()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/campaigns", self.create_campaign, methods=["POST"], name="create_campaign"),
            Route("/campaigns/{id}", self.get_campaign, methods=["GET"], name="get_campaign"),
            Route("/campaigns/{id}/start", self.start_campaign, methods=["POST"], name="start_campaign"),
            Route("/campaigns/{id}/pause", self.pause_campaign, methods=["POST"], name="pause_campaign"),
        ]

    def authenticate(self, request: Request) -> Response | None:
        """Return the 401 unless there is a key that the sandbox takes."""
        return None if accepts(bearer_token(request)) else _error(401, "Unknown key")

    def rate_limited(self, seconds: float) -> Response:
        """Return the 429."""
        return JSONResponse({"error": "Slow down"}, status_code=429, headers={"Retry-After": str(math.ceil(seconds))})

    def not_found(self, request: Request) -> Response:
        """Return the 404."""
        return _error(404, "Not found")

    def bad_request(self, text: str) -> Response:
        """Return the 400."""
        return _error(400, text)

    def reset(self) -> None:
        """Forget every campaign."""
        self._campaigns: list[SandboxCampaign] = []

    def inventory(self) -> list[dict[str, Any]]:
        """Return what exists."""
        now = self.clock.seconds()
        return [
            {
                "vendor": self.name,
                "id": one.id,
                "name": one.body["title"],
                "description": one.body.get("note"),
                "status": one.state(now),
                "created_at": _moment(one.created_at),
                "contacts": one.delivery.total,
                "contact_rows": one.delivery.total,
                "messages": one.delivery.done(now),
                "starts": one.starts,
            }
            for one in self._campaigns
        ]

    async def list_campaigns(self, request: Request) -> Response:
        """Return a page of the list, the newest first."""
        listed = [one for one in reversed(self._campaigns) if self.is_listed(one.listed_from)]
        page = int(request.query_params.get("page", "1"))
        more = page if self.repeats_cursor("list_campaigns") else page + 1 if listed[page * PAGE :] else None
        shown = [self._shown(one) for one in listed[(page - 1) * PAGE : page * PAGE]]
        return JSONResponse({"campaigns": shown, "next_page": more})

    async def create_campaign(self, request: Request) -> Response:
        """Create a draft; the answer holds its id alone."""
        body = await self.read_object(request)
        if not body.get("title") or not body.get("text") or not body.get("to"):
            raise RefusedRequest(_error(422, "title, text and to must be given"))
        delivery = Delivery(len(body["to"]), SECONDS_PER_MESSAGE, self.stalls)
        number = len(self._campaigns) + 1
        self._campaigns.append(SandboxCampaign(number, body, self.clock.seconds(), self.real_time(), delivery))
        return JSONResponse({"id": number}, status_code=201)

    async def get_campaign(self, request: Request) -> Response:
        """Return a campaign."""
        return JSONResponse(self._shown(self._wanted(request)))

    async def start_campaign(self, request: Request) -> Response:
        """Start a draft; anything else is refused."""
        campaign, now = self._wanted(request), self.clock.seconds()
        self._refuse_unless(campaign.state(now) == "draft", "Only a draft can be started")
        campaign.starts += 1
        campaign.delivery.start(now)
        return Response(status_code=204)

    async def pause_campaign(self, request: Request) -> Response:
        """Pause what is sending; anything else is refused."""
        campaign, now = self._wanted(request), self.clock.seconds()
        self._refuse_unless(campaign.state(now) == "sending", "Only a campaign that is sending can be paused")
        campaign.delivery.pause(now)
        return Response(status_code=204)

    def _wanted(self, request: Request) -> SandboxCampaign:
        wanted = [one for one in self._campaigns if str(one.id) == request.path_params["id"]]
        if not wanted:
            raise RefusedRequest(_error(404, "No such campaign"))
        return wanted[0]

    def _refuse_unless(self, allowed: bool, message: str) -> None:
        if not allowed:
            raise RefusedRequest(_error(409, message))

    def _shown(self, campaign: SandboxCampaign) -> dict[str, Any]:
        now = self.clock.seconds()
        return {
            "id": campaign.id,
            "title": campaign.body["title"],
            "note": campaign.body.get("note"),
            "state": self.status_word(campaign.state(now)),
            "created_at": _moment(campaign.created_at),
            "recipients": campaign.delivery.total,
            "sent": campaign.delivery.done(now),
            "failed": 0,
        }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)
