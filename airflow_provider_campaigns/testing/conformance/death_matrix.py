"""Exactly one campaign, each contact once, one start: whatever dies or is lost, at whichever step."""

from __future__ import annotations

import pytest

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.testing.conformance.cases import Case, cases
from airflow_provider_campaigns.testing.conformance.stage import Stage
from airflow_provider_campaigns.testing.conformance.suite import Suite

#: Run everywhere, also where tests marked as thorough are not: a death at each step at the worst moment, when the
#: vendor has acted and nobody knows.
_WORST = ("killed under way, effect done",)
_STORE = needs("task_state_store")


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    thorough = [] if case.kind in _WORST and case.form in ("plain", "no store") else [pytest.mark.thorough]
    return thorough if case.form == "no store" else [*thorough, _STORE]


class DeathMatrix(Suite):
    """
    A launch happens exactly once.

    The worker's process is killed at every step: before the request, under way, after the answer, before and after it
    is remembered. Answers are lost in four ways, with and without effect at the vendor. Two tries run at once. Each
    case is played with and without a task state store, without waiting, waiting and deferred. Airflow's retries follow;
    in the end the sandbox tells how many campaigns, contacts, messages and starts there are.
    """

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the matrix for each case of each vendor."""
        super().pytest_generate_tests(metafunc)
        if "case" in metafunc.fixturenames:
            every = [case for vendor in self.vendors for case in cases(vendor)]
            metafunc.parametrize("case", [pytest.param(case, marks=_marks(case), id=str(case)) for case in every])

    def test_a_launch_happens_exactly_once(self, case: Case, unlimited_campaign_sandbox: Sandbox) -> None:
        played = Stage(unlimited_campaign_sandbox, self.vendors).play(case)
        assert played.problems() == [], played.ends
