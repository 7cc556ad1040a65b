"""A folder of its own for Airflow: where its settings, database and logs go, and how it is made ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


def airflow_environment(home: Path, connections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """
    Return the environment for Airflow's commands.

    :param home: The folder that everything goes to.
    :param connections: Airflow connections by id.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {
        **kept,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        # Below Airflow's 5 seconds, a task that resumes soon after it deferred can be taken for one that was lost.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Airflow looks its own command up on the PATH.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections.items()},
    }


def served_at(port: int) -> dict[str, str]:
    """Return the settings with which Airflow serves its pages and its API on a loopback port, without a login."""
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    }


def migrate(home: Path, environment: Mapping[str, str]) -> None:
    """Make the metadata database ready, once for each version of Airflow; the output goes to a log file."""
    import airflow

    ready = home / f"migrated-{airflow.__version__}"
    if ready.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    log = home / "migrate.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, env=dict(environment), stdout=output, stderr=output, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"Airflow's database could not be made ready; see {log}")
    ready.touch()


def keep_connections(home: Path, environment: Mapping[str, str], connections: Mapping[str, Mapping[str, Any]]) -> None:
    """
    Put connections into the database, where Airflow's connection form shows them and its Test button works on them.

    The button sends port 0 for a connection that has none, and then takes that for another place.
    """
    exported = home / "connections.json"
    exported.write_text(json.dumps({conn_id: {**one, "port": 0} for conn_id, one in connections.items()}))
    command = [sys.executable, "-m", "airflow", "connections", "import", "--overwrite", str(exported)]
    subprocess.run(command, env=dict(environment), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
