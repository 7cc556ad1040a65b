"""What parsing a DAG file pays for this provider: importing all operators and sensors once `airflow.sdk` is there."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from statistics import median

from table import Row, as_markdown, verdict

from airflow_provider_campaigns import operators, sensors

RUNS = 9
TARGET_MS = 15.0
AIRFLOW_S = "Airflow's ApprovalOperator"
#: Its import is mostly that of Airflow's ApprovalOperator with its trigger, so it has a line of its own.
APPROVAL = "airflow_provider_campaigns.operators.approval"
OURS = [
    f"{package.__name__}.{module.name}"
    for package in (operators, sensors)
    for module in pkgutil.iter_modules(package.__path__)
]
MODULES = {
    "ours": [name for name in OURS if name != APPROVAL],
    "all of ours": OURS,
    AIRFLOW_S: ["airflow.providers.standard.operators.hitl"],
    "dbt Cloud": ["airflow.providers.dbt.cloud.operators.dbt", "airflow.providers.dbt.cloud.sensors.dbt"],
}
SCRIPT = """
import json, sys, time
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task
before = set(sys.modules)
began = time.perf_counter()
for name in sys.argv[1:]:
    __import__(name)
spent = time.perf_counter() - began
libraries = ("requests", "urllib3", "httpx", "aiohttp")
print(json.dumps([1000 * spent, [name for name in libraries if name in set(sys.modules) - before]]))
"""


def imported(modules: list[str]) -> tuple[float, list[str]]:
    """Return the milliseconds that importing modules takes in a new interpreter, and the HTTP libraries it loads."""
    command = [sys.executable, "-c", SCRIPT, *modules]
    # With bytecode kept, as after an installation: compiling would be measured otherwise.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    milliseconds, libraries = json.loads(done.stdout.splitlines()[-1])
    return milliseconds, libraries


def rows() -> list[Row]:
    """Return the figure."""
    # By turns, so that a busy moment of the machine hits both.
    runs = [{name: imported(modules) for name, modules in MODULES.items()} for _ in range(1 + RUNS)][1:]
    took = {name: median(run[name][0] for run in runs) for name in MODULES}
    libraries = {name: ", ".join(runs[0][name][1]) or "no HTTP library" for name in MODULES}
    return [
        Row(
            "import of all operators (approval excepted) and sensors after `airflow.sdk`",
            f"{took['ours']:.1f} ms, {libraries['ours']}",
            f"dbt Cloud's: {took['dbt Cloud']:.0f} ms, {libraries['dbt Cloud']}",
            f"{took['ours'] / took['dbt Cloud']:.2f}",
            f"<= {TARGET_MS:g} ms, no HTTP library",
            verdict(took["ours"] <= TARGET_MS and not runs[0]["ours"][1]),
        ),
        Row(
            "the same with the approval operator",
            f"{took['all of ours']:.1f} ms, {libraries['all of ours']}",
            f"{AIRFLOW_S} alone: {took[AIRFLOW_S]:.1f} ms",
            f"{took['all of ours'] / took[AIRFLOW_S]:.2f}",
        ),
    ]


if __name__ == "__main__":
    print(as_markdown(rows()))
