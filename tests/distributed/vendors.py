"""Vendors of the cluster's tests: one for each launch, so that what is ordered for it does not meet another."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import jwt
from cluster import until
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from airflow_provider_campaigns.sandbox.server import Sandbox

NAMES = ("kinbox", "altur", "koreai")
#: Vendor seconds per real second: campaigns last for longer than a death.
SPEED = 5.0
#: Vendor seconds per real second for what is to be over at once.
FAST = 1_000_000.0
CONTACTS: Mapping[str, int] = {"kinbox": 100, "altur": 1100, "koreai": 120}
#: Contacts of the campaigns that are launched many at a time.
FEW_CONTACTS: Mapping[str, int] = {**CONTACTS, "altur": 50}
_RUNNING = ("processing", "scheduled", "executing", "active", "Active", "Preparing")


class Vendor:
    """
    One vendor's API with nothing there yet.

    :param name: The vendor.
    :param number: Tells it from others of the name.
    :param port: Its port on loopback.
    :param limited: Whether the documented limit of requests holds, and is kept to.
    """

    def __init__(self, name: str, number: int, port: int, *, limited: bool = False) -> None:
        self.name = name
        self.conn_id = f"{name}_{number}"
        self.limited = limited
        self.sandbox = Sandbox(SPEED, port=port, enforce_limits=limited)
        self._port = port
        self._deaf: list[socket.socket] = []

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection to it."""
        connection = self.sandbox.connections()[f"{self.name}_default"]
        limit = {} if self.limited else {"rate_limit": 100}
        return {**connection, "extra": {**connection.get("extra", {}), **limit}}

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What arrived."""
        found: list[dict[str, Any]] = self.sandbox.journal(self.name)["requests"]
        return found

    @property
    def campaigns(self) -> list[dict[str, Any]]:
        """What exists, oldest first."""
        found: list[dict[str, Any]] = self.sandbox.journal(self.name)["campaigns"]
        return found

    def count(self, endpoint: str) -> int:
        """Return how many requests arrived at an endpoint."""
        return sum(one["endpoint"] == endpoint for one in self.requests)

    def delay(self, endpoint: str, seconds: float, *, skip: int = 0, late: bool = False) -> None:
        """
        Answer a request late.

        :param endpoint: Which.
        :param seconds: By how much.
        :param skip: How many requests to the endpoint come before it.
        :param late: Whether it also takes effect late.
        """
        order = {"vendor": self.name, "endpoint": endpoint, "skip": skip}
        self.sandbox.order_fault(**order, kind="slow", effect=not late, seconds=seconds)

    def is_delaying(self) -> bool:
        """Whether a request that is answered late has arrived."""
        return any(one["fault"] == "slow" for one in self.requests)

    def fall_silent(self) -> None:
        """Neither take nor refuse connections, as an address that a network lost: nothing of a request arrives."""
        self.sandbox.close()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(0)
        self._deaf.append(listener)
        for _ in range(2):
            # With as many as it takes waiting, the kernel lets the next one's first packet fall.
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self._port))
            self._deaf.append(filler)

    def listen_again(self) -> None:
        """Take connections again."""
        while self._deaf:
            self._deaf.pop().close()
        self.sandbox.start()

    def revoke(self, old: str) -> None:
        """Refuse a credential from now on."""
        (vendor,) = (one for one in self.sandbox.app.vendors if one.name == self.name)
        accepted = vendor.authenticate

        def authenticate(request: Request) -> Response | None:
            if _is_signed_by(request, old):
                return JSONResponse({"message": "Unauthorized"}, status_code=401)
            return accepted(request)

        vendor.authenticate = authenticate  # type: ignore[method-assign]

    def finish(self) -> list[dict[str, Any]]:
        """Let vendor time fly until nothing more happens, and return what exists."""
        self.sandbox.set_speed(FAST)
        until("the campaigns are over", lambda: all(one["status"] not in _RUNNING for one in self.campaigns))
        return self.campaigns


def problems_of(campaign: Mapping[str, Any], contacts: int) -> list[str]:
    """Return what a campaign that is over has other than once: contacts, messages, starts."""
    wanted = {"contacts": contacts, "contact_rows": contacts, "messages": contacts, "starts": 1}
    return [
        f"{campaign[what]} {what} instead of {number}" for what, number in wanted.items() if campaign[what] != number
    ]


def _is_signed_by(request: Request, credential: str) -> bool:
    if credential in request.headers.get("authorization", ""):
        return True
    try:
        jwt.decode(request.headers.get("auth", ""), credential, ["HS256"], options={"verify_aud": False})
    except jwt.InvalidTokenError:
        return False
    return True
