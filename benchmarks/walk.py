"""Walking 10,000 campaigns with the client, beside the same pages with `requests` and `json` alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median

import requests
from server import Server, running
from table import Row, as_markdown, verdict

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.kinbox.lists import MAX_PAGE_SIZE

CAMPAIGNS = 10_000
RUNS = 7
TARGET = 1.3


def bare(server: Server) -> int:
    """Walk the list with nothing but a session."""
    ids: set[str] = set()
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer sandbox-token"
        cursor = None
        while True:
            query = {"limit": MAX_PAGE_SIZE, **({"cursor": cursor} if cursor else {})}
            response = session.get(f"{server.url}/kinbox/v1/campaigns", params=query, timeout=30)
            response.raise_for_status()
            page = json.loads(response.content)
            ids.update(campaign["id"] for campaign in page["data"])
            cursor = page["nextCursor"]
            if cursor is None:
                return len(ids)


def ours(server: Server) -> int:
    """Walk it with the client, which makes a campaign of each item."""
    with KinboxClient("sandbox-token", base_url=f"{server.url}/kinbox") as client:
        return sum(1 for _ in client.list_campaigns())


def timed(walk: Callable[[Server], int], server: Server) -> tuple[float, float]:
    """Return the seconds that a walk takes, and those of this process's processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    assert walk(server) == CAMPAIGNS
    return time.perf_counter() - wall, time.process_time() - cpu


def rows() -> list[Row]:
    """Return the figure, and the client's processor time alone, in which the server's speed does not count."""
    with running(campaigns=CAMPAIGNS) as server:
        runs = [(timed(ours, server), timed(bare, server)) for _ in range(1 + RUNS)][1:]
    found = []
    for place, what, target in ((0, "time", TARGET), (1, "the client's CPU", None)):
        mine = median(run[0][place] for run in runs)
        theirs = median(run[1][place] for run in runs)
        ratio = median(run[0][place] / run[1][place] for run in runs)
        found.append(
            Row(
                f"walking {CAMPAIGNS:,} campaigns, {what}",
                f"{mine:.2f} s",
                f"`requests` + `json`: {theirs:.2f} s",
                f"{ratio:.2f}",
                f"<= {target}" if target else "",
                verdict(ratio <= target) if target else "",
            )
        )
    return found


if __name__ == "__main__":
    print(as_markdown(rows()))
