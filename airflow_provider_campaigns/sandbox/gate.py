"""One vendor's way from a request to its whole answer: route, credential, limit, handler."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Message, Scope

from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, Vendor
from airflow_provider_campaigns.sandbox.wire import BufferedResponse, replay

logger = logging.getLogger(__name__)


class SlidingWindow:
    """
    A limit of requests per seconds of real time, counted for each key on its own.

    :param requests: how many requests fit in the window.
    :param seconds: length of the window in real seconds.
    """

    def __init__(self, requests: int, seconds: float, real_time: Callable[[], float]) -> None:
        self._requests = requests
        self._seconds = seconds
        self._real_time = real_time
        self._seen: dict[str, deque[float]] = {}

    def enter(self, key: str) -> float:
        """Return 0 and count the request, or return the seconds to wait and count nothing."""
        now = self._real_time()
        seen = self._seen.setdefault(key, deque())
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._requests:
            return seen[0] + self._seconds - now
        seen.append(now)
        return 0.0

    def clear(self) -> None:
        """Forget all requests."""
        self._seen.clear()


class Gate:
    """One vendor's way from a request to its whole answer: route, credential, limit, handler."""

    def __init__(self, vendor: Vendor, *, enforce_limit: bool) -> None:
        self.vendor = vendor
        self.routes = vendor.routes()
        self.window = SlidingWindow(*vendor.limit, vendor.real_time) if vendor.limit and enforce_limit else None

    def covers(self, path: str) -> bool:
        """Return whether the path belongs to this vendor."""
        return path == self.vendor.prefix or path.startswith(self.vendor.prefix + "/")

    def match(self, scope: Scope) -> tuple[Match, Route | None, Scope]:
        """Return how well the request fits, the route and the scope for its handler."""
        # The path as it was sent: a slash that is quoted in an id does not begin a new segment.
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        inner = {**scope, "path": path, "root_path": scope.get("root_path", "") + self.vendor.prefix}
        best = Match.NONE
        for route in self.routes:
            fit, found = route.matches(inner)
            if fit is Match.FULL:
                params = {name: unquote(str(value)) for name, value in found["path_params"].items()}
                return fit, route, {**inner, **found, "path_params": params}
            if fit is Match.PARTIAL:
                best = fit
        return best, None, inner

    def refuse(self, request: Request) -> Response | None:
        """Return the vendor's answer to a bad credential or one request too many, None when all is fine."""
        refused = self.vendor.authenticate(request)
        if refused is None and self.window is not None:
            wait = self.window.enter(self.vendor.credential(request))
            if wait > 0:
                return self.vendor.rate_limited(math.ceil(wait))
        return refused

    async def handle(self, route: Route, scope: Scope, body: bytes) -> BufferedResponse:
        """Run the handler and return its whole answer."""
        sent: list[Message] = []

        async def collect(message: Message) -> None:
            sent.append(message)

        try:
            await route.handle(scope, replay(body), collect)
        except RefusedRequest as refusal:
            return BufferedResponse.of(refusal.response)
        except Exception as error:
            logger.exception("The sandbox's handler %s.%s failed", self.vendor.name, route.name)
            return BufferedResponse.of(self.vendor.server_error(Request(scope, replay(body)), error))
        return BufferedResponse(
            sent[0]["status"], list(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])
        )
