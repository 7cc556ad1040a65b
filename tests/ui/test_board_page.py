"""The board in the browser: live figures, the tabs of runs and tasks, two users of different rights, a phone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.sandbox.server import Sandbox

pytest.importorskip("selenium", reason="make test-ui installs it")
from selenium.webdriver.common.by import By
from ui.test_connection_form import PICTURES

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = [pytest.mark.ui, pytest.mark.xdist_group("airflow_standalone")]

LOGIN = Path(__file__).with_name("per_dag_login.py")
POLL_SECONDS = 5
DAG = """
from airflow.sdk import DAG
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

for dag_id, name in (("ana_winter", "Winter offer"), ("bob_summer", "Summer offer")):
    with DAG(dag_id, schedule=None) as dag:
        launch = KinboxCreateCampaignOperator(
            task_id="launch", name=name, lead_type="file", message="Hello", chunk_size=100_000,
            leads_asset_url="https://files.example.com/leads.csv?leads=2000", seconds_between_messages=1,
        )
        KinboxCampaignSensor(task_id="wait", campaign_id=launch.output, poll_interval=%d, deferrable=True)
    globals()[dag_id] = dag
"""
RAMP = """
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, TaskGroup

def leave(ti, number):
    after = {"stage": 1, "verdict": "pass", "why": ["1 of 100 failed."]} if number == 2 else None
    ti.xcom_push("campaign", {
        "vendor": "Altur", "conn_id": "altur_default", "id": f"r{number}", "name": f"Offer, stage {number}",
        "status": "finished", "progress": 100.0, "counts": {"sent": 100 * number, "failed": number},
        "meant_at": f"2026-03-05T0{number}:00:00+00:00", "contacts": {"created": 100 * number, "skipped": 5},
        "ramp": {"stage": number, "stages": 2, "share": 10 if number == 1 else 100, "after": after},
    })

with DAG("ana_ramp", schedule=None), TaskGroup("ramp"):
    for number in (1, 2):
        with TaskGroup(f"stage_{number}"):
            PythonOperator(task_id="launch", python_callable=leave, op_kwargs={"number": number})
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    """A vendor whose campaigns take some minutes."""
    with Sandbox() as server:
        server.set_speed(10)
        yield server


@pytest.fixture(scope="module")
def running(vendor: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A whole Airflow whose board has two campaigns under way, of two DAGs."""
    connection = {"conn_type": "kinbox", "host": vendor.base_url("kinbox"), "password": "token"}
    home = tmp_path_factory.mktemp("board") / "airflow"
    path = os.pathsep.join([str(LOGIN.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with Airflow(
        home,
        connections={"kinbox_default": connection},
        dags={"offers.py": DAG % POLL_SECONDS, "ramp.py": RAMP},
        dag_ids={"ana_winter", "bob_summer", "ana_ramp"},
        # One command for all of them would take its own login.
        parts=("api-server", "scheduler", "dag-processor", "triggerer"),
        settings={"AIRFLOW__CORE__AUTH_MANAGER": "per_dag_login.PerDagLogin", "PYTHONPATH": path},
    ) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def runs(running: Airflow) -> dict[str, Run]:
    """The runs, which wait."""
    found = {dag_id: Run(running, dag_id) for dag_id in ("ana_winter", "bob_summer")}
    for run in found.values():
        run.wait_for("deferred")
    return found


def board(browser: WebDriver, address: str) -> None:
    """Open a page of Airflow's that holds the board, and go into its frame."""
    browser.switch_to.default_content()
    browser.get(address)
    frame = until("the frame is there", lambda: browser.find_elements(By.CSS_SELECTOR, "iframe"))
    browser.switch_to.frame(frame[0])
    until("campaigns are shown", lambda: rows(browser))


def rows(browser: WebDriver) -> list[str]:
    """Return the rows as they read."""
    script = "return [...document.querySelectorAll('#rows tr')].map(row => row.innerText)"
    found: list[str] = browser.execute_script(script)
    return found


def percent(browser: WebDriver) -> float:
    """Return how far the first bar is."""
    return float(browser.execute_script("return document.querySelector('#rows progress').value"))


def overflow(browser: WebDriver) -> int:
    """Return by how many pixels the page is wider than what can be seen."""
    root = "document.documentElement"
    return int(browser.execute_script(f"return {root}.scrollWidth - {root}.clientWidth"))


def picture(browser: WebDriver, name: str) -> None:
    """Take a picture for the docs, if they are asked for."""
    if PICTURES:
        browser.switch_to.default_content()
        browser.set_window_size(1280, 760)
        browser.save_screenshot(str(Path(PICTURES) / name))


def test_a_picture_of_a_wait_s_progress_is_on_the_board_while_its_task_is_deferred(
    browser: WebDriver, running: Airflow, runs: dict[str, Run]
) -> None:
    browser.get_log("browser")
    board(browser, f"{running.url}/plugin/campaigns")
    assert len(rows(browser)) == 2
    assert {"Winter offer", "Summer offer"} == {row.splitlines()[0] for row in rows(browser)}
    # Without anybody loading the page again.
    before = until("there is progress", lambda: percent(browser))
    until("the figures go on", lambda: percent(browser) > before, 2 * POLL_SECONDS + 15)
    assert all(run.task()["state"] == "deferred" for run in runs.values())
    assert "running" in rows(browser)[0]
    until("there is a forecast", lambda: browser.find_elements(By.CSS_SELECTOR, "td[data-label=Forecast] time"))
    refused = [one["message"] for one in browser.get_log("browser") if "Content Security" in one["message"]]
    assert refused == []
    picture(browser, "board.png")


def test_a_picture_of_the_tab_of_a_run_has_its_campaign_and_a_chart(
    browser: WebDriver, running: Airflow, runs: dict[str, Run]
) -> None:
    run_id = runs["ana_winter"].ask("GET")["dag_run_id"]
    board(browser, f"{running.url}/dags/ana_winter/runs/{run_id}/plugin/campaigns-of-run")
    assert [row.splitlines()[0] for row in rows(browser)] == ["Winter offer"]
    until("there is a chart", lambda: browser.find_elements(By.CSS_SELECTOR, "#charts svg path.line"))
    picture(browser, "board_run.png")


def test_the_tab_of_a_task_has_the_campaign_that_it_waits_for(
    browser: WebDriver, running: Airflow, runs: dict[str, Run]
) -> None:
    run_id = runs["bob_summer"].ask("GET")["dag_run_id"]
    board(browser, f"{running.url}/dags/bob_summer/runs/{run_id}/tasks/wait/plugin/campaigns-of-task")
    assert [row.splitlines()[0] for row in rows(browser)] == ["Summer offer"]


def test_a_link_leads_to_the_task_in_airflow_s_own_page(
    browser: WebDriver, running: Airflow, runs: dict[str, Run]
) -> None:
    board(browser, f"{running.url}/plugin/campaigns")
    browser.find_element(By.CSS_SELECTOR, "td[data-label=Task] a").click()
    browser.switch_to.default_content()
    until("Airflow shows the task", lambda: "/tasks/launch" in browser.current_url)


def test_a_filter_and_its_form_are_used_by_keyboard(browser: WebDriver, running: Airflow, runs: dict[str, Run]) -> None:
    board(browser, f"{running.url}/plugin/campaigns")
    field = browser.find_element(By.NAME, "dag_id")
    field.send_keys("bob_summer\n")
    until("one is left", lambda: len(rows(browser)) == 1)
    assert rows(browser)[0].startswith("Summer offer")
    assert "1 campaign" in browser.find_element(By.ID, "summary").text
    fields = "[...document.querySelectorAll('input,select,progress')]"
    assert browser.execute_script(f"return {fields}.every(one => one.labels?.length || one.ariaLabel)")


def test_on_a_phone_nothing_is_cut_off(browser: WebDriver, running: Airflow, runs: dict[str, Run]) -> None:
    browser.set_window_size(500, 900)
    try:
        browser.switch_to.default_content()
        browser.get(f"{running.url}/campaigns/")
        until("campaigns are shown", lambda: rows(browser))
        assert overflow(browser) <= 0
    finally:
        browser.set_window_size(1100, 2400)


def test_ana_sees_her_campaign_alone(browser: WebDriver, running: Airflow, runs: dict[str, Run]) -> None:
    done = subprocess.run(
        [sys.executable, str(LOGIN)], env=running.environment, capture_output=True, text=True, check=True
    )
    token = done.stdout.splitlines()[-1]
    browser.switch_to.default_content()
    browser.get(f"{running.url}/campaigns/")
    browser.delete_all_cookies()
    browser.add_cookie({"name": "_token", "value": token, "path": "/"})
    try:
        browser.get(f"{running.url}/campaigns/")
        until("campaigns are shown", lambda: rows(browser))
        assert [row.splitlines()[0] for row in rows(browser)] == ["Winter offer"]
    finally:
        browser.delete_all_cookies()


def test_without_a_login_nothing_is_shown(running: Airflow, runs: dict[str, Run]) -> None:
    session = requests.Session()
    session.trust_env = False
    answers: list[Any] = [
        session.get(f"{running.url}/campaigns/{path}", timeout=30) for path in ("", "api/campaigns", "board.js")
    ]
    assert [answer.status_code for answer in answers] == [401] * 3


def test_the_tab_of_a_run_has_the_stages_of_a_ramp_with_their_people_and_the_verdict_on_each(
    browser: WebDriver, running: Airflow
) -> None:
    run = Run(running, "ana_ramp")
    assert run.wait_for_end() == "success"
    browser.get_log("browser")
    run_id = run.ask("GET")["dag_run_id"]
    board(browser, f"{running.url}/dags/ana_ramp/runs/{run_id}/plugin/campaigns-of-run")
    table = until("there is a ramp", lambda: browser.find_elements(By.CSS_SELECTOR, "#stages table"))[0]
    assert table.find_element(By.TAG_NAME, "caption").text == "Ramp ramp"
    stages = [row.text.splitlines() for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")]
    assert [" ".join(stage).replace("\N{EN DASH}", "none") for stage in stages] == [
        "Stage 1: up to 10 % 105 100 none 1 pass 1 of 100 failed.",
        "Stage 2: up to 100 % 205 200 none 2 finished",
    ]
    bars = table.find_elements(By.CSS_SELECTOR, "tbody tr:first-child progress")
    assert [bar.get_attribute("value") for bar in bars] == ["105", "100", "1"]
    assert [one["message"] for one in browser.get_log("browser") if "Content Security" in one["message"]] == []
