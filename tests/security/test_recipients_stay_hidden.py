"""Phone numbers and names of recipients are in no log line and no error, whatever a vendor says of them."""

from __future__ import annotations

import io
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
    "kinbox": {
        "results": lambda client: list(client.list_lead_results("7")),
        "on whatsapp": lambda client: client.check_whatsapp("103", NUMBER),
        "all on whatsapp": lambda client: list(client.check_all_whatsapp("103", [NUMBER])),
    },
    "altur": {
        "add": lambda client: client.add_contacts("7", [{"contact": NUMBER, "name": NAME}]),
        "add all": lambda client: list(client.add_all_contacts("7", [{"contact": NUMBER, "name": NAME}])),
        "contacts": lambda client: list(client.list_contacts("7")),
        "contact": lambda client: client.get_contact("7", "8"),
        "delete": lambda client: client.delete_contact("7", "8"),
        "calls": lambda client: list(client.list_calls("7")),
        "recording": lambda client: client.download_recording("/api/v1.0/call/c1/recording", io.BytesIO()),
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
    **{
        f"a {status}": says(status, worded(ECHOED))
        for status in (400, 401, 402, 403, 404, 409, 412, 422, 429, 500, 503)
    },
    "a failure as success": says(200, worded(ECHOED)),
    "a limit": says(429, worded("Rate limit exceeded"), Retry_After="0"),
    "a limit as success": says(200, worded(f"You've exceeded the per-minute rate limit for {ECHOED}")),
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
        words = [word for word in SHOWN if word in seen + logged()]
        assert not words, (name, words)
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
    "55 (11) 9 0000-1111",
    "11.90000.1111",
    "lead-5511900001111",
    "lead5511900001111x",
    "%2B5511900001111",
    "%2B55%20%2811%29%2090000%2D1111",
    r"\u002b55\u00a011\u00a090000\u20111111",
    "55&nbsp;11&nbsp;90000&#45;1111",
    "5 5 1 1 9 0 0 0 0 1 1 1 1",
    "5511/90000/1111",
    "5511_90000_1111",
    "55:11:90000:1111",
    "55,11,90000,1111",
    "55 11 90000 \u2013 1111",
    "55\u200b11\u200b90000\u200b1111",
    "+\u0665\u0665\u0661\u0661\u0669\u0660\u0660\u0660\u0660\u0661\u0661\u0661\u0661",
    "90001111",
    "id 550e8400 of 5511900001111",
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
        "since 2026-11-21T12:30:00.123Z until 2026-11-22T12:30:00+02:00",
        "limit is 12.34567",
        "campaign 550e8400-e29b-41d4-a716-446655440000",
        "campaign cd-67447605-1150-5dd2-8676-115811110000 is Active",
        "campaign 6650f1c2a4b3d2e1f0a9b8c7",
        "campaign 665012345678a9b8c7000000",
        "campaign 1234567",
        "one of 5, 10, 15, 20, 30",
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


@pytest.mark.parametrize("blanks", [" " * 5990, "+" * 5992, "1" * 5994])
def test_a_number_that_is_cut_off_at_the_end_of_what_is_looked_at_is_not_shown(blanks: str) -> None:
    assert "55119" not in redacted(f"{blanks} 5511900001111", ())


def test_a_vendors_own_word_for_a_status_is_as_harmless_as_all_that_it_says(
    vendor: Any, connect: Any, serve: Any
) -> None:
    said = f"failed for {NUMBER}\x1b[2J\n{'x' * 1000}"
    item = {"id": "7", "_id": "7", "status": said}
    body = {**item, "success": True, "campaign": item, "data": item}
    word = connect(serve(says(200, body)).url).get_campaign("7", progress=False).vendor_status
    assert word.startswith("failed for [number] [2J xxx")
    assert word.isprintable()
    assert len(word) <= 81


def test_no_control_character_of_a_vendors_reaches_an_error_whatever_the_message_takes_up() -> None:
    error = errors.Rejected("Campaign \x1b[31mA\nB\x07 of \u202eC", vendor="Post", endpoint="GET /x")
    assert str(error) == "Campaign  [31mA B  of  C"


@pytest.mark.parametrize("bad", ["7\n8", "\x1b[2J", " ", "9" * 201, "\u202e7"])
def test_an_id_that_could_be_none_is_unreadable(vendor: Any, connect: Any, serve: Any, bad: str) -> None:
    item = {"id": bad, "_id": bad, "status": "Ready"}
    body = {**item, "success": True, "campaign": item, "data": item}
    with pytest.raises(errors.OutcomeUnknown, match="without an id") as caught:
        connect(serve(says(200, body)).url).create_campaign(**vendor.fields)
    assert str(caught.value).isprintable()


def test_what_a_vendor_says_is_one_short_printable_line() -> None:
    said = redacted("a\n\x1b[31mb\ud800" + "x" * 100_000, ())
    assert said.isprintable()
    assert len(said) <= 301
    said.encode()
