"""The server as a process sees it: its port, its end, the command line and the fixture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from post_office import PostVendor, create, eventually

import airflow_provider_campaigns
from airflow_provider_campaigns.sandbox.server import Sandbox

#: Where the package is: a subprocess finds it from there, installed or not.
HERE = Path(airflow_provider_campaigns.__file__).parents[1]

pytest_plugins = ["airflow_provider_campaigns.testing.sandbox_fixtures"]


def test_a_closed_sandbox_frees_its_port_even_while_a_client_waits(session):
    sandbox = Sandbox(vendors=[PostVendor]).start()
    port = int(sandbox.url.rsplit(":", 1)[1])
    sandbox.order_fault(kind="timeout", seconds=60)
    failures = []

    def wait():
        try:
            create(sandbox, session, timeout=30)
        except requests.RequestException as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert eventually(lambda: sandbox.journal()["requests"])
    began = time.monotonic()
    sandbox.close()
    assert time.monotonic() - began < 5
    waiting.join()
    assert failures
    with Sandbox(vendors=[PostVendor], port=port) as again:
        assert again.url.endswith(f":{port}")


def test_the_server_listens_on_loopback_only(sandbox):
    assert sandbox.url.startswith("http://127.0.0.1:")


@pytest.fixture(scope="session")
def campaign_sandbox_server():
    with Sandbox(vendors=[PostVendor]) as sandbox:
        yield sandbox


def test_the_fixture_points_airflows_connections_to_the_sandbox(campaign_sandbox):
    connection = json.loads(os.environ["AIRFLOW_CONN_POST_DEFAULT"])
    assert connection == {
        "conn_type": "post",
        "host": campaign_sandbox.base_url("post"),
        "password": "sandbox-token",
        "login": "post-office",
    }


@pytest.mark.parametrize("turn", [1, 2])
def test_the_fixture_is_empty_for_every_test(campaign_sandbox, session, turn):
    assert campaign_sandbox.journal() == {"requests": [], "counts": {}, "campaigns": []}
    assert create(campaign_sandbox, session).status_code == 201
    campaign_sandbox.order_fault(kind="error", times=None)


def test_the_fixture_serves_the_vendors_that_a_project_chooses(tmp_path):
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent("""
            import pytest

            pytest_plugins = ["airflow_provider_campaigns.testing"]

            @pytest.fixture(scope="session")
            def campaign_airflow():
                "None: these tests have one of their own."

            @pytest.fixture(scope="session")
            def campaign_sandbox_vendors():
                return ["altur"]
        """)
    )
    (tmp_path / "test_it.py").write_text("def test_it(campaign_sandbox): print(*campaign_sandbox.connections())")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert run.stdout.splitlines()[0].startswith("altur_default")


def test_the_fixtures_import_neither_airflow_nor_the_server():
    code = "import sys, airflow_provider_campaigns.testing; print(*{'airflow', 'starlette'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    assert run.stdout == "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_says_where_it_listens_and_ends_cleanly(number):
    code = textwrap.dedent("""
        import sys
        from airflow_provider_campaigns.sandbox import __main__
        sys.exit(__main__.main(["--port", "0", "--speed", "5", "--vendor", "kinbox"]))
    """)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], cwd=HERE, **pipes) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("Kinbox   http://127.0.0.1:")
        control = run.stdout.readline().split()[-1]
        assert requests.get(control + "health", timeout=5).status_code == 200
        run.send_signal(number)
        _, errors = run.communicate(timeout=10)
    assert (run.returncode, errors) == (0, "")
