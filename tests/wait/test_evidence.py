"""The bounds of a share are those of the Wilson score interval, and a small sample proves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_campaigns.wait.evidence import DEFAULT_MIN_SAMPLE, Sample

#: As statsmodels 0.14 has them: proportion_confint(part, whole, alpha=0.05, method="wilson").
REFERENCE = [
    ((0, 1), (0.0, 0.7934506856227627)),
    ((1, 1), (0.2065493143772374, 1.0)),
    ((1, 2), (0.09453120573423068, 0.9054687942657693)),
    ((0, 50), (0.0, 0.07134759913335874)),
    ((1, 50), (0.003539259271646236, 0.10495443589637815)),
    ((50, 50), (0.9286524008666412, 1.0)),
    ((3, 120), (0.008538174769902221, 0.0709300333278661)),
    ((7, 1000), (0.0033948684009907654, 0.01437831546576659)),
    ((499, 500), (0.9887592932948532, 0.9996468636054407)),
    ((200, 20000), (0.008712066073618286, 0.011476129261364248)),
]


@pytest.mark.parametrize(("counted", "bounds"), REFERENCE)
def test_the_bounds_are_wilson_s(counted: tuple[int, int], bounds: tuple[float, float]) -> None:
    assert Sample(*counted).bounds == pytest.approx(bounds, abs=1e-12)


@given(st.integers(1, 10**7).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_bounds_hold_the_share_and_stay_between_nobody_and_everybody(counted: tuple[int, int]) -> None:
    sample = Sample(*counted)
    low, high = sample.bounds
    assert 0 <= low <= sample.share + 1e-12
    assert sample.share - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("whole", "population", "enough"),
    [(1, 20_000, False), (49, None, False), (50, None, True), (20, 20, True), (19, 20, False), (1, 0, False)],
)
def test_fewer_than_the_minimum_are_enough_only_if_they_are_all(
    whole: int, population: int | None, enough: bool
) -> None:
    assert Sample(0, whole).is_enough(DEFAULT_MIN_SAMPLE, population) is enough
