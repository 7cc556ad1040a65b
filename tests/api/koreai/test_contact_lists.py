"""Kore.ai's client against the sandbox: contact lists."""

from __future__ import annotations

import pytest
from at_koreai import (
    LOST,
    SMS,
    Connect,
    numbers,
    requests_of,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_contact_list_is_made_filled_read_changed_and_deleted(
    connect: Connect, clock: ManualClock, version: str
) -> None:
    client = connect(api_version=version)
    made = client.create_contact_list("Clinic North", description="Patients")
    assert (made.name, made.status, made.contacts) == ("Clinic North", "Ready", 0)
    assert client.add_contacts("Clinic North", numbers(30)) == 30
    assert client.get_contact_list(made.id).contacts == 0
    clock.advance(1)
    assert client.get_contact_list(made.id).contacts == 30
    contacts = list(client.list_contacts(made.id, page_size=20))
    assert [contact.phone_number for contact in contacts] == [row["phoneNumber"][1:] for row in numbers(30)]
    assert "1202555" not in repr(contacts)
    client.update_contact_list(made.id, name="Clinic South")
    assert {known.name for known in client.list_contact_lists()} == {"Sandbox contacts", "Clinic South"}
    client.delete_contact_list(made.id)
    with pytest.raises(errors.NotFound):
        client.get_contact_list(made.id)


def test_a_list_in_use_and_a_second_one_of_its_name_are_refused(connect: Connect) -> None:
    client = connect()
    made = client.create_contact_list("Clinic North")
    with pytest.raises(errors.Conflict, match="already exists"):
        client.create_contact_list("Clinic North")
    client.create_campaign(**{**SMS, "contact_lists": ["Clinic North"]})
    with pytest.raises(errors.Rejected, match="associated with a campaign"):
        client.delete_contact_list(made.id)
    with pytest.raises(errors.NotFound, match="Contact list Clinic West not found"):
        client.create_campaign(**{**SMS, "contact_lists": ["Clinic West"]})


def test_any_number_of_contacts_goes_out_in_batches_of_a_hundred(
    connect: Connect, clock: ManualClock, campaign_sandbox: Sandbox
) -> None:
    client = connect()
    made = client.create_contact_list("Clinic North")
    told: list[int] = []
    assert client.add_all_contacts("Clinic North", iter(numbers(250)), after_batch=told.append) == 250
    assert told == [100, 200, 250]
    assert len(requests_of(campaign_sandbox, "add_contacts")) == 3
    clock.advance(1)
    assert client.get_contact_list(made.id).contacts == 250


def test_a_list_of_a_running_campaign_is_busy(connect: Connect, clock: ManualClock) -> None:
    client = connect()
    client.create_contact_list("Clinic North")
    client.add_contacts("Clinic North", numbers(10))
    clock.advance(1)
    ids = [client.create_campaign(**{**SMS, "contact_lists": ["Clinic North"]}).id for _ in range(2)]
    client.start_campaign(ids[0])
    with pytest.raises(errors.Conflict, match="in use by a running campaign"):
        client.start_campaign(ids[1])


@pytest.mark.parametrize("kind", LOST)
def test_a_batch_whose_answer_is_lost_is_never_sent_again(
    connect: Connect, campaign_sandbox: Sandbox, kind: str
) -> None:
    client = connect()
    client.create_contact_list("Clinic North", allow_duplicates=True)
    campaign_sandbox.order_fault(endpoint="add_contacts", **LOST[kind])
    with pytest.raises(errors.OutcomeUnknown):
        client.add_all_contacts("Clinic North", numbers(150))
    assert len(requests_of(campaign_sandbox, "add_contacts")) == 1
