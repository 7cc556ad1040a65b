"""Tests that depend on what an Airflow has say so in one place, by name."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_campaigns.testing.airflow_since import SINCE

REPOSITORY = Path(__file__).parent.parent
PLACE = "airflow_provider_campaigns/testing/airflow_since.py"
TEXTS = {
    str(path.relative_to(REPOSITORY)): path.read_text()
    for folder in ("airflow_provider_campaigns", "tests", "example_dags")
    for path in (REPOSITORY / folder).rglob("*.py")
}
#: How a version of Airflow is asked for, by whatever name.
ASKED = re.compile(r"version\(.apache-airflow.\)|airflow\.__version__|from airflow import __version__|AIRFLOW_V_\d")
#: The matrix asks which Airflow .venv has, in order to leave that one out; a release's job prints what it ran with.
ASKS_WHICH_IS_INSTALLED = {"tests/airflow_versions.py", "tests/release_job.py"}
NAMED = re.compile(r"\b(?:needs?|airflow_has)\(\s*\"([^\"]+)\"\s*\)")


def test_what_an_airflow_has_is_told_in_one_place() -> None:
    this = str(Path(__file__).relative_to(REPOSITORY))
    asking = {name for name, text in TEXTS.items() if ASKED.search(text)}
    assert asking - {this} - ASKS_WHICH_IS_INSTALLED == {PLACE}


def test_what_tests_need_is_told_and_all_that_is_told_is_needed() -> None:
    assert {name for text in TEXTS.values() for name in NAMED.findall(text)} == set(SINCE)
