"""What the sandbox's Kore.ai does on the routes of campaigns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.koreai.answers import MAX_PAGE_SIZE, V1, V2, QueryRoute, is_v2, page_of, success
from airflow_provider_campaigns.sandbox.koreai.campaign import (
    DEFAULT_LIST,
    PREPARING_SECONDS,
    KoreAICampaign,
    iso,
    new_id,
)
from airflow_provider_campaigns.sandbox.koreai.checks import (
    check_campaign,
    invalid,
    missing,
    number,
    read_schedule,
)
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.koreai.vendor import KoreAIVendor

STARTABLE = ("Ready", "Stopped", "Completed")


class KoreAICampaignRoutes:
    """
    The routes of campaigns, their runs and schedules.

    :param vendor: whose campaigns they show and change.
    """

    def __init__(self, vendor: KoreAIVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes: those of both versions under the same name, so that a fault hits either."""
        return [
            Route(f"{V2}/schedule", self.schedule_campaign, methods=["POST"]),
            *(route for base in (V1, V2) for route in self._routes_below(base)),
            *self._triggers(),
        ]

    def _routes_below(self, base: str) -> list[Route]:
        return [
            Route(f"{base}/getAllCampaignDetails", self.list_campaigns, methods=["POST"]),
            Route(base, self.create_campaign, methods=["POST"]),
            Route(f"{base}/{{campaign_id}}", self.get_campaign, methods=["GET"]),
            Route(f"{base}/{{campaign_id}}", self.update_campaign, methods=["PUT"]),
            Route(f"{base}/{{campaign_id}}", self.delete_campaign, methods=["DELETE"]),
            QueryRoute(
                f"{base}/{{campaign_id}}/status",
                self.list_contact_results,
                name="list_contact_results",
                methods=["POST"],
                query=("view", "contacts"),
            ),
            Route(f"{base}/{{campaign_id}}/status", self.get_status, methods=["POST"]),
        ]

    def _triggers(self) -> list[Route]:
        return [
            QueryRoute(path, handler, name=name, methods=["POST"], query=("trigger", word))
            # The last three are as the v2 pages print them.
            for path in (
                "/campaign/api/v1/public/{app_id}/campaign/{campaign_id}",
                "/campaign/api/v2/public/{app_id}/campaign/{campaign_id}",
                "/campaign/api/v2/public/{app_id}/campaign//trigger/{campaign_id}",
                "/api/v2/public/{app_id}/campaign/trigger/{campaign_id}",
            )
            for word, name, handler in (
                ("play", "start_campaign", self.start_campaign),
                ("stop", "stop_campaign", self.stop_campaign),
            )
        ]

    async def create_campaign(self, request: Request) -> Response:
        """POST .../campaign?campaignType="""
        body = await self._vendor.read_object(request)
        kind = _type_of(self._vendor, request, body)
        now = self._vendor.now()
        ready_at = now + (PREPARING_SECONDS if kind == "voice" else 0.0)
        campaign = KoreAICampaign(
            kind, _kept(body), now, ready_at, self._vendor.real_time(), self._vendor.next_number()
        )
        campaign.failures = self._vendor.ordered_failures()
        campaign.keeps_pace = self._vendor.keeps_pace
        self._vendor.campaigns[campaign.id] = campaign
        message = f"Campaign {campaign.name} creation in progress"
        if kind == "voice" and campaign.body["dialingMode"] == "Preview" and not is_v2(request):
            data: dict[str, Any] = {"campId": campaign.id}
            return JSONResponse({"status": "success", "message": message, "id": campaign.id, "data": data})
        detail = _detail(self._vendor, campaign, id_key="_id" if kind == "sms" else "id", with_schedule=kind == "sms")
        return JSONResponse({"status": "success", "message": message, "data": detail})

    async def get_campaign(self, request: Request) -> Response:
        """GET .../campaign/{campaignId}"""
        campaign = self._campaign(request)
        return success(f"Campaign {campaign.name} retrieved successfully", _detail(self._vendor, campaign))

    async def list_campaigns(self, request: Request) -> Response:
        """POST .../campaign/getAllCampaignDetails"""
        body = await self._vendor.read_object(request)
        if body.get("type") not in ("sms", "voice"):
            raise invalid("type must be sms or voice")
        now = self._vendor.now()
        chosen = [
            campaign
            for campaign in self._vendor.campaigns.values()
            if campaign.kind == body["type"]
            and self._vendor.is_listed(campaign.listed_since)
            and _fits(campaign, body, now)
        ]
        _sort(chosen, body.get("sortBy") or {})
        limit = min(number(body, "limit") or 10, MAX_PAGE_SIZE)
        skip = number(body, "skip") or (max(1, number(body, "page") or 1) - 1) * limit
        repeats = self._vendor.repeats_cursor("list_campaigns")
        if repeats:
            skip = 0
        rows = [
            campaign.row(self._vendor.status_word(campaign.status(now)), now)
            for campaign in chosen[skip : skip + limit]
        ]
        more = repeats or skip + limit < len(chosen)
        # The two blanks are the vendor's.
        return success("Campaign  retrieved successfully", page_of(rows, skip, limit, len(chosen), more))

    async def update_campaign(self, request: Request) -> Response:
        """PUT .../campaign/{campaignId}?campaignType="""
        campaign = self._campaign(request)
        body = await self._vendor.read_object(request)
        kind = _type_of(self._vendor, request, body)
        now = self._vendor.now()
        if kind != campaign.kind:
            raise missing("Campaign")
        if campaign.status(now) == "Active":
            raise RefusedRequest(self._vendor.bad_request("An active campaign cannot be updated"))
        campaign.body = _kept(body)
        campaign.updated_at = now
        campaign.ready_at = now + (PREPARING_SECONDS if kind == "voice" else 0.0)
        message = f"Campaign {campaign.name} details updated successfully"
        more = {"id": campaign.id} if kind == "voice" else {}
        return JSONResponse({"status": "success", "message": message, **more, "data": _detail(self._vendor, campaign)})

    async def delete_campaign(self, request: Request) -> Response:
        """DELETE .../campaign/{campaignId}?campaignType="""
        campaign = self._campaign(request, of_type=True)
        if campaign.status(self._vendor.now()) == "Active":
            raise RefusedRequest(self._vendor.bad_request("An active campaign cannot be deleted, stop it first"))
        del self._vendor.campaigns[campaign.id]
        return success(f"Campaign {campaign.name} deleted successfully", _detail(self._vendor, campaign))

    async def start_campaign(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}?campaignType=&trigger=play"""
        campaign = self._campaign(request, of_type=True)
        now = self._vendor.now()
        status = campaign.status(now)
        if status not in STARTABLE:
            raise RefusedRequest(self._vendor.bad_request(f"Campaign cannot be started as it is in {status} state"))
        busy = self._vendor.busy_lists(now) & set(campaign.list_names) - {DEFAULT_LIST}
        if busy:
            raise RefusedRequest(
                self._vendor.bad_request(f"Contact list {sorted(busy)[0]} is in use by a running campaign")
            )
        campaign.begin(self._vendor.contacts_of(campaign, now), now, self._vendor.stalls)
        more = {} if campaign.run is None or campaign.kind == "sms" else {"campaignInstanceId": campaign.run.id}
        calls = {} if campaign.kind == "sms" else {"totalCallsCompleted": 0}
        return _triggered(self._vendor, "Active", "Campaign Started", {**calls, "updatedAt": iso(now), **more})

    async def stop_campaign(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}?campaignType=&trigger=stop"""
        campaign = self._campaign(request, of_type=True)
        now = self._vendor.now()
        status = campaign.status(now)
        if status != "Active" or campaign.run is None:
            raise RefusedRequest(self._vendor.bad_request(f"Campaign cannot be stopped as it is in {status} state"))
        campaign.stop(now)
        campaign.schedule = None
        more = (
            {"campaignExecutionType": "NORMAL"} if campaign.kind == "sms" else {"campaignInstanceId": campaign.run.id}
        )
        return _triggered(self._vendor, "Stopped", "Campaign Stopped", {"updatedAt": iso(now), **more})

    async def get_status(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}/status?view=status"""
        campaign = self._campaign(request)
        status = self._vendor.status_word(campaign.status(self._vendor.now()))
        return JSONResponse({"status": "success", "data": {"id": campaign.id, "status": status, "name": campaign.name}})

    async def list_contact_results(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}/status?view=contacts"""
        campaign = self._campaign(request)
        body = await self._vendor.read_object(request, may_be_empty=True)
        if campaign.kind != "voice":
            raise RefusedRequest(self._vendor.bad_request("Contact details are available for voice campaigns only"))
        limit = number(body, "limit") or 10
        page = number(body, "page") or 1
        if not 1 <= limit <= MAX_PAGE_SIZE or page < 1:
            raise invalid("page and limit must be 1 or more, limit at most 100")
        now = self._vendor.now()
        results = campaign.run.results(now) if campaign.run else []
        begin = (page - 1) * limit
        data = {
            "results": results[begin : begin + limit],
            "page": page,
            "limit": limit,
            "totalPages": -(-len(results) // limit),
            "totalResults": len(results),
        }
        return JSONResponse({"status": "success", "data": data})

    async def schedule_campaign(self, request: Request) -> Response:
        """POST .../campaign/schedule?enableSchedule=&campaignName="""
        body = await self._vendor.read_object(request, may_be_empty=True)
        name = request.query_params.get("campaignName", "")
        now = self._vendor.now()
        named = [campaign for campaign in self._vendor.campaigns.values() if campaign.name.lower() == name.lower()]
        if not named:
            raise missing("Campaign")
        campaign = named[-1]
        enable = request.query_params.get("enableSchedule")
        if enable == "false":
            campaign.schedule = None
        elif enable != "true":
            raise invalid("enableSchedule must be true or false")
        elif campaign.status(now) in ("Active", "Preparing"):
            raise RefusedRequest(
                self._vendor.bad_request(f"Campaign cannot be scheduled as it is in {campaign.status(now)} state")
            )
        else:
            campaign.schedule = read_schedule(body, now)
        campaign.updated_at = now
        message = f"Campaign schedule {'enabled' if enable == 'true' else 'disabled'} successfully"
        return JSONResponse({"status": "success", "message": message, "id": campaign.id})

    def _campaign(self, request: Request, *, of_type: bool = False) -> KoreAICampaign:
        campaign = self._vendor.campaigns.get(request.path_params["campaign_id"])
        if campaign is None or (of_type and request.query_params.get("campaignType") != campaign.kind):
            raise missing("Campaign")
        return campaign


def _detail(
    vendor: KoreAIVendor, campaign: KoreAICampaign, *, id_key: str = "_id", with_schedule: bool = True
) -> dict[str, Any]:
    status = vendor.status_word(campaign.status(vendor.now()))
    return campaign.detail(status, id_key=id_key, with_schedule=with_schedule)


def _triggered(vendor: KoreAIVendor, status: str, message: str, more: Mapping[str, Any]) -> Response:
    return JSONResponse({"status": vendor.status_word(status), "message": message, **more})


def _type_of(vendor: KoreAIVendor, request: Request, body: Mapping[str, Any]) -> str:
    lists = {known.name for known in vendor.lists.values()}
    return check_campaign(body, request.query_params.get("campaignType"), lists, v2=is_v2(request))


def _kept(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(body)
    template = (kept.get("message") or {}).get("template_name")
    if template:
        # "<p>Hello from your template</p>": what goes out is the template's text, whatever was sent along.
        text = "PHA%2BSGVsbG8gZnJvbSB5b3VyIHRlbXBsYXRlPC9wPg%3D%3D"
        kept["message"] = {"message": text, "templateId": new_id("cmt")}
    return kept


def _fits(campaign: KoreAICampaign, body: Mapping[str, Any], now: float) -> bool:
    filters = body.get("filters") or {}
    allowed = {
        "status": campaign.status(now),
        "priority": int(campaign.body["priority"]),
        "dialingMode": campaign.body.get("dialingMode"),
    }
    if any(filters.get(name) and value not in filters[name] for name, value in allowed.items()):
        return False
    try:
        begin, end = (
            datetime.fromisoformat(body[name]).timestamp() if body.get(name) else None
            for name in ("startDate", "endDate")
        )
    except (ValueError, TypeError):
        raise invalid("startDate and endDate must be ISO timestamps") from None
    return (begin is None or campaign.created_at >= begin) and (end is None or campaign.created_at <= end)


def _sort(campaigns: list[KoreAICampaign], order: Mapping[str, Any]) -> None:
    keys: dict[str, Callable[[KoreAICampaign], Any]] = {
        "name": lambda campaign: (campaign.name, campaign.sequence),
        "createdAt": lambda campaign: (campaign.created_at, campaign.sequence),
        "updatedAt": lambda campaign: (campaign.updated_at, campaign.sequence),
    }
    for name, direction in order.items():
        if name in keys:
            campaigns.sort(key=keys[name], reverse=direction == "desc")
