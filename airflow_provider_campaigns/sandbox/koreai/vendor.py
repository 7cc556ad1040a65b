"""Kore.ai's campaign API in the sandbox: v1 with its three path prefixes, and v2."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.koreai.campaign import KoreAICampaign, KoreAIContactList, default_list, iso
from airflow_provider_campaigns.sandbox.koreai.campaign_routes import KoreAICampaignRoutes
from airflow_provider_campaigns.sandbox.koreai.checks import errors
from airflow_provider_campaigns.sandbox.koreai.contact_list_routes import KoreAIContactListRoutes
from airflow_provider_campaigns.sandbox.koreai.tokens import TokenChecks
from airflow_provider_campaigns.sandbox.vendor import Vendor

RATE_LIMIT_TEXT = "You've exceeded the per-minute rate limit. Please wait for sometime before retrying."


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
        self._created = 0
        #: By id, oldest first.
        self.campaigns: dict[str, KoreAICampaign] = {}
        known = default_list(self.clock.seconds())
        self.lists: dict[str, KoreAIContactList] = {known.id: known}

    def routes(self) -> list[Route]:
        """Return the routes; those of contact lists first, as a campaign's id could be any word."""
        return [*KoreAIContactListRoutes(self).routes(), *KoreAICampaignRoutes(self).routes()]

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
        now = self.now()
        return [_row(campaign, now, [*self.lists.values()]) for campaign in self.campaigns.values()]

    def recipients(self, campaign_id: str) -> list[str]:
        """Return the numbers of its contact lists."""
        names = self.campaigns[campaign_id].list_names
        lists = [known for known in self.lists.values() if known.name in names]
        return sorted(set[str]().union(*(known.numbers() for known in lists)))

    def now(self) -> float:
        """Return vendor time, after letting the runs begin that schedules have brought about by then."""
        now = self.clock.seconds()
        for campaign in self.campaigns.values():
            schedule = campaign.schedule
            while schedule and schedule.next_run <= now:
                if campaign.status(schedule.next_run) != "Active":
                    campaign.begin(self.contacts_of(campaign, schedule.next_run), schedule.next_run, self.stalls)
                    schedule.runs += 1
                schedule.next_run += schedule.every_seconds
                if schedule.next_run > schedule.end:
                    campaign.schedule = schedule = None
        return now

    def contacts_of(self, campaign: KoreAICampaign, now: float) -> list[dict[str, Any]]:
        """Return the contacts that a run of a campaign that begins now is for."""
        lists = [known for known in self.lists.values() if known.name in campaign.list_names]
        return [contact for known in lists for contact in known.counted(now)]

    def busy_lists(self, now: float) -> set[str]:
        """Return the names of the lists that running campaigns use."""
        running = [campaign for campaign in self.campaigns.values() if campaign.status(now) == "Active"]
        return {name for campaign in running for name in campaign.list_names}

    def next_number(self) -> int:
        """Return the number of a campaign that is created now, which tells those of the same moment apart."""
        self._created += 1
        return self._created


def _row(campaign: KoreAICampaign, now: float, all_lists: Sequence[KoreAIContactList]) -> dict[str, Any]:
    lists = [known for known in all_lists if known.name in campaign.list_names]
    return {
        "vendor": KoreAIVendor.name,
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status(now),
        "created_at": iso(campaign.created_at),
        "contacts": len(set[str]().union(*(known.numbers() for known in lists))),
        "contact_rows": sum(known.rows_accepted for known in lists),
        "messages": campaign.messages(now),
        "starts": campaign.starts,
        "description": campaign.body["description"],
        "type": campaign.kind,
    }
