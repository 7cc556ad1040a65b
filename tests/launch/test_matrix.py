"""Exactly one campaign, each contact once, one start: whatever dies or is lost, at whichever step; see matrix.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from airflow_since import airflow_since
from matrix import Case, Stage, cases, stage

#: On every Airflow: a death at each step at the worst moment, when the vendor has acted and nobody knows.
EVERYWHERE = ("killed under way, effect done",)
STORE = airflow_since("3.3", "task_state_store")


@pytest.fixture(scope="module")
def playing() -> Iterator[Stage]:
    """One stage for all cases."""
    with stage() as made:
        yield made


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    thorough = [] if case.kind in EVERYWHERE and case.form in ("plain", "no store") else [pytest.mark.thorough]
    return thorough if case.form == "no store" else [*thorough, STORE]


@pytest.mark.parametrize("case", [pytest.param(case, marks=_marks(case), id=str(case)) for case in cases()])
def test_a_launch_happens_exactly_once(case: Case, playing: Stage) -> None:
    played = playing.play(case)
    assert played.problems() == [], played.ends
