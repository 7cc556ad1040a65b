"""`make demo`: the example DAGs of all vendors through Airflow against the sandbox, with a table at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from environment import REPOSITORY, airflow_environment, migrate

from airflow_provider_campaigns.sandbox.server import Sandbox

VENDORS = {"kinbox": "Kinbox", "altur": "Altur", "koreai": "Kore.ai"}
#: Vendor seconds per real second: campaigns of some minutes take some seconds.
SPEED = 60


def main() -> int:
    """Run the demo and return its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    home = REPOSITORY / ".demo"
    with Sandbox(speed=SPEED) as sandbox:
        environment = airflow_environment(home, sandbox.connections())
        print(f"The sandbox runs at {sandbox.url}, {SPEED} times as fast as life.")
        print("Making Airflow's database ready ...")
        migrate(home, environment)
        log = home / "demo.log"
        dags = [str(REPOSITORY / "example_dags" / f"example_{vendor}.py") for vendor in VENDORS]
        with log.open("w") as output:
            command = [sys.executable, str(Path(__file__).with_name("dags.py")), *dags]
            runs = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603
            print(f"Running {len(dags)} example DAGs through Airflow; its log is {log.relative_to(REPOSITORY)}.")
            try:
                _follow(sandbox, runs)
            finally:
                _end(runs)
        finished = _table(sandbox.journal())
    if runs.returncode or not finished:
        print(f"Not all campaigns finished; see {log}", file=sys.stderr)
        return 1
    print("All campaigns finished, one for each DAG run.")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _follow(sandbox: Sandbox, runs: subprocess.Popen[bytes]) -> None:
    """Print each change of a campaign until the runs are over."""
    told: dict[str, tuple[str, int]] = {}
    while runs.poll() is None:
        for campaign in sandbox.journal()["campaigns"]:
            percent = _percent(campaign)
            state = (campaign["status"], percent // 10)
            if told.get(campaign["id"]) != state:
                told[campaign["id"]] = state
                print(f"  {VENDORS[campaign['vendor']]:8} {campaign['status']:24} {percent:3d} %", flush=True)
        time.sleep(0.3)


def _end(runs: subprocess.Popen[bytes]) -> None:
    if runs.poll() is None:
        runs.terminate()
        try:
            runs.wait(10)
        except subprocess.TimeoutExpired:
            runs.kill()
            runs.wait()


def _percent(campaign: dict[str, Any]) -> int:
    return 100 * campaign["messages"] // campaign["contacts"] if campaign["contacts"] else 0


def _table(journal: dict[str, Any]) -> bool:
    """Print what there is at each vendor; return whether it is one finished campaign each."""
    requests = Counter(request["vendor"] for request in journal["requests"])
    print(f"\n{'vendor':10}{'campaign':42}{'status':12}{'progress':>9}{'messages':>10}{'contacts':>10}{'requests':>10}")
    finished = Counter[str]()
    for campaign in journal["campaigns"]:
        vendor = campaign["vendor"]
        finished[vendor] += campaign["status"].lower() in ("done", "finished", "completed")
        print(
            f"{VENDORS[vendor]:10}{campaign['id']!s:42}{campaign['status']:12}{_percent(campaign):7d} %"
            f"{campaign['messages']:10d}{campaign['contacts']:10d}{requests[vendor]:10d}"
        )
    print()
    return len(journal["campaigns"]) == len(VENDORS) and all(finished[vendor] == 1 for vendor in VENDORS)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nStopped; what the demo started is gone.", file=sys.stderr)
        sys.exit(130)
