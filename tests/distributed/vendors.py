"""Vendors of the cluster's tests: one for each launch, so that what is ordered for it does not meet another."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

import jwt
from cluster import Cluster, until
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from whole_airflow import free_ports

from airflow_provider_campaigns.sandbox.server import Sandbox

NAMES = ("kinbox", "altur", "koreai")
#: Vendor seconds per real second: campaigns last for longer than a death.
SPEED = 5.0
#: Vendor seconds per real second while nothing is to come to an end.
SLOW = 0.001
#: Vendor seconds per real second for what is to be over at once.
FAST = 1_000_000.0
CONTACTS: Mapping[str, int] = {"kinbox": 100, "altur": 1100, "koreai": 120}
#: Contacts of the campaigns that are launched many at a time.
FEW_CONTACTS: Mapping[str, int] = {**CONTACTS, "altur": 50}
#: Seconds that a request is held back at most: longer than anything that is waited for.
_HELD = 3600
#: Seconds that a client waits for an answer: the most that a connection takes.
_PATIENCE = 600
_numbers = itertools.count(1)
_RUNNING = ("processing", "scheduled", "executing", "active", "Active", "Preparing")


class Vendor:
    """
    One vendor's API with nothing there yet.

    :param name: The vendor.
    :param limited: Whether the documented limit of requests holds, and is kept to.
    """

    def __init__(self, name: str, *, limited: bool = False) -> None:
        (self._port,) = free_ports(1)
        self.name = name
        # Not by its port, which another may have after it.
        self.conn_id = f"{name}_{next(_numbers)}"
        self.limited = limited
        self.sandbox = Sandbox(SPEED, port=self._port, vendors=[name], enforce_limits=limited).start()
        self._deaf: list[socket.socket] = []

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection to it."""
        connection = self.sandbox.connections()[f"{self.name}_default"]
        # What holds a request back is the test, not the clients' patience.
        settings = {} if self.limited else {"rate_limit": 100, "timeout": _PATIENCE}
        return {**connection, "extra": {**connection.get("extra", {}), **settings}}

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

    def hold(self, endpoint: str, *, skip: int = 0, late: bool = False) -> None:
        """
        Answer a request only when it is released.

        :param endpoint: Which.
        :param skip: How many requests to the endpoint come before it.
        :param late: Whether it takes effect only then, too.
        """
        order = {"vendor": self.name, "endpoint": endpoint, "skip": skip}
        self.sandbox.order_fault(**order, kind="slow", effect=not late, seconds=_HELD)

    def holds(self) -> bool:
        """Whether the request to hold has arrived."""
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

    def close(self) -> None:
        """End it, without waiting for that."""
        self.sandbox.release()
        threading.Thread(target=self.sandbox.close, daemon=True).start()

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


def vendor_for(cluster: Cluster, name: str, *, limited: bool = False) -> Vendor:
    """Return a new vendor with nothing there yet, to which the cluster has a connection."""
    vendor = Vendor(name, limited=limited)
    connection = {**vendor.connection, "connection_id": vendor.conn_id}
    cluster.call("POST", "connections", json={**connection, "extra": json.dumps(connection["extra"])})
    return vendor


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
