"""Tests of a DAG against the sandbox, as the guide "Testing your DAGs" shows them."""

import json

import pytest

# --8<-- [start:once]
from airflow_provider_campaigns.testing.launched import assert_one_campaign


def test_it_launches_one_campaign_and_succeeds(first_campaign, campaign_sandbox):
    run = first_campaign.test()
    assert run.state == "success"
    campaign = assert_one_campaign(campaign_sandbox, "kinbox", name="First campaign")
    assert campaign["messages"] == 60
    # --8<-- [end:once]


@pytest.fixture
def gated(campaign_dags):
    return campaign_dags["gated"]


# --8<-- [start:people]
PEOPLE = [f"+52155123456{number}" for number in range(10, 70)]


@pytest.fixture
def contacts(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text("\n".join(["contact", *PEOPLE]))
    return str(file)


def test_it_reaches_these_people_and_nobody_else(gated, campaign_sandbox, contacts):
    run = gated.test(run_conf={"contacts": contacts, "poll_interval": 1})
    assert run.state == "success"
    assert_one_campaign(campaign_sandbox, "altur", recipients=PEOPLE)
    # --8<-- [end:people]


# --8<-- [start:gate]
def test_the_run_fails_when_too_many_are_not_reached(gated, campaign_sandbox, contacts):
    campaign_sandbox.order_fault(
        vendor="altur", kind="failed_recipients", recipients=PEOPLE[:20]
    )
    run = gated.test(run_conf={"contacts": contacts, "poll_interval": 1})
    assert run.state == "failed"
    assert_one_campaign(campaign_sandbox, "altur", recipients=PEOPLE)
    # --8<-- [end:gate]


@pytest.fixture
def approval(campaign_dags):
    return campaign_dags["approval"]


# --8<-- [start:approval]
def test_it_launches_what_a_person_approved(approval, campaign_sandbox):
    from airflow_provider_campaigns.testing.approvals import answered_approvals

    with answered_approvals("Approve", by="Ana"):
        assert approval.test().state == "success"
    assert_one_campaign(campaign_sandbox, "kinbox", name="Winter offer")


def test_a_rejection_launches_nothing(approval, campaign_sandbox):
    from airflow_provider_campaigns.testing.approvals import answered_approvals
    from airflow_provider_campaigns.testing.launched import assert_no_campaign

    with answered_approvals("Reject"):
        approval.test()
    assert_no_campaign(campaign_sandbox)
    # --8<-- [end:approval]


# --8<-- [start:fault]
def test_a_lost_answer_leaves_one_campaign(first_campaign, campaign_sandbox):
    campaign_sandbox.order_fault(
        vendor="kinbox", endpoint="create_campaign", kind="reset"
    )
    assert first_campaign.test().state == "success"
    journal = campaign_sandbox.journal("kinbox")
    assert journal["counts"]["kinbox"]["create_campaign"] == 1
    assert len(journal["campaigns"]) == 1
    # --8<-- [end:fault]


# --8<-- [start:outage]
def test_an_outage_while_waiting_is_borne(first_campaign, campaign_sandbox):
    campaign_sandbox.order_fault(
        vendor="kinbox",
        endpoint="get_campaign",
        kind="error",
        status=503,
        times=5,
        skip=1,
    )
    assert first_campaign.test().state == "success"
    # --8<-- [end:outage]


# --8<-- [start:request]
def test_a_wrong_token_fails_the_task(first_campaign, campaign_sandbox, monkeypatch):
    wrong = {**campaign_sandbox.connections()["kinbox_default"], "password": "invalid"}
    monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps(wrong))
    assert first_campaign.test().state == "failed"
    assert campaign_sandbox.journal()["campaigns"] == []
    # --8<-- [end:request]


# --8<-- [start:clock]
def test_nothing_is_sent_before_the_set_time(campaign_sandbox):
    from datetime import UTC, datetime, timedelta

    from airflow_provider_campaigns.hooks.kinbox import KinboxHook

    campaign_sandbox.set_speed(0)  # vendor time stands still
    hook = KinboxHook()
    created = hook.create_campaign(
        name="Tomorrow",
        lead_type="file",
        leads_asset_url="https://files.example.com/leads.csv?leads=20",
        message="Hello",
        scheduled_to=datetime.now(UTC) + timedelta(days=1),
    )
    assert hook.get_campaign(created.id).status == "scheduled"
    # --8<-- [end:clock]


def test_the_client_works_without_airflow(campaign_sandbox):
    base_url = campaign_sandbox.base_url("kinbox")
    # --8<-- [start:client]
    from airflow_provider_campaigns.api.kinbox.client import KinboxClient

    with KinboxClient("token", base_url=base_url, timeout=10) as client:
        campaigns = [
            (one.id, one.name, one.status, one.progress)
            for one in client.list_campaigns()
        ]
    # --8<-- [end:client]
    assert campaigns == []
