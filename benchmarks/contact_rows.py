"""
The memory that a million contacts take: read and checked to the last row, each person once, and read again to be sent.

Each measurement is a process of its own, a worker with Airflow's modules: its peak, as the kernel tells it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from table import Row, as_markdown, verdict

FEW, MANY = 1_000, 1_000_000
TARGET_MIB = 256


def write_contacts(path: Path, people: int) -> None:
    """Write so many people, each tenth of them once more and in another spelling."""
    with path.open("w") as file:
        file.write("contact,name,city\n")
        for place in range(people):
            file.write(f"+5511{900_000_000 + place},Ana {place},Recife\n")
            if place % 10 == 0:
                file.write(f"+55 (11) {90_000 + place // 10_000}-{place % 10_000:04d},Ana,Recife\n")


def measured(path: str, people: int) -> tuple[float, float]:
    """Return the peak of memory after so many contacts were checked and read, in MiB, and the seconds of CPU."""
    from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator

    logging.disable(logging.CRITICAL)
    fields = {"name": "b", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
    rows = AlturCreateCampaignOperator(task_id="contacts", contacts=path, **fields).contact_rows()
    began = time.process_time()
    checked = rows.check()
    assert (checked.rows, checked.duplicates) == (people, -(-people // 10))
    assert sum(1 for _ in rows.sound()) == people
    seconds = time.process_time() - began
    # The kernel of Linux counts in KiB, that of macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == "darwin" else 10), seconds


def rows() -> list[Row]:
    """Return the figure."""
    spawn = multiprocessing.get_context("spawn")
    peaks, seconds = {}, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for people in (FEW, MANY):
            path = Path(folder, f"{people}.csv")
            write_contacts(path, people)
            with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
                peaks[people], seconds = pool.submit(measured, str(path), people).result()
    return [
        Row(
            f"peak memory of {MANY:,} contacts, checked and read again",
            f"{peaks[MANY]:.0f} MiB, {MANY / seconds:,.0f} people/s of CPU",
            f"{FEW:,} contacts: {peaks[FEW]:.0f} MiB",
            f"{peaks[MANY] / peaks[FEW]:.2f}",
            f"< {TARGET_MIB} MiB",
            verdict(peaks[MANY] < TARGET_MIB),
        )
    ]


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())
    print(as_markdown(rows()))
