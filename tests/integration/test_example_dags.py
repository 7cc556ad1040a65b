"""DAGs as a whole through Airflow, in this process: the examples, and dynamic mapping."""

from __future__ import annotations

import json
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

ALL = sorted(path.name for path in Path(__file__).parents[2].joinpath("example_dags").glob("*.py"))
#: One waits for a person's answer, which a run in this process never gets; others are about campaigns that exist, or
#: about what became of the people.
OTHERWISE = {"example_approval.py", "example_stop.py", "example_failover.py", "example_morning_report.py"}
EXAMPLES = [name for name in ALL if name not in OTHERWISE]
#: How many campaigns an example launches at each vendor.
CAMPAIGNS = {
    "example_kinbox.py": {"kinbox": 1},
    "example_altur.py": {"altur": 1},
    "example_koreai.py": {"koreai": 1},
    "example_audience.py": {"altur": 2},
    "example_event.py": {},
    "example_failover.py": {"altur": 1, "koreai": 1},
    "example_notifier.py": {"kinbox": 1},
    "example_ramp.py": {"altur": 3},
    "example_results.py": {"altur": 1},
    "example_sql.py": {"altur": 1},
    "example_taskflow.py": {"kinbox": 2},
    "example_three_vendors.py": {"kinbox": 2, "altur": 2, "koreai": 2},
}


#: What the instances of mapped tasks are called in Airflow's pages.
LABELS = {
    "example_taskflow.py": {"greet": {"north", "south"}},
    "example_three_vendors.py": {"calls": {"Open again, north", "Open again, south"}},
}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kore.ai's preparation takes no time in a fast sandbox."""
    monkeypatch.setattr(koreai, "READY_POLL_SECONDS", 0.1)


@needs("airflow.sdk")
@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_succeeds_creates_one_campaign_for_each_create_task_instance_and_labels_mapped_ones(
    file: str, load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    run = load_dag(file).test(run_conf={"poll_interval": 1})
    assert run.state == "success", {one.task_id: str(one.state) for one in run.get_task_instances()}
    journal = campaign_sandbox.journal()
    assert Counter(campaign["vendor"] for campaign in journal["campaigns"]) == CAMPAIGNS[file]
    assert {name: counts["create_campaign"] for name, counts in journal["counts"].items()} == CAMPAIGNS[file]
    assert all(campaign["starts"] == 1 for campaign in journal["campaigns"])
    mapped = [one for one in run.get_task_instances() if one.map_index >= 0]
    assert all(one.rendered_map_index for one in mapped)
    for task_id, expected in LABELS.get(file, {}).items():
        assert {one.rendered_map_index for one in mapped if one.task_id == task_id} == expected


@needs("airflow.sdk")
@pytest.mark.parametrize("file", ALL)
def test_an_example_is_found_by_its_tags_and_lets_a_person_type_what_people_read(
    file: str, load_dag: Callable[..., Any]
) -> None:
    dag = load_dag(file)
    assert dag.dag_display_name.startswith("Example: ")
    assert "campaigns" in dag.tags
    assert [task.task_id for task in dag.tasks if task.is_mapped and not task.map_index_template] == []
    if CAMPAIGNS.get(file):
        text = dag.params.get_param("message" if "message" in dag.params else "first_message").schema
        assert (text["type"], text["format"]) == ("string", "multiline")
        assert dag.params.get_param("name").schema["type"] == "string"


@needs("airflow.sdk")
def test_what_is_typed_into_the_form_is_what_people_read(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    conf = {"poll_interval": 1, "name": "Spring", "message": "{{ 1 + 1 }} kinds of tulips"}
    assert load_dag("example_kinbox.py").test(run_conf=conf).state == "success"
    (campaign,) = campaign_sandbox.journal("kinbox")["campaigns"]
    client = KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))
    assert campaign["name"].startswith("Spring ")
    assert client.get_campaign(campaign["id"]).raw["message"] == "{{ 1 + 1 }} kinds of tulips"


@needs("airflow.sdk")
@pytest.mark.parametrize(("vendor", "status"), [("kinbox", "paused"), ("koreai", "Stopped")])
def test_the_form_that_stops_a_campaign_stops_it_as_its_vendor_can(
    vendor: str, status: str, load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    # The wait is over soon after the start, the campaign is not.
    file = f"example_{vendor}.py"
    dag = load_dag(file)
    campaign_sandbox.set_speed(20)
    dag.partial_subset("create").test()
    (campaign,) = campaign_sandbox.journal(vendor)["campaigns"]
    run = load_dag("example_stop.py").test(
        run_conf={"account": f"{vendor}_default", "campaign_id": str(campaign["id"])}
    )
    assert run.state == "success"
    (campaign,) = campaign_sandbox.journal(vendor)["campaigns"]
    assert campaign["status"] == status


@pytest.fixture
def failed_over(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, tmp_path: Path
) -> Callable[..., tuple[Any, list[dict[str, Any]]]]:
    """Return a function that runs the failover with a share of failures; gives the run and WhatsApp's outcomes."""

    def run(share: float) -> tuple[Any, list[dict[str, Any]]]:
        campaign_sandbox.order_fault(kind="failed_recipients", vendor="altur", share=share)
        conf = {"poll_interval": 1, "settle_minutes": 0, "folder": str(tmp_path / "failover")}
        done = load_dag("example_failover.py").test(run_conf=conf)
        assert done.state == "success", {one.task_id: str(one.state) for one in done.get_task_instances()}
        (path,) = tmp_path.glob("failover/*/outcomes.jsonl")
        return done, [json.loads(line) for line in path.read_text().splitlines()]

    return run


@needs("airflow.sdk")
def test_only_those_whom_whatsapp_certainly_did_not_reach_get_an_sms(
    failed_over: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    _, outcomes = failed_over(0.4)
    failed = {row["contact"] for row in outcomes if row["outcome"] == "failed"}
    others = {row["contact"] for row in outcomes if row["outcome"] != "failed"}
    journal = campaign_sandbox.journal()
    assert Counter(campaign["vendor"] for campaign in journal["campaigns"]) == CAMPAIGNS["example_failover.py"]
    (sms,) = [campaign for campaign in journal["campaigns"] if campaign["vendor"] == "koreai"]
    reached = {f"+{one.lstrip('+')}" for one in campaign_sandbox.recipients("koreai", sms["id"])}
    assert reached == failed
    assert len(failed) == 24
    assert others
    assert not reached & others


@needs("airflow.sdk")
def test_where_whatsapp_failed_for_nobody_no_sms_is_launched(
    failed_over: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    done, _ = failed_over(0.0)
    states = {one.task_id: one.state for one in done.get_task_instances()}
    assert (states["contact_list"], states["sms"]) == ("skipped", "skipped")
    assert Counter(campaign["vendor"] for campaign in campaign_sandbox.journal()["campaigns"]) == {"altur": 1}


@needs("airflow.sdk")
def test_the_morning_report_tells_all_campaigns_of_the_night_and_the_launches_to_look_at(
    failed_over: Callable[..., Any], load_dag: Callable[..., Any], tmp_path: Path
) -> None:
    failed_over(0.4)
    launches = tmp_path / "failover" / "launches"
    (one, *_) = launches.glob("*.json")
    odd = {**json.loads(one.read_text()), "key": "odd", "result": "unknown", "reason": "the answer was lost"}
    (launches / "odd.json").write_text(json.dumps(odd))
    conf = {"launches": str(launches), "folder": str(tmp_path / "reports")}
    run = load_dag("example_morning_report.py").test(run_conf=conf)
    assert run.state == "success", {one.task_id: str(one.state) for one in run.get_task_instances()}
    (path,) = tmp_path.glob("reports/*/report.md")
    text = path.read_text()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert table[0] == ["campaign", "launched", "delivered", "failed", "pending", "unexplained"]
    rows = {line[0]: list(map(int, line[1:])) for line in table[2:]}
    whatsapp, sms = rows["example_failover / whatsapp"], rows["example_failover / sms"]
    assert (whatsapp[0], whatsapp[2]) == (60, 24)
    # Kore.ai tells nothing of each contact of an SMS campaign.
    assert (sms[0], sms[4]) == (24, 24)
    assert rows["all"] == [sum(two) for two in zip(whatsapp, sms, strict=True)]
    assert "was unknown: the answer was lost" in text
    assert "525550000" not in text


@needs("airflow.sdk")
def test_a_morning_without_campaigns_has_a_report_too(load_dag: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "launches").mkdir()
    conf = {"launches": str(tmp_path / "launches"), "folder": str(tmp_path / "reports")}
    assert load_dag("example_morning_report.py").test(run_conf=conf).state == "success"
    (path,) = tmp_path.glob("reports/*/report.md")
    assert "| all | 0 | 0 | 0 | 0 | 0 |" in path.read_text()


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
