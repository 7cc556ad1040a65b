"""What the sandbox's Kore.ai does on the routes of contact lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_campaigns.sandbox.koreai.answers import MAX_PAGE_SIZE, V1, V2, is_v2, page_of, success
from airflow_provider_campaigns.sandbox.koreai.campaign import (
    ADDING_SECONDS,
    KoreAIContactList,
)
from airflow_provider_campaigns.sandbox.koreai.checks import (
    check_text,
    invalid,
    missing,
    number,
)
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.koreai.vendor import KoreAIVendor

MAX_CONTACTS_PER_BATCH = 100


class KoreAIContactListRoutes:
    """
    The routes of contact lists.

    :param vendor: whose lists they show and change.
    """

    def __init__(self, vendor: KoreAIVendor) -> None:
        self._vendor = vendor

    def routes(self) -> list[Route]:
        """Return the routes: those of both versions under the same name, so that a fault hits either."""
        return [
            Route("/api/1.1/public/{app_id}/campaign/contactList/addContacts", self.add_contacts, methods=["POST"]),
            *(route for base in (V1, V2) for route in self._routes_below(base)),
        ]

    def _routes_below(self, base: str) -> list[Route]:
        return [
            Route(f"{base}/contactList/createContactList", self.create_contact_list, methods=["POST"]),
            Route(f"{base}/contactList/getAllListDetails", self.list_contact_lists, methods=["POST"]),
            Route(f"{base}/contactList/{{list_id}}/getAllContacts", self.list_contacts, methods=["GET"]),
            Route(f"{base}/contactList/{{list_id}}", self.get_contact_list, methods=["GET"]),
            Route(f"{base}/contactList/{{list_id}}", self.update_contact_list, methods=["PUT"]),
            Route(f"{base}/contactList/{{list_id}}", self.delete_contact_list, methods=["DELETE"]),
        ]

    async def create_contact_list(self, request: Request) -> Response:
        """POST .../contactList/createContactList"""
        body = await self._vendor.read_object(request)
        check_text(body, "name", 48)
        check_text(body, "description", 256)
        if body.get("source") != "passiveApi":
            raise invalid("source must be passiveApi")
        if any(known.name.lower() == body["name"].lower() for known in self._vendor.lists.values()):
            raise RefusedRequest(self._vendor.bad_request("Contact list name already exists"))
        created = KoreAIContactList(
            body["name"], body["description"], self._vendor.now(), body.get("allowDuplicates") is True
        )
        self._vendor.lists[created.id] = created
        return success(f"Contact list {created.name} created successfully", self._list_json(created, created=True))

    async def add_contacts(self, request: Request) -> Response:
        """POST /api/1.1/public/{iid}/campaign/contactList/addContacts"""
        body = await self._vendor.read_object(request)
        rows = body.get("data")
        if not isinstance(rows, list) or not rows or len(rows) > MAX_CONTACTS_PER_BATCH:
            raise invalid(f"data must hold 1 to {MAX_CONTACTS_PER_BATCH} contacts")
        if not all(isinstance(row, dict) and isinstance(row.get("phoneNumber"), str) for row in rows):
            raise invalid("phoneNumber is required")
        named = [known for known in self._vendor.lists.values() if known.name == body.get("contact_list_name")]
        if not named:
            raise missing("Contact list")
        now = self._vendor.now()
        named[0].add(rows, now, now + ADDING_SECONDS)
        named[0].updated_at = now
        return JSONResponse({"message": "Adding contacts to public list is in progress"})

    async def get_contact_list(self, request: Request) -> Response:
        """GET .../contactList/{contactListId}"""
        return success("", self._list_json(self._list(request)))

    async def list_contact_lists(self, request: Request) -> Response:
        """POST .../contactList/getAllListDetails"""
        lists = [self._list_json(known) for known in self._vendor.lists.values()]
        return success("Contact lists retrieved successfully", lists)

    async def list_contacts(self, request: Request) -> Response:
        """GET .../contactList/{contactListId}/getAllContacts"""
        contacts = self._list(request).counted(self._vendor.now())
        limit = min(number(request.query_params, "limit") or 50, MAX_PAGE_SIZE)
        skip = number(request.query_params, "skip") or 0
        repeats = self._vendor.repeats_cursor("list_contacts")
        if repeats:
            skip = 0
        page = page_of(
            contacts[skip : skip + limit], skip, limit, len(contacts), repeats or skip + limit < len(contacts)
        )
        return success("", page)

    async def update_contact_list(self, request: Request) -> Response:
        """PUT .../contactList/{contactListId}"""
        known = self._list(request)
        body = await self._vendor.read_object(request)
        for name, limit in (("name", 48), ("description", 256)):
            if name in body:
                check_text(body, name, limit)
                setattr(known, name, body[name])
        if not is_v2(request) and "allowDuplicates" in body:
            known.allow_duplicates = body["allowDuplicates"] is True
        known.updated_at = self._vendor.now()
        data = {"contactListId": known.id, "body": {"name": known.name, "listType": "call"}}
        return success("Contact list updated successfully", data)

    async def delete_contact_list(self, request: Request) -> Response:
        """DELETE .../contactList/{contactListId}"""
        known = self._list(request)
        if any(known.name in campaign.list_names for campaign in self._vendor.campaigns.values()):
            raise RefusedRequest(self._vendor.bad_request("Contact list is associated with a campaign"))
        data = self._list_json(known)
        del self._vendor.lists[known.id]
        return success("Contact list deleted successfully", data)

    def _list(self, request: Request) -> KoreAIContactList:
        known = self._vendor.lists.get(request.path_params["list_id"])
        if known is None:
            raise missing("Contact list")
        return known

    def _list_json(self, known: KoreAIContactList, *, created: bool = False) -> dict[str, Any]:
        now = self._vendor.now()
        attached = [campaign for campaign in self._vendor.campaigns.values() if known.name in campaign.list_names]
        return known.as_json(now, known.name in self._vendor.busy_lists(now), attached, created=created)
