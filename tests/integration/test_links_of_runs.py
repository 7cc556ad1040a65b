"""The link of tasks that Airflow itself runs: pushed where there is an address, asked for nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.models import xcom
from airflow.utils.session import create_session

from airflow_provider_campaigns.links import LINK_KEY
from airflow_provider_campaigns.operators import koreai
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

pytestmark = pytest.mark.xdist_group("airflow_db")

#: The row of an XCom, by its name in Airflow 3 or 2.
XCOM: Any = getattr(xcom, "XComModel", None) or xcom.BaseXCom


def _links(run_id: str) -> dict[tuple[str, int], str]:
    with create_session() as session:
        rows = session.query(XCOM).filter_by(run_id=run_id, key=LINK_KEY).all()
        return {(one.task_id, one.map_index): str(one.value) for one in rows}


@pytest.mark.parametrize("console", [None, "https://app.example.com/c/{campaign_id}"])
def test_an_address_is_pushed_for_every_task_or_for_none_and_airflow_misses_nothing(
    load_dag: Callable[..., Any],
    campaign_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    capfd: pytest.CaptureFixture[str],
    console: str | None,
) -> None:
    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)
    for conn_id, connection in campaign_sandbox.connections().items():
        if console:
            connection = {**connection, "extra": {**connection.get("extra", {}), "console_url": console}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    run = load_dag("decorated.py").test(run_conf={"calls": str(tmp_path / "calls")})
    links = _links(run.run_id)
    assert "XCom not found" not in capfd.readouterr().out
    if console is None:
        assert links == {}
        return
    ends = [one for one in run.get_task_instances() if one.task_id not in ("people", "reminded")]
    assert all("https://app.example.com/c/" in link for link in links.values())
    if airflow_has("links of decorated tasks"):
        assert {("called", -1), ("call", -1), ("greeted", 0)} <= set(links)
        assert len(links) <= len(ends)
