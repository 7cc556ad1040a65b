"""Whatever a vendor answers, each method ends with a sane value or an error of this package's; a part of make fuzz."""

from __future__ import annotations

import fuzzing
import pytest


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
