"""A browser and a whole Airflow for it, one of each for all tests; a test that fails leaves a picture of the page."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from environment import REPOSITORY
from whole_airflow import Airflow

from airflow_provider_campaigns.sandbox.server import Sandbox

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

ARGUMENTS = (
    "--headless",
    "--window-size=1100,2400",
    "--lang=en-US",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    # Whatever a page would load from elsewhere, it does not get.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The vendors that the connections point to."""
    with Sandbox() as server:
        yield server


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """The running Airflow, whose connections are all made in the tests, with the example that has the longest form."""
    files = [REPOSITORY / "example_dags" / name for name in ("example_approval.py", "contacts.csv")]
    with Airflow(
        tmp_path_factory.mktemp("ui") / "airflow",
        dags={file.name: file.read_text() for file in files},
        dag_ids={"example_approval"},
    ) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """The browser, which sees this machine alone."""
    from selenium import webdriver

    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        pytest.fail("The UI tests need a browser and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location, driver = found
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        # Chromium's own sandbox refuses to be run by root, as whom containers mostly run.
        options.add_argument("--no-sandbox")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        running = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            yield running
        finally:
            running.quit()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a test that fails where the picture of its page is, and show the ends of Airflow's logs."""
    report = yield
    used = getattr(item, "funcargs", {})
    # The logs are long: they come first, so that the rest is still in sight.
    if report.failed and "airflow" in used:
        report.sections.append(("Airflow's logs", used["airflow"].log_tails()))
    if report.failed and "browser" in used:
        assert item.config.cache is not None
        path: Path = item.config.cache.mkdir("ui") / f"{re.sub(r'[^a-zA-Z0-9]+', '_', item.name).strip('_')}.png"
        used["browser"].save_screenshot(str(path))
        report.sections.append(("The page", f"{used['browser'].current_url} looked so: {path}"))
    return report
