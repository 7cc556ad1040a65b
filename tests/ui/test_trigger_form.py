"""The form with which a person triggers an example, as Airflow's page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from whole_airflow import Airflow, until

pytest.importorskip("selenium", reason="make test-ui installs it")
from selenium.webdriver.common.by import By

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = [pytest.mark.ui, pytest.mark.xdist_group("airflow_standalone")]


@pytest.fixture
def form(browser: WebDriver, airflow: Airflow) -> str:
    """The text and the fields' values of the form of example_approval."""
    browser.get(f"{airflow.url}/dags/example_approval")
    button = until(
        "the button", lambda: browser.find_elements(By.XPATH, "//button[starts-with(normalize-space(.), 'Trigger')]")
    )
    button[0].click()

    def shown() -> str:
        dialog = browser.find_elements(By.CSS_SELECTOR, "[role=dialog]")
        values = browser.execute_script(
            "return [...document.querySelectorAll('[role=dialog] input, [role=dialog] textarea')].map(one => one.value)"
        )
        text = "\n".join([*(one.text for one in dialog), *map(str, values)])
        # The editor of the hours comes up last.
        return text if "Mexico_City" in text or "[object" in text else ""

    return str(until("the form", shown))


def test_the_form_of_the_approval_shows_the_hours_and_lets_name_and_text_be_typed(form: str) -> None:
    assert "[object Object]" not in form
    assert "America/Mexico_City" in form
    assert "Reactivation" in form
    assert "We have kept your discount for you." in form
