"""The sandbox as pytest fixtures; nothing here imports Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.server import Sandbox
    from airflow_provider_campaigns.sandbox.vendor import Vendor


@pytest.fixture(scope="session")
def campaign_sandbox_speed() -> float:
    """Vendor seconds per real second; override it to have another speed."""
    return 600


@pytest.fixture(scope="session")
def campaign_sandbox_pace() -> str:
    """
    ``instant``: a campaign takes minutes of vendor time, at any hour of the day that the tests run at.

    Override it with ``vendor`` to have hours, limits a day and messages a minute hold as the vendors' pages say.
    """
    return "instant"


@pytest.fixture(scope="session")
def campaign_sandbox_vendors() -> Sequence[str | type[Vendor]] | None:
    """
    Names of the vendors to serve (``["kinbox"]``), or their classes; None: all that are installed.

    Override it in the project's first ``conftest.py`` to choose: one server serves the whole run.
    """
    return None


@pytest.fixture(scope="session")
def campaign_sandbox_server(
    campaign_sandbox_speed: float,
    campaign_sandbox_vendors: Sequence[str | type[Vendor]] | None,
    campaign_sandbox_pace: str,
) -> Iterator[Sandbox]:
    """The server behind :func:`campaign_sandbox`, one for the whole run."""
    from airflow_provider_campaigns.sandbox.server import Sandbox

    with Sandbox(campaign_sandbox_speed, vendors=campaign_sandbox_vendors, pace=campaign_sandbox_pace) as sandbox:
        yield sandbox


@pytest.fixture
def campaign_sandbox(
    campaign_airflow: None, campaign_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Sandbox:
    """
    An empty sandbox without faults, and an Airflow whose connections ``kinbox_default`` and so on point to it.
    """
    campaign_sandbox_server.reset()
    for conn_id, connection in campaign_sandbox_server.connections().items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    return campaign_sandbox_server


@pytest.fixture(scope="session")
def unlimited_campaign_sandbox() -> Iterator[Sandbox]:
    """A sandbox of its own whose vendors keep to no request limits, for the conformance kit; one for the whole run."""
    from airflow_provider_campaigns.sandbox.server import Sandbox

    with Sandbox(enforce_limits=False) as sandbox:
        yield sandbox
