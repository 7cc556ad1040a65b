"""Altur's client against the sandbox: its credential, creating and changing campaigns."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest
from at_altur import API_KEY, FOR_GOOD, LABEL, LOST, Connect, Counts, Inventory, create, launched

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


class TestCredential:
    def test_a_refused_key_is_named_by_its_connection_and_never_shown(self, connect: Connect) -> None:
        with pytest.raises(errors.AuthenticationFailed) as refused:
            connect("invalid").check()
        assert LABEL in str(refused.value)
        assert "'invalid'" not in str(refused.value)
        assert refused.value.status == 401

    def test_a_key_copied_together_with_its_scheme_works(self, connect: Connect) -> None:
        assert connect(f"api-key {API_KEY}\n").check()

    @pytest.mark.parametrize("key", ["", "   ", "two\nlines", "schlüssel"])
    def test_a_key_that_cannot_be_sent_is_refused_at_once(self, key: str) -> None:
        with pytest.raises(errors.InvalidRequest, match="API key"):
            AlturClient(key)

    def test_the_check_tells_what_the_account_has_in_one_request(
        self, client: AlturClient, requests_of: Counts
    ) -> None:
        create(client)
        create(client)
        assert client.check() == "Altur accepts the API key and lists 2 campaigns."
        assert requests_of()["list_campaigns"] == 1


class TestCreate:
    def test_a_new_campaign_is_a_draft_without_contacts(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = create(client, description="past due", retries=2, timezone="America/Bogota")
        assert (campaign.id, campaign.name) == ("1001", "June")
        assert (campaign.status, campaign.vendor_status, campaign.progress) == (CampaignStatus.DRAFT, "pending", 0.0)
        assert [(row["id"], row["contacts"], row["starts"]) for row in campaigns()] == [(1001, 0, 0)]

    def test_every_field_of_a_phone_campaign_arrives(self, client: AlturClient) -> None:
        hours = {"startTime": "09:00", "stopTime": "18:00"}
        cycles = {
            "enabled": True,
            "mode": "scheduled",
            "max_iterations": 3,
            "cooldown_minutes": 60,
            "filter_statuses": ["voicemail"],
            "filter_tags": ["later"],
            "schedule": {"mon": hours},
            "schedule_start_date": datetime.date(2030, 1, 1),
            "schedule_end_date": "2030-01-31",
        }
        raw = create(client, first_message="Hello", scheduling={"tue": hours}, cycles=cycles).raw
        assert raw["first_message"] == "Hello"
        assert raw["scheduling"]["tue"] == {**hours, "active": True}
        assert [day for day, row in raw["scheduling"].items() if row["active"]] == ["tue"]
        assert len(raw["scheduling"]) == 7
        assert raw["cycles"]["schedule_start_date"] == "2030-01-01"
        assert raw["cycles"]["schedule"]["mon"]["active"]
        assert not raw["cycles"]["schedule"]["tue"]["active"]

    def test_every_field_of_a_whatsapp_campaign_arrives(self, client: AlturClient) -> None:
        raw = create(client, "whatsapp", template="june", template_alt="june_b", message_limit="500").raw
        assert (raw["template"], raw["template_alt"], raw["message_limit"]) == ("june", "june_b", 500)

    @pytest.mark.parametrize("fault", LOST)
    @pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
    def test_an_answer_lost_once_is_asked_for_again_under_the_same_key(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, fault: str, effect: bool
    ) -> None:
        campaign_sandbox.order_fault(**LOST[fault], endpoint="create_campaign", effect=effect)
        campaign = create(client)
        assert [str(row["id"]) for row in campaigns()] == [campaign.id]
        keys = [entry["idempotency_key"] for entry in campaign_sandbox.journal("altur")["requests"]]
        assert len(keys) == 2
        assert len(set(keys)) == 1

    @pytest.mark.parametrize("fault", LOST)
    @pytest.mark.parametrize(("effect", "exist"), [(True, 1), (False, 0)], ids=["after the effect", "before it"])
    def test_answers_lost_for_good_leave_the_outcome_open_and_at_most_one_campaign(
        self,
        client: AlturClient,
        campaign_sandbox: Sandbox,
        campaigns: Inventory,
        fault: str,
        effect: bool,
        exist: int,
    ) -> None:
        order = {**LOST[fault], "seconds": 1.0}
        campaign_sandbox.order_fault(**order, endpoint="create_campaign", effect=effect, times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown) as unclear:
            create(client, idempotency_key="the-key")
        assert unclear.value.__notes__ == ["The Idempotency-Key was the-key."]
        if (fault, effect) != ("slow", False):  # There the vendor acts after the client has gone.
            assert len(campaigns()) == exist
        assert len(campaigns()) <= 1

    def test_a_refusal_after_a_lost_answer_does_not_pass_for_the_outcome(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        campaign_sandbox.order_fault(kind="reset", endpoint="create_campaign")
        campaign_sandbox.order_fault(kind="error", endpoint="create_campaign", status=403, effect=False)
        with pytest.raises(errors.OutcomeUnknown):
            create(client)
        assert len(campaigns()) == 1

    def test_a_refused_create_leaves_nothing_and_is_not_repeated(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, requests_of: Counts
    ) -> None:
        campaign_sandbox.order_fault(kind="error", endpoint="create_campaign", status=402, effect=False)
        with pytest.raises(errors.BillingLimitReached):
            create(client)
        assert requests_of() == {"create_campaign": 1}
        assert campaigns() == []

    def test_one_request_too_many_is_sent_again_after_the_pause(
        self, connect: Connect, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        pauses: list[float] = []
        campaign_sandbox.order_fault(kind="rate_limited", endpoint="create_campaign", retry_after=None, seconds=7)
        create(connect(sleep=pauses.append))
        assert len(campaigns()) == 1
        assert len(pauses) == 1
        assert 7 <= pauses[0] < 8

    def test_the_same_key_never_makes_a_second_campaign(self, client: AlturClient, campaigns: Inventory) -> None:
        first = create(client, idempotency_key="once")
        assert create(client, idempotency_key="once").id == first.id
        assert len(campaigns()) == 1

    def test_another_campaign_under_a_used_key_is_a_conflict(self, client: AlturClient, campaigns: Inventory) -> None:
        create(client, idempotency_key="once")
        with pytest.raises(errors.Conflict):
            create(client, idempotency_key="once", name="July")
        assert len(campaigns()) == 1

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"name": "x" * 256}, "name"),
            ({"name": None}, "name"),
            ({"integration_type": "sms"}, "integration_type"),
            ({"retries": 6}, "retries"),
            ({"timezone": "Mexico"}, "timezone"),
            ({"template": "june"}, "template"),
            ({"message_limit": 5}, "message_limit"),
            ({"scheduling": {"monday": {}}}, "scheduling"),
            ({"scheduling": {"mon": {"startTime": "9h", "stopTime": "18:00"}}}, "scheduling.mon.startTime"),
            ({"cycles": {"mode": "cooldown"}}, "cycles.enabled"),
            ({"extra_fields": {"name": "x"}}, "name"),
            ({"idempotency_key": "two\nlines"}, "idempotency_key"),
        ],
    )
    def test_bad_input_is_named_and_never_sent(
        self, client: AlturClient, requests_of: Counts, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            create(client, **fields)
        assert requests_of() == {}


class TestUpdate:
    def test_what_is_given_changes_and_the_rest_stays(self, client: AlturClient) -> None:
        rules = {"enabled": True, "mode": "cooldown", "max_iterations": 2, "cooldown_minutes": 5}
        campaign = create(client, description="old", cycles=rules)
        changed = client.update_campaign(campaign.id, name="July", cycles={"max_iterations": 4})
        assert (changed.name, changed.raw["description"]) == ("July", "old")
        assert changed.raw["cycles"] == {**rules, "max_iterations": 4}

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({}, "at least one"),
            ({"extra_fields": {"agent_id": "b"}}, "agent_id"),
            ({"extra_fields": {"integration_type": "whatsapp"}}, "integration_type"),
            ({"cycles": {"enabled": True}}, "cycles.enabled"),
            ({"cycles": {"mode": "scheduled", "max_iterations": 2}}, "cycles.mode"),
            ({"retries": -1}, "retries"),
        ],
    )
    def test_what_cannot_change_is_refused_before_it_is_sent(
        self, client: AlturClient, requests_of: Counts, fields: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named):
            client.update_campaign("1001", **fields)
        assert requests_of() == {}

    def test_a_finished_campaign_does_not_change(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        with pytest.raises(errors.Conflict) as refused:
            client.update_campaign(campaign.id, name="late")
        assert refused.value.code == "CAMPAIGN_FINISHED"

    def test_cycles_of_a_campaign_without_them_are_refused(self, client: AlturClient) -> None:
        with pytest.raises(errors.Rejected) as refused:
            client.update_campaign(create(client).id, cycles={"max_iterations": 2})
        assert refused.value.code == "CYCLES_NOT_ENABLED"

    def test_an_update_whose_answer_was_lost_is_made_again(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="update_campaign")
        assert client.update_campaign(campaign.id, name="July").name == "July"


def test_the_module_is_imported_without_any_http_library() -> None:
    code = (
        "import sys, airflow_provider_campaigns.api.altur.client; "
        "print([name for name in ('airflow', 'requests', 'jwt', 'pyrate_limiter', 'starlette', 'tenacity') "
        "if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
