"""The assertions that projects use: they hold for what was launched, and say what there is instead."""

from __future__ import annotations

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.approvals import answered_approvals
from airflow_provider_campaigns.testing.launched import assert_no_campaign, assert_one_campaign
from airflow_provider_campaigns.testing.own_airflow import dags_of_folder

PEOPLE = ("+5215512345601", "+5215512345602")


@pytest.fixture
def at_kinbox(campaign_sandbox: Sandbox) -> KinboxClient:
    return KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))


def launch(client: KinboxClient, campaign_sandbox: Sandbox, people: tuple[str, ...] = PEOPLE) -> None:
    url = campaign_sandbox.serve_file("people.csv", "\n".join(people))
    client.create_campaign(name="Winter #1", lead_type="file", leads_asset_url=url, message="Hello")


def test_one_campaign_for_these_people_is_returned(campaign_sandbox: Sandbox, at_kinbox: KinboxClient) -> None:
    launch(at_kinbox, campaign_sandbox)
    spelled = ("521 55 1234 5602", "+52 (155) 1234-5601")
    campaign = assert_one_campaign(campaign_sandbox, "kinbox", recipients=spelled, name="Winter")
    assert campaign["contacts"] == 2


def test_people_that_are_missing_or_not_meant_are_told_by_their_last_digits(
    campaign_sandbox: Sandbox, at_kinbox: KinboxClient
) -> None:
    launch(at_kinbox, campaign_sandbox)
    with pytest.raises(AssertionError, match=r"2 people.*1 missing \(…5603\); 1 not meant \(…5602\)") as raised:
        assert_one_campaign(campaign_sandbox, "kinbox", recipients=[PEOPLE[0], "+5215512345603"])
    assert "5215512" not in str(raised.value)


def test_two_campaigns_none_or_another_one_are_told(campaign_sandbox: Sandbox, at_kinbox: KinboxClient) -> None:
    with pytest.raises(AssertionError, match="0 campaigns exist at kinbox, not 1"):
        assert_one_campaign(campaign_sandbox, "kinbox")
    assert_no_campaign(campaign_sandbox)
    campaign_sandbox.set_speed(0)
    launch(at_kinbox, campaign_sandbox)
    with pytest.raises(AssertionError, match="'Winter #1', not 'Summer'"):
        assert_one_campaign(campaign_sandbox, "kinbox", name="Summer")
    with pytest.raises(AssertionError, match="began 0 times, not 1"):
        assert_one_campaign(campaign_sandbox, "kinbox", starts=1)
    with pytest.raises(AssertionError, match=r"1 campaigns exist, though none should: .*kinbox: Winter #1"):
        assert_no_campaign(campaign_sandbox)
    launch(at_kinbox, campaign_sandbox)
    with pytest.raises(AssertionError, match="2 campaigns exist at kinbox, not 1"):
        assert_one_campaign(campaign_sandbox, "kinbox")


def test_the_sandbox_tells_whom_a_campaign_of_altur_and_of_kore_ai_is_for(campaign_sandbox: Sandbox) -> None:
    altur = AlturClient("key", base_url=campaign_sandbox.base_url("altur"))
    campaign = altur.create_campaign(
        name="Winter", agent_id="agent", integration_id="integration", integration_type="phone_call"
    )
    assert campaign_sandbox.recipients("altur", campaign.id) == []
    altur.add_contacts(campaign.id, [{"contact": number} for number in PEOPLE])
    assert campaign_sandbox.recipients("altur", campaign.id) == list(PEOPLE)
    assert_one_campaign(campaign_sandbox, "altur", recipients=PEOPLE, starts=0)

    base_url = campaign_sandbox.base_url("koreai")
    koreai = KoreAIClient("cs-1", "secret", app_id="st-1", account_id="a", base_url=base_url)
    hours = {"frequency": "WEEKLY", "timezone": "UTC", "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}]}
    sms = koreai.create_campaign(
        name="Winter",
        description="x",
        contact_lists=["Sandbox contacts"],
        message="Hello",
        dialing_strategy={"callerId": {"phoneNumber": "+14155550100"}, "callingHours": hours},
    )
    numbers = campaign_sandbox.recipients("koreai", sms.id)
    assert len(numbers) == len(set(numbers)) > 1
    assert all(number.startswith("+1") for number in numbers)


def test_a_question_for_the_recipients_of_nothing_is_refused(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="campaign: kinbox has no campaign 'x'"):
        campaign_sandbox.recipients("kinbox", "x")
    with pytest.raises(ValueError, match=r"vendor: must be one of .*, not 'nobody'"):
        campaign_sandbox.recipients("nobody", "x")


def test_a_choice_that_no_approval_offers_is_refused() -> None:
    with pytest.raises(ValueError, match="must be Approve or Reject, not 'Yes'"), answered_approvals("Yes"):
        pass


def test_a_folder_without_dags_names_the_fixture_to_override(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"no DAG in .*campaign_dags_folder"):
        dags_of_folder(tmp_path)
    (tmp_path / "broken.py").write_text("import airflow  # a file with a DAG\n1 / 0\n")
    with pytest.raises(ValueError, match=r"(?s)broken\.py: .*ZeroDivisionError"):
        dags_of_folder(tmp_path)
