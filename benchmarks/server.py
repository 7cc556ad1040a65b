"""
The sandbox in a process of its own, so that its work is not counted as ours.

``python server.py --campaigns 1000 --spread 200`` serves the sandbox with that many Kinbox campaigns. Vendor time
stands still until it is told to go on; from then on the campaigns finish one after another,
:data:`FIRST_FINISH_SECONDS` of vendor time after it at the earliest and ``--spread`` seconds later at the latest.

For ``HttpSensor`` there is one path more. It waits for an answer that is not 404, so ``/until_done/<id>`` is Kinbox's
own ``GET /v1/campaigns/<id>``, handled by the same code, the same body sent with 404 until the campaign is done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from starlette.types import Message, Receive, Scope, Send

from airflow_provider_campaigns.sandbox.app import SandboxApp
from airflow_provider_campaigns.sandbox.clock import Clock
from airflow_provider_campaigns.sandbox.kinbox.campaign import PROCESSING_SECONDS, TRACKING_SECONDS
from airflow_provider_campaigns.sandbox.pace import INSTANT
from airflow_provider_campaigns.sandbox.server import Sandbox

FIRST_FINISH_SECONDS = PROCESSING_SECONDS + 1 + TRACKING_SECONDS
HEADERS = [
    (b"host", b"127.0.0.1"),
    (b"authorization", b"Bearer sandbox-token"),
    (b"content-type", b"application/json"),
]


class BenchmarkApp(SandboxApp):
    """The sandbox, and ``/until_done/<id>``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/until_done/"):
            await super().__call__(scope, receive, send)
            return
        path = scope["path"].replace("/until_done/", "/kinbox/v1/campaigns/")
        status, body = await self.ask("GET", path)
        if json.loads(body).get("status") != "done":
            status = 404
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Answer a request that did not come over the network."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": HEADERS}
        await super().__call__({**scope, "query_string": b"", "root_path": "", "http_version": "1.1"}, receive, send)
        return sent[0]["status"], sent[1]["body"]


async def fill(app: BenchmarkApp, campaigns: int, spread: int) -> None:
    """Create Kinbox campaigns that need one vendor second for each recipient and finish over the spread."""
    for place in range(campaigns):
        leads = 1 + place * spread // campaigns
        body = {
            "name": f"Benchmark {place}",
            "leadType": "file",
            "leadsAssetUrl": f"https://files.example.com/leads.csv?leads={leads}",
            "message": "Our winter offer",
            "secondsBetweenMessages": 1,
            "chunkSize": 1 + spread,
        }
        status, _ = await app.ask("POST", "/kinbox/v3/campaigns", body)
        assert status == 201


def finish_seconds(place: int, campaigns: int, spread: int) -> float:
    """Return how many vendor seconds after its creation the campaign at a place has finished."""
    return FIRST_FINISH_SECONDS + place * spread // campaigns


def serve(campaigns: int, spread: int, speed: float) -> None:
    """Serve until standard input closes; a line there is a new speed, and the moment since when it holds is printed."""
    sandbox = Sandbox(speed, enforce_limits=False)
    vendors = [type(vendor) for vendor in sandbox.app.vendors]
    sandbox.app = BenchmarkApp(Clock(speed), vendors, enforce_limits=False, pace=INSTANT)
    asyncio.run(fill(sandbox.app, campaigns, spread))
    sandbox.app.journal.clear()
    with sandbox:
        print(json.dumps({"url": sandbox.url, "connections": sandbox.connections()}), flush=True)
        for line in sys.stdin:
            sandbox.app.clock.set_speed(float(line))
            print(time.time(), flush=True)


class Server:
    """
    The other process, seen from this one.

    :param url: Where it serves.
    :param connections: Airflow connections to it, by id.
    """

    def __init__(self, process: subprocess.Popen[str], url: str, connections: dict[str, dict[str, Any]]) -> None:
        self._process = process
        self.url = url
        self.connections = connections
        self._session = requests.Session()
        self._session.trust_env = False
        self._lock = threading.Lock()

    def control(self, method: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Make a request to the sandbox's control routes."""
        with self._lock:
            response = self._session.request(method, f"{self.url}/_sandbox/{what}", timeout=60, **arguments)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def set_speed(self, speed: float) -> float:
        """Let vendor time pass so fast from now on, and return when that was, however many requests are waiting."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{speed}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests that have arrived, without those that control the sandbox."""
        requests: list[dict[str, Any]] = self.control("GET", "journal")["requests"]
        return requests

    def campaigns(self) -> dict[str, dict[str, Any]]:
        """Return what exists at the vendors, by id."""
        # No request has such a number, so that none is listed.
        rows = self.control("GET", "journal", params={"since": 10**15})["campaigns"]
        return {str(row["id"]): row for row in rows}


@contextmanager
def running(*, campaigns: int = 0, spread: int = 1, speed: float = 0) -> Iterator[Server]:
    """Run the sandbox in another process for as long as the block lasts."""
    command = [sys.executable, __file__]
    command += ["--campaigns", str(campaigns), "--spread", str(spread), "--speed", str(speed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Server(process, **json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(30)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--campaigns", type=int, default=0)
    parser.add_argument("--spread", type=int, default=1)
    parser.add_argument("--speed", type=float, default=0.0)
    chosen = parser.parse_args()
    serve(chosen.campaigns, chosen.spread, chosen.speed)
