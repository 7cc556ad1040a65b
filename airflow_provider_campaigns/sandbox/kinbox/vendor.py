"""Kinbox in the sandbox: its campaign API, v1 and v3, as its documentation describes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.kinbox.account_routes import KinboxAccountRoutes
from airflow_provider_campaigns.sandbox.kinbox.campaign import KinboxCampaign, moment_text
from airflow_provider_campaigns.sandbox.kinbox.channels import channels_of, frees_channels_at, start_what_is_due
from airflow_provider_campaigns.sandbox.kinbox.checks import error
from airflow_provider_campaigns.sandbox.kinbox.lead_list import LeadList, read_file
from airflow_provider_campaigns.sandbox.kinbox.routes import KinboxRoutes
from airflow_provider_campaigns.sandbox.vendor import Vendor, accepts, bearer_token


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
        return [*KinboxRoutes(self).routes(), *KinboxAccountRoutes(self).routes()]

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
        return error(404, f"Cannot {request.method} {path}", "Not Found")

    def bad_request(self, text: str) -> Response:
        """Return NestJS's 400."""
        return error(400, text, "Bad Request")

    def inventory(self) -> list[dict[str, Any]]:
        """Return what exists; a deleted campaign does not."""
        now = self.now()
        return [
            {
                "vendor": self.name,
                "id": campaign.id,
                "name": campaign.name,
                "status": campaign.settled(now).status(now),
                "created_at": moment_text(campaign.created_at),
                "contacts": campaign.plan.recipients.people,
                "contact_rows": campaign.plan.leads,
                "messages": campaign.processed(now),
                "starts": campaign.starts,
                "description": None,
            }
            for campaign in self.campaigns.values()
        ]

    def recipients(self, campaign_id: str) -> list[str]:
        """Return the numbers of its file, or those that were invented for it."""
        leads = self.campaigns[campaign_id].plan.recipients
        return [leads.number(position) for position in range(leads.count)]

    def reset(self) -> None:
        """Forget every campaign."""
        #: By id, oldest first.
        self.campaigns: dict[str, KinboxCampaign] = {}
        #: When a channel was freed by the deletion of its campaign.
        self._freed: dict[str, float] = {}
        self._last = 0

    def now(self) -> float:
        """Return vendor time, after starting the campaigns that had waited for their channels until then."""
        now = self.clock.seconds()
        if self.keeps_pace:
            start_what_is_due(self.campaigns.values(), self._freed, now)
        return now

    def delete(self, campaign: KinboxCampaign) -> None:
        """Delete a campaign, which frees its channels."""
        freed_at = min(frees_channels_at(campaign) or 0.0, self.now())
        self._freed |= {name: max(freed_at, self._freed.get(name, 0.0)) for name in channels_of(campaign)}
        del self.campaigns[campaign.id]

    def recipients_of(self, given: Mapping[str, Any], request: Request) -> LeadList | None:
        """Return the recipients of a file that the sandbox serves, nobody if it has no such file; None for others."""
        name = self.files.name_of(str(given.get("leadsAssetUrl") or ""), request.headers.get("host", ""))
        if name is None:
            return None
        content = self.files.get(name)
        return LeadList(0) if content is None else read_file(content, given)

    def new_id(self, now: float) -> str:
        """Return an id for a campaign that is created now; ids grow."""
        self._last += 1
        return f"{int(now):08x}5a4db0c5a1{self._last:06x}"
