"""A DAG that is tested in a process of its own, so that Airflow reads its settings from the environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: Up to 3.2 Airflow builds an API server for each task in the process, and 3.2 fails with the second.
_RUN = """
import runpy, sys
from functools import cache
try:
    from airflow.sdk.execution_time import supervisor
except ImportError:
    pass
else:
    supervisor.in_process_api_server = cache(supervisor.in_process_api_server)
file, name = sys.argv[1:]
runpy.run_path(file)[name].test()
"""


def run_dag(file: Path, name: str, environment: Mapping[str, str]) -> str:
    """
    Test a DAG, whose tasks may fail, and return what that printed.

    :param file: The DAG's file.
    :param name: The variable that holds it.
    :param environment: The environment of the process.
    """
    command = [sys.executable, "-c", _RUN, str(file), name]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, timeout=240, check=False)
    return done.stdout + done.stderr
