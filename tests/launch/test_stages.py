"""A stage of a ramp begins only with its own slice, and only when each stage before it allowed it."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.launch.stages import RampAudience, StageEntry, receipt_part

GO = {"stage": 1, "campaign_id": "7", "launched": True, "verdict": "pass", "goes_on": True, "why": ["fine"]}
STOP = {**GO, "verdict": "fail", "goes_on": False, "why": ["too many failed"]}


def prepared(*people: int, **more: Any) -> dict[str, Any]:
    """Return what an audience's task returns, with so many people in each slice."""
    shares = [100 * (place + 1) / len(people) for place in range(len(people))]
    slices = [
        {"share": share, "path": f"slice_{place}.jsonl", "contacts": contacts}
        for place, (share, contacts) in enumerate(zip(shares, people, strict=True), 1)
    ]
    return {"slices": slices, "counts": {}, **more}


def read(audience: Any, **how: Any) -> RampAudience:
    return RampAudience.read(audience, **{"shares": None, "most_stages": 9, "with_test": False, **how})


def test_the_first_stage_begins_and_the_next_after_a_verdict_that_allows_it() -> None:
    audience = read(prepared(5, 20, 75))
    assert audience.admission(1, {}).entry is StageEntry.ENTER
    admission = audience.admission(2, {1: GO})
    assert (admission.entry, admission.after) == (StageEntry.ENTER, GO)


@pytest.mark.parametrize(
    ("verdict", "entry", "told"),
    [
        ({}, StageEntry.REFUSE, "Stage 1 has people and no verdict"),
        (STOP, StageEntry.REFUSE, "Stage 1 stopped the ramp: fail. too many failed"),
        ({"stage": 1, "launched": False, "goes_on": False}, StageEntry.SKIP, "Stage 1 was not launched"),
    ],
)
@pytest.mark.parametrize("number", [2, 3])
def test_no_stage_begins_after_one_that_did_not_allow_it(
    verdict: dict[str, Any], entry: StageEntry, told: str, number: int
) -> None:
    verdicts = {1: verdict, 2: GO} if number == 3 else {1: verdict}
    admission = read(prepared(5, 20, 75)).admission(number, verdicts)
    assert admission.entry is entry
    assert told in admission.reason


def test_a_stage_of_nobody_is_skipped_and_asks_for_no_verdict() -> None:
    audience = read(prepared(5, 0, 75))
    assert audience.admission(2, {1: GO}).entry is StageEntry.SKIP
    admission = audience.admission(3, {1: GO, 2: {}})
    assert (admission.entry, admission.after) == (StageEntry.ENTER, GO)


def test_a_stage_that_the_audience_has_no_slice_for_is_skipped() -> None:
    audience = read(prepared(5, 95), most_stages=3)
    assert audience.admission(3, {1: GO, 2: GO}).entry is StageEntry.SKIP


def test_the_last_stage_is_the_one_after_which_nobody_comes() -> None:
    audience = read(prepared(5, 95, 0))
    assert [audience.is_last(number) for number in (0, 1, 2, 3)] == [False, False, True, True]


def test_the_test_stage_has_the_file_of_the_author_s_phones() -> None:
    audience = read(prepared(5, 95, test={"path": "test.jsonl", "contacts": 1}), with_test=True)
    assert audience.part(0) == {"path": "test.jsonl", "contacts": 1}
    assert audience.admission(1, {0: {}}).entry is StageEntry.REFUSE
    assert audience.admission(1, {0: {**GO, "stage": 0}}).entry is StageEntry.ENTER


@pytest.mark.parametrize(
    ("audience", "how", "told"),
    [
        (None, {}, "must be what PrepareAudienceOperator returned"),
        ({"slices": "none"}, {}, "must be what PrepareAudienceOperator returned"),
        (prepared(1, 1), {"shares": [10, 100]}, "slices up to 50, 100 %, and the ramp has stages up to 10, 100 %"),
        (prepared(1, 1, 1), {"most_stages": 2}, "has 3 slices, and the ramp has only 2 stages"),
        (prepared(1, 1), {"with_test": True}, "begins with test contacts, and the audience has none"),
        ({"slices": [{"share": 100, "timezone": "UTC", "path": "p", "contacts": 1}]}, {}, "split by time zone"),
    ],
)
def test_another_audience_than_the_ramp_was_made_for_is_refused(audience: Any, how: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read(audience, **how)


def test_a_receipt_tells_the_stage_and_who_let_it_begin_without_all_the_figures() -> None:
    after = {**GO, "decided_by": {"id": "1", "name": "Rosa"}, "decided_at": "2026-03-01", "figures": [{}]}
    told = receipt_part({"stage": 2, "stages": 3, "share": 25, "path": "p", "contacts": 9, "after": after})
    assert (told["stage"], told["stages"], told["share"]) == (2, 3, 25)
    assert told["after"]["decided_by"] == {"id": "1", "name": "Rosa"}
    assert "figures" not in told["after"]
