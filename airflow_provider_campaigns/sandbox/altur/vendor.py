"""Altur in the sandbox: campaigns, contacts and calls, as its documentation describes them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.altur.answers import call_row, call_status, contact_row, detail, list_row
from airflow_provider_campaigns.sandbox.altur.campaign import (
    ANSWERED_BY,
    DELETABLE_STATUSES,
    TRANSITIONS,
    AlturCampaign,
    AlturContact,
    instant_text,
)
from airflow_provider_campaigns.sandbox.altur.checks import (
    DAYS,
    NUMBER_RANGES,
    SETTLED_FIELDS,
    TEXT_FIELDS,
    check_changeable,
    framework_refusal,
    invalid,
    refusal,
)
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor, accepts

STATUSES = ("pending", "ready", "active", "inactive", "cooldown", "finished")
CHANNELS = ("phone_call", "whatsapp")
CONTACT_STATUSES = (
    *("queue", "sending", "sent", "delivered", "voicemail", "read", "failed", "retrying", "converted"),
    *("answered", "accepted", "rejected"),
)
CALL_STATUSES = ("ended", "failed", "busy", "no-answer", "in-progress")

SCHEDULED_ONLY = ("schedule", "schedule_start_date", "schedule_end_date")
MAX_CONTACTS = 1000
MAX_PAGE_INDEX = 25_000

FIRST_CAMPAIGN_ID = 1001
ALL_WEEK = {day: {"startTime": "09:00", "stopTime": "18:00", "active": True} for day in DAYS}

_PHONE = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)


class AlturVendor(Vendor):
    """
    Altur's API.

    A campaign sends to its contacts as soon as it is activated, whatever its ``scheduling`` says, and takes about five
    vendor minutes for up to 1,000 of them. Where the documentation is silent:

    * an ``Idempotency-Key`` is remembered until the sandbox is reset; with another body it gets 409
      ``IDEMPOTENCY_KEY_REUSED``;
    * a finished campaign takes no more contacts (409 ``CAMPAIGN_FINISHED``);
    * a campaign without contacts can be activated, and has then finished at once.
    """

    name = "altur"
    title = "Altur"
    prefix = "/altur/api/v1.0"
    limit = (12, 1.0)

    def reset(self) -> None:
        """Forget every campaign and every ``Idempotency-Key``."""
        self._campaigns: list[AlturCampaign] = []
        self._last_contact_id = 0
        self._answers: dict[tuple[str, str, str], tuple[bytes, int, dict[str, Any]]] = {}

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reset()

    def routes(self) -> list[Route]:
        """Return Altur's endpoints."""
        one = "/campaigns/{campaign_id:int}"
        return [
            Route("/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/campaigns", self.create_campaign, methods=["POST"], name="create_campaign"),
            Route(one, self.get_campaign, methods=["GET"], name="get_campaign"),
            Route(one, self.update_campaign, methods=["PATCH"], name="update_campaign"),
            *(
                Route(f"{one}/{action}", self.act, methods=["POST"], name=f"{action}_campaign")
                for action in (*TRANSITIONS, "archive")
            ),
            Route(f"{one}/contacts", self.list_contacts, methods=["GET"], name="list_contacts"),
            Route(f"{one}/contacts", self.add_contacts, methods=["POST"], name="add_contacts"),
            Route(f"{one}/contacts/{{contact_id:int}}", self.get_contact, methods=["GET"], name="get_contact"),
            Route(f"{one}/contacts/{{contact_id:int}}", self.delete_contact, methods=["DELETE"], name="delete_contact"),
            Route(f"{one}/calls", self.list_calls, methods=["GET"], name="list_calls"),
            Route(f"{one}/{{action}}", self.unknown_action, methods=["POST"], name="unknown_action"),
        ]

    def authenticate(self, request: Request) -> Response | None:
        """Return None for ``Authorization: api-key <any key but 'invalid'>``."""
        given = request.headers.get("authorization")
        if not given:
            return framework_refusal(401, "Authentication credentials were not provided.")
        scheme, _, key = given.partition(" ")
        return None if scheme == "api-key" and accepts(key) else framework_refusal(401, "Invalid API key.")

    def rate_limited(self, seconds: float) -> Response:
        """Return the 429, which tells the wait in words and in a header."""
        wait = f"{seconds:g}"
        return framework_refusal(
            429, f"Request was throttled. Expected available in {wait} seconds.", {"Retry-After": wait}
        )

    def not_found(self, request: Request) -> Response:
        """Return the framework's 404."""
        return framework_refusal(404, "Not found.")

    def method_not_allowed(self, request: Request) -> Response:
        """Return the framework's 405."""
        return framework_refusal(405, f'Method "{request.method}" not allowed.')

    def bad_request(self, text: str) -> Response:
        """Return the 400 for a request that cannot be read."""
        return refusal(400, "INVALID_REQUEST", text)

    def inventory(self) -> list[dict[str, Any]]:
        """Return what exists, oldest first."""
        at = self.clock.seconds()
        return [
            {
                "vendor": self.name,
                "id": campaign.id,
                "name": campaign.fields["name"],
                "status": campaign.status(at),
                "created_at": instant_text(campaign.created_at),
                "contacts": len(campaign.contacts),
                "contact_rows": campaign.contact_rows,
                "messages": campaign.messages(at),
                "starts": campaign.starts,
                "description": campaign.fields["description"],
                "archived": campaign.archived,
            }
            for campaign in self._campaigns
        ]

    # Campaigns

    async def list_campaigns(self, request: Request) -> Response:
        """``GET /campaigns``: the newest first, by cursor."""
        given = request.query_params
        size = self._whole(request, "pageSize", default=25, lowest=1, highest=100)
        back = self._choice(request, "direction", ("next", "previous")) == "previous"
        cursor = _cursor_id(given["cursor"]) if given.get("cursor") else None
        if given.get("cursor") and cursor is None:
            raise invalid("cursor is not valid")
        repeats = self.repeats_cursor("list_campaigns")
        matching = self._matching(request)
        ordered = reversed(matching) if not back else iter(matching)
        beyond = (
            campaign
            for campaign in ordered
            if cursor is None or repeats or (campaign.id > cursor if back else campaign.id < cursor)
        )
        page = list(islice(beyond, size + 1))
        more, page = len(page) > size, page[:size]
        if back:
            page.reverse()
        following, preceding = (cursor is not None, more) if back else (more, cursor is not None)
        next_cursor = _cursor_text(page[-1].id) if following and page else None
        if repeats and page:
            following, next_cursor = True, given.get("cursor") or _cursor_text(page[-1].id)
        at = self.clock.seconds()
        return JSONResponse(
            {
                "total_count": len(matching),
                "campaigns": [list_row(campaign, self.status_word(campaign.status(at))) for campaign in page],
                "pagination": {
                    "has_next": following,
                    "has_previous": preceding,
                    "next_cursor": next_cursor,
                    "previous_cursor": _cursor_text(page[0].id) if preceding and page else None,
                },
            }
        )

    def _matching(self, request: Request) -> list[AlturCampaign]:
        """Return the campaigns that pass the list's filters, oldest first."""
        given = request.query_params
        status = self._choice(request, "status", STATUSES)
        channel = self._choice(request, "integration", CHANNELS)
        agent = given.get("agentId")
        archived = self._choice(request, "archived", ("true", "false")) == "true"
        since, until = self._instant(request, "startDate"), self._instant(request, "endDate")
        if (since is None) != (until is None):
            raise invalid("startDate and endDate must be sent together")
        at = self.clock.seconds()
        lags = self.faults.state(self.name, "list_lag") is not None
        return [
            campaign
            for campaign in self._campaigns
            if (archived or not campaign.archived)
            and (agent is None or campaign.fields["agent_id"] == agent)
            and (channel is None or campaign.fields["integration_type"] == channel)
            and (since is None or until is None or since <= campaign.created_at <= until)
            and (status is None or campaign.status(at) == status)
            and (not lags or self.is_listed(campaign.created_real))
        ]

    async def create_campaign(self, request: Request) -> Response:
        """``POST /campaigns``: a campaign without contacts, pending."""
        body = await self.read_object(request)
        again = await self._remembered(request)
        if again is not None:
            return again
        for name in ("name", *SETTLED_FIELDS):
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(f"{name} is required")
        if body["integration_type"] not in CHANNELS:
            raise invalid(f"integration_type must be one of {', '.join(CHANNELS)}")
        check_changeable(body, body["integration_type"])
        rules = body.get("cycles") or {}
        if rules.get("enabled") and rules.get("mode") == "cooldown":
            scheduled = [name for name in SCHEDULED_ONLY if rules.get(name) is not None]
            if scheduled:
                raise invalid(f"cycles.{scheduled[0]} is for the scheduled mode only")
        fields = {
            "description": "",
            "timezone": "America/Mexico_City",
            "retries": 1,
            "message_limit": 250 if body["integration_type"] == "whatsapp" else None,
            "first_message": None,
            "template": None,
            "template_alt": None,
            "scheduling": ALL_WEEK,
            **{
                name: body[name]
                for name in (*SETTLED_FIELDS, *TEXT_FIELDS, *NUMBER_RANGES)
                if body.get(name) is not None
            },
            **({"scheduling": body["scheduling"]} if body.get("scheduling") else {}),
            "cycles": dict(rules) if rules.get("enabled") else {"enabled": False},
        }
        campaign = AlturCampaign(
            id=FIRST_CAMPAIGN_ID + len(self._campaigns),
            fields=fields,
            created_at=self.clock.seconds(),
            created_real=self.real_time(),
            stalls=self.stalls,
        )
        self._campaigns.append(campaign)
        return await self._answer(request, 201, {"success": True, "campaign": self._shown(campaign)})

    async def get_campaign(self, request: Request) -> Response:
        """``GET /campaigns/{id}``: with the snapshot, once there is one."""
        return JSONResponse({"success": True, "campaign": self._shown(self._campaign(request))})

    async def update_campaign(self, request: Request) -> Response:
        """``PATCH /campaigns/{id}``: some of the fields."""
        campaign = self._campaign(request)
        body = await self.read_object(request)
        rules = body.get("cycles")
        rules = rules if isinstance(rules, dict) else {}
        settled = [name for name in SETTLED_FIELDS if name in body]
        settled += [f"cycles.{name}" for name in ("enabled", "mode") if name in rules]
        if settled:
            raise RefusedRequest(refusal(400, "IMMUTABLE_FIELD", f"{settled[0]} cannot be changed", field=settled[0]))
        if campaign.status(self.clock.seconds()) == "finished":
            raise RefusedRequest(refusal(409, "CAMPAIGN_FINISHED", "A finished campaign is read-only"))
        check_changeable(body, campaign.fields["integration_type"])
        if rules and not campaign.cycles.get("enabled"):
            raise RefusedRequest(refusal(400, "CYCLES_NOT_ENABLED", "The campaign was created without cycles"))
        if campaign.cycles.get("mode") != "scheduled" and any(name in rules for name in SCHEDULED_ONLY):
            raise RefusedRequest(refusal(400, "SCHEDULED_MODE_ONLY", "Schedules are for the scheduled mode only"))
        for name in (*TEXT_FIELDS, *NUMBER_RANGES, "scheduling"):
            if body.get(name) is not None:
                campaign.fields[name] = body[name]
        campaign.fields["cycles"] = {**campaign.cycles, **rules}
        return JSONResponse({"success": True, "campaign": self._shown(campaign)})

    async def act(self, request: Request) -> Response:
        """``POST /campaigns/{id}/{action}``: along the state machine, or aside into the archive."""
        campaign = self._campaign(request)
        action = request.url.path.rsplit("/", 1)[1]
        at = self.clock.seconds()
        if action == "archive":
            campaign.archived = True
        elif not campaign.act(action, at):
            status = campaign.status(at)
            targets = sorted({target for sources, target in TRANSITIONS.values() if status in sources})
            raise RefusedRequest(
                refusal(
                    409,
                    "INVALID_STATUS_TRANSITION",
                    f"A campaign that is {status} cannot {action}",
                    current_status=status,
                    valid_targets=targets,
                )
            )
        return JSONResponse({"success": True, "campaign": self._shown(campaign)})

    async def unknown_action(self, request: Request) -> Response:
        """``POST /campaigns/{id}/{anything else}``."""
        self._campaign(request)
        return refusal(400, "UNKNOWN_ACTION", "The action must be one of activate, pause, resume, archive")

    # Contacts and calls

    async def add_contacts(self, request: Request) -> Response:
        """``POST /campaigns/{id}/contacts``: each row for itself."""
        campaign = self._campaign(request)
        body = await self.read_object(request)
        again = await self._remembered(request)
        if again is not None:
            return again
        rows, mode = body.get("contacts"), body.get("if_duplicate", "skip")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_CONTACTS:
            raise invalid(f"contacts must be an array of 1 to {MAX_CONTACTS} items")
        if mode not in ("skip", "update"):
            raise invalid("if_duplicate must be one of skip, update")
        at = self.clock.seconds()
        if campaign.status(at) == "finished":
            raise RefusedRequest(refusal(409, "CAMPAIGN_FINISHED", "A finished campaign is read-only"))
        results = [{"index": index, **self._take(campaign, row, mode, at)} for index, row in enumerate(rows)]
        summary = dict.fromkeys(("created", "updated", "skipped_duplicate", "failed"), 0)
        for result in results:
            summary[result["status"]] += 1
        campaign.contact_rows += len(rows) - summary["failed"]
        return await self._answer(request, 200, {"success": True, "summary": summary, "results": results})

    def _take(self, campaign: AlturCampaign, row: Any, mode: str, at: float) -> dict[str, Any]:
        phone = row.get("contact") if isinstance(row, dict) else None
        if not phone:
            return {"status": "failed", "error": "MISSING_CONTACT"}
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            return {"contact": phone, "status": "failed", "error": "INVALID_PHONE_NUMBER"}
        given = {name: row[name] for name in ("contact", "name", "context", "extracted_data", "f_id") if name in row}
        known = campaign.contacts.get(phone)
        if known is None:
            self._last_contact_id += 1
            contact, status = campaign.add(self._last_contact_id, given, at), "created"
        elif mode == "update":
            known.given.update(given)
            contact, status = known, "updated"
        else:
            contact, status = known, "skipped_duplicate"
        return {"id": str(contact.id), "contact": phone, "status": status}

    async def list_contacts(self, request: Request) -> Response:
        """``GET /campaigns/{id}/contacts``: by page index, the total on the first page only."""
        campaign = self._campaign(request)
        wanted = self._choice(request, "status", CONTACT_STATUSES)
        statuses = campaign.statuses(self.clock.seconds())
        matching = [
            contact for contact in campaign.contacts.values() if wanted is None or statuses[contact.id] == wanted
        ]
        index, page, pagination = self._paged(request, matching, "list_contacts")
        return JSONResponse(
            {
                "total_count": len(matching) if index == 0 else None,
                "contacts": [contact_row(campaign, contact, statuses[contact.id]) for contact in page],
                "pagination": pagination,
            }
        )

    async def get_contact(self, request: Request) -> Response:
        """``GET /campaigns/{id}/contacts/{contact_id}``."""
        campaign = self._campaign(request)
        contact = self._contact(request, campaign)
        status = campaign.statuses(self.clock.seconds())[contact.id]
        return JSONResponse({"success": True, "contact": contact_row(campaign, contact, status)})

    async def delete_contact(self, request: Request) -> Response:
        """``DELETE /campaigns/{id}/contacts/{contact_id}``: only one that waits or has failed."""
        campaign = self._campaign(request)
        contact = self._contact(request, campaign)
        at = self.clock.seconds()
        if campaign.statuses(at)[contact.id] not in DELETABLE_STATUSES:
            return JSONResponse({"error": 409, "message": "CONTACT_NOT_DELETABLE"}, status_code=409)
        campaign.remove(contact, at)
        return Response(status_code=204)

    async def list_calls(self, request: Request) -> Response:
        """``GET /campaigns/{id}/calls``: by page index; none for WhatsApp."""
        campaign = self._campaign(request)
        status = self._choice(request, "status", CALL_STATUSES)
        answered_by = self._choice(request, "answeredBy", ("human", "machine", "unknown"))
        since, until = self._instant(request, "startDate"), self._instant(request, "endDate")
        at = self.clock.seconds()
        matching = [
            call
            for call in (campaign.calls(at) if campaign.is_phone else [])
            if status in (None, call_status(call))
            and answered_by in (None, ANSWERED_BY[call.outcome])
            and (since is None or call.began_at >= since)
            and (until is None or call.began_at <= until)
        ]
        index, page, pagination = self._paged(request, matching, "list_calls")
        statuses = campaign.statuses(at)
        return JSONResponse(
            {
                "total_count": len(matching) if index == 0 else None,
                "calls": [call_row(campaign, call, statuses.get(call.contact.id, call.outcome)) for call in page],
                "pagination": {"page_index": index, **pagination},
            }
        )

    # What the endpoints share

    def _shown(self, campaign: AlturCampaign) -> dict[str, Any]:
        at = self.clock.seconds()
        hidden = self.faults.state(self.name, "status_missing")
        return detail(campaign, at, None if hidden else self.status_word(campaign.status(at)))

    def _campaign(self, request: Request) -> AlturCampaign:
        position = int(request.path_params["campaign_id"]) - FIRST_CAMPAIGN_ID
        if not 0 <= position < len(self._campaigns):
            raise RefusedRequest(self.not_found(request))
        return self._campaigns[position]

    def _contact(self, request: Request, campaign: AlturCampaign) -> AlturContact:
        wanted = int(request.path_params["contact_id"])
        for contact in campaign.contacts.values():
            if contact.id == wanted:
                return contact
        raise RefusedRequest(self.not_found(request))

    def _choice(self, request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
        given = request.query_params.get(name)
        if given is not None and given not in allowed:
            raise invalid(f"{name} must be one of {', '.join(allowed)}")
        return given

    def _whole(self, request: Request, name: str, *, default: int, lowest: int, highest: int) -> int:
        given = request.query_params.get(name)
        value = default if given is None else int(given) if given.isdecimal() else -1
        if not lowest <= value <= highest:
            raise invalid(f"{name} must be a whole number from {lowest} to {highest}")
        return value

    def _instant(self, request: Request, name: str) -> float | None:
        given = request.query_params.get(name)
        if given is None:
            return None
        try:
            read = datetime.fromisoformat(given)
        except ValueError:
            raise invalid(f"{name} must be in ISO 8601") from None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()

    def _paged(self, request: Request, matching: list[Any], endpoint: str) -> tuple[int, list[Any], dict[str, Any]]:
        """Return the page's index, its items, and what ``pagination`` says."""
        size = self._whole(request, "pageSize", default=50, lowest=1, highest=100)
        index = self._whole(request, "pageIndex", default=0, lowest=0, highest=MAX_PAGE_INDEX)
        more = len(matching) > (index + 1) * size
        following: int | None = index + 1 if more else None
        if self.repeats_cursor(endpoint):
            more, following = True, index
        pagination = {
            "page_size": size,
            "has_next": more,
            "has_previous": index > 0,
            "next_page": following,
            "previous_page": index - 1 if index else None,
        }
        return index, matching[index * size : (index + 1) * size], pagination

    async def _remembered(self, request: Request) -> Response | None:
        """Return the first answer to an ``Idempotency-Key`` that is known, or 409 when the body is another."""
        key = self._idempotency_key(request)
        if key is None or key not in self._answers:
            return None
        body, status, answer = self._answers[key]
        if body != await request.body():
            return refusal(409, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used with another body")
        return JSONResponse(answer, status_code=status)

    async def _answer(self, request: Request, status: int, answer: dict[str, Any]) -> Response:
        """Return a success, and remember it under its ``Idempotency-Key``."""
        key = self._idempotency_key(request)
        if key is not None:
            self._answers[key] = (await request.body(), status, answer)
        return JSONResponse(answer, status_code=status)

    def _idempotency_key(self, request: Request) -> tuple[str, str, str] | None:
        key = request.headers.get("idempotency-key")
        return (self.credential(request), request.url.path, key) if key else None


def _cursor_text(campaign_id: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"id": campaign_id}).encode()).decode()


def _cursor_id(text: str) -> int | None:
    try:
        return int(json.loads(base64.urlsafe_b64decode(text.encode()))["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
