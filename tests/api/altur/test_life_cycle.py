"""Altur's client against the sandbox: starting, pausing, resuming, archiving, and the limit."""

from __future__ import annotations

import contextlib

import pytest
from at_altur import FOR_GOOD, LOST, Connect, Counts, Inventory, create, launched, people

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.altur.vendor import AlturVendor
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


class TestLifeCycle:
    def test_a_campaign_becomes_ready_with_its_contacts_and_runs_when_started(
        self, client: AlturClient, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        assert client.get_campaign(campaign.id).vendor_status == "ready"
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1

    def test_starting_what_runs_already_changes_nothing(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = launched(client)
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert client.activate_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1

    def test_starting_a_paused_campaign_resumes_it(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = launched(client)
        assert client.pause_campaign(campaign.id).status is CampaignStatus.PAUSED
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert (requests_of()["resume_campaign"], requests_of()["activate_campaign"]) == (1, 1)

    def test_starting_a_campaign_in_cooldown_begins_its_next_cycle(
        self, client: AlturClient, clock: ManualClock
    ) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 600}
        campaign = launched(client, cycles=rules)
        clock.advance(SENDING_SECONDS + 1)
        seen = client.get_campaign(campaign.id)
        assert (seen.vendor_status, seen.status) == ("cooldown", CampaignStatus.RUNNING)
        with pytest.raises(errors.Conflict):
            client.resume_campaign(campaign.id)
        assert client.start_campaign(campaign.id).vendor_status == "active"
        clock.advance(SENDING_SECONDS + 1)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_a_campaign_in_cooldown_goes_on_by_itself(self, client: AlturClient, clock: ManualClock) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 10}
        campaign = launched(client, cycles=rules)
        clock.advance(SENDING_SECONDS + 600 + 1)
        assert client.get_campaign(campaign.id).vendor_status == "active"
        assert client.count_contacts(campaign.id, "retrying") > 0

    def test_a_finished_campaign_cannot_be_started_again(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        for start in (client.start_campaign, client.activate_campaign):
            with pytest.raises(errors.Conflict):
                start(campaign.id)
        assert campaigns()[0]["starts"] == 1

    def test_a_refused_transition_tells_the_state(self, client: AlturClient) -> None:
        with pytest.raises(errors.Conflict, match=r"current_status: pending.*") as refused:
            client.pause_campaign(create(client).id)
        assert refused.value.code == "INVALID_STATUS_TRANSITION"

    @pytest.mark.parametrize("fault", LOST)
    def test_a_start_whose_answer_was_lost_is_looked_at_and_found(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts, fault: str
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(**LOST[fault], endpoint="activate_campaign")
        assert client.start_campaign(campaign.id).status is CampaignStatus.RUNNING
        assert campaigns()[0]["starts"] == 1
        assert requests_of()["activate_campaign"] == 1

    @pytest.mark.parametrize("fault", LOST)
    def test_a_start_that_never_took_effect_stays_open_and_is_not_repeated(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts, fault: str
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(**{**LOST[fault], "seconds": 1.5}, endpoint="activate_campaign", effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            client.start_campaign(campaign.id)
        assert campaigns()[0]["starts"] == 0
        assert requests_of()["activate_campaign"] == 1

    def test_a_look_that_fails_too_leaves_the_start_open(self, client: AlturClient, campaign_sandbox: Sandbox) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="activate_campaign")
        campaign_sandbox.order_fault(kind="error", endpoint="get_campaign", times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown):
            client.activate_campaign(campaign.id)

    @pytest.mark.parametrize("action", ["pause", "archive"])
    def test_actions_that_may_be_repeated_survive_a_lost_answer(
        self, client: AlturClient, campaign_sandbox: Sandbox, action: str
    ) -> None:
        campaign = launched(client)
        campaign_sandbox.order_fault(kind="reset", endpoint=f"{action}_campaign")
        seen = getattr(client, f"{action}_campaign")(campaign.id)
        assert seen.raw["archived"] is (action == "archive")
        assert seen.status is (CampaignStatus.RUNNING if action == "archive" else CampaignStatus.PAUSED)

    def test_a_paused_campaign_stands_still_and_goes_on_where_it_was(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS / 2)
        client.pause_campaign(campaign.id)
        sent = campaigns()[0]["messages"]
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == sent == 60
        client.resume_campaign(campaign.id)
        clock.advance(SENDING_SECONDS / 2)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_there_is_no_stop_and_the_error_says_what_to_use(self, client: AlturClient, requests_of: Counts) -> None:
        with pytest.raises(errors.UnsupportedAction, match="Altur has no stop; use pause, or archive"):
            client.stop_campaign("1001")
        assert [client.supports(action) for action in ("start", "pause", "resume", "stop")] == [True, True, True, False]
        assert requests_of() == {}


class TestSandbox:
    def test_more_than_1000_contacts_take_proportionally_longer(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        list(client.add_all_contacts(campaign.id, people(2000)))
        client.start_campaign(campaign.id)
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == 1000
        clock.advance(SENDING_SECONDS)
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_the_documented_limit_holds_and_the_client_keeps_below_it(self, connect: Connect) -> None:
        with Sandbox(vendors=[AlturVendor]) as limited:
            base_url = limited.base_url("altur")
            with contextlib.suppress(errors.RateLimited):
                for _ in range(14):
                    connect("rash", base_url=base_url).check()
            assert 429 in {entry["status"] for entry in limited.journal("altur")["requests"]}
            limited.reset()
            calm = connect("calm", base_url=base_url, rate_limit=None)
            for _ in range(14):
                calm.check()
            assert [entry["status"] for entry in limited.journal("altur")["requests"]] == [200] * 14
