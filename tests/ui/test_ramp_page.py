"""A ramp in Airflow's grid, in the browser: one row for each stage, of a run that went through and one that stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from environment import REPOSITORY
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.sandbox.server import Sandbox

pytest.importorskip("selenium", reason="make test-ui installs it")
from selenium.webdriver.common.by import By
from ui.test_connection_form import PICTURES

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = [pytest.mark.ui, pytest.mark.xdist_group("airflow_standalone")]

FILES = ("example_ramp.py", "contacts.csv", "opted_out.csv")
ROWS = ("Stage 1: up to 25 %", "Stage 2: up to 50 %", "Stage 3: up to 100 %")


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    """A vendor whose campaigns take a second."""
    with Sandbox(speed=600) as server:
        yield server


@pytest.fixture(scope="module")
def running(vendor: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A whole Airflow with the example."""
    with Airflow(
        tmp_path_factory.mktemp("ramp") / "airflow",
        connections=vendor.connections(),
        dags={name: (REPOSITORY / "example_dags" / name).read_text() for name in FILES},
        dag_ids={"example_ramp"},
    ) as airflow:
        yield airflow


def test_a_picture_of_the_grid_has_a_row_for_each_stage_of_a_ramp(
    browser: WebDriver, running: Airflow, vendor: Sandbox, tmp_path: Path
) -> None:
    conf = {"folder": str(tmp_path), "poll_interval": 1, "settle": 1}
    assert Run(running, "example_ramp", **conf).wait_for_end() == "success"
    vendor.order_fault(kind="failed_recipients", vendor="altur", share=0.9)
    assert Run(running, "example_ramp", **conf).wait_for_end() == "failed"
    browser.get(f"{running.url}/dags/example_ramp")
    browser.execute_script(f"localStorage.setItem('example_ramp/open-groups', {json.dumps(json.dumps(['ramp']))})")
    browser.get(f"{running.url}/dags/example_ramp")
    until("the rows are there", lambda: all(row in browser.find_element(By.TAG_NAME, "body").text for row in ROWS))
    if PICTURES:
        browser.set_window_size(1280, 620)
        browser.save_screenshot(str(Path(PICTURES) / "ramp.png"))
