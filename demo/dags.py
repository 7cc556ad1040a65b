"""Runs DAG files through Airflow in this process, one after another; the exit code counts failures."""

from __future__ import annotations

import runpy
import sys


def run(path: str) -> bool:
    """Run the DAG of a file; return whether its run succeeded."""
    from airflow.sdk import DAG

    dag = next(value for value in runpy.run_path(path).values() if isinstance(value, DAG))
    print(f"=== {dag.dag_id}", flush=True)
    state = dag.test(run_conf={"poll_interval": 1}).state
    print(f"=== {dag.dag_id}: {state}", flush=True)
    return str(getattr(state, "value", state)) == "success"


if __name__ == "__main__":
    sys.exit(sum(not run(path) for path in sys.argv[1:]))
