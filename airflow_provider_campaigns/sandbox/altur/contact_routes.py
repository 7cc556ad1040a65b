"""What the sandbox's Altur does on the routes of contacts and calls."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.altur.answers import call_row, call_status, contact_row
from airflow_provider_campaigns.sandbox.altur.campaign import (
    ANSWERED_BY,
    DELETABLE_STATUSES,
    AlturCampaign,
    AlturContact,
)
from airflow_provider_campaigns.sandbox.altur.campaign_routes import ONE_CAMPAIGN
from airflow_provider_campaigns.sandbox.altur.checks import invalid, refusal
from airflow_provider_campaigns.sandbox.altur.query import choice, instant, whole
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.altur.vendor import AlturVendor

CONTACT_STATUSES = (
    *("queue", "sending", "sent", "delivered", "voicemail", "read", "failed", "retrying", "converted"),
    *("answered", "accepted", "rejected"),
)
CALL_STATUSES = ("ended", "failed", "busy", "no-answer", "in-progress")
MAX_CONTACTS = 1000
MAX_PAGE_INDEX = 25_000

#: A second of a telephone's sound, of which nothing is heard: WAV, 8,000 samples of 8 bits.
SILENCE = b"RIFF%bWAVEfmt %bdata%b" % (
    struct.pack("<I", 36 + 8000),
    struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8),
    struct.pack("<I", 8000) + b"\x80" * 8000,
)

_PHONE = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)


class AlturContactRoutes:
    """
    The routes of a campaign's contacts and calls.

    :param vendor: whose campaigns the contacts belong to.
    """

    def __init__(self, vendor: AlturVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes."""
        contacts = f"{ONE_CAMPAIGN}/contacts"
        contact = f"{contacts}/{{contact_id:int}}"
        return [
            Route(contacts, self.list_contacts, methods=["GET"], name="list_contacts"),
            Route(contacts, self.add_contacts, methods=["POST"], name="add_contacts"),
            Route(contact, self.get_contact, methods=["GET"], name="get_contact"),
            Route(contact, self.delete_contact, methods=["DELETE"], name="delete_contact"),
            Route(f"{ONE_CAMPAIGN}/calls", self.list_calls, methods=["GET"], name="list_calls"),
            Route("/call/{call_id}/recording", self.get_recording, methods=["GET"], name="get_recording"),
        ]

    async def add_contacts(self, request: Request) -> Response:
        """``POST /campaigns/{id}/contacts``: each row for itself."""
        campaign = self._vendor.campaign(request)
        body = await self._vendor.read_object(request)
        again = await self._vendor.keys.remembered(request)
        if again is not None:
            return again
        rows, mode = body.get("contacts"), body.get("if_duplicate", "skip")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_CONTACTS:
            raise invalid(f"contacts must be an array of 1 to {MAX_CONTACTS} items")
        if mode not in ("skip", "update"):
            raise invalid("if_duplicate must be one of skip, update")
        at = self._vendor.clock.seconds()
        if campaign.status(at) == "finished":
            raise RefusedRequest(refusal(409, "CAMPAIGN_FINISHED", "A finished campaign is read-only"))
        results = [{"index": index, **self._take(campaign, row, mode, at)} for index, row in enumerate(rows)]
        summary = dict.fromkeys(("created", "updated", "skipped_duplicate", "failed"), 0)
        for result in results:
            summary[result["status"]] += 1
        campaign.contact_rows += len(rows) - summary["failed"]
        return await self._vendor.keys.answer(request, 200, {"success": True, "summary": summary, "results": results})

    def _take(self, campaign: AlturCampaign, row: Any, mode: str, at: float) -> dict[str, Any]:
        phone = row.get("contact") if isinstance(row, dict) else None
        if not phone:
            return {"status": "failed", "error": "MISSING_CONTACT"}
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            return {"contact": phone, "status": "failed", "error": "INVALID_PHONE_NUMBER"}
        given = {name: row[name] for name in ("contact", "name", "context", "extracted_data", "f_id") if name in row}
        known = campaign.contacts.get(phone)
        if known is None:
            contact, status = campaign.add(self._vendor.new_contact_id(), given, at), "created"
        elif mode == "update":
            known.given.update(given)
            contact, status = known, "updated"
        else:
            contact, status = known, "skipped_duplicate"
        return {"id": str(contact.id), "contact": phone, "status": status}

    async def list_contacts(self, request: Request) -> Response:
        """``GET /campaigns/{id}/contacts``: by page index, the total on the first page only."""
        campaign = self._vendor.campaign(request)
        wanted = choice(request, "status", CONTACT_STATUSES)
        statuses = campaign.statuses(self._vendor.clock.seconds())
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
        campaign = self._vendor.campaign(request)
        contact = self._contact(request, campaign)
        status = campaign.statuses(self._vendor.clock.seconds())[contact.id]
        return JSONResponse({"success": True, "contact": contact_row(campaign, contact, status)})

    async def delete_contact(self, request: Request) -> Response:
        """``DELETE /campaigns/{id}/contacts/{contact_id}``: only one that waits or has failed."""
        campaign = self._vendor.campaign(request)
        contact = self._contact(request, campaign)
        at = self._vendor.clock.seconds()
        if campaign.statuses(at)[contact.id] not in DELETABLE_STATUSES:
            return JSONResponse({"error": 409, "message": "CONTACT_NOT_DELETABLE"}, status_code=409)
        campaign.remove(contact, at)
        return Response(status_code=204)

    async def list_calls(self, request: Request) -> Response:
        """``GET /campaigns/{id}/calls``: by page index; none for WhatsApp."""
        campaign = self._vendor.campaign(request)
        status = choice(request, "status", CALL_STATUSES)
        answered_by = choice(request, "answeredBy", ("human", "machine", "unknown"))
        since, until = instant(request, "startDate"), instant(request, "endDate")
        at = self._vendor.clock.seconds()
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

    async def get_recording(self, request: Request) -> Response:
        """``GET /call/{id}/recording``: a second of silence for a call that was answered, and 404 for any other."""
        at = self._vendor.clock.seconds()
        campaign_id, _, number = request.path_params["call_id"].removeprefix("cll_").partition("_")
        calls = (
            call
            for campaign in self._vendor.campaigns
            if str(campaign.id) == campaign_id and campaign.is_phone
            for call in campaign.calls(at)
        )
        if any(str(call.number) == number and call_status(call) == "ended" for call in calls):
            return Response(SILENCE, media_type="audio/wav")
        raise RefusedRequest(self._vendor.not_found(request))

    def _contact(self, request: Request, campaign: AlturCampaign) -> AlturContact:
        wanted = int(request.path_params["contact_id"])
        for contact in campaign.contacts.values():
            if contact.id == wanted:
                return contact
        raise RefusedRequest(self._vendor.not_found(request))

    def _paged(self, request: Request, matching: list[Any], endpoint: str) -> tuple[int, list[Any], dict[str, Any]]:
        """Return the page's index, its items, and what ``pagination`` says."""
        size = whole(request, "pageSize", default=50, lowest=1, highest=100)
        index = whole(request, "pageIndex", default=0, lowest=0, highest=MAX_PAGE_INDEX)
        more = len(matching) > (index + 1) * size
        following: int | None = index + 1 if more else None
        if self._vendor.repeats_cursor(endpoint):
            more, following = True, index
        pagination = {
            "page_size": size,
            "has_next": more,
            "has_previous": index > 0,
            "next_page": following,
            "previous_page": index - 1 if index else None,
        }
        return index, matching[index * size : (index + 1) * size], pagination
