"""Contact lists at Kore.ai: whatever happens on the way, there is one, and each number is in it once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from handing_over import (
    KOREAI,
    NONE_BROKEN,
    NUMBERS,
    Killed,
    Store,
    in_list,
    listing,
    requests_of,
    run,
)

from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.exceptions import (
    CampaignRequestFailed,
    CampaignRequestRefused,
    LaunchConflict,
    LaunchOutcomeUnknown,
)
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.contact_lists import (
    KoreAIAddContactsOperator,
    KoreAIDeleteContactListOperator,
)
from airflow_provider_campaigns.sandbox.koreai.campaign import KoreAIContactList
from airflow_provider_campaigns.sandbox.server import Sandbox


def test_a_list_is_created_filled_and_waited_for(campaign_sandbox: Sandbox) -> None:
    result = run(listing())
    assert result == {"id": result["id"], "name": "Clinic", "rows": 220, "contacts": 220, **NONE_BROKEN}
    assert in_list() == NUMBERS
    assert requests_of(campaign_sandbox, "create_contact_list") == 1
    assert requests_of(campaign_sandbox, "add_contacts") == 3


def test_a_file_s_columns_are_kore_ai_s_own(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("phoneNumber,firstName,plan\n+14155550123,Ana,gold\n+14155550124,,\n")
    made = run(listing(f"{tmp_path}/rows.csv"))
    first, second = KoreAIHook().get_conn().list_contacts(made["id"])
    assert (first.values["firstName"], first.values["plan"]) == ("Ana", "gold")
    assert "firstName" not in second.values


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("endpoint", ["create_contact_list", "add_contacts"])
def test_after_a_lost_answer_the_retry_makes_no_second_list_and_leaves_each_number_in_once(
    endpoint: str, effect: bool, remembers: bool, campaign_sandbox: Sandbox
) -> None:
    skip = 1 if endpoint == "add_contacts" else 0
    campaign_sandbox.order_fault(kind="reset", endpoint=endpoint, effect=effect, skip=skip)
    store = Store() if remembers else None
    with pytest.raises(LaunchOutcomeUnknown):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("death", range(1, 6))
def test_a_worker_killed_at_any_step_leaves_one_list_with_each_number_once_after_the_retry(
    death: int, done: bool
) -> None:
    store = Store(death=death, done=done)
    with pytest.raises(Killed):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


def test_a_list_of_that_name_that_somebody_else_made_is_left_alone(campaign_sandbox: Sandbox) -> None:
    KoreAIHook().get_conn().create_contact_list("CLINIC")
    for try_number in (1, 2):
        with pytest.raises(LaunchConflict, match="that this task did not make"):
            run(listing(), try_number)
    assert in_list("CLINIC") == []
    assert requests_of(campaign_sandbox, "add_contacts") == 0


def test_a_list_of_that_name_is_used_where_that_is_wanted() -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic")
    run(listing(if_exists="use"))
    assert in_list() == NUMBERS


def test_a_list_that_this_run_made_for_other_contents_is_left_alone() -> None:
    run(listing(KOREAI[:5]))
    with pytest.raises(LaunchConflict, match="for other contents"):
        run(listing(KOREAI[:6]), 2)
    assert in_list() == NUMBERS[:5]


def test_a_list_that_may_hold_a_number_twice_is_refused(campaign_sandbox: Sandbox) -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic", allow_duplicates=True)
    with pytest.raises(CampaignRequestRefused, match="may hold a number twice"):
        run(KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI))
    assert requests_of(campaign_sandbox, "add_contacts") == 0


@pytest.mark.parametrize("allowed", [None, False, True])
@pytest.mark.parametrize("mode", [None, "dontAllowDuplicates", "allowDuplicates", "merge"])
def test_whether_a_list_keeps_duplicates_is_read_from_both_fields_and_unknown_counts_as_may(
    mode: str | None, allowed: bool | None, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic")
    answered(monkeypatch, mode, allowed)
    operator = KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI[:3])
    keeps_each_once = (
        mode != "allowDuplicates"
        and allowed is not True
        and (mode, allowed)
        not in (
            (None, None),
            ("merge", None),
        )
    )
    if keeps_each_once:
        assert run(operator)["rows"] == 3
        return
    with pytest.raises(CampaignRequestRefused, match="may hold a number twice, so that a repeated batch"):
        run(operator)
    assert requests_of(campaign_sandbox, "add_contacts") == 0


@pytest.mark.parametrize("remembers", [True, False])
def test_a_retry_goes_on_with_its_own_list_although_the_answers_do_not_say_what_it_keeps(
    remembers: bool, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, None, None)
    campaign_sandbox.order_fault(kind="reset", endpoint="add_contacts", effect=True, skip=1)
    store = Store() if remembers else None
    with pytest.raises(LaunchOutcomeUnknown):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


def answered(monkeypatch: pytest.MonkeyPatch, mode: str | None, allowed: bool | None) -> None:
    """Let the sandbox's answers about lists show these two fields, or leave them out."""
    shown = KoreAIContactList.as_json

    def as_json(known: KoreAIContactList, *arguments: Any, **named: Any) -> dict[str, Any]:
        told = dict(shown(known, *arguments, **named))
        told.pop("apiConfigurations", None)
        told.pop("allowDuplicates", None)
        if mode is not None:
            told["apiConfigurations"] = {"dataSyncMode": mode}
        return told if allowed is None else {**told, "allowDuplicates": allowed}

    monkeypatch.setattr(KoreAIContactList, "as_json", as_json)


def test_numbers_with_and_without_a_plus_are_one_to_a_list_that_is_waited_for() -> None:
    rows = [{"phoneNumber": spelled} for spelled in ("+14155550100", "14155550100", "14155550101", "0151 12345678")]
    result = run(listing(rows, number_format="as_given", wait_timeout=5))
    assert (result["rows"], result["duplicates"], result["contacts"]) == (3, 1, 3)
    assert in_list() == ["0151 12345678", "14155550100", "14155550101"]


def test_kore_ai_s_numbers_are_e_164_with_their_plus(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    add = KoreAIClient.add_checked_contacts
    monkeypatch.setattr(
        KoreAIClient,
        "add_checked_contacts",
        lambda client, name, rows: sent.extend(rows) or add(client, name, rows),
    )
    run(listing([{"Phone Number": "(11) 99999-0001", "first name": "Ana"}], default_country="br"))
    assert [*map(json.loads, sent)] == [{"phoneNumber": "+5511999990001", "firstName": "Ana"}]


def test_contacts_that_are_not_counted_in_time_fail_the_try_and_the_next_adds_none(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    store = Store()
    with pytest.raises(CampaignRequestFailed, match=r"has 0 contacts after 0\.1 s, of 220 numbers"):
        run(listing(wait_timeout=0.1), store=store)
    campaign_sandbox.set_speed(3600)
    assert run(listing(wait_timeout=5), 2, store)["contacts"] == 220
    assert requests_of(campaign_sandbox, "add_contacts") == 3


def test_a_number_that_is_in_the_file_twice_is_waited_for_once() -> None:
    assert run(listing([*KOREAI[:5], *KOREAI[:5]])) | {"id": ""} == {
        "id": "",
        "name": "Clinic",
        "rows": 5,
        "contacts": 5,
        **NONE_BROKEN,
        "duplicates": 5,
    }


def test_a_row_without_a_phone_number_is_named_by_its_place_and_nothing_is_sent(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="contacts, row 221, column phoneNumber: it is words"):
        run(listing([*KOREAI, {"phoneNumber": "secret"}]))
    assert campaign_sandbox.journal()["requests"] == []


def test_a_description_without_room_for_the_mark_is_refused_and_nothing_is_sent(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="description must have at most 226 characters; it has 240"):
        run(listing(description="x" * 240))
    assert campaign_sandbox.journal()["requests"] == []


def test_contacts_are_added_to_a_list_that_is_there() -> None:
    made = run(listing(KOREAI[:20]))
    result = run(KoreAIAddContactsOperator(task_id="t", list_name="clinic", contacts=KOREAI))
    assert result == {"id": made["id"], "name": "Clinic", "rows": 220, **NONE_BROKEN}
    finished = KoreAIHook().get_conn()
    for _ in range(100):
        if finished.get_contact_list(made["id"]).contacts == 220:
            break
    assert in_list() == NUMBERS


def test_a_list_that_is_not_there_is_told_and_nothing_is_added(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="no contact list 'Clinic'"):
        run(KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI))
    assert requests_of(campaign_sandbox, "add_contacts") == 0


def test_a_list_is_deleted_once_however_the_answer_gets_lost(campaign_sandbox: Sandbox) -> None:
    made = run(listing(KOREAI[:5]))
    campaign_sandbox.order_fault(kind="reset", endpoint="delete_contact_list", effect=True)
    operator = KoreAIDeleteContactListOperator(task_id="t", list_id=made["id"])
    run(operator)
    run(operator, 2)
    with pytest.raises(CampaignRequestFailed, match="not found"):
        run(operator)
    assert "Clinic" not in {known.name for known in KoreAIHook().get_conn().list_contact_lists()}
