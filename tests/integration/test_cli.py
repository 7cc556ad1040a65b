"""Airflow's command line with this provider installed: its connection types, and connections that are tested."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from environment import airflow_environment

from airflow_provider_campaigns.sandbox.server import Sandbox

SECRET = "s3cret-credential-value"
VENDORS = {"kinbox": "Kinbox", "altur": "Altur", "koreai": "Kore.ai"}

Command = Callable[..., tuple[int, str]]


def as_uri(connection: Mapping[str, Any]) -> str:
    """Return a connection as Airflow reads it from a URI."""
    user = f"{quote(connection.get('login', ''), safe='')}:{quote(connection['password'], safe='')}"
    extra = urlencode(connection.get("extra", {}))
    return f"{connection['conn_type']}://{user}@{quote(connection['host'], safe='')}?{extra}"


#: Airflow takes a connection from an environment variable in either way.
WAYS = {"URI": as_uri, "JSON": json.dumps}


@pytest.fixture(scope="module")
def airflow_command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a function that runs an Airflow command and returns its exit code and all that it printed."""
    environment = airflow_environment(tmp_path_factory.mktemp("cli"), {})

    def run(*arguments: str, connection: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env={**environment, "AIRFLOW_CONN_TRIED": connection},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_airflow_lists_the_three_connection_types(airflow_command: Command) -> None:
    code, output = airflow_command("providers", "hooks", "--output", "json")
    assert code == 0, output
    # Airflow 3.1 logs on the same stream.
    listed, _ = json.JSONDecoder().raw_decode(output, output.index("[{"))
    hooks = {hook["connection_type"]: hook for hook in listed}
    assert {vendor: hooks[vendor]["hook_name"] for vendor in VENDORS} == VENDORS
    assert {hooks[vendor]["package_name"] for vendor in VENDORS} == {"airflow-provider-campaigns"}


@pytest.mark.parametrize(("vendor", "way"), [("kinbox", "URI"), ("altur", "JSON"), ("koreai", "URI")])
def test_a_good_connection_tests_well_and_shows_no_secret(
    vendor: str, way: str, airflow_command: Command, campaign_sandbox: Sandbox
) -> None:
    connection = {**campaign_sandbox.connections()[f"{vendor}_default"], "password": SECRET}
    code, output = airflow_command("connections", "test", "tried", connection=WAYS[way](connection))
    assert code == 0, output
    assert "Connection success!" in output
    assert sum(campaign_sandbox.journal(vendor)["counts"][vendor].values()) == 1
    assert SECRET not in output


@pytest.mark.thorough
@pytest.mark.parametrize(("vendor", "way"), [("kinbox", "JSON"), ("altur", "URI"), ("koreai", "JSON")])
def test_a_refused_credential_is_told_with_what_to_check(
    vendor: str, way: str, airflow_command: Command, campaign_sandbox: Sandbox
) -> None:
    connection = {**campaign_sandbox.connections()[f"{vendor}_default"], "password": "invalid"}
    _, output = airflow_command("connections", "test", "tried", connection=WAYS[way](connection))
    assert "Connection failed!" in output
    assert "connection 'tried' (401" in output
    assert "Check " in output
    assert "Traceback" not in output


@pytest.mark.thorough
def test_a_vendor_in_trouble_is_told_without_the_secret(airflow_command: Command, campaign_sandbox: Sandbox) -> None:
    connection = {**campaign_sandbox.connections()["kinbox_default"], "password": SECRET}
    campaign_sandbox.order_fault(vendor="kinbox", endpoint="*", kind="error", status=400)
    _, output = airflow_command("connections", "test", "tried", connection=json.dumps(connection))
    assert "Connection failed!" in output
    assert "The service is having trouble" in output
    assert SECRET not in output
