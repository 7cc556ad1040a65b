"""What the sandbox's Kinbox does on each of its routes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.kinbox.answers import internal, lead_results, public
from airflow_provider_campaigns.sandbox.kinbox.campaign import KinboxCampaign
from airflow_provider_campaigns.sandbox.kinbox.checks import (
    CREATE_PROPERTIES,
    DATE,
    ENGINE_PROPERTIES,
    STRING,
    UPDATE_PROPERTIES,
    bounded,
    error,
    problems,
    refuse,
    unknown_names,
)
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor


class KinboxRoutes:
    """
    The campaign routes of v1 and v3.

    :param vendor: whose campaigns they show and change.
    """

    def __init__(self, vendor: KinboxVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes; those that v1 and v3 both have bear the same name."""
        return [
            Route("/v1/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/v3/campaigns", self.find_campaigns, methods=["GET"], name="find_campaigns"),
            *(
                Route(f"/{version}/campaigns{path}", partial(handler, version=version), methods=[method], name=name)
                for version in ("v1", "v3")
                for method, path, name, handler in (
                    ("POST", "", "create_campaign", self.create_campaign),
                    ("GET", "/{id}", "get_campaign", self.get_campaign),
                    ("PATCH", "/{id}", "update_campaign", self.update_campaign),
                    ("DELETE", "/{id}", "delete_campaign", self.delete_campaign),
                    ("POST", "/{id}/pause", "pause_campaign", self.pause_campaign),
                    ("POST", "/{id}/resume", "resume_campaign", self.resume_campaign),
                    ("GET", "/{id}/chunk-leads", "list_lead_results", self.list_lead_results),
                )
            ),
        ]

    async def list_campaigns(self, request: Request) -> Response:
        """``GET /v1/campaigns``: the newest first; the cursor is the id of the last campaign of the page before."""
        limit = bounded(request, "limit", default=10, lowest=1, highest=100)
        cursor = request.query_params.get("cursor")
        if cursor is not None and (len(cursor) != 24 or not cursor.isalnum()):
            raise RefusedRequest(self._vendor.bad_request("Invalid cursor"))
        repeats = self._vendor.repeats_cursor("list_campaigns")
        # One more than asked for tells whether there is a next page.
        page = list(islice(self._listed(None if repeats else cursor), limit + 1))
        self._vendor.now()
        more = page[limit - 1].id if len(page) > limit else None
        page = page[:limit]
        if repeats:
            more = cursor or (page[-1].id if page else None)
        return JSONResponse({"data": [self._shown(campaign) for campaign in page], "nextCursor": more})

    async def find_campaigns(self, request: Request) -> Response:
        """``GET /v3/campaigns``: the newest first, filtered, by offset."""
        limit = bounded(request, "limit", default=20, lowest=1, highest=500)
        offset = bounded(request, "offset", default=0, lowest=0)
        asked = request.query_params
        now = self._vendor.now()
        found = [
            campaign
            for campaign in self._listed()
            if asked.get("name", "").lower() in campaign.name.lower()
            and asked.get("channelId") in (None, campaign.given.get("channelId"), *campaign.given.get("channelIds", ()))
            and asked.get("status") in (None, campaign.settled(now).status(now))
        ]
        page = found[offset : offset + limit]
        return JSONResponse({"totalCount": len(found), "data": [self._shown(campaign, "v3") for campaign in page]})

    async def create_campaign(self, request: Request, version: str) -> Response:
        """``POST /campaigns``: the campaign is processed and then starts by itself."""
        body = await self._vendor.read_object(request)
        refuse(problems(body, CREATE_PROPERTIES) + ([] if body.get("name") else ["name should not be empty"]))
        refuse(unknown_names(body))
        now = self._vendor.now()
        vendor = self._vendor
        campaign = KinboxCampaign(
            vendor.new_id(now),
            body,
            now,
            vendor.real_time(),
            vendor.stalls,
            vendor.ordered_failures(),
            vendor.recipients_of(body, request),
            vendor.keeps_pace,
        )
        self._vendor.campaigns[campaign.id] = campaign
        return JSONResponse(self._shown(campaign, version), status_code=201)

    async def get_campaign(self, request: Request, version: str) -> Response:
        """``GET /campaigns/{id}``."""
        return JSONResponse(self._shown(self._wanted(request), version))

    async def update_campaign(self, request: Request, version: str) -> Response:
        """``PATCH /campaigns/{id}``."""
        body = await self._vendor.read_object(request)
        campaign, now = self._wanted(request), self._vendor.now()
        known = {**CREATE_PROPERTIES, **UPDATE_PROPERTIES, **ENGINE_PROPERTIES}
        if version == "v3":
            known |= {"_id": STRING, "lastUpdateAt": DATE}
        refuse(problems(body, known) + ([] if body.get("name", "-") else ["name should not be empty"]))
        kept = (*CREATE_PROPERTIES, *UPDATE_PROPERTIES)
        changes = {name: value for name, value in body.items() if name in kept}
        recipients = self._vendor.recipients_of({**campaign.given, **changes}, request)
        campaign.change(changes, now, recipients)
        if body.get("status") == "canceled":
            campaign.cancel(now)
        return JSONResponse(self._shown(campaign, version))

    async def delete_campaign(self, request: Request, version: str) -> Response:
        """``DELETE /campaigns/{id}``, answered without a body."""
        self._vendor.delete(self._wanted(request))
        return Response(status_code=200)

    async def pause_campaign(self, request: Request, version: str) -> Response:
        """``POST /campaigns/{id}/pause``."""
        campaign, now = self._wanted(request), self._vendor.now()
        status = campaign.status(now)
        if status in ("paused", "done-sent", "done", "canceled", "failed"):
            raise RefusedRequest(error(409, f"Campaign cannot be paused while it is {status}", "Conflict"))
        campaign.pause(now)
        return JSONResponse(self._shown(campaign, version), status_code=200 if version == "v1" else 201)

    async def resume_campaign(self, request: Request, version: str) -> Response:
        """``POST /campaigns/{id}/resume``."""
        campaign, now = self._wanted(request), self._vendor.now()
        status = campaign.status(now)
        if status != "paused":
            raise RefusedRequest(error(409, f"Campaign cannot be resumed while it is {status}", "Conflict"))
        campaign.resume(now)
        return JSONResponse(self._shown(campaign, version), status_code=200 if version == "v1" else 201)

    async def list_lead_results(self, request: Request, version: str) -> Response:
        """``GET /campaigns/{id}/chunk-leads``: all recipients at once."""
        results = lead_results(self._wanted(request), self._vendor.now())
        if version == "v3":
            results = [
                {**result, "_id": f"{position:024x}", "answered": result["status"] == "answered"}
                for position, result in enumerate(results)
            ]
        return JSONResponse(results)

    def _listed(self, before: str | None = None) -> Iterator[KinboxCampaign]:
        """Yield what lists show, the newest first; ids grow, so the place of one that was deleted is known as well."""
        ids = list(self._vendor.campaigns)
        for campaign_id in reversed(ids if before is None else ids[: bisect_left(ids, before)]):
            campaign = self._vendor.campaigns[campaign_id]
            if self._vendor.is_listed(campaign.listed_from):
                yield campaign

    def _wanted(self, request: Request) -> KinboxCampaign:
        campaign = self._vendor.campaigns.get(request.path_params["id"])
        if campaign is None:
            raise RefusedRequest(error(404, "Campaign not found", "Not Found"))
        return campaign.settled(self._vendor.now())

    def _shown(self, campaign: KinboxCampaign, version: str = "v1") -> dict[str, Any]:
        now = self._vendor.clock.seconds()
        campaign.settled(now)
        shown = public(campaign, now) if version == "v1" else internal(campaign, now)
        return {**shown, "status": self._vendor.status_word(shown["status"])}
