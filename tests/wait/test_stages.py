"""A stage's figures pass, fail or prove nothing: by the bounds of the Wilson interval, never by the raw share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import COUNTS
from airflow_provider_campaigns.wait.stages import (
    LIMITED,
    StageLimits,
    StagePlace,
    StageVerdict,
    pairs_of,
    unanswerable,
    verdict_of,
)

PASS, FAIL, INCONCLUSIVE = StageVerdict.PASS, StageVerdict.FAIL, StageVerdict.INCONCLUSIVE
LIMITS = StageLimits({"failed": 0.05})


def verdict(limits: StageLimits, place: StagePlace = StagePlace.SAMPLE, **counts: int) -> StageVerdict:
    return verdict_of(limits.judge(counts, place))


@pytest.mark.parametrize(
    ("failed", "processed", "expected"),
    [
        # 0 of 72 means at most 5.07 % of all, 0 of 73 at most 5.00 %.
        (0, 72, INCONCLUSIVE),
        (0, 73, PASS),
        # A raw share below the limit that proves nothing, and one above it that proves nothing.
        (4, 100, INCONCLUSIVE),
        (6, 100, INCONCLUSIVE),
        (11, 100, FAIL),
        (30, 1000, PASS),
        (70, 1000, FAIL),
        # Below 50 people nothing counts, however clear it looks.
        (49, 49, INCONCLUSIVE),
        (50, 50, FAIL),
        (0, 49, INCONCLUSIVE),
    ],
)
def test_a_sample_proves_what_its_whole_interval_proves(failed: int, processed: int, expected: StageVerdict) -> None:
    assert verdict(LIMITS, failed=failed, processed=processed) is expected


@pytest.mark.parametrize("whole", [50, 73, 120, 869, 20_000])
def test_the_verdict_is_that_of_the_interval_as_scipy_computes_it(whole: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="part of the extra dev")
    for part in {0, 1, 2, 7, whole // 20, whole // 7, whole // 2, whole - 1, whole}:
        interval = stats.binomtest(part, whole).proportion_ci(0.95, method="wilson")
        for limit in (0.004, 0.05, 0.12, 0.5, 0.93):
            (figure,) = StageLimits({"failed": limit}).judge({"failed": part, "processed": whole})
            told = figure.told()
            assert (told["lower"], told["upper"]) == pytest.approx((interval.low, interval.high), abs=1e-12)
            expected = PASS if interval.high <= limit else FAIL if interval.low > limit else INCONCLUSIVE
            assert figure.verdict is expected, (part, whole, limit)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.001, 0.999))
def test_at_least_of_those_reached_is_at_most_of_those_not_reached(counted: tuple[int, int], limit: float) -> None:
    part, whole = counted
    (reached,) = StageLimits(at_least={"answered": 1 - limit}).judge({"answered": whole - part, "processed": whole})
    (missed,) = StageLimits({"failed": limit}).judge({"failed": part, "processed": whole})
    near = min(abs(bound - limit) for bound in (missed.told()["lower"], missed.told()["upper"]))
    assert near < 1e-9 or reached.verdict is missed.verdict


def test_one_figure_that_fails_decides_and_all_must_pass() -> None:
    limits = StageLimits({"failed": 0.05, "rejected": 0.1}, {"delivered": 0.8})
    good = {"failed": 1, "rejected": 10, "processed": 1000, "delivered": 950, "sent": 1000}
    assert verdict(limits, **good) is PASS
    assert verdict(limits, **{**good, "rejected": 200}) is FAIL
    assert verdict(limits, **{**good, "delivered": 500}) is FAIL
    assert verdict(limits, **{**good, "delivered": 500, "rejected": 105}) is FAIL
    assert verdict(limits, **{**good, "rejected": 105}) is INCONCLUSIVE
    del good["delivered"]
    assert verdict(limits, **good) is INCONCLUSIVE


def test_no_figures_and_no_limits_prove_nothing() -> None:
    assert verdict(LIMITS, sent=1000, contacts=1000) is INCONCLUSIVE
    assert verdict(LIMITS, failed=0) is INCONCLUSIVE
    assert verdict(StageLimits(), failed=0, processed=1000) is INCONCLUSIVE
    (figure,) = LIMITS.judge({"sent": 1000})
    assert figure.why == "the vendor gives no figures for failed of processed or failed of contacts or failed of sent"
    assert figure.told()["counted"] is None


def test_test_contacts_can_fail_and_never_pass() -> None:
    assert verdict(LIMITS, StagePlace.TEST, failed=1, processed=2) is FAIL
    assert verdict(LIMITS, StagePlace.TEST, failed=0, processed=2) is INCONCLUSIVE
    assert verdict(LIMITS, StagePlace.TEST, failed=0, processed=1000) is INCONCLUSIVE


def test_a_last_stage_is_judged_by_its_own_people_however_few_they_are() -> None:
    assert verdict(LIMITS, StagePlace.LAST, failed=1, processed=20) is PASS
    assert verdict(LIMITS, StagePlace.LAST, failed=2, processed=20) is FAIL
    assert verdict(LIMITS, StagePlace.LAST, sent=20) is INCONCLUSIVE


def test_a_figure_says_what_was_counted_and_what_it_proves() -> None:
    (figure,) = LIMITS.judge({"failed": 6, "processed": 100})
    assert figure.why == "failed: 6 of 100, so 2.8 to 12.5 % of all with 95 % confidence; the limit is at most 5 %"
    (few,) = LIMITS.judge({"failed": 0, "processed": 10})
    assert "and fewer than min_sample=50" in few.why


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"at_most": {"contacts": 0.1}}, "no limit for 'contacts'"),
        ({"at_least": {"failed": 0.0}}, "between 0 and 1"),
        ({"at_most": {"failed": 1.0}}, "between 0 and 1"),
        ({"min_sample": 0}, "min_sample must be at least 1"),
    ],
)
def test_limits_that_make_no_sense_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        StageLimits(**given)  # type: ignore[arg-type]


def test_limits_are_for_people_whom_the_model_counts() -> None:
    assert set(LIMITED) <= set(COUNTS)
    assert {whole for name in LIMITED for _, whole in pairs_of(name)} <= set(COUNTS)


def test_a_limit_that_a_vendor_s_figures_never_answer_is_told_by_name() -> None:
    names = ("failed", "delivered")
    assert unanswerable(names, {"failed", "sent"}) == ["delivered"]
    assert unanswerable(names, {"failed", "delivered"}) == ["failed", "delivered"]
    assert unanswerable(names, {"failed", "processed", "delivered", "sent"}) == []
