"""Altur in the sandbox: campaigns, contacts and calls, as its documentation describes them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.altur.campaign import AlturCampaign, instant_text
from airflow_provider_campaigns.sandbox.altur.campaign_routes import FIRST_CAMPAIGN_ID, AlturCampaignRoutes
from airflow_provider_campaigns.sandbox.altur.checks import framework_refusal, refusal
from airflow_provider_campaigns.sandbox.altur.contact_routes import AlturContactRoutes
from airflow_provider_campaigns.sandbox.altur.events import EventLog, signature
from airflow_provider_campaigns.sandbox.altur.idempotency import RememberedAnswers
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor, accepts


class AlturVendor(Vendor):
    """
    Altur's API.

    A campaign takes about five vendor minutes for up to 1,000 contacts; at the vendor's pace only in the hours of its
    ``scheduling``, and over WhatsApp at most ``message_limit`` contacts a day. Where the documentation is silent:

    * an ``Idempotency-Key`` is remembered until the sandbox is reset; with another body it gets 409
      ``IDEMPOTENCY_KEY_REUSED``;
    * a finished campaign takes no more contacts (409 ``CAMPAIGN_FINISHED``);
    * a campaign without contacts can be activated, and has then finished at once.
    """

    name = "altur"
    title = "Altur"
    prefix = "/altur/api/v1.0"
    limit = (12, 1.0)
    sends_events = True

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reset()

    def reset(self) -> None:
        """Forget every campaign and every ``Idempotency-Key``."""
        #: Oldest first; a campaign's position follows from its id.
        self.campaigns: list[AlturCampaign] = []
        self.keys = RememberedAnswers()
        self._events = EventLog()
        self._last_contact_id = 0

    def routes(self) -> list[Route]:
        """Return Altur's endpoints."""
        return [*AlturContactRoutes(self).routes(), *AlturCampaignRoutes(self).routes()]

    def authenticate(self, request: Request) -> Response | None:
        """Return None for ``Authorization: api-key <any key but 'invalid'>``."""
        given = request.headers.get("authorization")
        if not given:
            return framework_refusal(401, "Authentication credentials were not provided.")
        scheme, _, key = given.partition(" ")
        return None if scheme == "api-key" and accepts(key) else framework_refusal(401, "Invalid API key.")

    def rate_limited(self, seconds: float) -> Response:
        """Return the 429, which gives the wait in words and in a header."""
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
            for campaign in self.campaigns
        ]

    def recipients(self, campaign_id: str) -> list[str]:
        """Return the numbers of its contacts."""
        return [number for one in self.campaigns if str(one.id) == campaign_id for number in one.contacts]

    def events(self) -> list[dict[str, Any]]:
        """Return what has happened to campaigns since the last call."""
        return self._events.news(self.campaigns, self.clock.seconds())

    def sign_event(self, body: bytes, secret: str, scheme: str) -> dict[str, str]:
        """Return the header that signs an event."""
        return {"X-Altur-Signature": signature(body, secret, scheme)}

    def campaign(self, request: Request) -> AlturCampaign:
        """Return the campaign of a request's path, or end the request with a 404."""
        position = int(request.path_params["campaign_id"]) - FIRST_CAMPAIGN_ID
        if not 0 <= position < len(self.campaigns):
            raise RefusedRequest(self.not_found(request))
        return self.campaigns[position]

    def new_contact_id(self) -> int:
        """Return the number of a contact that is added now."""
        self._last_contact_id += 1
        return self._last_contact_id
