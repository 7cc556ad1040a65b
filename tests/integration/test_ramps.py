"""Ramps through Airflow, in this process: who was messaged, counted at the vendor, whatever the list is like."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.ramp import EnterStageOperator, JudgeStageOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.testing.approvals import answered_approvals

pytestmark = [pytest.mark.xdist_group("airflow_db"), needs("airflow.sdk")]

PEOPLE = [f"+5255{10_000_000 + 37 * place}" for place in range(400)]
OWN_PHONE = "+525555000001"
STAGES = ("stage_1", "stage_2", "stage_3")


class Ramps:
    """Runs of ramps, and what the vendor has of them."""

    def __init__(self, load: Callable[..., Any], vendors: Sandbox, folder: Path) -> None:
        self._load, self.vendors, self._folder = load, vendors, folder
        (folder / "list.jsonl").write_text(
            "".join(json.dumps({"contact": one, "name": "Ana"}) + "\n" for one in PEOPLE)
        )
        self.states: dict[str, str] = {}
        self.run: Any = None

    def __call__(self, dag_id: str, **conf: Any) -> str:
        """Run a ramp and return how the run ended."""
        conf = {"contacts": str(self._folder / "list.jsonl"), "folder": str(self._folder / "audience"), **conf}
        self.run = self._load("ramps.py", dag_id).test(run_conf=conf)
        self.states = {one.task_id: str(one.state) for one in self.run.get_task_instances()}
        return str(self.run.state)

    def row(self, stage: str) -> list[str]:
        """Return the states of a stage's tasks."""
        return [self.states[f"ramp.{stage}.{task}"] for task in ("enter", "launch", "judge")]

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom of a task."""
        (ti,) = [one for one in self.run.get_task_instances() if one.task_id == task_id]
        return ti.xcom_pull(task_ids=task_id, key=key)

    @property
    def campaigns(self) -> list[dict[str, Any]]:
        """The campaigns at the vendor, the oldest first."""
        listed: list[dict[str, Any]] = self.vendors.journal("altur")["campaigns"]
        return sorted(listed, key=lambda campaign: int(campaign["id"]))

    @property
    def messaged(self) -> list[set[str]]:
        """The people of each campaign that was started, as the vendor has them."""
        client = AlturClient("key", base_url=self.vendors.base_url("altur"))
        return [
            {str(one["contact"]) for one in client.list_contacts(campaign["id"])}
            for campaign in self.campaigns
            if campaign["starts"]
        ]

    def slices(self) -> list[set[str]]:
        """Return the people of each slice of the audience."""
        manifest = json.loads((self._folder / "audience" / "manifest.json").read_text())
        return [
            {json.loads(line)["contact"] for line in Path(one["path"]).read_text().splitlines()}
            for one in manifest["slices"]
        ]

    def holdout(self) -> set[str]:
        """Return the people of the control group."""
        path = self._folder / "audience" / "left_out.parquet"
        rows = duckdb.execute("select number from read_parquet(?) where class = 'holdout'", [str(path)]).fetchall()
        return {str(number) for (number,) in rows}


@pytest.fixture
def ramps(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ramps:
    # A run in this process sleeps a second for each task that cannot run any more.
    monkeypatch.setattr(time, "sleep", lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.1)))
    return Ramps(load_dag, campaign_sandbox, tmp_path)


def fail(vendors: Sandbox, share: float) -> None:
    """Let a share of each campaign's recipients fail, and nobody else."""
    vendors.order_fault(kind="failed_recipients", vendor="altur", share=share)


def test_a_good_list_goes_out_stage_by_stage_to_everybody_once_and_not_to_the_holdout(ramps: Ramps) -> None:
    fail(ramps.vendors, 0)
    assert ramps("ramp_stop", settle=0.2) == "success", ramps.states
    assert ramps.messaged == ramps.slices()
    everybody = set().union(*ramps.messaged)
    assert sum(map(len, ramps.messaged)) == len(everybody)
    assert len(ramps.holdout()) > 20
    assert not everybody & ramps.holdout()
    assert everybody | ramps.holdout() == set(PEOPLE)
    assert [campaign["name"].partition(" [")[0] for campaign in ramps.campaigns] == [
        "Winter, stage 1",
        "Winter, stage 2",
        "Winter, stage 3",
    ]
    receipt = ramps.xcom("ramp.stage_2.launch", "campaign")["ramp"]
    assert (receipt["stage"], receipt["stages"], receipt["share"]) == (2, 3, 60)
    assert (receipt["after"]["stage"], receipt["after"]["verdict"], receipt["after"]["decided_by"]) == (1, "pass", None)
    assert receipt["after"]["campaign_id"] == str(ramps.campaigns[0]["id"])
    assert ramps.xcom("ramp.stage_1.launch", "campaign")["ramp"]["after"] is None


def test_a_bad_list_stops_at_its_first_stage(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.4)
    assert ramps("ramp_go") == "failed"
    assert ramps.messaged == ramps.slices()[:1]
    assert "failed" in ramps.row("stage_1")
    assert ramps.row("stage_2") == ramps.row("stage_3") == ["upstream_failed"] * 3


def test_a_stage_that_proves_bad_while_it_runs_is_paused(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.6)
    ramps.vendors.set_speed(40)
    try:
        assert ramps("ramp_go") == "failed"
    finally:
        ramps.vendors.set_speed(600)
    assert ramps.row("stage_1") == ["success", "failed", "upstream_failed"]
    assert [campaign["status"] for campaign in ramps.campaigns] == ["inactive"]


def test_what_proves_nothing_stops_or_goes_on_as_the_author_says(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.08)
    assert ramps("ramp_stop") == "failed"
    assert ramps.row("stage_1") == ["success", "success", "failed"]
    assert ramps.messaged == ramps.slices()[:1]
    verdict = ramps.xcom("ramp.stage_1.judge", "stage_verdict")
    assert (verdict["verdict"], verdict["goes_on"]) == ("inconclusive", False)


def test_an_inconclusive_stage_goes_on_if_the_author_says_so_and_the_next_receipt_tells(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.08)
    assert ramps("ramp_go") == "success"
    assert len(ramps.campaigns) == 3
    assert ramps.xcom("ramp.stage_2.launch", "campaign")["ramp"]["after"]["verdict"] == "inconclusive"


@needs("approvals in dag.test()")
def test_a_person_who_lets_the_ramp_go_on_is_in_the_receipt_of_the_next_stage(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.08)
    with answered_approvals("Approve", by="Ana") as asked:
        assert ramps("ramp_ask") == "success", ramps.states
    assert len(asked) == 2
    assert ramps.messaged == ramps.slices()
    after = ramps.xcom("ramp.stage_2.launch", "campaign")["ramp"]["after"]
    assert (after["verdict"], after["decided_by"]["name"]) == ("inconclusive", "Ana")
    assert after["decided_at"]


@needs("approvals in dag.test()")
def test_a_person_who_rejects_ends_the_ramp(ramps: Ramps) -> None:
    fail(ramps.vendors, 0.08)
    with answered_approvals("Reject", by="Ana") as asked:
        assert ramps("ramp_ask") == "failed"
    assert len(asked) == 1
    assert ramps.messaged == ramps.slices()[:1]
    assert ramps.row("stage_1") == ["success", "success", "failed"]
    verdict = ramps.xcom("ramp.stage_1.judge", "stage_verdict")
    assert (verdict["goes_on"], verdict["decided_by"]["name"]) == (False, "Ana")


def test_a_stage_of_nobody_is_skipped_and_the_next_one_goes_out(ramps: Ramps, caplog: pytest.LogCaptureFixture) -> None:
    fail(ramps.vendors, 0)
    assert ramps("ramp_thin") == "success"
    assert ramps.row("stage_1") == ["skipped"] * 3
    assert ramps.row("stage_2") == ramps.row("stage_3") == ["success"] * 3
    assert ramps.slices()[0] == set()
    assert ramps.messaged == ramps.slices()[1:]


def test_test_contacts_come_first_and_the_list_after_them(ramps: Ramps) -> None:
    fail(ramps.vendors, 0)
    assert ramps("ramp_test") == "success"
    assert ramps.messaged == [{OWN_PHONE}, *ramps.slices()]


def test_a_test_contact_that_fails_stops_before_anybody_of_the_list_is_messaged(ramps: Ramps) -> None:
    ramps.vendors.order_fault(kind="failed_recipients", vendor="altur", recipients=[OWN_PHONE])
    assert ramps("ramp_test") == "failed"
    assert ramps.messaged == [{OWN_PHONE}]


def test_stages_that_the_audience_does_not_need_are_skipped(ramps: Ramps) -> None:
    fail(ramps.vendors, 0)
    assert ramps("ramp_open") == "success"
    assert ramps.messaged == ramps.slices()
    assert ramps.row("stage_4") == ["skipped"] * 3


def test_after_a_stage_that_was_not_launched_none_is(ramps: Ramps) -> None:
    assert ramps("ramp_go", dry_run=True) == "success"
    assert ramps.row("stage_1") == ["success", "skipped", "skipped"]
    assert ramps.row("stage_2") == ramps.row("stage_3") == ["skipped"] * 3
    assert ramps.campaigns == []


class Dead(BaseException):
    """A try that ends without a word."""


class Deaths:
    """
    Each step of each task is the last of one try.

    :param when: Whether a try dies ``before`` the step or ``after`` its effect, with nobody knowing.
    """

    def __init__(self, when: str) -> None:
        self._when = when
        self.steps: list[tuple[str, str]] = []
        self._task = ""

    def _die_once(self, step: str, do: Callable[[], Any]) -> Any:
        is_due = (self._task, step) not in self.steps
        if is_due:
            self.steps.append((self._task, step))
        if is_due and self._when == "before":
            raise Dead
        result = do()
        if is_due:
            raise Dead
        return result

    def of_task(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method of an operator that runs a task."""

        def run(task: Any, *context: Any, **named: Any) -> Any:
            self._task = task.task_id
            return self._die_once("run", lambda: execute(task, *context, **named))

        return run

    def of_request(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method of a session that sends a request."""

        def run(session: Any, request: Any, **how: Any) -> Any:
            step = f"{request.method} {request.url.partition('/v1.0/')[2].partition('?')[0]}"
            return self._die_once(re.sub("[0-9]+", "ID", step), lambda: send(session, request, **how))

        return run


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_every_step_of_every_stage_messages_each_person_once(
    ramps: Ramps, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    fail(ramps.vendors, 0)
    deaths = Deaths(when)
    monkeypatch.setattr(requests.Session, "send", deaths.of_request(requests.Session.send))
    for operator in (EnterStageOperator, AlturCreateCampaignOperator, JudgeStageOperator):
        monkeypatch.setattr(operator, "execute", deaths.of_task(operator.execute))
    assert ramps("ramp_dying") == "success", (ramps.states, deaths.steps)
    monkeypatch.undo()
    assert ramps.messaged == ramps.slices()
    assert [campaign["starts"] for campaign in ramps.campaigns] == [1, 1, 1]
    asked = {"POST campaigns", "POST campaigns/ID/contacts", "POST campaigns/ID/activate", "GET campaigns/ID"}
    for stage in STAGES:
        assert {(f"ramp.{stage}.{task}", "run") for task in ("enter", "launch", "judge")} <= set(deaths.steps)
        assert asked <= {step for task, step in deaths.steps if task == f"ramp.{stage}.launch"}, deaths.steps
        assert (f"ramp.{stage}.judge", "GET campaigns/ID") in deaths.steps
