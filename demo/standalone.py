"""`make airflow`: Airflow with the example DAGs, the sandbox and the three connections, to look at in a browser."""

from __future__ import annotations

import os
import signal
import sys

from environment import REPOSITORY, airflow_environment, keep_connections, migrate, served_at
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
        environment = {**airflow_environment(home, {}), **served_at(airflow_port)}
        migrate(home, environment)
        keep_connections(home, environment, sandbox.connections())
        print(
            f"Airflow comes up at http://127.0.0.1:{airflow_port}, the sandbox runs at {sandbox.url}. Ctrl-C ends both."
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        airflow = Leashed([sys.executable, "-m", "airflow", "standalone"], environment)
        try:
            return airflow.wait()
        except KeyboardInterrupt:
            return 130
        finally:
            airflow.kill()


if __name__ == "__main__":
    sys.exit(main())
