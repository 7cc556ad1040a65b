"""Random sequences of faults, deaths, retries and clears: never a second campaign, never one that nobody is told of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from under_test import VENDORS

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.testing.conformance import Death, Ended, VendorUnderTest, connect
from airflow_provider_campaigns.testing.conformance.store import Store
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of, run_try

LOOKUP_TIMEOUT = 0.3
#: A lag that the look-up outlasts. Of one that it does not outlast, test_promises tells what is promised then.
LIST_LAG = LOOKUP_TIMEOUT / 4
READS = ("list_campaigns", "find_campaigns", "get_campaign")
KINDS = ("reset", "error", "cut_off", "html", "rate_limited")
TRIES = 5


@dataclass(frozen=True)
class Fault:
    """A fault to order before a try."""

    endpoint: str
    kind: str
    effect: bool
    skip: int
    times: int

    def order(self, sandbox: Sandbox, vendor: str) -> None:
        """Order it, unless the vendor has no such endpoint."""
        after = {"retry_after": 0} if self.kind == "rate_limited" else {}
        try:
            sandbox.order_fault(vendor=vendor, **vars(self), **after)
        except ValueError:
            assert self.endpoint == "find_campaigns"


@dataclass(frozen=True)
class Try:
    """
    What befalls a try.

    :param cleared: Whether it follows upon a clear instead of a retry, if it is not the first.
    :param lags: Whether the vendor's list lags.
    :param unknown: Whether the vendor answers with a status that nobody knows.
    """

    faults: Sequence[Fault]
    death: Death | None
    cleared: bool
    lags: bool
    unknown: bool


def faults_of(launched: VendorUnderTest) -> st.SearchStrategy[Fault]:
    """Return faults at the endpoints that a launch uses."""
    endpoints = [*dict.fromkeys(step.endpoint for step in launched.steps), *READS]
    return st.builds(
        Fault,
        endpoint=st.sampled_from(endpoints),
        kind=st.sampled_from(KINDS),
        effect=st.booleans(),
        skip=st.integers(0, 2),
        times=st.sampled_from([1, 1, 2, 5]),
    )


def tries_of(launched: VendorUnderTest) -> st.SearchStrategy[list[Try]]:
    """Return what befalls each try of a launch."""
    one = st.builds(
        Try,
        faults=st.lists(faults_of(launched), max_size=3),
        death=st.none() | st.builds(Death, write=st.integers(1, 6), done=st.booleans()),
        cleared=st.booleans(),
        lags=st.booleans(),
        unknown=st.sampled_from([False, False, False, True]),
    )
    return st.lists(one, min_size=1, max_size=TRIES)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One server for all examples, and Airflow's connections to it."""
    # Fast enough for campaigns to finish between two tries.
    with Sandbox(6000, enforce_limits=False) as made, pytest.MonkeyPatch.context() as patch:
        connect(made, VENDORS, patch)
        yield made


@pytest.mark.thorough
@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(True, marks=needs("task_state_store"), id="stored"),
        pytest.param(False, id="no store"),
    ],
)
@pytest.mark.parametrize("launched", VENDORS)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_happens_there_is_never_a_second_campaign_and_never_a_lost_one(
    launched: VendorUnderTest, stored: bool, sandbox: Sandbox, data: st.DataObject
) -> None:
    tries = data.draw(tries_of(launched))
    vendor = launched.vendor
    sandbox.reset()
    values: dict[str, Any] = {}
    ti = TaskInstance(try_number=0)
    began = datetime.now(UTC)

    def run(death: Death | None = None) -> Ended:
        nonlocal ti
        ti = replace(ti, try_number=ti.try_number + 1, xcoms={})
        store = Store(values, ti.try_number, death) if stored else None
        operator = launched.build(lookup_timeout=LOOKUP_TIMEOUT)
        return run_try(operator, context_of(ti, store, began))

    def check(ended: Ended) -> list[dict[str, Any]]:
        campaigns: list[dict[str, Any]] = sandbox.journal(vendor)["campaigns"]
        assert len(campaigns) <= 1, ended
        for campaign in campaigns:
            assert campaign["starts"] <= 1, ended
            assert campaign["contact_rows"] <= launched.recipients, ended
            if campaign["starts"]:
                assert campaign["contacts"] == launched.recipients, ended
            if ended.outcome != "killed":
                named = {str(campaign["id"]), str((ended.receipt or {}).get("id"))}
                mark = launched.shown_mark_of(campaign).split("[")[-1]
                assert len(named) == 1 or str(campaign["id"]) in ended.error or f"[{mark}" in ended.error, ended
        return campaigns

    for one in tries:
        if one.cleared and ti.try_number:
            ti.max_tries = ti.try_number + 2
        for fault in one.faults:
            fault.order(sandbox, vendor)
        if one.lags:
            sandbox.order_fault(vendor=vendor, kind="list_lag", seconds=LIST_LAG)
        if one.unknown:
            sandbox.order_fault(vendor=vendor, kind="unknown_status")
        ended = run(one.death)
        assert not ended.error.startswith(("LaunchConflict", "CampaignFailed")), ended
        check(ended)
        sandbox.clear_faults()

    # Once the faults are over, the next try brings it home.
    ended = run()
    assert ended.outcome == "success", ended
    (campaign,) = check(ended)
    assert ended.value == str(campaign["id"])
    assert json.loads(json.dumps(ended.receipt))["id"] == ended.value
    if not launched.starts_by_itself:
        assert (campaign["starts"], campaign["contact_rows"]) == (1, launched.recipients)
