"""Exactly one campaign, each contact once, one start: whatever dies or is lost, at whichever step; see matrix.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matrix import Case, Stage, cases, stage


@pytest.fixture(scope="module")
def playing() -> Iterator[Stage]:
    """One stage for all cases."""
    with stage() as made:
        yield made


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_launch_happens_exactly_once(case: Case, playing: Stage) -> None:
    played = playing.play(case)
    assert played.problems() == [], played.ends
