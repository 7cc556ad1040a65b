"""Altur's client against the sandbox: contacts and calls."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from at_altur import FOR_GOOD, LOST, Counts, Inventory, create, launched, people

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient, ContactBatch
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.sandbox.altur.campaign import SENDING_SECONDS
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.server import Sandbox


class TestContacts:
    def test_a_batch_tells_what_became_of_its_rows(self, client: AlturClient, campaigns: Inventory) -> None:
        campaign = create(client)
        rows = [*people(2), *people(1), {"contact": "not a number"}]
        assert client.add_contacts(campaign.id, rows) == ContactBatch(2, 0, 1, 1, ((3, "INVALID_PHONE_NUMBER"),))
        assert client.add_contacts(campaign.id, people(3), if_duplicate="update") == ContactBatch(1, 2, 0, 0)
        assert campaigns()[0]["contacts"] == 3
        assert campaigns()[0]["contact_rows"] == 6

    @pytest.mark.parametrize("effect", [True, False], ids=["after the effect", "before it"])
    @pytest.mark.parametrize("fault", LOST)
    def test_a_batch_whose_answer_was_lost_is_in_once(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory, fault: str, effect: bool
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(**LOST[fault], endpoint="add_contacts", effect=effect)
        assert client.add_contacts(campaign.id, people(5)).created == 5
        assert campaigns()[0]["contact_rows"] == 5

    def test_a_batch_lost_for_good_leaves_the_outcome_open(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="add_contacts", times=FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown):
            client.add_contacts(campaign.id, people(5))

    def test_all_contacts_go_in_batches_one_for_each_step(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = create(client)
        read = 0

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal read
            for row in [*people(4), {"contact": "bad"}]:
                read += 1
                yield row

        batches = client.add_all_contacts(campaign.id, rows(), batch_size=2)
        assert read == 0
        assert next(batches) == ContactBatch(2, 0, 0, 0)
        assert (read, requests_of()["add_contacts"]) == (2, 1)
        assert list(batches)[-1] == ContactBatch(0, 0, 0, 1, ((4, "INVALID_PHONE_NUMBER"),))
        assert requests_of()["add_contacts"] == 3

    def test_batches_in_flight_are_each_contact_once_and_told_in_order(
        self, client: AlturClient, requests_of: Counts, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        batches = list(client.add_all_contacts(campaign.id, people(41), batch_size=4, in_flight=4))
        assert [batch.rows for batch in batches] == [4] * 10 + [1]
        assert requests_of()["add_contacts"] == 11
        assert campaigns()[-1]["contacts"] == 41

    def test_a_batch_lost_in_flight_leaves_the_others_in_and_a_second_try_adds_nobody_twice(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="reset", endpoint="add_contacts", times=4 * FOR_GOOD)
        with pytest.raises(errors.OutcomeUnknown):
            list(client.add_all_contacts(campaign.id, people(40), batch_size=4, key_prefix="intent", in_flight=4))
        campaign_sandbox.clear_faults()
        list(client.add_all_contacts(campaign.id, people(40), batch_size=4, key_prefix="intent", in_flight=4))
        assert campaigns()[-1]["contacts"] == 40

    def test_the_same_batch_has_the_same_key_on_another_try_and_a_changed_one_has_not(
        self, client: AlturClient, campaign_sandbox: Sandbox, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        list(client.add_all_contacts(campaign.id, people(4), batch_size=2, key_prefix="intent"))
        list(client.add_all_contacts(campaign.id, people(2, start=2), batch_size=2, key_prefix="intent", first_index=2))
        list(client.add_all_contacts(campaign.id, people(1, start=2), batch_size=2, key_prefix="intent"))
        requests = campaign_sandbox.journal("altur")["requests"]
        keys = [entry["idempotency_key"] for entry in requests if entry["endpoint"] == "add_contacts"]
        assert len(keys) == 4
        assert keys[1] == keys[2]
        assert len({keys[0], keys[1], keys[3]}) == 3
        assert campaigns()[0]["contact_rows"] == 5

    @pytest.mark.parametrize(
        ("rows", "named"),
        [
            ([], "from 1 to 1000"),
            (people(1001), "add_all_contacts"),
            ([{"contact": "+525512345678", "phone": "+525512345678"}], r"contacts\[0\]: it has 1 unknown field"),
            ([{"name": "No number"}], r"contacts\[0\]: contact"),
        ],
    )
    def test_rows_that_cannot_be_sent_are_refused_before_anything_is(
        self, client: AlturClient, requests_of: Counts, rows: list[dict[str, Any]], named: str
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=named) as refused:
            client.add_contacts("1001", rows)
        assert "5512345678" not in str(refused.value)
        assert requests_of() == {}

    @pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": 1001}, {"if_duplicate": "replace"}])
    def test_bad_options_of_a_stream_are_refused_at_once(
        self, client: AlturClient, requests_of: Counts, options: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=next(iter(options))):
            client.add_all_contacts("1001", people(1), **options)
        assert requests_of() == {}

    def test_a_bad_row_ends_a_stream_at_its_batch_and_is_named_by_its_place_in_the_whole(
        self, client: AlturClient, campaigns: Inventory
    ) -> None:
        campaign = create(client)
        batches = client.add_all_contacts(campaign.id, [*people(3), {"name": "x"}], batch_size=2)
        next(batches)
        with pytest.raises(errors.InvalidRequest, match=r"contacts\[3\]"):
            next(batches)
        assert campaigns()[0]["contacts"] == 2

    def test_a_finished_campaign_takes_no_more_contacts(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS)
        with pytest.raises(errors.Conflict):
            client.add_contacts(campaign.id, people(1, start=500))

    def test_what_the_vendor_says_about_contacts_stays_out_of_the_error(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        campaign_sandbox.order_fault(kind="error", endpoint="add_contacts", status=400, effect=False)
        with pytest.raises(errors.Rejected, match="may name recipients"):
            client.add_contacts(campaign.id, people(1))

    def test_contacts_are_listed_by_page_each_once(self, client: AlturClient, requests_of: Counts) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(25))
        walked = client.list_contacts(campaign.id, page_size=10)
        assert "list_contacts" not in requests_of()
        assert [row["contact"] for row in walked] == [row["contact"] for row in people(25)]
        assert requests_of()["list_contacts"] == 3

    def test_contacts_are_listed_and_counted_by_status(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client, number=40)
        clock.advance(SENDING_SECONDS / 2)
        failed = list(client.list_contacts(campaign.id, status="failed"))
        assert [row["status"] for row in failed] == ["failed"]
        assert client.count_contacts(campaign.id, "failed") == 1
        assert client.count_contacts(campaign.id) == 40

    @pytest.mark.parametrize("filters", [{"page_size": 0}, {"page_size": 101}, {"status": "busy"}])
    def test_bad_filters_of_contacts_are_refused_before_anything_is_sent(
        self, client: AlturClient, requests_of: Counts, filters: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.InvalidRequest, match=next(iter(filters))):
            client.list_contacts("1001", **filters)
        assert requests_of() == {}

    def test_contacts_that_run_in_a_circle_are_an_error_not_an_end(
        self, client: AlturClient, campaign_sandbox: Sandbox
    ) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, people(3))
        campaign_sandbox.order_fault(kind="repeated_cursor", endpoint="list_contacts")
        with pytest.raises(errors.ListingIncomplete):
            list(client.list_contacts(campaign.id))

    def test_one_contact_is_read_and_taken_out(self, client: AlturClient) -> None:
        campaign = create(client)
        client.add_contacts(campaign.id, [{"contact": "+525512345678", "f_id": "u1", "extracted_data": {"debt": 5}}])
        (row,) = client.list_contacts(campaign.id)
        assert client.get_contact(campaign.id, row["id"])["extracted_data"] == {"debt": 5}
        client.delete_contact(campaign.id, row["id"])
        with pytest.raises(errors.NotFound):
            client.get_contact(campaign.id, row["id"])

    def test_a_contact_that_was_reached_cannot_be_taken_out(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client)
        clock.advance(SENDING_SECONDS / 2)
        reached = next(client.list_contacts(campaign.id, status="answered"))
        with pytest.raises(errors.Conflict) as refused:
            client.delete_contact(campaign.id, reached["id"])
        assert refused.value.code == "CONTACT_NOT_DELETABLE"

    def test_a_contact_taken_out_in_time_is_never_called(
        self, client: AlturClient, clock: ManualClock, campaigns: Inventory
    ) -> None:
        campaign = launched(client, number=4)
        last = list(client.list_contacts(campaign.id))[-1]
        client.delete_contact(campaign.id, last["id"])
        clock.advance(SENDING_SECONDS)
        assert campaigns()[0]["messages"] == 3
        assert client.get_campaign(campaign.id).status is CampaignStatus.FINISHED

    def test_calls_are_listed_by_page_and_filtered(self, client: AlturClient, clock: ManualClock) -> None:
        campaign = launched(client, number=20)
        clock.advance(SENDING_SECONDS)
        calls = list(client.list_calls(campaign.id, page_size=7))
        assert len({call["id"] for call in calls}) == 20
        assert {call["answered_by"] for call in client.list_calls(campaign.id, answered_by="machine")} == {"machine"}
        assert len(list(client.list_calls(campaign.id, status="no-answer"))) == 1
        assert list(client.list_calls(campaign.id, start_date=clock.now() + datetime.timedelta(hours=1))) == []
