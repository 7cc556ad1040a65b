"""
The memory that results take on their way to a file: many rows beside a thousand, through each vendor's operator.

The vendors' pages are made up as they are asked for, by a server in a process of its own: a campaign's id is the number
of its rows. Each measurement is a process of its own too: its peak, as the kernel tells it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from table import Row, as_markdown, verdict

FEW = 1_000
#: Altur and Kore.ai hand out 100 rows at a time: a million each takes minutes, and no more memory.
MANY = {"kinbox": 1_000_000, "altur": 200_000, "koreai": 200_000}
TARGET = 1.1
OPERATORS = {
    "kinbox": "KinboxLeadResultsToObjectStorageOperator",
    "altur": "AlturCallsToObjectStorageOperator",
    "koreai": "KoreAIContactResultsToObjectStorageOperator",
}


def kinbox_row(place: int) -> dict[str, Any]:
    """Return one recipient's result."""
    number = f"5585{900_000_000 + place}"
    return {"number": number, "placeholders": ["Lucas"], "sentAt": "2026-03-03T14:32:41.016Z", "status": "read"}


def altur_row(place: int) -> dict[str, Any]:
    """Return one call."""
    contact = {"id": place, "f_id": f"user_{place}", "name": "Ana", "phone_number": f"+52155{place:08d}"}
    ended = {"status": "ended", "answered_by": "human", "duration": 61, "extracted_data": {}, "tags": ["paid"]}
    return {"id": f"cll_{place}", "type": "outbound", "created_at": "2026-06-01T15:04:05Z", **ended, "contact": contact}


def koreai_row(place: int) -> dict[str, Any]:
    """Return one contact's result."""
    told = {"dialerOutcome": "completed", "numberOfAttemptsSoFar": 1, "botOutboundStatus": "userHangUp"}
    return {"phoneNumber": f"1415{place:07d}", "uniqueId": f"p-{place}", "botSessionId": f"s-{place}", **told}


async def kinbox(request: Request) -> Response:
    """Answer with all rows at once, as Kinbox does."""
    total = int(request.path_params["total"])

    async def body() -> AsyncIterator[bytes]:
        for begin in range(0, total, 1000):
            rows = ",".join(json.dumps(kinbox_row(place)) for place in range(begin, min(total, begin + 1000)))
            yield f"{',' if begin else '['}{rows}".encode()
        yield b"]"

    return StreamingResponse(body(), media_type="application/json")


async def altur(request: Request) -> Response:
    """Answer with a page of calls."""
    total, index = int(request.path_params["total"]), int(request.query_params["pageIndex"])
    end = min(total, (index + 1) * 100)
    return JSONResponse(
        {
            "total_count": total if index == 0 else None,
            "calls": [altur_row(place) for place in range(index * 100, end)],
            "pagination": {"has_next": end < total, "next_page": index + 1 if end < total else None},
        }
    )


async def koreai(request: Request) -> Response:
    """Answer with a page of contacts."""
    total, page = int(request.path_params["total"]), int((await request.json())["page"])
    rows = [koreai_row(place) for place in range((page - 1) * 100, min(total, page * 100))]
    data = {"results": rows, "page": page, "limit": 100, "totalPages": -(-total // 100), "totalResults": total}
    return JSONResponse({"status": "success", "data": data})


APP = Starlette(
    routes=[
        Route("/kinbox/v1/campaigns/{total}/chunk-leads", kinbox),
        Route("/altur/campaigns/{total}/calls", altur),
        Route("/koreai/agentassist/api/v1/public/{app}/campaign/{total}/status", koreai, methods=["POST"]),
    ]
)


def serve(ready: Connection) -> None:
    """Serve the pages at a free port of the loopback, and tell which."""
    import socket

    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ready.send(f"http://127.0.0.1:{listener.getsockname()[1]}")
    uvicorn.Server(uvicorn.Config(APP, loop="asyncio", http="h11", log_level="error")).run(sockets=[listener])


@contextmanager
def running() -> Iterator[str]:
    """Run the server in another process for as long as the block lasts, and give its URL."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def written(vendor: str, url: str, rows: int, path: str) -> dict[str, Any]:
    """Write so many results with the vendor's operator, as a worker does."""
    from airflow_provider_campaigns.operators import results

    extra: dict[str, Any] = {"rate_limit": 1000}
    if vendor == "koreai":
        extra |= {"app_id": "st-benchmark", "account_id": "benchmark"}
    connection = {"conn_type": vendor, "host": f"{url}/{vendor}", "login": "cs-1", "password": "s" * 32, "extra": extra}
    os.environ[f"AIRFLOW_CONN_{vendor.upper()}_DEFAULT"] = json.dumps(connection)
    operator = getattr(results, OPERATORS[vendor])(task_id="results", campaign_id=str(rows), path=path)
    ti = SimpleNamespace(dag_id="benchmark", run_id="manual", task_id="results", map_index=-1, try_number=1)
    done: dict[str, Any] = operator.execute({"ti": ti})
    return done


def measured(vendor: str, url: str, rows: int) -> tuple[float, float]:
    """Return this process's peak of memory after it wrote so many results, in MiB, and the seconds that took."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        assert written(vendor, url, rows, f"{folder}/rows.jsonl")["count"] == rows
        seconds = time.perf_counter() - began
    # The kernel of Linux counts in KiB, that of macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == "darwin" else 10), seconds


def rows() -> list[Row]:
    """Return the figure of each vendor."""
    found = []
    spawn = multiprocessing.get_context("spawn")
    with running() as url:
        for vendor, many in MANY.items():
            with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
                few_peak, _ = pool.submit(measured, vendor, url, FEW).result()
                peak, seconds = pool.submit(measured, vendor, url, many).result()
            found.append(
                Row(
                    f"peak memory of {many:,} results to a file: {vendor}",
                    f"{peak:.0f} MiB, {many / seconds:,.0f} rows/s",
                    f"{FEW:,} results: {few_peak:.0f} MiB",
                    f"{peak / few_peak:.2f}",
                    f"<= {TARGET}",
                    verdict(peak / few_peak <= TARGET),
                )
            )
    return found


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())
    print(as_markdown(rows()))
