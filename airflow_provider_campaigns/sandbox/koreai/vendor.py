"""Kore.ai's campaign API in the sandbox: v1 with its three path prefixes, and v2."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from airflow_provider_campaigns.sandbox.koreai.campaign import (
    ADDING_SECONDS,
    DEFAULT_LIST,
    PREPARING_SECONDS,
    KoreAICampaign,
    KoreAIContactList,
    default_list,
    iso,
    new_id,
)
from airflow_provider_campaigns.sandbox.koreai.checks import (
    check_campaign,
    check_text,
    errors,
    invalid,
    missing,
    number,
    read_schedule,
)
from airflow_provider_campaigns.sandbox.koreai.tokens import TokenChecks
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor

V1 = "/agentassist/api/v1/public/{app_id}/campaign"
V2 = "/campaign/api/v2/public/{app_id}/campaign"
STARTABLE = ("Ready", "Stopped", "Completed")
MAX_CONTACTS_PER_BATCH = 100
MAX_PAGE_SIZE = 100
RATE_LIMIT_TEXT = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."

Handler = Callable[[Request], Awaitable[Response]]


class QueryRoute(Route):
    """A route that also asks for a value in the query, so that what shares a path is told apart by name."""

    def __init__(self, path: str, endpoint: Handler, *, name: str, methods: list[str], query: tuple[str, str]) -> None:
        super().__init__(path, endpoint, name=name, methods=methods)
        self._query = query

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how well a request fits."""
        name, value = self._query
        given = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return super().matches(scope) if value in given.get(name, []) else (Match.NONE, {})


class KoreAIVendor(Vendor):
    """Kore.ai: campaigns by SMS and voice, started by hand or on schedule, with contact lists referred to by name."""

    name = "koreai"
    title = "Kore.ai"
    prefix = "/koreai"
    limit = (60, 60.0)
    connection = {
        "login": "cs-sandbox",
        # Of a real one's length: PyJWT warns of keys under 32 bytes.
        "password": "sandbox-client-secret-sandbox-client-secret",
        "extra": {"app_id": "st-5a9db0c0-0000-5000-8000-000000000000", "account_id": "5a9db0c0a1b2c3d4e5f60718"},
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the list that exists from the start."""
        self._tokens = TokenChecks()
        self._campaigns: dict[str, KoreAICampaign] = {}
        known = default_list(self.clock.seconds())
        self._lists: dict[str, KoreAIContactList] = {known.id: known}
        self._created = 0

    def routes(self) -> list[Route]:
        """Return the routes: those of both versions under the same name, so that a fault hits either."""
        both: list[Route] = []
        for base in (V1, V2):
            both += [
                Route(f"{base}/contactList/createContactList", self.create_contact_list, methods=["POST"]),
                Route(f"{base}/contactList/getAllListDetails", self.list_contact_lists, methods=["POST"]),
                Route(f"{base}/contactList/{{list_id}}/getAllContacts", self.list_contacts, methods=["GET"]),
                Route(f"{base}/contactList/{{list_id}}", self.get_contact_list, methods=["GET"]),
                Route(f"{base}/contactList/{{list_id}}", self.update_contact_list, methods=["PUT"]),
                Route(f"{base}/contactList/{{list_id}}", self.delete_contact_list, methods=["DELETE"]),
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
        triggers = [
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
        return [
            Route(f"{V2}/schedule", self.schedule_campaign, methods=["POST"]),
            Route("/api/1.1/public/{app_id}/campaign/contactList/addContacts", self.add_contacts, methods=["POST"]),
            *both,
            *triggers,
        ]

    def authenticate(self, request: Request) -> Response | None:
        """Check the token, and that the headers name the application of the path and an account."""
        fault = self._tokens.fault_of(request.headers.get("auth"), time.time())
        if fault:
            return errors(fault[0], fault[1], 401)
        account_id = request.headers.get("accountid")
        if not account_id or request.headers.get("iid") != request.path_params["app_id"]:
            return errors("Invalid SDK credentials", 4002, 401)
        if request.query_params.get("accountId", account_id) != account_id:
            return errors("Invalid SDK credentials", 4002, 401)
        return None

    def credential(self, request: Request) -> str:
        """Return the account: the limit is counted over all of its apps."""
        return request.headers.get("accountid", "")

    def rate_limited(self, seconds: float) -> Response:
        """Return the documented text; the status is not documented, and no page shows a ``Retry-After``."""
        return errors(RATE_LIMIT_TEXT, 429, 429)

    def not_found(self, request: Request) -> Response:
        """Return the answer for a path that does not exist."""
        return errors("Not Found", 404, 404)

    def method_not_allowed(self, request: Request) -> Response:
        """Return the answer for a wrong verb."""
        return errors("Method Not Allowed", 405, 405)

    def bad_request(self, text: str) -> Response:
        """Return a 400."""
        return errors(text, 400, 400)

    def inventory(self) -> list[dict[str, Any]]:
        """Return what exists; ``messages`` are those of all runs."""
        now = self._now()
        return [self._inventory_of(campaign, now) for campaign in self._campaigns.values()]

    def _inventory_of(self, campaign: KoreAICampaign, now: float) -> dict[str, Any]:
        lists = [known for known in self._lists.values() if known.name in campaign.list_names]
        return {
            "vendor": self.name,
            "id": campaign.id,
            "name": campaign.name,
            "status": campaign.status(now),
            "created_at": iso(campaign.created_at),
            "contacts": len(set[str]().union(*(known.numbers() for known in lists))),
            "contact_rows": sum(known.rows_accepted for known in lists),
            "messages": campaign.messages_of_earlier_runs + campaign.sent(now),
            "starts": campaign.starts,
            "description": campaign.body["description"],
            "type": campaign.kind,
        }

    # Campaigns

    async def create_campaign(self, request: Request) -> Response:
        """POST .../campaign?campaignType="""
        body = await self.read_object(request)
        kind = self._type_of(request, body)
        now = self._now()
        self._created += 1
        ready_at = now + (PREPARING_SECONDS if kind == "voice" else 0.0)
        campaign = KoreAICampaign(kind, self._kept(body), now, ready_at, self.real_time(), self._created)
        self._campaigns[campaign.id] = campaign
        message = f"Campaign {campaign.name} creation in progress"
        if kind == "voice" and campaign.body["dialingMode"] == "Preview" and not _is_v2(request):
            data: dict[str, Any] = {"campId": campaign.id}
            return JSONResponse({"status": "success", "message": message, "id": campaign.id, "data": data})
        detail = self._detail(campaign, id_key="_id" if kind == "sms" else "id", with_schedule=kind == "sms")
        return JSONResponse({"status": "success", "message": message, "data": detail})

    async def get_campaign(self, request: Request) -> Response:
        """GET .../campaign/{campaignId}"""
        campaign = self._campaign(request)
        return _success(f"Campaign {campaign.name} retrieved successfully", self._detail(campaign))

    async def list_campaigns(self, request: Request) -> Response:
        """POST .../campaign/getAllCampaignDetails"""
        body = await self.read_object(request)
        if body.get("type") not in ("sms", "voice"):
            raise invalid("type must be sms or voice")
        now = self._now()
        chosen = [
            campaign
            for campaign in self._campaigns.values()
            if campaign.kind == body["type"] and self.is_listed(campaign.listed_since) and _fits(campaign, body, now)
        ]
        _sort(chosen, body.get("sortBy") or {})
        limit = min(number(body, "limit") or 10, MAX_PAGE_SIZE)
        skip = number(body, "skip") or (max(1, number(body, "page") or 1) - 1) * limit
        repeats = self.repeats_cursor("list_campaigns")
        if repeats:
            skip = 0
        rows = [campaign.row(self.status_word(campaign.status(now)), now) for campaign in chosen[skip : skip + limit]]
        more = repeats or skip + limit < len(chosen)
        # The two blanks are the vendor's.
        return _success("Campaign  retrieved successfully", _page(rows, skip, limit, len(chosen), more))

    async def update_campaign(self, request: Request) -> Response:
        """PUT .../campaign/{campaignId}?campaignType="""
        campaign = self._campaign(request)
        body = await self.read_object(request)
        kind = self._type_of(request, body)
        now = self._now()
        if kind != campaign.kind:
            raise missing("Campaign")
        if campaign.status(now) == "Active":
            raise RefusedRequest(self.bad_request("An active campaign cannot be updated"))
        campaign.body = self._kept(body)
        campaign.updated_at = now
        campaign.ready_at = now + (PREPARING_SECONDS if kind == "voice" else 0.0)
        message = f"Campaign {campaign.name} details updated successfully"
        more = {"id": campaign.id} if kind == "voice" else {}
        return JSONResponse({"status": "success", "message": message, **more, "data": self._detail(campaign)})

    async def delete_campaign(self, request: Request) -> Response:
        """DELETE .../campaign/{campaignId}?campaignType="""
        campaign = self._campaign(request, of_type=True)
        if campaign.status(self._now()) == "Active":
            raise RefusedRequest(self.bad_request("An active campaign cannot be deleted, stop it first"))
        del self._campaigns[campaign.id]
        return _success(f"Campaign {campaign.name} deleted successfully", self._detail(campaign))

    async def start_campaign(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}?campaignType=&trigger=play"""
        campaign = self._campaign(request, of_type=True)
        now = self._now()
        status = campaign.status(now)
        if status not in STARTABLE:
            raise RefusedRequest(self.bad_request(f"Campaign cannot be started as it is in {status} state"))
        busy = self._busy_lists(now) & set(campaign.list_names) - {DEFAULT_LIST}
        if busy:
            raise RefusedRequest(self.bad_request(f"Contact list {sorted(busy)[0]} is in use by a running campaign"))
        campaign.begin(self._contacts_of(campaign, now), now, self.stalls)
        more = {} if campaign.run is None or campaign.kind == "sms" else {"campaignInstanceId": campaign.run.id}
        calls = {} if campaign.kind == "sms" else {"totalCallsCompleted": 0}
        return self._triggered("Active", "Campaign Started", {**calls, "updatedAt": iso(now), **more})

    async def stop_campaign(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}?campaignType=&trigger=stop"""
        campaign = self._campaign(request, of_type=True)
        now = self._now()
        status = campaign.status(now)
        if status != "Active" or campaign.run is None:
            raise RefusedRequest(self.bad_request(f"Campaign cannot be stopped as it is in {status} state"))
        campaign.stop(now)
        campaign.schedule = None
        more = (
            {"campaignExecutionType": "NORMAL"} if campaign.kind == "sms" else {"campaignInstanceId": campaign.run.id}
        )
        return self._triggered("Stopped", "Campaign Stopped", {"updatedAt": iso(now), **more})

    async def get_status(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}/status?view=status"""
        campaign = self._campaign(request)
        status = self.status_word(campaign.status(self._now()))
        return JSONResponse({"status": "success", "data": {"id": campaign.id, "status": status, "name": campaign.name}})

    async def list_contact_results(self, request: Request) -> Response:
        """POST .../campaign/{campaignId}/status?view=contacts"""
        campaign = self._campaign(request)
        body = await self.read_object(request, may_be_empty=True)
        if campaign.kind != "voice":
            raise RefusedRequest(self.bad_request("Contact details are available for voice campaigns only"))
        limit = number(body, "limit") or 10
        page = number(body, "page") or 1
        if not 1 <= limit <= MAX_PAGE_SIZE or page < 1:
            raise invalid("page and limit must be 1 or more, limit at most 100")
        now = self._now()
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
        body = await self.read_object(request, may_be_empty=True)
        name = request.query_params.get("campaignName", "")
        now = self._now()
        named = [campaign for campaign in self._campaigns.values() if campaign.name.lower() == name.lower()]
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
                self.bad_request(f"Campaign cannot be scheduled as it is in {campaign.status(now)} state")
            )
        else:
            campaign.schedule = read_schedule(body, now)
        campaign.updated_at = now
        message = f"Campaign schedule {'enabled' if enable == 'true' else 'disabled'} successfully"
        return JSONResponse({"status": "success", "message": message, "id": campaign.id})

    # Contact lists

    async def create_contact_list(self, request: Request) -> Response:
        """POST .../contactList/createContactList"""
        body = await self.read_object(request)
        check_text(body, "name", 48)
        check_text(body, "description", 256)
        if body.get("source") != "passiveApi":
            raise invalid("source must be passiveApi")
        if any(known.name.lower() == body["name"].lower() for known in self._lists.values()):
            raise RefusedRequest(self.bad_request("Contact list name already exists"))
        created = KoreAIContactList(body["name"], body["description"], self._now(), body.get("allowDuplicates") is True)
        self._lists[created.id] = created
        return _success(f"Contact list {created.name} created successfully", self._list_json(created))

    async def add_contacts(self, request: Request) -> Response:
        """POST /api/1.1/public/{iid}/campaign/contactList/addContacts"""
        body = await self.read_object(request)
        rows = body.get("data")
        if not isinstance(rows, list) or not rows or len(rows) > MAX_CONTACTS_PER_BATCH:
            raise invalid(f"data must hold 1 to {MAX_CONTACTS_PER_BATCH} contacts")
        if not all(isinstance(row, dict) and isinstance(row.get("phoneNumber"), str) for row in rows):
            raise invalid("phoneNumber is required")
        named = [known for known in self._lists.values() if known.name == body.get("contact_list_name")]
        if not named:
            raise missing("Contact list")
        now = self._now()
        named[0].add(rows, now, now + ADDING_SECONDS)
        named[0].updated_at = now
        return JSONResponse({"message": "Adding contacts to public list is in progress"})

    async def get_contact_list(self, request: Request) -> Response:
        """GET .../contactList/{contactListId}"""
        return _success("", self._list_json(self._list(request)))

    async def list_contact_lists(self, request: Request) -> Response:
        """POST .../contactList/getAllListDetails"""
        lists = [self._list_json(known) for known in self._lists.values()]
        return _success("Contact lists retrieved successfully", lists)

    async def list_contacts(self, request: Request) -> Response:
        """GET .../contactList/{contactListId}/getAllContacts"""
        contacts = self._list(request).counted(self._now())
        limit = min(number(request.query_params, "limit") or 50, MAX_PAGE_SIZE)
        skip = number(request.query_params, "skip") or 0
        repeats = self.repeats_cursor("list_contacts")
        if repeats:
            skip = 0
        page = _page(contacts[skip : skip + limit], skip, limit, len(contacts), repeats or skip + limit < len(contacts))
        return _success("", page)

    async def update_contact_list(self, request: Request) -> Response:
        """PUT .../contactList/{contactListId}"""
        known = self._list(request)
        body = await self.read_object(request)
        for name, limit in (("name", 48), ("description", 256)):
            if name in body:
                check_text(body, name, limit)
                setattr(known, name, body[name])
        if not _is_v2(request) and "allowDuplicates" in body:
            known.allow_duplicates = body["allowDuplicates"] is True
        known.updated_at = self._now()
        data = {"contactListId": known.id, "body": {"name": known.name, "listType": "call"}}
        return _success("Contact list updated successfully", data)

    async def delete_contact_list(self, request: Request) -> Response:
        """DELETE .../contactList/{contactListId}"""
        known = self._list(request)
        if any(known.name in campaign.list_names for campaign in self._campaigns.values()):
            raise RefusedRequest(self.bad_request("Contact list is associated with a campaign"))
        data = self._list_json(known)
        del self._lists[known.id]
        return _success("Contact list deleted successfully", data)

    # What the handlers share

    def _now(self) -> float:
        """Return vendor time, after letting the runs begin that schedules have brought about by then."""
        now = self.clock.seconds()
        for campaign in self._campaigns.values():
            schedule = campaign.schedule
            while schedule and schedule.next_run <= now:
                if campaign.status(schedule.next_run) != "Active":
                    campaign.begin(self._contacts_of(campaign, schedule.next_run), schedule.next_run, self.stalls)
                    schedule.runs += 1
                schedule.next_run += schedule.every_seconds
                if schedule.next_run > schedule.end:
                    campaign.schedule = schedule = None
        return now

    def _campaign(self, request: Request, *, of_type: bool = False) -> KoreAICampaign:
        campaign = self._campaigns.get(request.path_params["campaign_id"])
        if campaign is None or (of_type and request.query_params.get("campaignType") != campaign.kind):
            raise missing("Campaign")
        return campaign

    def _list(self, request: Request) -> KoreAIContactList:
        known = self._lists.get(request.path_params["list_id"])
        if known is None:
            raise missing("Contact list")
        return known

    def _contacts_of(self, campaign: KoreAICampaign, now: float) -> list[dict[str, Any]]:
        lists = [known for known in self._lists.values() if known.name in campaign.list_names]
        return [contact for known in lists for contact in known.counted(now)]

    def _busy_lists(self, now: float) -> set[str]:
        running = [campaign for campaign in self._campaigns.values() if campaign.status(now) == "Active"]
        return {name for campaign in running for name in campaign.list_names}

    def _list_json(self, known: KoreAIContactList) -> dict[str, Any]:
        now = self._now()
        attached = [campaign for campaign in self._campaigns.values() if known.name in campaign.list_names]
        return known.as_json(now, known.name in self._busy_lists(now), attached)

    def _detail(self, campaign: KoreAICampaign, *, id_key: str = "_id", with_schedule: bool = True) -> dict[str, Any]:
        status = self.status_word(campaign.status(self._now()))
        return campaign.detail(status, id_key=id_key, with_schedule=with_schedule)

    def _triggered(self, status: str, message: str, more: Mapping[str, Any]) -> Response:
        return JSONResponse({"status": self.status_word(status), "message": message, **more})

    def _type_of(self, request: Request, body: Mapping[str, Any]) -> str:
        lists = {known.name for known in self._lists.values()}
        return check_campaign(body, request.query_params.get("campaignType"), lists, v2=_is_v2(request))

    def _kept(self, body: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(body)
        template = (kept.get("message") or {}).get("template_name")
        if template:
            # "<p>Hello from your template</p>": what goes out is the template's text, whatever was sent along.
            text = "PHA%2BSGVsbG8gZnJvbSB5b3VyIHRlbXBsYXRlPC9wPg%3D%3D"
            kept["message"] = {"message": text, "templateId": new_id("cmt")}
        return kept


def _is_v2(request: Request) -> bool:
    return "/api/v2/" in request.url.path


def _success(message: str, data: Any) -> JSONResponse:
    return JSONResponse({"status": "success", "message": message, "data": data})


def _page(rows: list[dict[str, Any]], skip: int, limit: int, total: int, more: bool) -> dict[str, Any]:
    pages = -(-total // limit)
    return {
        "results": rows,
        "skip": skip,
        "limit": limit,
        "hasMore": more,
        "totalPages": pages,
        "totalResults": total,
    }


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
