"""Whatever a vendor answers, each method ends with a sane value or an error of this package's; a part of make fuzz."""

from __future__ import annotations

from typing import Any

import fuzzing
import pytest
from wire import says

from airflow_provider_campaigns.api.altur.client import AlturClient


def test_no_spoiled_answer_gets_through_to_the_caller() -> None:
    played, findings = fuzzing.run(1000, seed=2026)
    assert not findings, "\n".join(findings)
    assert played == 1000


@pytest.mark.parametrize("name", fuzzing.clients())
def test_every_method_that_reads_an_answer_is_played(name: str) -> None:
    client = fuzzing.clients()[name]
    played = {method.partition(",")[0] for method in fuzzing.METHODS[name.split()[0]]}
    assert played == fuzzing.methods_that_ask(client)


@pytest.mark.parametrize("name", fuzzing.clients())
def test_the_answers_that_are_spoiled_are_good_ones(name: str) -> None:
    client = fuzzing.clients()[name]
    for method, call in fuzzing.METHODS[name.split()[0]].items():
        assert fuzzing.play_unspoiled(name.split()[0], client, call) is None, method


def test_a_flaw_in_a_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_campaigns.api import reading

    monkeypatch.setattr(reading, "mapping", lambda value: value)
    assert fuzzing.run(1000, seed=2026, at_most=1)[1]


def test_an_id_that_is_no_number_loses_none_of_the_campaigns_that_a_mark_is_found_in(serve: Any) -> None:
    rows = [{"id": number, "description": "Q2 [airflow 0]", "status": "active"} for number in (110, "odd", 9)]
    page = {"campaigns": rows, "pagination": {"has_next": False}}
    client = AlturClient("key", base_url=serve(says(200, page)).url)
    assert [found.id for found in client.find_marked("[airflow 0]", since=fuzzing.SINCE)] == ["9", "110", "odd"]
