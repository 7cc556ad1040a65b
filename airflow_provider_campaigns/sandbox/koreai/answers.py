"""What the answers and the routes of the sandbox's Kore.ai have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

V1 = "/agentassist/api/v1/public/{app_id}/campaign"
V2 = "/campaign/api/v2/public/{app_id}/campaign"
MAX_PAGE_SIZE = 100

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


def is_v2(request: Request) -> bool:
    """Return whether a request is one of v2."""
    return "/api/v2/" in request.url.path


def success(message: str, data: Any) -> JSONResponse:
    """Return an answer in the vendor's envelope."""
    return JSONResponse({"status": "success", "message": message, "data": data})


def page_of(rows: list[dict[str, Any]], skip: int, limit: int, total: int, more: bool) -> dict[str, Any]:
    """Return a page of a list as the vendor frames it."""
    pages = -(-total // limit)
    return {
        "results": rows,
        "skip": skip,
        "limit": limit,
        "hasMore": more,
        "totalPages": pages,
        "totalResults": total,
    }
