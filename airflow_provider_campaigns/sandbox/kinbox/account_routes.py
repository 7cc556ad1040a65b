"""What the sandbox's Kinbox tells beside campaigns: channels, templates, who is on WhatsApp, conversations."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.kinbox.answers import lead_results
from airflow_provider_campaigns.sandbox.kinbox.checks import bounded, error, refuse
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor

#: The account's channels, an official one first: the last two have the same name.
CHANNELS: tuple[dict[str, Any], ...] = tuple(
    {
        "id": number,
        "platformId": 1,
        "description": name,
        "phone": f"55119999900{number}",
        "status": "connected" if connected else "disconnected",
        "isConnected": connected,
        "version": 4 if number == 103 else 3,
        "waba_id": "1" if number == 103 else None,
        "groupIds": [],
        "isPrivate": False,
        "isBanned": banned,
        "customFields": {},
    }
    for number, name, connected, banned in (
        (103, "Sales", True, False),
        (104, "Support", True, False),
        (105, "Old line", False, False),
        (106, "Banned line", True, True),
        (107, "Twin", True, False),
        (108, "Twin", True, False),
    )
)
#: The approved templates of the official channel.
TEMPLATES: tuple[dict[str, Any], ...] = tuple(
    {
        "id": f"71228788344111{number}",
        "name": name,
        "language": language,
        "category": "MARKETING",
        "status": "APPROVED",
        "components": [{"type": "BODY", "text": text}],
    }
    for number, (name, language, text) in enumerate(
        (
            ("welcome", "pt_BR", "Olá {{1}}, seu código é {{2}}"),
            ("reminder", "pt_BR", "Não esqueça"),
            ("reminder", "en_US", "Do not forget"),
        )
    )
)


class KinboxAccountRoutes:
    """
    The routes of v1 that only read what the account has.

    Not documented, hence chosen: which fields a session has besides ``id`` and ``campaignId``, and that a number whose
    digits end with 0 is on no WhatsApp.

    :param vendor: whose campaigns the conversations belong to.
    """

    def __init__(self, vendor: KinboxVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/sessions", self.list_sessions, methods=["GET"], name="list_sessions"),
            Route("/v1/channels", self.list_channels, methods=["GET"], name="list_channels"),
            Route("/v1/channels/{id}", self.get_channel, methods=["GET"], name="get_channel"),
            Route("/v1/channels/{id}/templates", self.list_templates, methods=["GET"], name="list_templates"),
            Route("/v1/channels/{id}/check-whatsapp", self.check_whatsapp, methods=["GET"], name="check_whatsapp"),
        ]

    async def list_sessions(self, request: Request) -> Response:
        """``GET /v1/sessions``: one for each who replied; the cursor is the id of the last one of the page before."""
        limit = bounded(request, "limit", default=10, lowest=1, highest=100)
        campaign = self._vendor.campaigns.get(request.query_params.get("campaign_id", ""))
        now = self._vendor.clock.seconds()
        results = lead_results(campaign.settled(now), now) if campaign else []
        rows: list[dict[str, Any]] = [
            {
                "id": f"{position:024x}",
                "campaignId": campaign.id if campaign else None,
                "isBlocked": False,
                "contact": {"phone": result["number"]},
            }
            for position, result in enumerate(results, 1)
            if result["status"] == "answered"
        ]
        after = request.query_params.get("cursor") or ""
        page = list(islice((row for row in rows if row["id"] > after), limit + 1))
        more = page[limit - 1]["id"] if len(page) > limit else None
        return JSONResponse({"data": page[:limit], "nextCursor": more})

    async def list_channels(self, request: Request) -> Response:
        """``GET /v1/channels``: all at once."""
        return JSONResponse({"data": list(CHANNELS), "totalCount": len(CHANNELS)})

    async def get_channel(self, request: Request) -> Response:
        """``GET /v1/channels/{id}``."""
        return JSONResponse(self._channel(request))

    async def list_templates(self, request: Request) -> Response:
        """``GET /v1/channels/{id}/templates``: the approved ones, of an official channel only."""
        found = list(TEMPLATES) if self._channel(request)["waba_id"] else []
        return JSONResponse({"data": found, "totalCount": len(found)})

    async def check_whatsapp(self, request: Request) -> Response:
        """``GET /v1/channels/{id}/check-whatsapp?phone=``."""
        self._channel(request)
        phone = request.query_params.get("phone", "")
        refuse([] if phone.isdecimal() else ["phone must be a string of digits"])
        return JSONResponse({"phone": phone, "canReceiveMessage": not phone.endswith("0")})

    def _channel(self, request: Request) -> dict[str, Any]:
        for channel in CHANNELS:
            if str(channel["id"]) == request.path_params["id"]:
                return channel
        raise RefusedRequest(error(404, "Channel not found", "Not Found"))
