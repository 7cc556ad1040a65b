"""
100,000 waits over ten triggerers: how many requests their vendor gets at each tick.

Each triggerer is a process of its own with one event loop and 10,000 triggers on its shared poller. The vendor is a
process too: it answers as the sandbox's Kinbox does, from pages that are made beforehand, and counts. Pollers share
nothing between processes, so each of them walks the list by itself. Two cases: ten waits, one in each triggerer, for
each of 10,000 campaigns; and one wait for each of 100,000 campaigns of one account, dealt out in turn, so that each
triggerer's campaigns stand all over the list.

``BENCH_WAITS=10000`` makes it smaller: so many waits in all, over as many triggerers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import IO, Any

from table import Row, as_markdown, verdict

WAITS = int(os.environ.get("BENCH_WAITS", "100000"))
TRIGGERERS = 10
INTERVAL_SECONDS = 30.0
PAGE = 100
#: Every triggerer must have begun a second whole look by then.
LIMIT_SECONDS = 500.0


def campaign_id(place: int) -> str:
    """Return the id of the campaign at a place of the list; ids look like Kinbox's."""
    return f"{0x66000000:08x}{place:016x}"


class Vendor:
    """
    An ASGI application: the list, a campaign by id, and how often each triggerer asked.

    :param model: A campaign as the sandbox shows it.
    :param campaigns: How many there are.
    """

    def __init__(self, model: dict[str, Any], campaigns: int) -> None:
        self._model = model
        ids = [campaign_id(place) for place in range(campaigns)]
        self._pages: dict[str, bytes] = {}
        cursor = ""
        for first in range(0, campaigns, PAGE):
            page = ids[first : first + PAGE]
            more = page[-1] if first + PAGE < campaigns else None
            self._pages[cursor] = json.dumps({"data": list(map(self._shown, page)), "nextCursor": more}).encode()
            cursor = page[-1]
        #: By triggerer, its requests in their order: when, and whether it begins a look.
        self.requests: list[list[tuple[float, bool]]] = [[] for _ in range(TRIGGERERS)]

    def _shown(self, name: str) -> dict[str, Any]:
        return {**self._model, "id": name}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer ``/<triggerer>/v1/campaigns``, with a cursor or an id, as Kinbox does."""
        _, triggerer, *path = scope["path"].split("/")
        query = scope["query_string"].decode()
        listed = path[-1] == "campaigns"
        cursor = query.partition("cursor=")[2].partition("&")[0]
        self.requests[int(triggerer)].append((time.time(), listed and not cursor))
        body = self._pages[cursor] if listed else json.dumps(self._shown(path[-1])).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def model_campaign() -> dict[str, Any]:
    """Return a campaign as the sandbox shows it."""
    from server import BenchmarkApp, fill

    from airflow_provider_campaigns.sandbox.clock import Clock
    from airflow_provider_campaigns.sandbox.kinbox.vendor import KinboxVendor
    from airflow_provider_campaigns.sandbox.pace import INSTANT

    app = BenchmarkApp(Clock(0), [KinboxVendor], enforce_limits=False, pace=INSTANT)
    await fill(app, 1, 1)
    _, body = await app.ask("GET", "/kinbox/v1/campaigns")
    shown: dict[str, Any] = json.loads(body)["data"][0]
    return shown


def serve(campaigns: int) -> None:
    """Serve until standard input closes; a line there is answered with what was asked since the vendor began."""
    from airflow_provider_campaigns.sandbox.server import Sandbox

    vendor = Vendor(asyncio.run(model_campaign()), campaigns)
    sandbox = Sandbox(0, enforce_limits=False)
    sandbox.app = vendor  # type: ignore[assignment]
    with sandbox:
        print(json.dumps(sandbox.url), flush=True)
        for _ in sys.stdin:
            print(json.dumps(vendor.requests), flush=True)


async def wait_for(campaigns: Sequence[str]) -> None:
    """Run a trigger for each campaign until standard input closes, and print a line once all campaigns were seen."""
    from waits import our_trigger, render_logs

    from airflow_provider_campaigns.wait.state import WaitState

    async def run(campaign: str) -> None:
        async for event in our_trigger(campaign, INTERVAL_SECONDS).run():
            raise AssertionError(f"no campaign ends here: {event.payload}")

    render_logs()
    seen = set()
    answered = WaitState.answered

    def noted(wait: WaitState, *arguments: Any, **options: Any) -> Any:
        seen.add(wait.campaign_id)
        return answered(wait, *arguments, **options)

    WaitState.answered = noted  # type: ignore[method-assign]
    tasks = [asyncio.create_task(run(campaign)) for campaign in campaigns]
    began = time.time()
    while len(seen) < len(campaigns):
        if time.time() > began + LIMIT_SECONDS:
            raise TimeoutError(f"{len(seen)} of {len(campaigns)} campaigns were seen in {LIMIT_SECONDS:g} s")
        await asyncio.sleep(0.5)
        for task in tasks:
            if task.done():
                task.result()
    print("seen", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    # What is under way is of no interest; threads that ask would keep the process alive.
    os._exit(0)


def places(triggerer: int, campaigns: int) -> range:
    """Return the places of a triggerer's campaigns: all of them, or where there is one for each wait every tenth."""
    return range(triggerer, campaigns, TRIGGERERS) if campaigns == WAITS else range(campaigns)


def whole_looks(requests: Sequence[tuple[float, bool]], since: float) -> list[int]:
    """Return the requests of each look that began after a moment and has ended."""
    begins = [place for place, (at, begins) in enumerate(requests) if begins and at >= since]
    return [after - before for before, after in pairwise(begins)]


def ask(process: subprocess.Popen[str]) -> list[list[tuple[float, bool]]]:
    """Return what the vendor was asked."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    asked: list[list[tuple[float, bool]]] = json.loads(process.stdout.readline())
    return asked


def measure(campaigns: int) -> list[int]:
    """Return how many requests the vendor got from each triggerer at a tick."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        environment["BENCH_WAITS"] = str(WAITS)

        def start(**arguments: Any) -> tuple[subprocess.Popen[str], IO[str]]:
            command = [sys.executable, __file__, "--campaigns", str(campaigns)]
            command += [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            assert process.stdout
            return process, process.stdout

        vendor, told = start()
        url = json.loads(told.readline())
        outputs = [start(triggerer=number, url=url)[1] for number in range(TRIGGERERS)]
        began = time.time()
        # One that does not get so far ends by itself, and its output with it.
        for output in outputs:
            if "seen\n" not in output:
                raise RuntimeError("A triggerer ended before it had seen its campaigns; what it said stands above.")
        since = time.time()
        looks: list[list[int]] = [[]]
        while not all(looks) and time.time() < began + LIMIT_SECONDS:
            time.sleep(1)
            looks = [whole_looks(requests, since) for requests in ask(vendor)]
        if not all(looks):
            raise TimeoutError(f"No whole look of each triggerer in {LIMIT_SECONDS:g} s: {looks}")
        print(campaigns, looks, f"{time.time() - began:.0f} s", file=sys.stderr)
        return [max(found) for found in looks]


def rows() -> list[Row]:
    """Return the figures."""
    found = []
    for campaigns, what in (
        (WAITS // TRIGGERERS, f"{TRIGGERERS} for each of {WAITS // TRIGGERERS:,} campaigns"),
        (WAITS, "each for a campaign of its own in one account"),
    ):
        asked = measure(campaigns)
        pages = math.ceil(campaigns / PAGE)
        total, limit = sum(asked), TRIGGERERS * pages
        found.append(
            Row(
                f"{WAITS:,} waits over {TRIGGERERS} triggerers, {what}: requests per tick",
                f"{total:,}; {max(asked):,} of one triggerer at most",
                f"one per wait: {WAITS:,}; the list once: {pages:,}",
                f"{total / WAITS:.2%}",
                f"<= {TRIGGERERS} * {pages:,}",
                verdict(total <= limit),
            )
        )
    return found


def main() -> None:
    """Be the vendor or a triggerer, or measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--campaigns", type=int)
    parser.add_argument("--triggerer", type=int)
    parser.add_argument("--url")
    chosen = parser.parse_args()
    if chosen.campaigns is None:
        print(as_markdown(rows()))
    elif chosen.triggerer is None:
        serve(chosen.campaigns)
    else:
        os.environ["AIRFLOW_CONN_KINBOX_DEFAULT"] = json.dumps(
            {"conn_type": "kinbox", "host": f"{chosen.url}/{chosen.triggerer}", "password": "sandbox-token"}
        )
        asyncio.run(wait_for([campaign_id(place) for place in places(chosen.triggerer, chosen.campaigns)]))


if __name__ == "__main__":
    main()
