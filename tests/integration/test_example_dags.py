"""DAGs as a whole through Airflow, in this process: the examples, and dynamic mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.operators import koreai
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs

# One worker of pytest-xdist runs what needs a database, so that it is made ready once.
pytestmark = pytest.mark.xdist_group("airflow_db")

#: An example that waits for a person's answer, which a run in this process never gets.
ANSWERED = {"example_approval.py"}
EXAMPLES = sorted({path.name for path in Path(__file__).parents[2].joinpath("example_dags").glob("*.py")} - ANSWERED)
#: How many campaigns an example launches at each vendor.
CAMPAIGNS = {
    "example_kinbox.py": {"kinbox": 1},
    "example_altur.py": {"altur": 1},
    "example_koreai.py": {"koreai": 1},
    "example_audience.py": {"altur": 2},
    "example_event.py": {},
    "example_notifier.py": {"kinbox": 1},
    "example_results.py": {"altur": 1},
    "example_taskflow.py": {"kinbox": 2},
    "example_three_vendors.py": {"kinbox": 2, "altur": 2, "koreai": 2},
}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kore.ai's preparation takes no time in a fast sandbox."""
    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)


@needs("airflow.sdk")
@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_succeeds_and_creates_one_campaign_for_each_create_task_instance(
    file: str, load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    run = load_dag(file).test(run_conf={"poll_interval": 1})
    assert run.state == "success", {one.task_id: str(one.state) for one in run.get_task_instances()}
    journal = campaign_sandbox.journal()
    assert Counter(campaign["vendor"] for campaign in journal["campaigns"]) == CAMPAIGNS[file]
    assert {name: counts["create_campaign"] for name, counts in journal["counts"].items()} == CAMPAIGNS[file]
    assert all(campaign["starts"] == 1 for campaign in journal["campaigns"])


def test_mapped_creates_take_arguments_from_a_task_before_and_launch_one_campaign_each(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    run = load_dag("mapped.py").test()
    assert run.state == "success"
    journal = campaign_sandbox.journal("kinbox")
    regions = {campaign["name"].split()[1]: campaign["contacts"] for campaign in journal["campaigns"]}
    assert regions == {"north": 7, "south": 11, "west": 13}
    assert journal["counts"]["kinbox"]["create_campaign"] == 3
    client = KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))
    given = [client.get_campaign(campaign["id"]).raw for campaign in journal["campaigns"]]
    assert {(one["message"], one["secondsBetweenMessages"]) for one in given} == {("Our winter offer", 2)}
