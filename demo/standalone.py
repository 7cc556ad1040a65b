"""`make airflow`: Airflow with the example DAGs, the sandbox and the three connections, to look at in a browser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from environment import REPOSITORY, airflow_environment, migrate, served_at
from leash import Leashed

from airflow_provider_campaigns.sandbox.server import Sandbox


def main() -> int:
    """Serve until interrupted."""
    home = REPOSITORY / ".demo"
    sandbox_port, airflow_port = (
        int(os.environ.get("SANDBOX_PORT", "8700")),
        int(os.environ.get("AIRFLOW_PORT", "8080")),
    )
    with Sandbox(speed=60, port=sandbox_port) as sandbox:
        # The connections live in the database here, so that the connection form shows them.
        environment = {**airflow_environment(home, {}), **served_at(airflow_port)}
        migrate(home, environment)
        exported = home / "connections.json"
        exported.write_text(json.dumps(sandbox.connections()))
        command = [sys.executable, "-m", "airflow"]
        load = [*command, "connections", "import", "--overwrite", str(exported)]
        subprocess.run(load, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        print(
            f"Airflow comes up at http://127.0.0.1:{airflow_port}, the sandbox runs at {sandbox.url}. Ctrl-C ends both."
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        airflow = Leashed([*command, "standalone"], environment)
        try:
            return airflow.wait()
        except KeyboardInterrupt:
            return 130
        finally:
            airflow.kill()


if __name__ == "__main__":
    sys.exit(main())
