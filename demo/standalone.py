"""`make airflow`: Airflow with the example DAGs, the sandbox and the three connections, to look at in a browser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from environment import REPOSITORY, airflow_environment, migrate

from airflow_provider_campaigns.sandbox.server import Sandbox


def main() -> int:
    """Serve until interrupted."""
    home = REPOSITORY / ".demo"
    sandbox_port, airflow_port = int(os.environ.get("SANDBOX_PORT", "8700")), os.environ.get("AIRFLOW_PORT", "8080")
    with Sandbox(speed=60, port=sandbox_port) as sandbox:
        environment = {
            # The connections live in the database here, so that the connection form shows them.
            **airflow_environment(home, {}),
            "AIRFLOW__API__PORT": airflow_port,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{airflow_port}",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{airflow_port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        }
        migrate(home, environment)
        exported = home / "connections.json"
        exported.write_text(json.dumps(sandbox.connections()))
        command = [sys.executable, "-m", "airflow"]
        load = [*command, "connections", "import", "--overwrite", str(exported)]
        subprocess.run(load, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        print(
            f"Airflow comes up at http://127.0.0.1:{airflow_port}, the sandbox runs at {sandbox.url}. Ctrl-C ends both."
        )
        airflow = subprocess.Popen([*command, "standalone"], env=environment, start_new_session=True)  # noqa: S603
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return airflow.wait()
        except KeyboardInterrupt:
            return 130
        finally:
            _end_group(airflow)


def _end_group(airflow: subprocess.Popen[bytes]) -> None:
    """End Airflow and all that it started; its triggerer takes its time unless it is told firmly."""
    for number, seconds in ((signal.SIGINT, 15), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(airflow.pid, number)
        except ProcessLookupError:
            return
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            airflow.poll()
            try:
                os.killpg(airflow.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
