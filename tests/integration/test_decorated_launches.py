"""The campaign decorators in a whole DAG, in this process: what Airflow itself decides of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.models import xcom
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.utils.session import create_session

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.operators import koreai
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

pytestmark = pytest.mark.xdist_group("airflow_db")

#: The row of an XCom, by its name in Airflow 3 or 2.
XCOM: Any = getattr(xcom, "XComModel", None) or xcom.BaseXCom


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file that grows with each call of the waiting launch's function."""
    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)
    return tmp_path / "calls"


def test_each_instance_launches_one_campaign_with_what_decorator_and_function_give(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, calls: Path
) -> None:
    run = load_dag("decorated.py").test(run_conf={"calls": str(calls)})
    ends = {(one.task_id, one.map_index): one for one in run.get_task_instances()}
    assert {name: str(one.state) for name, one in ends.items()} == dict.fromkeys(ends, "success")
    journal = campaign_sandbox.journal()
    assert Counter(one["name"].partition(" [")[0] for one in journal["campaigns"]) == {
        "Winter of decorated": 1,
        "One": 2,
        "Again": 1,
        "Greet north": 1,
        "Greet south": 1,
        "Reminder": 1,
    }
    assert all(campaign["starts"] == 1 for campaign in journal["campaigns"])
    # The sensors had the ids, one the receipt.
    north = ends["greeted", 0].xcom_pull(task_ids="greeted", map_indexes=0)
    assert (north["name"].partition(" [")[0], north["status"]) == ("Greet north", "finished")
    assert ends["reminded", -1].xcom_pull(task_ids="reminded").endswith(" is finished")
    # WhatsApp's place is the vendor's, the other one the function's argument.
    kinbox = KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))
    assert "Hello {{1}}, from north" in json.dumps(kinbox.get_campaign(north["id"]).raw)
    # After the deferral the function was not called again.
    assert calls.read_text() == "called\n"


def test_recipients_are_in_no_rendered_field_no_xcom_and_no_log_of_a_launch(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = load_dag("decorated.py").test(run_conf={"calls": str(calls)})
    with create_session() as session:
        rendered = session.query(RenderedTaskInstanceFields).filter_by(run_id=run.run_id).all()
        xcoms = session.query(XCOM).filter_by(run_id=run.run_id).filter(XCOM.task_id != "people").all()
        kept = {(one.task_id, one.map_index): json.dumps(one.rendered_fields) for one in rendered}
        pushed = [str(one.value) for one in xcoms]
    if airflow_has("rendered fields as they are after execute"):
        # Airflow 2 keeps what was there before the function was called, which is nothing.
        assert "<2 contacts>" in kept["call", -1]
        assert all(
            "<1 contacts>" in kept[instance] for instance in (("call_one", 0), ("call_one", 1), ("call_again", 0))
        )
    log = capfd.readouterr().out
    assert "contacts handed over" in log
    for recipient in ("52155123456", "Guadalupe", "Rosario", "altur_default.password"):
        assert not [text for text in (*kept.values(), *pushed, log) if recipient in text]
