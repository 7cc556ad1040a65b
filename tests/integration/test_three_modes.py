"""The three modes of waiting through Airflow, in this process: the same end in each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.exceptions import CampaignFailed, CampaignRequestFailed
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import airflow_has

pytestmark = pytest.mark.xdist_group("airflow_db")

MODES = ("poke", "reschedule", "deferrable")
TOLD_EXCEPTIONS = airflow_has("callbacks that are told the exception in dag.test()")
#: What is done at the vendor when a sensor has looked at its campaign for the second time, and what comes of it:
#: the exception, and the tries out of two that it takes.
FATES: Mapping[str, tuple[Callable[[KinboxClient, str], object], type[Exception] | None, int]] = {
    "finishes": (KinboxClient.resume_campaign, None, 1),
    "is canceled": (
        lambda client, campaign: client.update_campaign(campaign, extra_fields={"status": "canceled"}),
        CampaignFailed,
        1,
    ),
    "is deleted": (KinboxClient.delete_campaign, CampaignRequestFailed, 2),
}


class Waits:
    """Runs the DAG of the three modes and tells how each of its sensors ended."""

    def __init__(self, sandbox: Sandbox, load_dag: Callable[..., Any]) -> None:
        self.sandbox = sandbox
        self.load_dag = load_dag
        self.client = KinboxClient("token", base_url=sandbox.base_url("kinbox"))
        # Vendor time stands still until the campaigns are paused, which each is until it meets its fate.
        sandbox.set_speed(0)
        self.campaigns = {mode: self._paused_campaign(mode) for mode in MODES}
        sandbox.set_speed(600)
        self.states: dict[str, str] = {}
        self.tries: dict[str, int] = {}
        self.exceptions: dict[str, type[BaseException]] = {}
        self.results: dict[str, Any] = {}

    def run(self, dag_id: str, fate: Callable[[KinboxClient, str], object] | None = None) -> None:
        """Run the DAG; each campaign meets its fate when it was looked at twice."""
        dag = self.load_dag("three_modes.py", dag_id)
        for task in dag.tasks:
            task.on_failure_callback = [self._note_exception]
        with self._fates(fate):
            run = dag.test(run_conf=self.campaigns)
        for one in run.get_task_instances():
            self.states[one.task_id] = str(one.state)
            self.tries[one.task_id] = one.try_number
            self.results[one.task_id] = one.xcom_pull(task_ids=one.task_id)

    def looks(self, mode: str, status: int | None = None) -> int:
        """Return how often a mode's campaign was looked at, with a certain answer or any."""
        requests = self.sandbox.journal("kinbox")["requests"]
        return sum(
            request["endpoint"] == "get_campaign"
            and request["path"].endswith(self.campaigns[mode])
            and status in (None, request["status"])
            for request in requests
        )

    def _paused_campaign(self, mode: str) -> str:
        url = "https://files.example.com/leads.csv?leads=20"
        campaign = self.client.create_campaign(name=mode, lead_type="file", leads_asset_url=url)
        return self.client.pause_campaign(campaign.id).id

    def _note_exception(self, context: Any) -> None:
        if TOLD_EXCEPTIONS:
            self.exceptions[context["ti"].task_id] = type(context["exception"])

    @contextmanager
    def _fates(self, fate: Callable[[KinboxClient, str], object] | None) -> Iterator[None]:
        over = threading.Event()

        def bring() -> None:
            waiting = set(MODES)
            while waiting and not over.wait(0.05):
                for mode in [mode for mode in waiting if self.looks(mode) >= 2]:
                    fate(self.client, self.campaigns[mode])
                    waiting.remove(mode)

        thread = threading.Thread(target=bring if fate else lambda: None)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.fixture
def waits(campaign_sandbox: Sandbox, load_dag: Callable[..., Any]) -> Waits:
    """Return the three waits, each with a campaign that is paused at the vendor."""
    return Waits(campaign_sandbox, load_dag)


@pytest.mark.parametrize("fate", FATES)
def test_a_wait_ends_with_the_same_result_or_exception_in_each_mode(fate: str, waits: Waits) -> None:
    act, exception, tries = FATES[fate]
    waits.run("patient", act)
    assert waits.states == dict.fromkeys(MODES, "failed" if exception else "success")
    assert waits.exceptions == (dict.fromkeys(MODES, exception) if exception and TOLD_EXCEPTIONS else {})
    assert waits.tries == dict.fromkeys(MODES, tries)
    assert min(map(waits.looks, MODES)) > 2
    # Each waits for a campaign of its own, whose messages went out at moments of their own.
    results = [dict(waits.results[mode] or {}, id=None, name=None) for mode in MODES]
    for result in results:
        result["details"] = sorted(result.get("details") or ())
    assert results == [results[0]] * 3
    assert results[0].get("status") == (None if exception else "finished")


def test_what_one_try_saw_is_not_held_against_the_next_in_reschedule_mode(waits: Waits) -> None:
    waits.run("patient", FATES["is deleted"][0])
    # Two refusals end a try, and there are two tries.
    assert waits.looks("reschedule", status=404) == 4


def test_a_wait_times_out_without_retry_in_each_mode(waits: Waits) -> None:
    waits.run("hasty")
    assert waits.states == dict.fromkeys(MODES, "failed")
    assert waits.exceptions == (dict.fromkeys(MODES, AirflowSensorTimeout) if TOLD_EXCEPTIONS else {})
    assert waits.tries == dict.fromkeys(MODES, 1)


@pytest.mark.parametrize("fate", [fate for fate, (_, exception, _) in FATES.items() if exception])
def test_with_soft_fail_a_failed_wait_is_skipped_in_each_mode(fate: str, waits: Waits) -> None:
    waits.run("patient_soft", FATES[fate][0])
    assert waits.states == dict.fromkeys(MODES, "skipped")


def test_with_soft_fail_a_wait_that_times_out_is_skipped_in_each_mode(waits: Waits) -> None:
    waits.run("hasty_soft")
    assert waits.states == dict.fromkeys(MODES, "skipped")
