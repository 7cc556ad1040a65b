"""What benchmarks lean on, so that a change elsewhere does not break them unseen: they are too slow to be run here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")


def test_the_sandbox_in_a_process_of_its_own_has_the_campaigns_that_were_asked_for() -> None:
    with import_module("server").running(campaigns=3) as server:
        assert len(server.campaigns()) == 3


def test_looks_are_counted_from_one_beginning_to_the_next() -> None:
    requests = [(1.0, True), (2.0, False), (3.0, True), (3.1, False), (3.2, False), (4.0, True), (4.1, False)]
    assert import_module("triggerers").whole_looks(requests, since=1.5) == [3]
    assert import_module("triggerers").whole_looks(requests, since=3.5) == []
