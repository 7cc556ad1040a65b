"""A sandbox that serves the tests' own vendor, on a clock that only a test advances."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import requests

from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox

sys.path.insert(0, str(Path(__file__).parent))

from post_office import PostVendor


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock):
    with Sandbox(vendors=[PostVendor], clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server):
    server.reset()
    return server


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer token"
        yield session
