"""
The CPU time of a million contacts at Altur, from the file to the requests, beside `csv` and `json` alone.

Ours is all that an operator does: it reads and checks each row, knows each person in any spelling, keeps what it
checked, and hands it to the client in batches with keys of their own; an adapter of `requests` takes each request and
answers at once. Alone is what a script would do that trusts its file: `csv.DictReader`, each contact as a dict in
Altur's form, and `json.dumps` of it. The two take turns, each in a process of its own.
"""

from __future__ import annotations

import csv
import json
import logging
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import requests
from contact_rows import write_contacts
from requests.adapters import BaseAdapter
from table import Row, as_markdown, verdict

PEOPLE = 1_000_000
TURNS = 2
TARGET = 2.0


class Answering(BaseAdapter):
    """Takes each batch at once."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Answer that all contacts of a batch are created."""
        import io

        from urllib3 import HTTPResponse

        created = (request.body or b"").count(b'"contact":')  # type: ignore[arg-type]
        self.taken += created
        summary = {"created": created, "updated": 0, "skipped_duplicate": 0, "failed": 0}
        response = requests.Response()
        response.status_code = 200
        response.raw = HTTPResponse(
            io.BytesIO(json.dumps({"success": True, "summary": summary, "results": []}).encode()),
            status=200,
            preload_content=False,
        )
        return response

    def close(self) -> None:
        """Nothing is open."""


def ours(path: str, people: int) -> float:
    """Return the seconds of CPU from the file to the requests."""
    from airflow_provider_campaigns.api.altur.client import AlturClient
    from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

    logging.disable(logging.CRITICAL)
    fields = {"name": "b", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
    rows = AlturCreateCampaignOperator(task_id="contacts", contacts=path, **fields).contact_rows()
    with AlturClient("key", base_url="http://127.0.0.1:1", rate_limit=1_000_000) as client:
        vendor = Answering()
        client.transport._session.mount("http://", vendor)
        began = time.process_time()
        assert rows.check().rows == people
        for _ in rows.placed(client.add_checked_contacts("7", rows.sound(), key_prefix="benchmark", in_flight=4)):
            pass
        seconds = time.process_time() - began
        assert vendor.taken == people
    return seconds


def alone(path: str, people: int) -> float:
    """Return the seconds of CPU of `csv` and `json`."""
    began = time.process_time()
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            contact = {"contact": row["contact"], "name": row["name"], "extracted_data": {"city": row["city"]}}
            json.dumps(contact).encode()
    return time.process_time() - began


def measured(people: int, turns: int = TURNS) -> tuple[float, float]:
    """Return the least seconds of CPU, ours and alone."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contacts.csv")
        write_contacts(path, people)
        seconds = []
        for _ in range(turns):
            for one in (alone, ours):
                with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
                    seconds.append(pool.submit(one, str(path), people).result())
    return min(seconds[1::2]), min(seconds[::2])


def rows() -> list[Row]:
    """Return the figure."""
    own, other = measured(PEOPLE)
    return [
        Row(
            f"{PEOPLE:,} contacts at Altur, CPU from the file to the requests",
            f"{own:.1f} s",
            f"`csv` + `json` alone: {other:.1f} s",
            f"{own / other:.2f}",
            f"<= {TARGET:g}",
            verdict(own / other <= TARGET),
        )
    ]


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())
    print(as_markdown(rows()))
