"""What the sandbox's Altur does on the routes of campaigns."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.altur.answers import detail, list_row
from airflow_provider_campaigns.sandbox.altur.campaign import TRANSITIONS, AlturCampaign
from airflow_provider_campaigns.sandbox.altur.checks import (
    NUMBER_RANGES,
    SETTLED_FIELDS,
    TEXT_FIELDS,
    check_changeable,
    invalid,
    refusal,
)
from airflow_provider_campaigns.sandbox.altur.query import choice, cursor_id, cursor_text, instant, whole
from airflow_provider_campaigns.sandbox.altur.week import ALL_WEEK
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.altur.vendor import AlturVendor

STATUSES = ("pending", "ready", "active", "inactive", "cooldown", "finished")
CHANNELS = ("phone_call", "whatsapp")
SCHEDULED_ONLY = ("schedule", "schedule_start_date", "schedule_end_date")
FIRST_CAMPAIGN_ID = 1001
ONE_CAMPAIGN = "/campaigns/{campaign_id:int}"


class AlturCampaignRoutes:
    """
    The routes of campaigns.

    :param vendor: whose campaigns they show and change.
    """

    def __init__(self, vendor: AlturVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes; the last takes any action that the others leave."""
        one = ONE_CAMPAIGN
        return [
            Route("/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/campaigns", self.create_campaign, methods=["POST"], name="create_campaign"),
            Route(one, self.get_campaign, methods=["GET"], name="get_campaign"),
            Route(one, self.update_campaign, methods=["PATCH"], name="update_campaign"),
            *(
                Route(f"{one}/{action}", self.act, methods=["POST"], name=f"{action}_campaign")
                for action in (*TRANSITIONS, "archive")
            ),
            Route(f"{one}/{{action}}", self.unknown_action, methods=["POST"], name="unknown_action"),
        ]

    async def list_campaigns(self, request: Request) -> Response:
        """``GET /campaigns``: the newest first, by cursor."""
        given = request.query_params
        size = whole(request, "pageSize", default=25, lowest=1, highest=100)
        back = choice(request, "direction", ("next", "previous")) == "previous"
        cursor = cursor_id(given["cursor"]) if given.get("cursor") else None
        if given.get("cursor") and cursor is None:
            raise invalid("cursor is not valid")
        repeats = self._vendor.repeats_cursor("list_campaigns")
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
        next_cursor = cursor_text(page[-1].id) if following and page else None
        if repeats and page:
            following, next_cursor = True, given.get("cursor") or cursor_text(page[-1].id)
        at = self._vendor.clock.seconds()
        return JSONResponse(
            {
                "total_count": len(matching),
                "campaigns": [list_row(campaign, self._vendor.status_word(campaign.status(at))) for campaign in page],
                "pagination": {
                    "has_next": following,
                    "has_previous": preceding,
                    "next_cursor": next_cursor,
                    "previous_cursor": cursor_text(page[0].id) if preceding and page else None,
                },
            }
        )

    def _matching(self, request: Request) -> list[AlturCampaign]:
        """Return the campaigns that pass the list's filters, oldest first."""
        given = request.query_params
        status = choice(request, "status", STATUSES)
        channel = choice(request, "integration", CHANNELS)
        agent = given.get("agentId")
        archived = choice(request, "archived", ("true", "false")) == "true"
        since, until = instant(request, "startDate"), instant(request, "endDate")
        if (since is None) != (until is None):
            raise invalid("startDate and endDate must be sent together")
        at = self._vendor.clock.seconds()
        lags = self._vendor.faults.state(self._vendor.name, "list_lag") is not None
        return [
            campaign
            for campaign in self._vendor.campaigns
            if (archived or not campaign.archived)
            and (agent is None or campaign.fields["agent_id"] == agent)
            and (channel is None or campaign.fields["integration_type"] == channel)
            and (since is None or until is None or since <= campaign.created_at <= until)
            and (status is None or campaign.status(at) == status)
            and (not lags or self._vendor.is_listed(campaign.created_real))
        ]

    async def create_campaign(self, request: Request) -> Response:
        """``POST /campaigns``: a campaign without contacts, pending."""
        body = await self._vendor.read_object(request)
        again = await self._vendor.keys.remembered(request)
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
            id=FIRST_CAMPAIGN_ID + len(self._vendor.campaigns),
            fields=fields,
            created_at=self._vendor.clock.seconds(),
            created_real=self._vendor.real_time(),
            stalls=self._vendor.stalls,
            failures=self._vendor.ordered_failures(),
            keeps_pace=self._vendor.keeps_pace,
        )
        self._vendor.campaigns.append(campaign)
        return await self._vendor.keys.answer(request, 201, {"success": True, "campaign": self._shown(campaign)})

    async def get_campaign(self, request: Request) -> Response:
        """``GET /campaigns/{id}``: with the snapshot, once there is one."""
        return JSONResponse({"success": True, "campaign": self._shown(self._vendor.campaign(request))})

    async def update_campaign(self, request: Request) -> Response:
        """``PATCH /campaigns/{id}``: some of the fields."""
        campaign = self._vendor.campaign(request)
        body = await self._vendor.read_object(request)
        rules = body.get("cycles")
        rules = rules if isinstance(rules, dict) else {}
        settled = [name for name in SETTLED_FIELDS if name in body]
        settled += [f"cycles.{name}" for name in ("enabled", "mode") if name in rules]
        if settled:
            raise RefusedRequest(refusal(400, "IMMUTABLE_FIELD", f"{settled[0]} cannot be changed", field=settled[0]))
        if campaign.status(self._vendor.clock.seconds()) == "finished":
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
        campaign.keep_hours(self._vendor.clock.seconds())
        return JSONResponse({"success": True, "campaign": self._shown(campaign)})

    async def act(self, request: Request) -> Response:
        """``POST /campaigns/{id}/{action}``: along the state machine, or aside into the archive."""
        campaign = self._vendor.campaign(request)
        action = request.url.path.rsplit("/", 1)[1]
        at = self._vendor.clock.seconds()
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
        self._vendor.campaign(request)
        return refusal(400, "UNKNOWN_ACTION", "The action must be one of activate, pause, resume, archive")

    def _shown(self, campaign: AlturCampaign) -> dict[str, Any]:
        at = self._vendor.clock.seconds()
        hidden = self._vendor.faults.state(self._vendor.name, "status_missing")
        return detail(campaign, at, None if hidden else self._vendor.status_word(campaign.status(at)))
