"""Phone numbers and names of recipients are in no log line and no error, whatever a vendor says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from wire import cuts_off, resets, says

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Answer, Refusal
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.kinbox.answers import LeadResult
from airflow_provider_campaigns.api.koreai.answers import ContactResult
from airflow_provider_campaigns.api.koreai.contact_lists import Contact
from airflow_provider_campaigns.api.redaction import redacted

pytestmark = pytest.mark.usefixtures("no_proxies")

NUMBER, NAME = "+5215512345678", "Zoraida Quetzal"
ECHOED = f"Contact {NAME} <{NUMBER}> is blocked; 5215512345678 too"
SHOWN = (NUMBER[1:], "5512345678", "Zoraida", "Quetzal")

#: The calls that hand recipients over, or ask for them.
CALLS: Mapping[str, Mapping[str, Callable[[Any], object]]] = {
    "kinbox": {"results": lambda client: list(client.list_lead_results("7"))},
    "altur": {
        "add": lambda client: client.add_contacts("7", [{"contact": NUMBER, "name": NAME}]),
        "add all": lambda client: list(client.add_all_contacts("7", [{"contact": NUMBER, "name": NAME}])),
        "contacts": lambda client: list(client.list_contacts("7")),
        "contact": lambda client: client.get_contact("7", "8"),
        "delete": lambda client: client.delete_contact("7", "8"),
        "calls": lambda client: list(client.list_calls("7")),
    },
    "koreai": {
        "add": lambda client: client.add_contacts("List", [{"phoneNumber": NUMBER, "firstName": NAME}]),
        "add all": lambda client: client.add_all_contacts("List", [{"phoneNumber": NUMBER, "firstName": NAME}]),
        "contacts": lambda client: list(client.list_contacts("cl-1")),
        "results": lambda client: list(client.list_contact_results("7")),
    },
}


def worded(said: str) -> dict[str, Any]:
    return {
        "success": False,
        "status": "failed",
        "message": said,
        "error": {"message": said},
        "errors": [{"msg": said, "contact": NUMBER}],
        "detail": {"contacts": [{"name": [said]}]},
        "field": said,
    }


ANSWERS: Mapping[str, Any] = {
    **{f"a {status}": says(status, worded(ECHOED)) for status in (400, 401, 404, 409, 412, 422, 500, 503)},
    "a failure as success": says(200, worded(ECHOED)),
    "a 429": says(429, worded("Rate limit exceeded"), Retry_After="0"),
    "a page": says(400, f"<html>{ECHOED}</html>".encode()),
    "a gateway's page": says(502, f"<html>{ECHOED}</html>".encode()),
    "a page as success": says(200, f"<html>{ECHOED}</html>".encode()),
    "another object": says(200, {"contact": ECHOED, "data": ECHOED, "results": ECHOED, "contacts": ECHOED}),
    "rows of another kind": says(200, {name: [ECHOED] for name in ("data", "results", "contacts", "calls")}),
    "half of it": says(200, json.dumps([{"number": NUMBER, "name": NAME}] * 5).encode()[:-9]),
    "a reset": resets,
    "half an answer": cuts_off,
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_goes_wrong_with_recipients_no_error_and_no_log_line_names_one(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, answer: str
) -> None:
    failed = 0
    for name, call in CALLS[vendor.name].items():
        client = connect(serve(*[ANSWERS[answer]] * 8).url)
        seen = logged()
        try:
            call(client)
        except errors.CampaignAPIError as error:
            seen += all_of(error)
            failed += 1
        # What a vendor says of the account itself is told: it is the credential that it is about.
        words = [word for word in SHOWN if word in seen + logged()]
        assert not words or (answer == "a 401" and words == ["Zoraida", "Quetzal"]), (name, words)
    assert failed


# Kinbox takes recipients from an address.
@pytest.mark.parametrize("vendor", ["altur", "koreai"], indirect=True)
@pytest.mark.parametrize("bad", [{"name": "\ud800" + NAME}, {"context": float("nan")}, {"extracted_data": {1, 2}}])
def test_contacts_that_cannot_be_written_are_refused_unsent_and_unseen(
    connect: Any, serve: Any, all_of: Any, vendor: Any, bad: dict[str, Any]
) -> None:
    server = serve()
    client = connect(server.url)
    contact = {"contact": NUMBER, "phoneNumber": NUMBER, "firstName": NAME, **bad}
    keys = ("contact", *bad) if vendor.name == "altur" else ("phoneNumber", "firstName", *bad)
    place = "7" if vendor.name == "altur" else "List"
    with pytest.raises(errors.InvalidRequest) as caught:
        client.add_contacts(place, [{key: contact[key] for key in keys}])
    assert not [word for word in SHOWN if word in all_of(caught.value)]
    assert server.requests == []


@pytest.mark.parametrize("vendor", ["altur"], indirect=True)
def test_of_a_refused_row_only_its_place_and_a_code_are_kept(connect: Any, serve: Any, vendor: Any) -> None:
    rows = [
        {"index": 0, "status": "failed", "error": {"code": "INVALID_PHONE_NUMBER", "message": ECHOED}},
        {"index": 1, "status": "failed", "error": ECHOED},
        {"index": 2, "status": "failed", "contact": NUMBER, "message": [NAME, NUMBER]},
    ]
    client = connect(serve(says(200, {"summary": {"failed": 3}, "results": rows})).url)
    batch = client.add_contacts("7", [{"contact": NUMBER}] * 3)
    assert batch.refused == ((0, "INVALID_PHONE_NUMBER"), (1, "not told"), (2, "not told"))


def test_no_repr_of_what_holds_a_recipient_shows_one() -> None:
    kept: list[object] = [
        LeadResult(NUMBER, "sent", placeholders=(NAME,)),
        ContactResult(NUMBER, NAME, "completed", 1, NAME),
        Contact("cc-1", NUMBER, {"firstName": NAME}),
        Answer("Post", Endpoint("GET", "/x"), 200, {"x": NUMBER}, {"contact": NUMBER, "name": NAME}, ECHOED),
        Refusal(errors.Rejected, ECHOED, NUMBER),
    ]
    assert not [word for word in SHOWN if word in repr(kept) + str(kept)]


# Numbers in a vendor's words

PHONES = [
    "5511987654321",
    "+5511987654321",
    "+55 11 98765-4321",
    "+55 (11) 98765-4321",
    "11987654321",
    "(11) 98765-4321",
    "11 98765-4321",
    "555-123-4567",
    "(555) 123-4567",
]


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("sentence", ["{} is no number", "no number: {}.", '{{"phone":"{}"}}', "<{}>, blocked", "-{}-"])
def test_a_phone_number_that_the_vendor_echoes_is_redacted(phone: str, sentence: str) -> None:
    said = redacted(sentence.format(phone), ())
    assert "[number]" in said
    assert phone[-4:] not in said


@pytest.mark.parametrize("call", ["check", "create"])
def test_a_number_in_any_refusal_is_redacted(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, call: str
) -> None:
    said = f"{NUMBER} is no number"
    for status in (400, 409, 422, 500):
        client: CampaignClient = connect(serve(*[says(status, {**worded(said), "code": NUMBER})] * 8).url)
        with pytest.raises(errors.CampaignAPIError) as caught:
            client.check() if call == "check" else client.create_campaign(**vendor.fields)
        assert "[number] is no number" in str(caught.value)
        assert NUMBER[1:] not in all_of(caught.value) + logged()


@pytest.mark.parametrize(
    "said",
    [
        "scheduled for 2026-11-21T12:00:00Z",
        "date 2026-11-21 12:30",
        "limit is 12.3456789012",
        "campaign 550e8400-e29b-41d4-a716-446655440000",
        "campaign 6650f1c2a4b3d2e1f0a9b8c7",
        "at most 100000 contacts",
        "error 40012 on 10.0.0.1",
        "see https://docs.example.com/campaigns#create",
    ],
)
def test_what_helps_the_reader_and_is_no_phone_number_is_kept(said: str) -> None:
    assert redacted(said, ()) == said


def test_the_right_to_read_a_file_of_recipients_is_not_repeated_with_its_address() -> None:
    address = "https://bucket.s3.amazonaws.com/leads.csv?X-Amz-Signature=0a1b2c&X-Amz-Expires=300"
    said = redacted(json.dumps({"leadsAssetUrl": address, "name": "Winter"}), ())
    assert json.loads(said) == {"leadsAssetUrl": "https://bucket.s3.amazonaws.com/leads.csv?...", "name": "Winter"}


def test_what_a_vendor_says_is_one_short_printable_line() -> None:
    said = redacted("a\n\x1b[31mb\ud800" + "x" * 100_000, ())
    assert said.isprintable()
    assert len(said) <= 301
    said.encode()
