"""Kinbox in the sandbox: its campaign API, v1 and v3, as its documentation describes it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.kinbox.campaign import KinboxCampaign, moment_text, read_moment
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor, accepts, bearer_token

CHANNEL_TYPES = tuple("123456789")
STATUSES = (
    "processing",
    "scheduled",
    "executing",
    "awaiting-chunk",
    "awaiting-business-hours",
    "awaiting-other-campaign",
    "paused",
    "done-sent",
    "done",
    "canceled",
    "failed",
)

STRING, NUMBER, BOOLEAN, STRINGS, OBJECT, DATE = "string", "number", "boolean", "strings", "object", "date"

#: What a new campaign may be given, by type.
CREATE_PROPERTIES: Mapping[str, str] = {
    "name": STRING,
    "channelId": STRING,
    "channelIds": STRINGS,
    "operatorName": STRING,
    "businessHoursId": STRING,
    "channelType": STRING,
    "leadType": STRING,
    "normalizeBrazilPhoneNumbers": BOOLEAN,
    "scheduledTo": DATE,
    "originalScheduledTo": DATE,
    "finishedAtPrediction": DATE,
    "leadsAssetUrl": STRING,
    "message": STRING,
    "textRaw": STRING,
    "assetsUrls": STRINGS,
    "chunksCount": NUMBER,
    "secondsBetweenMessages": NUMBER,
    "secondsBetweenChunks": NUMBER,
    "chunkSize": NUMBER,
    "template": OBJECT,
}
#: What a change may touch besides, and is kept.
UPDATE_PROPERTIES: Mapping[str, str] = {
    "operatorId": STRING,
    "nextScheduledTo": DATE,
    "active": BOOLEAN,
    "shouldCreateConversation": BOOLEAN,
    "trackAllChannels": BOOLEAN,
    "trackMaxHours": NUMBER,
}
#: What a change may touch as well, without effect here, except that the status ``canceled`` cancels.
ENGINE_PROPERTIES: Mapping[str, str] = {
    "status": STRING,
    "leadsCount": NUMBER,
    "progress": NUMBER,
    "resultCounts": OBJECT,
    "messagesProcessed": NUMBER,
    "lastMessageProcessedAt": DATE,
    "healthCheckData": OBJECT,
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "channelType": CHANNEL_TYPES,
    "leadType": ("lead", "file"),
    "status": STATUSES,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    STRING: (lambda value: isinstance(value, str), "must be a string"),
    NUMBER: (_is_number, "must be a number conforming to the specified constraints"),
    BOOLEAN: (lambda value: isinstance(value, bool), "must be a boolean value"),
    STRINGS: (
        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
        "must be an array of strings",
    ),
    OBJECT: (lambda value: isinstance(value, dict), "must be an object"),
    DATE: (lambda value: read_moment(value) is not None, "must be a valid ISO 8601 date string"),
}


def problems(body: Mapping[str, Any], properties: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a body, in the words of NestJS's validation."""
    found = [f"property {name} should not exist" for name in body if name not in properties]
    for name, kind in properties.items():
        value = body.get(name)
        if value is None:
            continue
        fits, rule = RULES[kind]
        if not fits(value):
            found.append(f"{name} {rule}")
        elif name in CHOICES and value not in CHOICES[name]:
            found.append(f"{name} must be one of the following values: {', '.join(CHOICES[name])}")
    return found


class KinboxVendor(Vendor):
    """
    Kinbox's campaign API.

    Not documented, hence chosen: the wording of errors (NestJS's defaults), 409 for a pause or resume that the state
    does not allow, 400 for an unknown property, v3's ``name`` filter as "contains, whatever the case".
    """

    name = "kinbox"
    title = "Kinbox"
    prefix = "/kinbox"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.reset()

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

    def authenticate(self, request: Request) -> Response | None:
        """Return NestJS's 401 unless there is a bearer token that the sandbox takes."""
        if accepts(bearer_token(request)):
            return None
        return JSONResponse({"statusCode": 401, "message": "Unauthorized"}, status_code=401)

    def rate_limited(self, seconds: float) -> Response:
        """Return the 429 of NestJS's throttler; Kinbox documents none."""
        return JSONResponse(
            {"statusCode": 429, "message": "ThrottlerException: Too Many Requests"},
            status_code=429,
            headers={"Retry-After": str(math.ceil(seconds))},
        )

    def not_found(self, request: Request) -> Response:
        """Return NestJS's 404 for a route that there is not."""
        path = request.scope["path"].removeprefix(self.prefix)
        return _error(404, f"Cannot {request.method} {path}", "Not Found")

    def bad_request(self, text: str) -> Response:
        """Return NestJS's 400."""
        return _error(400, text, "Bad Request")

    def inventory(self) -> list[dict[str, Any]]:
        """Return what exists; a deleted campaign does not."""
        now = self.clock.seconds()
        return [
            {
                "vendor": self.name,
                "id": campaign.id,
                "name": campaign.name,
                "status": campaign.settled(now).status(now),
                "created_at": moment_text(campaign.created_at),
                "contacts": campaign.plan.leads,
                "contact_rows": campaign.plan.leads,
                "messages": campaign.processed(now),
                "starts": campaign.starts,
                "description": None,
            }
            for campaign in self._campaigns.values()
        ]

    def reset(self) -> None:
        """Forget every campaign."""
        self._campaigns: dict[str, KinboxCampaign] = {}
        self._last = 0

    async def list_campaigns(self, request: Request) -> Response:
        """``GET /v1/campaigns``: the newest first; the cursor is the id of the last campaign of the page before."""
        limit = self._bounded(request, "limit", default=10, lowest=1, highest=100)
        cursor = request.query_params.get("cursor")
        if cursor is not None and (len(cursor) != 24 or not cursor.isalnum()):
            raise RefusedRequest(self.bad_request("Invalid cursor"))
        repeats = self.repeats_cursor("list_campaigns")
        # One more than asked for tells whether there is a next page.
        page = list(islice(self._listed(None if repeats else cursor), limit + 1))
        more = page[limit - 1].id if len(page) > limit else None
        page = page[:limit]
        if repeats:
            more = cursor or (page[-1].id if page else None)
        return JSONResponse({"data": [self._shown(campaign) for campaign in page], "nextCursor": more})

    async def find_campaigns(self, request: Request) -> Response:
        """``GET /v3/campaigns``: the newest first, filtered, by offset."""
        limit = self._bounded(request, "limit", default=20, lowest=1, highest=500)
        offset = self._bounded(request, "offset", default=0, lowest=0)
        asked = request.query_params
        now = self.clock.seconds()
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
        body = await self.read_object(request)
        self._refuse(problems(body, CREATE_PROPERTIES) + ([] if body.get("name") else ["name should not be empty"]))
        now = self.clock.seconds()
        self._last += 1
        campaign_id = f"{int(now):08x}5a4db0c5a1{self._last:06x}"
        campaign = KinboxCampaign(campaign_id, body, now, self.real_time(), self.stalls)
        self._campaigns[campaign_id] = campaign
        return JSONResponse(self._shown(campaign, version), status_code=201)

    async def get_campaign(self, request: Request, version: str) -> Response:
        """``GET /campaigns/{id}``."""
        return JSONResponse(self._shown(self._wanted(request), version))

    async def update_campaign(self, request: Request, version: str) -> Response:
        """``PATCH /campaigns/{id}``."""
        body = await self.read_object(request)
        campaign, now = self._wanted(request), self.clock.seconds()
        known = {**CREATE_PROPERTIES, **UPDATE_PROPERTIES, **ENGINE_PROPERTIES}
        if version == "v3":
            known |= {"_id": STRING, "lastUpdateAt": DATE}
        self._refuse(problems(body, known) + ([] if body.get("name", "-") else ["name should not be empty"]))
        kept = (*CREATE_PROPERTIES, *UPDATE_PROPERTIES)
        campaign.change({name: value for name, value in body.items() if name in kept}, now)
        if body.get("status") == "canceled":
            campaign.cancel(now)
        return JSONResponse(self._shown(campaign, version))

    async def delete_campaign(self, request: Request, version: str) -> Response:
        """``DELETE /campaigns/{id}``, answered without a body."""
        del self._campaigns[self._wanted(request).id]
        return Response(status_code=200)

    async def pause_campaign(self, request: Request, version: str) -> Response:
        """``POST /campaigns/{id}/pause``."""
        campaign, now = self._wanted(request), self.clock.seconds()
        status = campaign.status(now)
        if status in ("paused", "done-sent", "done", "canceled", "failed"):
            raise RefusedRequest(_error(409, f"Campaign cannot be paused while it is {status}", "Conflict"))
        campaign.pause(now)
        return JSONResponse(self._shown(campaign, version), status_code=200 if version == "v1" else 201)

    async def resume_campaign(self, request: Request, version: str) -> Response:
        """``POST /campaigns/{id}/resume``."""
        campaign, now = self._wanted(request), self.clock.seconds()
        status = campaign.status(now)
        if status != "paused":
            raise RefusedRequest(_error(409, f"Campaign cannot be resumed while it is {status}", "Conflict"))
        campaign.resume(now)
        return JSONResponse(self._shown(campaign, version), status_code=200 if version == "v1" else 201)

    async def list_lead_results(self, request: Request, version: str) -> Response:
        """``GET /campaigns/{id}/chunk-leads``: all recipients at once."""
        results = self._wanted(request).lead_results(self.clock.seconds())
        if version == "v3":
            results = [
                {**result, "_id": f"{position:024x}", "answered": result["status"] == "answered"}
                for position, result in enumerate(results)
            ]
        return JSONResponse(results)

    def _listed(self, before: str | None = None) -> Iterator[KinboxCampaign]:
        """Yield what lists show, the newest first; ids grow, so the place of one that was deleted is known as well."""
        ids = list(self._campaigns)
        for campaign_id in reversed(ids if before is None else ids[: bisect_left(ids, before)]):
            campaign = self._campaigns[campaign_id]
            if self.is_listed(campaign.listed_from):
                yield campaign

    def _wanted(self, request: Request) -> KinboxCampaign:
        campaign = self._campaigns.get(request.path_params["id"])
        if campaign is None:
            raise RefusedRequest(_error(404, "Campaign not found", "Not Found"))
        return campaign.settled(self.clock.seconds())

    def _shown(self, campaign: KinboxCampaign, version: str = "v1") -> dict[str, Any]:
        now = self.clock.seconds()
        campaign.settled(now)
        shown = campaign.public(now) if version == "v1" else campaign.internal(now)
        return {**shown, "status": self.status_word(shown["status"])}

    def _bounded(self, request: Request, name: str, *, default: int, lowest: int, highest: float = math.inf) -> int:
        given = request.query_params.get(name)
        if given is None:
            return default
        if not given.isdecimal():
            self._refuse([f"{name} must be a number conforming to the specified constraints"])
        if int(given) < lowest:
            self._refuse([f"{name} must not be less than {lowest}"])
        if int(given) > highest:
            self._refuse([f"{name} must not be greater than {highest}"])
        return int(given)

    def _refuse(self, found: list[str]) -> None:
        if found:
            raise RefusedRequest(_error(400, found, "Bad Request"))


def _error(status: int, message: str | list[str], error: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message, "error": error}, status_code=status)
