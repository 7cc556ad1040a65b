"""Contacts and replies to object storage, and people taken out of a campaign, over the sandbox."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from acted_upon import altur_campaign, koreai_campaign

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.contact_lists import (
    KoreAICreateContactListOperator,
    KoreAIUpdateContactListOperator,
)
from airflow_provider_campaigns.operators.opt_outs import AlturDeleteContactsOperator
from airflow_provider_campaigns.operators.recipients import (
    AlturContactsToObjectStorageOperator,
    KinboxRepliesToObjectStorageOperator,
    KoreAIContactsToObjectStorageOperator,
)
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

NUMBERS = [f"+5255500000{number:02}" for number in range(20)]


def run(operator: Any, try_number: int = 1, **given: Any) -> Any:
    return operator(task_id="act", **given).execute(context_of(TaskInstance(try_number=try_number), None))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def campaign_of_twenty() -> str:
    campaign_id = altur_campaign()
    AlturHook().get_conn().add_contacts(campaign_id, [{"contact": number} for number in NUMBERS])
    return campaign_id


def test_contacts_of_altur_are_written_by_status(tmp_path: Path) -> None:
    campaign_id = campaign_of_twenty()
    written = run(AlturContactsToObjectStorageOperator, campaign_id=campaign_id, path=str(tmp_path / "all.jsonl"))
    assert written["count"] == 20
    assert {row["contact"] for row in rows(tmp_path / "all.jsonl")} == set(NUMBERS)
    sent = run(
        AlturContactsToObjectStorageOperator, campaign_id=campaign_id, path=str(tmp_path / "sent.jsonl"), status="sent"
    )
    assert sent["count"] == 0
    with pytest.raises(InvalidRequest, match="status must be one of queue"):
        AlturContactsToObjectStorageOperator(task_id="act", campaign_id="1", path="x.jsonl", status="gone")


def test_replies_at_kinbox_are_written_page_by_page(tmp_path: Path, campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1_000_000)
    url = "https://files.example.com/leads.csv?leads=3000"
    campaign_id = KinboxHook().create_campaign(name="W", lead_type="file", leads_asset_url=url, chunk_size=3000).id
    while KinboxHook().get_campaign(campaign_id).status.value != "finished":
        pass
    answered = KinboxHook().get_campaign(campaign_id).counts["answered"]
    assert answered > 100
    path = tmp_path / "replies.jsonl"
    assert run(KinboxRepliesToObjectStorageOperator, campaign_id=campaign_id, path=str(path))["count"] == answered
    assert {row["campaignId"] for row in rows(path)} == {campaign_id}


def test_contacts_of_a_list_at_koreai_are_written_and_the_list_is_renamed(tmp_path: Path) -> None:
    contacts = [{"phoneNumber": "+14155550123", "firstName": "Ana"}]
    made = run(KoreAICreateContactListOperator, name="Clinic", contacts=contacts, description="North")
    path = tmp_path / "contacts.jsonl"
    assert run(KoreAIContactsToObjectStorageOperator, list_id=made["id"], path=str(path))["count"] == 1
    assert rows(path)[0]["firstName"] == "Ana"
    changed = {"list_id": made["id"], "name": "Clinic South", "description": "South"}
    assert run(KoreAIUpdateContactListOperator, **changed) == {"id": made["id"], "name": "Clinic South"}
    described = str(KoreAIHook().get_conn().get_contact_list(made["id"]).raw["description"])
    # A retry of the task that made the list finds it by this.
    assert described.startswith("South [airflow ")
    with pytest.raises(CampaignRequestRefused, match="Give at least one of name"):
        run(KoreAIUpdateContactListOperator, list_id=made["id"])
    assert koreai_campaign()


def test_who_opts_out_is_taken_out_if_it_is_not_too_late(
    tmp_path: Path, campaign_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_id = campaign_of_twenty()
    file = tmp_path / "opted_out.csv"
    file.write_text("telefone\n" + "\n".join([*NUMBERS[:3], "+525559999999"]) + "\n")
    given: dict[str, Any] = {"campaign_id": campaign_id, "contacts": str(file), "columns": {"telefone": "contact"}}
    with caplog.at_level(logging.DEBUG):
        told = run(AlturDeleteContactsOperator, **given)
    assert (told["deleted"], told["too_late"], told["not_in_campaign"]) == (3, 0, 1)
    left = {contact["contact"] for contact in AlturHook().get_conn().list_contacts(campaign_id)}
    assert left == set(NUMBERS[3:])
    assert not any(number in caplog.text or number in str(told) for number in NUMBERS)
    # A retry finds them gone.
    assert run(AlturDeleteContactsOperator, try_number=2, **given)["not_in_campaign"] == 4
    campaign_sandbox.set_speed(1_000_000)
    AlturHook().start_campaign(campaign_id)
    while AlturHook().get_campaign(campaign_id).status.value != "finished":
        pass
    late = run(AlturDeleteContactsOperator, campaign_id=campaign_id, contacts=[{"contact": one} for one in NUMBERS])
    assert late["too_late"] + late["deleted"] == 17
    assert late["too_late"] > 0


def test_an_opt_out_whose_answer_was_lost_is_looked_at(campaign_sandbox: Sandbox) -> None:
    campaign_id = campaign_of_twenty()
    campaign_sandbox.order_fault(vendor="altur", endpoint="delete_contact", kind="reset")
    told = run(AlturDeleteContactsOperator, campaign_id=campaign_id, contacts=[{"contact": NUMBERS[0]}])
    assert told["deleted"] == 1
