"""
Handing contacts to Altur at its documented limit, where every answer takes 400 ms: batches under way at once.

The vendor is an HTTP server of a few lines in a process of its own, which answers each batch after that time. The rows
are what the operators send: checked contacts in batches of 1,000. The limit is Altur's documented one, 12 a second.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from table import Row, as_markdown, verdict

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.contacts import CheckedContact, on_the_wire
from airflow_provider_campaigns.operators.altur import BATCHES_IN_FLIGHT

ANSWER_SECONDS = 0.4
BATCH = 1_000
BATCHES = 100
LIMIT = 12
TARGET = 1.2


class Slow(BaseHTTPRequestHandler):
    """Takes each batch, after a while."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer that all are created."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(ANSWER_SECONDS)
        created = {"created": len(body["contacts"]), "updated": 0, "skipped_duplicate": 0, "failed": 0}
        answer = json.dumps({"success": True, "summary": created, "results": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def serve(told: Connection) -> None:
    """Serve, and tell the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    told.send(server.server_port)
    server.serve_forever()


def seconds_for(port: int, in_flight: int) -> float:
    """Return how long all batches take."""
    with AlturClient("key", base_url=f"http://127.0.0.1:{port}", rate_limit=LIMIT) as client:
        rows = (
            on_the_wire(CheckedContact({"contact": f"+5511{900_000_000 + place}", "name": f"Ana {place}"}))
            for place in range(BATCH * BATCHES)
        )
        began = time.monotonic()
        sent = sum(
            batch.created
            for batch in client.add_checked_contacts("7", rows, key_prefix="benchmark", in_flight=in_flight)
        )
        assert sent == BATCH * BATCHES
        return time.monotonic() - began


def rows() -> list[Row]:
    """Return the figure one at a time, with half of the default, and with the default."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        port = here.recv()
        limit = BATCHES / LIMIT
        found = []
        what = f"{BATCH * BATCHES:,} contacts at Altur, {ANSWER_SECONDS:g} s an answer"
        for in_flight in (1, 4, BATCHES_IN_FLIGHT):
            took = seconds_for(port, in_flight)
            time.sleep(1)
            has_target = in_flight == BATCHES_IN_FLIGHT
            found.append(
                Row(
                    f"{what}, {in_flight} batches in flight",
                    f"{took:.1f} s",
                    f"at the documented limit of {LIMIT} requests a second: {limit:.1f} s",
                    f"{took / limit:.2f}",
                    f"<= {TARGET}" if has_target else "",
                    verdict(took / limit <= TARGET) if has_target else "",
                )
            )
        return found
    finally:
        process.terminate()
        process.join(10)


if __name__ == "__main__":
    print(as_markdown(rows()))
