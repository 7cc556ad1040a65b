"""Deferred waits in a whole Airflow: scheduler, DAG processor, triggerer and API server as they run in production."""

from __future__ import annotations

import time
from typing import Any

import pytest
from whole_airflow import Airflow, Run, until

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("airflow_standalone")]


class Kinbox:
    """What a test does and sees at the vendor."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = KinboxClient("token", base_url=sandbox.base_url("kinbox"))

    def running_campaign(self) -> str:
        """Return the id of a campaign that has many hours to go."""
        url = "https://files.example.com/leads.csv?leads=100000"
        campaign = self.client.create_campaign(
            name="Long", lead_type="file", leads_asset_url=url, chunk_size=100_000, seconds_between_messages=1
        )
        self.sandbox.set_speed(60)
        until("the campaign runs", lambda: self.status(campaign.id) == "executing")
        return campaign.id

    def let_finish(self) -> None:
        """Let vendor time fly, so that what runs at the vendor finishes in a moment."""
        self.sandbox.set_speed(10_000_000)

    def status(self, campaign_id: str) -> str:
        """Return the vendor's word for a campaign's status, by another way than Airflow's requests."""
        campaigns = self.sandbox.journal("kinbox")["campaigns"]
        return str(next(campaign["status"] for campaign in campaigns if campaign["id"] == campaign_id))

    def requests(self, **properties: Any) -> list[dict[str, Any]]:
        """Return the requests that arrived, those with the given properties."""
        requests: list[dict[str, Any]] = self.sandbox.journal("kinbox")["requests"]
        return [one for one in requests if all(one[name] == value for name, value in properties.items())]

    def looks(self, **properties: Any) -> int:
        """Return how often campaigns were looked at."""
        return len(self.requests(endpoint="get_campaign", **properties))

    def wait_for_looks(self, number: int) -> None:
        """Wait until campaigns were looked at so many times more."""
        before = self.looks()
        until(f"{number} more looks", lambda: self.looks() >= before + number)


@pytest.fixture
def kinbox(sandbox: Sandbox) -> Kinbox:
    """The vendor, without campaigns and with its time standing still."""
    sandbox.reset()
    return Kinbox(sandbox)


def test_a_deferred_wait_turns_green_when_the_campaign_has_finished(airflow: Airflow, kinbox: Kinbox) -> None:
    run = Run(airflow, "launch")
    run.wait_for("deferred")
    kinbox.wait_for_looks(2)
    kinbox.let_finish()
    assert run.wait_for_end() == "success"
    assert run.task("use")["state"] == "success"
    assert len(kinbox.requests(endpoint="create_campaign")) == 1


def test_a_campaign_that_is_paused_at_the_vendor_and_resumed_is_waited_for(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = Run(airflow, "watch", campaign_id=campaign)
    run.wait_for("deferred")
    kinbox.client.pause_campaign(campaign)
    kinbox.wait_for_looks(3)
    assert run.task()["state"] == "deferred"
    kinbox.client.resume_campaign(campaign)
    kinbox.let_finish()
    assert run.wait_for_end() == "success"


def test_a_wait_that_a_user_marks_failed_ends_and_leaves_the_campaign_alone(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = Run(airflow, "watch", campaign_id=campaign)
    run.wait_for("deferred")
    kinbox.wait_for_looks(2)
    assert run.task()["trigger"] is not None

    run.mark_failed()
    until("the trigger is gone", lambda: run.task()["trigger"] is None)
    # Four intervals without a look are the end of looking.
    until("no more looks", lambda: time.time() - kinbox.requests(endpoint="get_campaign")[-1]["at"] > 2)

    assert run.wait_for_end() == "failed"
    assert kinbox.status(campaign) == "executing"
    assert {request["endpoint"] for request in kinbox.requests()} == {"create_campaign", "get_campaign"}


def test_a_deferred_wait_that_times_out_is_not_retried_or_is_skipped_with_soft_fail(
    airflow: Airflow, kinbox: Kinbox
) -> None:
    campaign = kinbox.running_campaign()
    run = Run(airflow, "overdue", campaign_id=campaign)
    assert run.wait_for_end() == "failed"
    ends = {name: (run.task(name)["state"], run.task(name)["try_number"]) for name in ("fails", "is_skipped")}
    assert ends == {"fails": ("failed", 1), "is_skipped": ("skipped", 1)}
    assert "AirflowSensorTimeout" in run.log("fails")
    for name in ends:
        assert "DEFERRED" in run.log(name)
    assert kinbox.status(campaign) == "executing"


def test_a_deferred_wait_outlives_an_outage_of_the_vendor(airflow: Airflow, kinbox: Kinbox) -> None:
    campaign = kinbox.running_campaign()
    run = Run(airflow, "watch", campaign_id=campaign)
    run.wait_for("deferred")
    # More than the client tries for one look.
    kinbox.sandbox.order_fault(vendor="kinbox", endpoint="get_campaign", kind="error", status=502, times=6)
    until("the outage is over", lambda: kinbox.looks(fault="error") == 6)
    kinbox.wait_for_looks(1)
    assert run.task()["state"] == "deferred"
    kinbox.let_finish()
    assert run.wait_for_end() == "success"


def test_the_token_is_in_no_log(airflow: Airflow, kinbox: Kinbox, token: str) -> None:
    run = Run(airflow, "watch", campaign_id="of-another-account")
    assert run.wait_for_end() == "failed"
    assert "CampaignRequestFailed" in run.log()
    logs = [path for path in airflow.home.rglob("*.log*") if path.is_file()]
    assert [path for path in logs if "trigger" in path.name]
    assert [path for path in logs if token.encode() in path.read_bytes()] == []
